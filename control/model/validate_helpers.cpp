// /ip/firewall/service-port: which helpers there are, and whose ports (B-24).
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "control/model/validate.h"
#include "control/model/value.h"

namespace maclane::model {
namespace {

constexpr size_t kMostHelperPorts = 8;

constexpr std::string_view kWithPorts[] = {"ftp", "tftp", "irc", "sip", "rtsp"};
constexpr std::string_view kHere[] = {"ftp", "tftp", "sip", "pptp", "udplite", "dccp", "sctp"};

template <size_t kCount>
bool is_one_of(const std::string_view (&names)[kCount], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

void validate_row(Check& check, const View& row, std::map<std::string, std::string_view>& ports) {
  const std::string_view name = row.get("name");
  const std::string_view own = row.raw("ports");
  if (!own.empty() && !is_one_of(kWithPorts, name)) {
    check.add(row, "ports", fmt::format("failure: {} has no ports to be set", name));
    return;
  }
  if (name != "sip") {
    for (const std::string_view property : {"sip-direct-media", "sip-timeout"}) {
      if (!row.raw(property).empty())
        check.add(row, property, fmt::format("failure: {} is of sip alone", property));
    }
  }
  const auto list = split_list(own);
  if (list.size() > kMostHelperPorts) {
    check.add(row, "ports",
              fmt::format("failure: {} ports; {} are the most", list.size(), kMostHelperPorts));
  }
  if (row.disabled()) return;
  if (!is_one_of(kHere, name)) {
    check.add(row, "disabled",
              fmt::format("failure: {} is not yet working: this version of Maclane has no such "
                          "helper; accept its connections with rules of /ip/firewall/filter and "
                          "/ip/firewall/nat",
                          name));
    return;
  }
  if (own.empty() && is_one_of(kWithPorts, name)) {
    check.add(row, "ports", fmt::format("failure: {} needs ports, or disabled=yes", name));
    return;
  }
  for (const std::string_view port : list) {
    const auto [other, fresh] = ports.emplace(std::string(port), name);
    if (!fresh && other->second != name) {
      check.add(row, "ports",
                fmt::format("failure: port {} is that of {} already", port, other->second));
    }
  }
}

}  // namespace

void validate_helpers(Check& check) {
  if (!check.concerns({"/ip/firewall/service-port"})) return;
  std::map<std::string, std::string_view> ports;
  for_each(check.tree, "/ip/firewall/service-port",
           [&](const View& row) { validate_row(check, row, ports); });
}

}  // namespace maclane::model
