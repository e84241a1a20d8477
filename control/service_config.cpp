#include "control/service_config.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "control/dhcp_servers.h"
#include "control/dns.h"
#include "control/model/value.h"

namespace maclane {
namespace {

using model::View;

constexpr std::string_view kInterfaces[] = {"/interface/ethernet", "/interface/vlan",
                                            "/interface/macvlan"};

void add_addresses(ServiceConfig& config, const compile::CompileState& compiled) {
  for (const compile::AddressInfo& one : compiled.addresses) {
    config.addresses.push_back({compiled.names.index_of(one.interface),
                                be32::from(one.prefix.address), one.prefix.length});
    if (one.row != 0) config.own_addresses.push_back(be32::from(one.prefix.address));
  }
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

/// The first way of each active route: "203.0.113.1%ether1", or an interface alone.
void add_routes(ServiceConfig& config, const compile::CompileState& compiled) {
  std::string_view last;  // most routes go the way of the one before
  IfIndex out_if = kNoIf;
  for (const compile::RouteInfo& info : compiled.routes.rows) {
    if (!info.active || !info.table.empty() || info.immediate_gateway.empty()) continue;
    if (info.learned && is_of_kernel(*info.learned)) continue;  // it has them
    const std::string_view all = info.immediate_gateway;
    const std::string_view way = all.substr(0, all.find(','));
    if (way != std::exchange(last, way)) {
      out_if = compiled.names.index_of(way);
      if (out_if == kNoIf) out_if = compiled.names.index_of(way.substr(way.find('%') + 1));
    }
    if (out_if == kNoIf) continue;
    config.routes.push_back(
        {be32::from(info.dst.network()), info.dst.length, out_if, be32::from(info.pref_src)});
  }
}

void add_dhcp_clients(ServiceConfig& config, const model::Tree& tree, const compile::Names& names) {
  const std::string_view identity = tree.settings("/system/identity").get("name");
  for_each(tree, "/ip/dhcp-client", [&](const View& row) {
    if (row.disabled()) return;
    DhcpClientConfig one;
    one.interface_name = row.raw("interface");
    one.interface = names.index_of(one.interface_name);
    using Id = DhcpClientConfig::ClientId;
    one.client_id = Id::kNone;
    for (std::string_view option : model::split_list(row.get("dhcp-options"))) {
      if (option == "hostname") one.host_name = identity;
      if (option == "clientid") one.client_id = Id::kMac;
      if (option == "clientid_duid") one.client_id = Id::kDuid;
    }
    using Broadcast = DhcpClientConfig::Broadcast;
    const std::string_view broadcast = row.get("use-broadcast");
    one.broadcast = broadcast == "always"  ? Broadcast::kAlways
                    : broadcast == "never" ? Broadcast::kNever
                                           : Broadcast::kBoth;
    using DefaultRoute = DhcpClientConfig::DefaultRoute;
    const std::string_view route = row.get("add-default-route");
    one.default_route = route == "no"                  ? DefaultRoute::kNo
                        : route == "special-classless" ? DefaultRoute::kSpecialClassless
                                                       : DefaultRoute::kYes;
    one.distance = static_cast<uint8_t>(row.get_integer("default-route-distance"));
    one.dscp = static_cast<uint8_t>(row.get_integer("dscp"));
    one.vlan_priority = static_cast<uint8_t>(row.get_integer("vlan-priority"));
    one.use_peer_dns = row.get_bool("use-peer-dns");
    one.use_peer_ntp = row.get_bool("use-peer-ntp");
    const std::string_view check = row.get("check-gateway");
    one.check_gateway = check == "arp"    ? GatewayProof::kArp
                        : check == "ping" ? GatewayProof::kPing
                                          : GatewayProof::kNone;
    one.tables.clear();
    for (std::string_view table : model::split_list(row.get("default-route-tables"))) {
      std::string name(table == "default" || table == "main" ? std::string_view() : table);
      if (std::ranges::find(one.tables, name) == one.tables.end())
        one.tables.push_back(std::move(name));
    }
    one.script = row.get("script");
    config.dhcp_clients.push_back(std::move(one));
  });
}

void add_dhcp_alerts(ServiceConfig& config, const model::Tree& tree, const compile::Names& names) {
  for_each(tree, "/ip/dhcp-server/alert", [&](const View& row) {
    if (row.disabled()) return;
    DhcpAlertConfig one;
    one.id = row.row().id;
    one.interface_name = row.raw("interface");
    one.interface = names.index_of(one.interface_name);
    for (std::string_view text : model::split_list(row.get("valid-server")))
      if (const auto mac = model::parse_mac(text)) one.valid.push_back(MacAddr{*mac});
    one.timeout_ms =  // "none" is no time
        static_cast<uint64_t>(model::parse_time_ms(row.get("alert-timeout")).value_or(0));
    one.script = row.get("on-alert");
    config.dhcp_alerts.push_back(std::move(one));
  });
}

std::vector<uint8_t> bytes_of_hex(std::string_view text) {
  std::vector<uint8_t> out;
  const auto digit = [](char c) {
    return static_cast<uint8_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
  };
  for (size_t i = 0; i + 1 < text.size(); i += 2)
    out.push_back(static_cast<uint8_t>(digit(text[i]) << 4 | digit(text[i + 1])));
  return out;
}

void add_pppoe_clients(ServiceConfig& config, const model::Tree& tree,
                       const compile::Names& names) {
  for_each(tree, "/interface/pppoe-client", [&](const View& row) {
    if (row.disabled()) return;
    PppoeClientConfig one;
    one.name = row.raw("name");
    one.interface = names.index_of(one.name);
    one.lower = names.index_of(row.raw("interface"));
    one.user = row.raw("user");
    one.password = row.raw("password");
    one.service_name = row.raw("service-name");
    one.ac_name = row.raw("ac-name");
    one.host_uniq = bytes_of_hex(row.raw("host-uniq"));
    const auto allowed = model::split_list(row.get("allow"));
    const auto allows = [&](std::string_view method) {
      return std::find(allowed.begin(), allowed.end(), method) != allowed.end();
    };
    one.pap = allows("pap");
    one.chap = allows("chap");
    one.mschap1 = allows("mschap1");
    one.mschap2 = allows("mschap2");
    // "auto" is no number.
    one.max_mtu = static_cast<uint16_t>(model::parse_integer(row.get("max-mtu")).value_or(0));
    one.max_mru = static_cast<uint16_t>(model::parse_integer(row.get("max-mru")).value_or(0));
    one.add_default_route = row.get_bool("add-default-route");
    one.distance = static_cast<uint8_t>(row.get_integer("default-route-distance"));
    one.use_peer_dns = row.get_bool("use-peer-dns");
    one.on_demand = row.get_bool("dial-on-demand");
    constexpr uint64_t kSecond = 1000;
    one.keepalive_ms =
        kSecond *
        static_cast<uint64_t>(model::parse_integer(row.get("keepalive-timeout")).value_or(0));
    config.pppoe_clients.push_back(std::move(one));
  });
}

void add_icmp(ServiceConfig& config, const model::View& settings) {
  config.icmp_rate_limit_ms = static_cast<uint32_t>(settings.get_integer("icmp-rate-limit"));
  const std::string_view mask = settings.get("icmp-rate-mask");  // "0x1818"
  (void)std::from_chars(mask.data() + 2, mask.data() + mask.size(), config.icmp_rate_mask, 16);
  config.icmp_errors_use_inbound_address =
      settings.get_bool("icmp-errors-use-inbound-interface-address");
  config.accept_redirects = settings.get_bool("accept-redirects");
  config.secure_redirects = settings.get_bool("secure-redirects");
}

}  // namespace

ServiceConfig service_config(const model::Tree& tree, const compile::CompileState& compiled) {
  const compile::Names& names = compiled.names;
  ServiceConfig config;
  add_addresses(config, compiled);
  add_neighbours(config, tree, names);
  add_loop_protect(config, tree, names);
  add_routes(config, compiled);
  for (const compile::CompileState::Checked& one : compiled.checked)
    config.gateways.push_back(
        {one.ping, one.interface, std::string(names.name_of(one.interface)), one.address});
  add_dhcp_clients(config, tree, names);
  add_dhcp_alerts(config, tree, names);
  add_pppoe_clients(config, tree, names);
  config.dhcp_server = dhcp_serving(tree, names);
  config.dhcp_server.dns = dns_servers(tree);
  config.serves_dns = tree.settings("/ip/dns").get_bool("allow-remote-requests");
  add_icmp(config, tree.settings("/ip/settings"));
  config.redirected = compiled.redirected;
  return config;
}

}  // namespace maclane
