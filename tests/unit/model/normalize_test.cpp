// Canonical forms, type by type, and the sentences for what is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/model/schema.h"

namespace maclane::model {
namespace {

using testing::HasSubstr;

struct Case {
  const char* menu;
  const char* property;
  const char* raw;
  const char* canonical;  // or, where wrong, a part of the sentence
};

const Property& property_of(const Case& c) {
  const Menu* menu = find_menu(c.menu);
  EXPECT_NE(menu, nullptr) << c.menu;
  const Property* property = menu->find(c.property);
  EXPECT_NE(property, nullptr) << c.menu << " " << c.property;
  return *property;
}

TEST(Normalize, GoodValuesBecomeCanonical) {
  const Case cases[] = {
      {"/interface/macvlan", "mac-address", "auto", ""},  // E-2, E-48
      {"/system/script", "source", ":put 1\r\n\t:put 2\r\n", ":put 1\r\n\t:put 2\r\n"},
      {"/system/scheduler", "on-event", "a\r\nb", "a\r\nb"},
      {"/ip/dhcp-client", "script", "a\r\nb", "a\r\nb"},
      {"/interface/macvlan", "comment", "a\r\nb", "a\r\nb"},
      {"/system/script", "comment", "a\r\nb", "a\r\nb"},
      {"/interface/macvlan", "mac-address", "02-00-00-00-00-0a", "02:00:00:00:00:0A"},
      {"/interface/macvlan", "mtu", "1400", "1400"},
      {"/interface/macvlan", "mtu", "auto", ""},
      {"/interface/macvlan", "mode", "private", "private"},
      {"/interface/macvlan", "disabled", "yes", "true"},
      {"/interface/macvlan", "disabled", "false", "false"},
      {"/interface/macvlan", "arp-timeout", "auto", "auto"},
      {"/interface/macvlan", "arp-timeout", "90", "1m30s"},            // E-36
      {"/interface/macvlan", "loop-protect-disable-time", "0", "0s"},  // E-39
      {"/interface/macvlan", "loop-protect-send-interval", "00:00:07", "7s"},
      {"/ip/dns", "cache-size", "4096KiB", "4096"},  // as RouterOS exports it
      {"/ip/dns", "cache-size", "64", "64"},
      {"/ip/dns", "cache-size", "2MiB", "2048"},
      {"/interface/macvlan", "name", "macvlan-iot", "macvlan-iot"},
      {"/ip/address", "address", "203.0.113.10/30", "203.0.113.10/30"},
      {"/ip/address", "address", "203.0.113.10", "203.0.113.10/32"},  // C-1
      {"/ip/service", "address", "10.0.0.1/8,2001:DB8:1::7/48,::1",
       "10.0.0.0/8,2001:db8:1::/48,::1/128"},
      {"/ip/route", "dst-address", "192.168.1.77/24", "192.168.1.0/24"},
      {"/ip/route", "gateway", "203.0.113.1", "203.0.113.1"},
      {"/ip/route", "gateway", "203.0.113.1%ether1", "203.0.113.1%ether1"},
      {"/ip/route", "gateway", "pppoe-out1", "pppoe-out1"},
      {"/ip/firewall/filter", "tcp-flags", "!ack, syn", "syn,!ack"},  // B-11
      {"/ip/firewall/filter", "limit", "10/1m,5", "10/1m,5:packet"},
      {"/ip/firewall/filter", "limit", "!10/1s,5:bit", "!10,5:bit"},
      {"/ip/firewall/filter", "limit", "10M,512k:bit", "10000000,512000:bit"},
      {"/ip/firewall/raw", "content", "attack", "attack"},
      {"/ip/firewall/raw", "tls-host", "*.example", "*.example"},
      {"/ip/firewall/address-list", "address", "10.0.0.7-10.0.0.9", "10.0.0.7-10.0.0.9"},
      {"/ip/firewall/address-list", "address", "WWW.Example.", "www.example"},  // B-13
      {"/ip/firewall/address-list", "address", "_dmarc.a-b.example", "_dmarc.a-b.example"},
      {"/ip/route", "gateway", "203.0.113.1@main", "203.0.113.1@main"},
      {"/ip/route", "gateway", "203.0.113.1%ether1@main", "203.0.113.1%ether1@main"},
      {"/ip/firewall/filter", "dst-limit", "10,5,src-address", "10,5,src-address/1m40s"},
      {"/ip/firewall/filter", "connection-limit", "100", "100,32"},
      {"/ip/firewall/filter", "connection-bytes", "1000-0", "1000-0"},
      {"/ip/firewall/filter", "connection-rate", "10k-1M", "10000-1000000"},
      {"/ip/firewall/filter", "psd", "21,00:00:03,3,1", "21,3s,3,1"},
      {"/ip/firewall/filter", "nth", "2", "2,1"},
      {"/ip/firewall/filter", "per-connection-classifier", "both-ports:4/3", "both-ports:4/3"},
      {"/ip/firewall/filter", "ttl", "less-than:5", "less-than:5"},
      {"/ip/firewall/filter", "packet-size", "!100-100", "!100"},
      {"/ip/firewall/filter", "src-address-type", "!local, broadcast", "!local,broadcast"},
      {"/ip/firewall/filter", "address-list-timeout", "0s", "none-dynamic"},  // B-13
      {"/ip/firewall/filter", "address-list-timeout", "none-static", "none-static"},
      {"/ip/firewall/address-list", "timeout", "90m", "1h30m"},
      {"/ip/firewall/filter", "time", "08:00:00-17h30m,fri,mon", "8h-17h30m,mon,fri"},  // B-11
      {"/ip/firewall/filter", "time", "0s-1d", "0s-1d,sun,mon,tue,wed,thu,fri,sat"},
      {"/ip/firewall/filter", "in-interface", "!all-ppp", "!all-ppp"},
      {"/ip/firewall/filter", "in-interface", "*5", "*5"},  // B-10
      {"/ip/firewall/filter", "ipsec-policy", "out,none", "out,none"},
      {"/ip/firewall/mangle", "new-priority", "from-dscp-high-3-bits", "from-dscp-high-3-bits"},
      {"/ip/firewall/mangle", "new-priority", "07", "7"},
      {"/ip/firewall/mangle", "new-mss", "clamp-to-pmtu", "clamp-to-pmtu"},
      {"/ip/firewall/filter", "routing-mark", "main", "main"},
      {"/ip/firewall/mangle", "routing-mark", "!no-mark", "!no-mark"},
      {"/ip/firewall/mangle", "new-ttl", "increment:1", "increment:1"},
      {"/ip/firewall/filter", "src-address", "!10.0.0.5/8", "!10.0.0.0/8"},
      {"/ip/firewall/filter", "src-address", "10.0.0.1-10.0.0.1", "10.0.0.1"},
      {"/ip/firewall/filter", "src-address", "10.0.0.1/32", "10.0.0.1"},
      {"/ip/firewall/filter", "protocol", "6", "tcp"},
      {"/ip/firewall/filter", "protocol", "!UDP", "!udp"},
      {"/ip/firewall/filter", "protocol", "200", "200"},
      {"/ip/firewall/filter", "dst-port", "80, 443,1000-2000,80", "80,443,1000-2000"},
      {"/ip/firewall/filter", "icmp-options", "8", "8:0-255"},
      {"/ip/firewall/filter", "icmp-options", "3:4", "3:4"},
      {"/ip/firewall/filter", "connection-state", "!established,related", "!established,related"},
      {"/ip/firewall/nat", "to-addresses", "203.0.113.2-203.0.113.9", "203.0.113.2-203.0.113.9"},
      {"/ip/settings", "icmp-rate-mask", "0X1818", "0x1818"},
      {"/ip/settings", "icmp-rate-mask", "6168", "0x1818"},
      {"/ip/settings", "icmp-rate-mask", "0x0", "0x0"},
      {"/dataplane", "huge-pages", "false", "no"},
      {"/dataplane", "huge-pages", "true", "yes"},
      {"/dataplane", "workers", "1", "1"},
      {"/ip/firewall/connection/tracking", "tcp-established-timeout", "24h", "1d"},
      {"/ip/firewall/filter", "comment", "Gr\xC3\xBC\xC3\x9F Gott", "Gr\xC3\xBC\xC3\x9F Gott"},
  };
  for (const Case& c : cases) {
    const auto got = normalize(property_of(c), c.raw);
    ASSERT_TRUE(got) << c.property << " " << c.raw << ": " << got.error();
    EXPECT_EQ(*got, c.canonical) << c.property << " " << c.raw;
    const auto again = normalize(property_of(c), *got);
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, *got) << "canonical forms stay as they are";
  }
}

TEST(Normalize, WrongValuesGetASentence) {
  const Case cases[] = {
      {"/system/script", "source", "a\033[2Jb", "is not clean text"},
      {"/system/identity", "name", "a\rb", "is not clean text"},
      {"/ip/dns/static", "text", "a\rb", "is not clean text"},
      {"/ip/firewall/filter", "log-prefix", "a\r", "is not clean text"},
      {"/interface/macvlan", "mac-address", "aa:bb", "write 02:00:00:00:00:01"},
      {"/interface/macvlan", "mtu", "67", "68..65535"},
      {"/interface/macvlan", "mtu", "big", "whole number"},
      {"/interface/macvlan", "mode", "vepa", "bridge or private"},
      {"/interface/macvlan", "mode", "vepa", "input does not match any value of mode"},
      {"/interface/macvlan", "disabled", "on", "neither yes nor no"},
      {"/interface/macvlan", "arp-timeout", "soon", "or auto"},
      {"/interface/macvlan", "loop-protect-send-interval", "0",
       "out of range (1s..7101w3d6h28m15s)"},
      {"/interface/macvlan", "arp", "proxy", "proxy-arp"},
      {"/interface/macvlan", "loop-protect", "yes", "off"},
      {"/interface/macvlan", "name", "*1", "a row's ID"},
      {"/interface/macvlan", "name", "a,b", "commas"},
      {"/interface/macvlan", "name", "10.0.0.1", "needs a letter"},
      {"/interface/macvlan", "name", "a%b", "'%'"},
      {"/interface/vlan", "vlan-id", "4095", "1..4094"},
      {"/ip/address", "address", "1.2.3.4/40", "192.0.2.0/24"},
      {"/ip/route", "gateway", "1.2.3", "address%interface"},
      {"/ip/route", "gateway", "1.2.3.4,1.2.3.5", "a route for each"},
      {"/ip/route", "gateway", "1.2.3.4%", "address%interface"},
      {"/ip/route", "gateway", "1.2.3.4@a,b", "commas"},
      {"/ip/firewall/filter", "limit", "40G,5:bit", "rate[/time],burst"},
      {"/ip/firewall/address-list", "address", "10.0.0.300", "10.0.0.300"},
      {"/ip/firewall/address-list", "address", "a..example", "nor a DNS name"},
      {"/ip/firewall/address-list", "address", "under/way", "nor a DNS name"},
      {"/ip/route", "check-gateway", "bfd", "not yet working"},
      {"/ip/route", "scope", "256", "0..255"},
      {"/ip/firewall/filter", "src-address", "10.0.0.9-10.0.0.1", "lower address first"},
      {"/ip/firewall/filter", "protocol", "tpc", "name such as tcp"},
      {"/ip/firewall/filter", "dst-port", "80,,81", "empty part"},
      {"/ip/firewall/filter", "dst-port", "http", "no port"},
      {"/ip/firewall/filter", "icmp-options", "ping", "no ICMP type"},
      {"/ip/firewall/filter", "connection-state", "open", "established"},
      {"/ip/firewall/mangle", "action", "route", "not yet working"},
      {"/ip/firewall/filter", "action", "!drop", "cannot be negated"},
      {"/ip/firewall/filter", "src-address", "!", "is empty"},
      {"/ip/firewall/filter", "connection-type", "h323", "not yet working"},
      {"/ip/firewall/filter", "connection-type", "quake3", "not yet working"},
      {"/ip/firewall/filter", "tcp-flags", "syn,!syn", "of fin, syn, rst"},  // B-11
      {"/ip/firewall/filter", "limit", "10", "rate[/time],burst"},
      {"/ip/firewall/filter", "limit", "0,5", "rate[/time],burst"},
      {"/ip/firewall/filter", "dst-limit", "1,5,dst", "the modes are"},
      {"/ip/firewall/filter", "connection-limit", "10,33", "0..32"},
      {"/ip/firewall/filter", "connection-bytes", "10-5", "from-to in bytes"},
      {"/ip/firewall/filter", "connection-rate", "10x-5", "bits a second"},
      {"/ip/firewall/filter", "psd", "21,3s,3", "21,3s,3,1"},
      {"/ip/firewall/filter", "nth", "2,3", "the first of every two"},
      {"/ip/firewall/filter", "random", "100", "1..99"},
      {"/ip/firewall/filter", "per-connection-classifier", "src-address:2/2", "denominator"},
      {"/ip/firewall/filter", "ttl", "5", "less-than:5"},
      {"/ip/firewall/filter", "dscp", "64", "0..63"},
      {"/ip/firewall/filter", "packet-size", "70000", "0..65535"},
      {"/ip/firewall/filter", "address-list-timeout", "36w", "35w3d13h13m56s"},  // B-13
      {"/ip/firewall/mangle", "new-ttl", "set:0", "1..255"},
      {"/ip/firewall/mangle", "new-mss", "0", "clamp-to-pmtu"},
      {"/ip/firewall/filter", "in-interface", "all-wireless", "not yet working"},
      {"/ip/firewall/filter", "log-prefix", "12345678901234567890123456789012", "31"},  // B-15
      {"/ip/firewall/filter", "comment", "\xFF", "UTF-8"},
      {"/ip/firewall/filter", "comment", "a\x01", "control characters"},
      {"/ip/firewall/nat", "action", "socksify", "not yet working"},
      {"/ip/firewall/nat", "to-addresses", "10.0.0.0/33", "address"},
      {"/ip/firewall/address-list", "timeout", "36w", "35w3d13h13m56s"},
      {"/ip/settings", "rp-filter", "maybe", "loose, no or strict"},
      {"/ip/settings", "ipv4-multipath-hash-policy", "l3-inner", "not yet working"},
      {"/ip/settings", "icmp-rate-mask", "0x", "no mask of ICMP types"},
      {"/ip/settings", "icmp-rate-mask", "0x1g", "no mask of ICMP types"},
      {"/ip/settings", "icmp-rate-mask", "-1", "no mask of ICMP types"},
      {"/ip/settings", "icmp-rate-mask", "0x100000000", "no mask of ICMP types"},
      {"/routing/table", "fib", "no", "not yet working"},
      {"/dataplane", "max-sessions", "10", "1024..16777216"},
      {"/ip/dns", "cache-size", "63KiB", "64..4294967295"},
      {"/ip/dns", "cache-size", "2MB", "not a whole number; 64..4294967295"},
      {"/ip/dns", "cache-size", "KiB", "not a whole number; 64..4294967295"},
  };
  for (const Case& c : cases) {
    const auto got = normalize(property_of(c), c.raw);
    ASSERT_FALSE(got) << c.property << " " << c.raw << " -> " << *got;
    EXPECT_THAT(got.error(), HasSubstr(c.canonical)) << c.property << " " << c.raw;
  }
}

TEST(Normalize, EmptyMeansUnsetForEveryProperty) {
  for (const Menu& menu : menus()) {
    for (const Property& property : menu.properties) {
      const auto got = normalize(property, "");
      ASSERT_TRUE(got);
      EXPECT_EQ(*got, "");
    }
  }
}

}  // namespace
}  // namespace maclane::model
