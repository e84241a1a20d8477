// Values of properties that are texts to the schema and have a form of their own, for random trees.
#pragma once

#include <algorithm>
#include <iterator>
#include <string_view>

namespace maclane::model {

/// One of two right values of a property of this name; "" if any text will do.
inline std::string_view form_of(std::string_view property, bool other) {
  struct Form {
    std::string_view property, one, other;
  };
  constexpr Form kForms[] = {
      {"add-dns-entries-suffix", "office.lan", "lan"},
      {"address", "192.0.2.1", "192.0.2.2"},
      {"address-list-timeout", "1h", "none-static"},
      {"alert-timeout", "2h", "none"},
      {"boot-file-name", "pxelinux.0", "a b"},
      {"bootp-lease-time", "lease-time", "1h"},
      {"client-id", "1:aa:bb:cc:dd:ee:ff", "'laptop'"},
      {"client-mac-limit", "3", "unlimited"},
      {"cname", "other.example", "b.example"},
      {"connection-bytes", "1000000-0", "5-100"},
      {"connection-limit", "100,32", "5,24"},
      {"connection-rate", "0-100k", "1M-2M"},
      {"country", "LV", "DE"},
      {"delay-threshold", "5s", "none"},
      {"domain", "lan.example", "office"},
      {"dst-limit", "10,5,dst-address/1m", "1/1m,2,src-and-dst-addresses/1h"},
      {"forward-to", "192.0.2.53", "192.0.2.54"},
      {"host-plane", "yes", "routers"},
      {"host-uniq", "00ff", "0A"},
      {"icmp-rate-mask", "0x1819", "32"},
      {"ipsec-policy", "in,none", "out,none"},
      {"keepalive-timeout", "30", "disabled"},
      {"limit", "10,5:packet", "10/1m,5"},
      {"max-mru", "1480", "auto"},
      {"max-mtu", "1480", "auto"},
      {"mx-exchange", "mail.example", "mx.example"},
      {"name", "host.example", "b.example"},
      {"netns", "web1", "/run/netns/a b"},
      {"new-mss", "1400", "clamp-to-pmtu"},
      {"new-priority", "3", "from-dscp"},
      {"new-ttl", "set:64", "decrement:1"},
      {"ns", "ns.example", "ns2.example"},
      {"nth", "2,1", "3,2"},
      {"packet-size", "100-200", "64"},
      {"per-connection-classifier", "both-addresses:2/1", "src-address:3/0"},
      {"psd", "21,3s,3,1", "10,5s,3,1"},
      {"regexp", ".*\\.example$", "^ads"},
      {"srv-target", "srv.example", "b.example"},
      {"start-date", "2026-11-30", "nov/30/2026"},
      {"start-time", "03:30:00", "startup"},
      {"store-leases-disk", "immediately", "10m"},
      {"subject-alt-name", "DNS:router.example", "IP:192.0.2.1,DNS:b.example"},
      {"tcp-flags", "syn", "!ack"},
      {"tcp-mss", "500-1400", "1400"},
      {"time", "8h-17h,mon,fri", "0s-1d,sun"},
      {"time-zone-name", "Europe/Riga", "UTC"},
      {"tls-host", "*.example.com", "a?.example"},
      {"ttl", "less-than:5", "equal:64"},
      {"use-doh-server", "https://192.0.2.1/dns-query", "https://dns.example/q"},
      {"value", "'text'", "0x0a0b"},
  };
  const auto* form = std::find_if(std::begin(kForms), std::end(kForms),
                                  [&](const Form& one) { return one.property == property; });
  if (form == std::end(kForms)) return {};
  return other ? form->other : form->one;
}

}  // namespace maclane::model
