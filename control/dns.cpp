#include "control/dns.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>

#include "control/dns_rules.h"
#include "control/model/doh_url.h"
#include "control/model/name_text.h"
#include "control/model/value.h"
#include "control/service/text.h"

namespace maclane {
namespace {

using model::View;

constexpr int64_t kMostNames = 10'000;

std::string hexadecimal(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<uint8_t>(c));
  return out;
}

/// What dnsmasq takes at its start.
std::string static_line(const View& row) {
  const std::string_view type = row.get("type");
  const std::string name = model::plain_name(row.get("name"));
  const auto other = [&](std::string_view property) {
    return model::plain_name(row.get(property));
  };
  const int64_t ttl = row.get_time_ms("ttl") / 1000;
  if (type == "A" || type == "AAAA") {
    if (row.get_bool("match-subdomain"))
      return fmt::format("address=/{}/{}", name, row.get("address"));
    return fmt::format("host-record={},{},{}", name, row.get("address"), ttl);
  }
  if (type == "CNAME") return fmt::format("cname={},{},{}", name, other("cname"), ttl);
  if (type == "MX")
    return fmt::format("mx-host={},{},{}", name, other("mx-exchange"), row.get("mx-preference"));
  if (type == "NS") return fmt::format("dns-rr={},2,{}", name, hexadecimal(wire_name(other("ns"))));
  if (type == "SRV") {
    return fmt::format("srv-host={},{},{},{},{}", name, other("srv-target"), row.get("srv-port"),
                       row.get("srv-priority"), row.get("srv-weight"));
  }
  return fmt::format("dns-rr={},16,{}", name, hexadecimal(text_record(row.get("text"))));
}

void add_static(const View& row, int64_t local_ttl, NameFiles& out) {
  const std::string_view type = row.get("type");
  const std::string name = model::plain_name(row.get("name"));
  const bool address = type == "A" || type == "AAAA";
  if (type == "FWD" || type == "NXDOMAIN") {  // forward-to is empty: nobody is asked
    out.domains += fmt::format("server=/{}/{}\n", name, row.get("forward-to"));
  } else if (address && !row.get_bool("match-subdomain") && row.get_time_ms("ttl") == local_ttl) {
    out.hosts += fmt::format("{} {}\n", row.get("address"), name);
  } else {
    out.config += static_line(row) + "\n";
  }
}

/// Where use-doh-server is, and what certificate it may have.
DohServer doh_server(const model::Tree& tree, const View& dns) {
  DohServer out;
  const auto url = model::parse_doh_url(dns.get("use-doh-server"));
  if (!url) return out;
  out.url = dns.get("use-doh-server");
  out.host = url->host;
  out.path = url->path;
  out.port = url->port;
  if (model::parse_ip4(out.host)) out.address = out.host;
  out.verify = dns.get_bool("verify-doh-cert");
  out.timeout_s =
      static_cast<uint32_t>(std::max<int64_t>(1, dns.get_time_ms("doh-timeout") / 1000));
  for_each(tree, "/ip/dns/static", [&](const View& row) {
    if (out.address.empty() && !row.disabled() && row.get("type") == "A" &&
        model::plain_name(row.get("name")) == out.host)
      out.address = row.get("address");
  });
  if (!out.verify) return out;
  for_each(tree, "/certificate", [&](const View& row) {
    if (!row.disabled()) out.authorities += std::string(row.raw("certificate-pem")) + "\n";
  });
  return out;
}

}  // namespace

std::vector<be32> dns_servers(const model::Tree& tree) {
  std::vector<be32> out;
  for (std::string_view one : model::split_list(tree.settings("/ip/dns").get("servers")))
    if (const auto address = model::parse_ip4(one)) out.push_back(be32::from(*address));
  return out;
}

NameFiles dns_files(const model::Tree& tree, const Learned& learned, std::span<const be32> ours) {
  const View dns = tree.settings("/ip/dns");
  const bool remote = dns.get_bool("allow-remote-requests");
  std::vector<be32> servers = dns_servers(tree);
  DohServer doh = doh_server(tree, dns);
  for (const LearnedServer& one : learned.dns) {
    if (std::ranges::find(servers, one.address) == servers.end()) servers.push_back(one.address);
  }
  const NamePlan plan(tree);
  const bool knows = !plan.rows().empty() || names_clients(tree);
  if (!remote && !knows && servers.empty() && doh.host.empty()) return {};
  NameFiles out;
  out.config = "# made by maclane from /ip/dns at each change\nbind-dynamic\n";
  if (!remote || !ours.empty()) out.config += "listen-address=127.0.0.1\n";
  if (remote) {
    for (const be32 one : ours) out.config += fmt::format("listen-address={}\n", text_of(one));
  }
  const std::string forwarder =
      fmt::format("{}#{}\n", NameForwarder::kAddress, NameForwarder::kPort);
  const bool named = !doh.host.empty();
  out.forwarder.rules = plan.rules();
  if (named || !out.forwarder.rules.lua.empty()) {
    if (!named)
      for (const be32 one : servers) out.forwarder.servers.push_back(text_of(one));
    for (const be32 one : servers) {  // they are asked for its own name alone
      if (named && doh.address.empty())
        out.domains += fmt::format("server=/{}/{}\n", doh.host, text_of(one));
    }
  }
  if (named || plan.has_expressions()) {
    out.domains += "server=" + forwarder;
  } else {
    // dnsmasq asks all of them at first, then the one that answered, and all when it fails (C-31).
    for (const be32 one : servers) out.servers += fmt::format("nameserver {}\n", text_of(one));
    for (const std::string& name : plan.forwarded())
      out.domains += fmt::format("server=/{}/{}", name, forwarder);
  }
  out.forwarder.doh = std::move(doh);
  const int64_t local_ttl = local_ttl_ms(tree);
  const int64_t max_ttl = dns.get_time_ms("cache-max-ttl") / 1000;
  out.config += fmt::format(
      "cache-size={}\nmax-cache-ttl={}\nmax-ttl={}\nlocal-ttl={}\nedns-packet-max={}\n"
      "dns-forward-max={}\nmax-tcp-connections={}\ncache-rr=ANY\n",
      std::min(dns.get_integer("cache-size") * kNamesPerKib, kMostNames), max_ttl, max_ttl,
      local_ttl / 1000, dns.get_integer("max-udp-packet-size"),
      dns.get_integer("max-concurrent-queries"), dns.get_integer("max-concurrent-tcp-sessions"));
  // dnsdist has its own time for a server (doh-timeout).
  if (!named) {
    out.patience_ms = 2 * static_cast<uint64_t>(dns.get_time_ms("query-server-timeout"));
    out.config += fmt::format("fast-dns-retry={},{}\n", dns.get_time_ms("query-server-timeout"),
                              dns.get_time_ms("query-total-timeout"));
  }
  for (const View& row : plan.rows())
    if (plan.is_dnsmasqs(row)) add_static(row, local_ttl, out);
  return out;
}

LeaseNames::Taken taken_names(const model::Tree& tree) {
  struct Names {
    std::set<std::string, std::less<>> whole, below;  // below: with all that is below them
    std::vector<model::NameExpression> expressions;
    std::string router;  // what it calls itself, whatever stands after it
  };
  const auto names = std::make_shared<Names>();
  for_each(tree, "/ip/dns/static", [&](const View& row) {
    if (row.disabled()) return;
    if (row.is_set("regexp")) {
      names->expressions.emplace_back(row.get("regexp"));
      return;
    }
    (row.get_bool("match-subdomain") ? names->below : names->whole)
        .insert(model::plain_name(row.get("name")));
  });
  names->whole.insert(doh_server(tree, tree.settings("/ip/dns")).host);
  names->router = model::plain_name(tree.settings("/system/identity").get("name"));
  return [names](const std::string& name) {
    if (names->whole.contains(name) || name == names->router ||
        std::string_view(name).substr(0, name.find('.')) == names->router)
      return true;
    for (std::string_view rest = name; !names->below.empty();) {
      if (names->below.contains(rest)) return true;
      const size_t dot = rest.find('.');
      if (dot == std::string_view::npos) break;
      rest.remove_prefix(dot + 1);
    }
    return std::ranges::any_of(names->expressions,
                               [&](const model::NameExpression& one) { return one.matches(name); });
  };
}

void add_dns_commands(model::Commands& commands, NameServer& server) {
  commands.on("/ip/dns/cache", "flush",
              [&server](const model::Call&, const model::Caller&) -> model::Answer<model::Outcome> {
                server.flush();
                return model::Outcome{};
              });
}

}  // namespace maclane
