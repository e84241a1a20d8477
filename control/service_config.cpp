#include "control/service_config.h"

#include "control/model/value.h"

namespace maclane {
namespace {

using model::View;

constexpr std::string_view kInterfaces[] = {"/interface/ethernet", "/interface/vlan",
                                            "/interface/macvlan"};

void add_addresses(ServiceConfig& config, const model::Tree& tree, const compile::Names& names) {
  for_each(tree, "/ip/address", [&](const View& row) {
    const auto prefix = model::parse_prefix(row.get("address"));
    const IfIndex interface = names.index_of(row.get("interface"));
    if (row.disabled() || !prefix || interface == kNoIf) return;
    config.addresses.push_back({interface, be32::from(prefix->address), prefix->length});
  });
}

void add_neighbours(ServiceConfig& config, const model::Tree& tree, const compile::Names& names) {
  for_each(tree, "/ip/arp", [&](const View& row) {
    const auto address = model::parse_ip4(row.get("address"));
    const auto mac = model::parse_mac(row.get("mac-address"));
    const IfIndex interface = names.index_of(row.get("interface"));
    if (row.disabled() || !address || interface == kNoIf) return;
    config.neighbours.push_back({interface, be32::from(*address), mac ? MacAddr{*mac} : MacAddr{},
                                 row.get_bool("published")});
  });
  const View settings = tree.settings("/ip/settings");
  config.arp_timeout_ms = static_cast<uint64_t>(settings.get_time_ms("arp-timeout"));
  config.max_neighbour_entries =
      static_cast<uint32_t>(settings.get_integer("max-neighbor-entries"));
  for (std::string_view path : kInterfaces) {
    for_each(tree, path, [&](const View& row) {
      const std::string_view timeout = row.get("arp-timeout");
      if (timeout.empty() || timeout == "auto") return;
      config.interface_arp_timeout_ms[names.index_of(row.get("name"))] =
          static_cast<uint64_t>(row.get_time_ms("arp-timeout"));
    });
  }
}

/// Any change of a row is a change of the interface, whatever property it is.
std::string revision_of(const View& row) {
  std::string all;
  for (const std::string& value : row.row().values) all.append(value).push_back('\0');
  return all;
}

void add_loop_protect(ServiceConfig& config, const model::Tree& tree, const compile::Names& names) {
  for (std::string_view path : kInterfaces) {
    for_each(tree, path, [&](const View& row) {
      if (row.get("loop-protect") != "on" || row.disabled()) return;
      config.loop_protect[names.index_of(row.get("name"))] = {
          static_cast<uint64_t>(row.get_time_ms("loop-protect-send-interval")),
          static_cast<uint64_t>(row.get_time_ms("loop-protect-disable-time")), revision_of(row)};
    });
  }
}

}  // namespace

ServiceConfig service_config(const model::Tree& tree, const compile::Names& names) {
  ServiceConfig config;
  add_addresses(config, tree, names);
  add_neighbours(config, tree, names);
  add_loop_protect(config, tree, names);
  const View settings = tree.settings("/ip/settings");
  config.icmp_rate_limit_ms = static_cast<uint32_t>(settings.get_integer("icmp-rate-limit"));
  config.icmp_errors_use_inbound_address =
      settings.get_bool("icmp-errors-use-inbound-interface-address");
  return config;
}

}  // namespace maclane
