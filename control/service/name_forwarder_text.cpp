// The files of dnsdist and unbound. See name_forwarder.h.
#include <fmt/format.h>

#include "control/service/name_forwarder.h"

namespace maclane {
namespace {

/// A first rule for who asks whether it answers, and what the rules are made of.
constexpr std::string_view kHead = R"(-- made by maclane from /ip/dns at each change
setACL("127.0.0.0/8")
setSecurityPollSuffix("")
setServFailWhenNoServer(true)
setServerPolicy(firstAvailable)
setMaxUDPOutstanding(4096)
function below(names)
  local nodes = newSuffixMatchNode()
  for _, name in ipairs(names) do nodes:add(newDNSName(name)) end
  return nodes
end
function whole(names)
  local set = newDNSNameSet()
  for _, name in ipairs(names) do set:add(newDNSName(name)) end
  return set
end
there = LuaResponseAction(function(answer)
  answer.rcode = DNSRCode.NOERROR
  return DNSResponseAction.None, ""
end)
addAction(QNameRule("probe.maclane.invalid"), RCodeAction(DNSRCode.REFUSED))
)";

constexpr std::string_view kUnbound = R"(# made by maclane from /ip/dns at each change
server:
  interface: {0}
  port: {1}
  username: "unbound"
  chroot: ""
  directory: "/"
  pidfile: ""
  use-syslog: no
  logfile: ""
  verbosity: 0
  do-daemonize: no
  do-ip6: no
  do-not-query-localhost: no
  module-config: "iterator"
  access-control: 127.0.0.0/8 allow
  msg-cache-size: 0
  rrset-cache-size: 0
  cache-max-ttl: 2147483647
  minimal-responses: yes
  outgoing-range: 256
  num-queries-per-thread: 256
)";

}  // namespace

std::string dnsdist_text(const ForwarderConfig& config, const std::string& folder,
                         const std::map<std::string, std::string>& address_of) {
  const auto address = [&](const std::string& host) {
    const auto found = address_of.find(host);
    return found == address_of.end() ? host : found->second;
  };
  const DohServer& doh = config.doh;
  std::string out(kHead);
  out += fmt::format("setTCPRecvTimeout({0})\nsetTCPSendTimeout({0})\n", doh.timeout_s);
  constexpr std::string_view kPlain =
      "newServer({{address=\"{0}:53\", name=\"{0}\", order={1}, checkInterval=5, "
      "checkTimeout=2000, maxCheckFailures=2, mustResolve=false}}){2}\n";
  if (!doh.host.empty()) {
    const std::string where = doh.address.empty() ? address(doh.host) : doh.address;
    if (!where.empty()) {
      out += fmt::format(
          "newServer({{address=\"{}:{}\", name=\"doh\", tls=\"openssl\", subjectName=\"{}\", "
          "dohPath=\"{}\", validateCertificates={}, caStore=\"{}/authorities.pem\", "
          "tcpConnectTimeout={}, checkName=\"{}.\", checkInterval=5, checkTimeout={}, "
          "maxCheckFailures=2, mustResolve=false}})\n",
          where, doh.port, doh.host, doh.path, doh.verify, folder, doh.timeout_s, doh.host,
          doh.timeout_s * 1000);
    }
  } else {
    size_t order = 0;  // one alone is asked whatever it does
    for (const std::string& one : config.servers)
      out += fmt::format(kPlain, one, ++order, config.servers.size() == 1 ? ":setUp()" : "");
  }
  for (const std::string& one : config.rules.forwards) {
    const std::string where = address(one);
    if (where.empty()) continue;  // its names have no server until it is found
    out += fmt::format("newServer({{address=\"{0}:53\", name=\"f{1}\", pool=\"f{1}\"}}):setUp()\n",
                       where, one);
  }
  for (const NameRules::Alias& one : config.rules.aliases) {
    out += fmt::format(
        "newServer({{address=\"{0}:{1}\", source=\"{2}\", name=\"{3}\", pool=\"{3}\"}}):setUp()\n",
        NameForwarder::kAddress, NameForwarder::kAliasPort, one.source, one.pool);
  }
  return out + config.rules.lua;
}

std::string unbound_text(std::span<const NameRules::Alias> aliases) {
  if (aliases.empty()) return {};
  std::string out = fmt::format(kUnbound, NameForwarder::kAddress, NameForwarder::kAliasPort);
  for (const NameRules::Alias& one : aliases)
    out += fmt::format("  access-control-view: {}/32 {}\n", one.source, one.pool);
  for (const NameRules::Alias& one : aliases) {
    out += fmt::format(
        "view:\n  name: \"{}\"\n  local-zone: \".\" redirect\n  local-data: \". {} IN CNAME "
        "{}.\"\n",
        one.pool, one.ttl_s, one.target);
  }
  return out + "forward-zone:\n  name: \".\"\n  forward-addr: 127.0.0.1@53\n";
}

}  // namespace maclane
