// From the tree to what the DHCP servers are told.
#include <algorithm>

#include "control/dhcp_servers.h"
#include "control/model/dhcp_option.h"
#include "control/model/name_text.h"
#include "control/model/value.h"

namespace maclane {
namespace {

using model::View;

std::vector<be32> addresses(const View& row, std::string_view property) {
  std::vector<be32> out;
  for (std::string_view one : model::split_list(row.get(property)))
    if (const auto address = model::parse_ip4(one)) out.push_back(be32::from(*address));
  return out;
}

std::vector<std::string> address_lists(const View& row) {
  std::vector<std::string> out;
  for (std::string_view one : model::split_list(row.get("address-lists"))) out.emplace_back(one);
  return out;
}

void add_options(const model::Tree& tree, std::string_view names,
                 std::vector<DhcpOptionConfig>& out) {
  const model::Menu& menu = *model::find_menu("/ip/dhcp-server/option");
  for (std::string_view name : model::split_list(names)) {
    const model::RowPtr found = tree.find(menu, name);
    if (found == nullptr) continue;
    const View option(menu, *found);
    auto value = model::parse_dhcp_option(option.get("value"));
    if (value)
      out.push_back({static_cast<uint8_t>(option.get_integer("code")), option.get_bool("force"),
                     std::move(*value)});
  }
}

/// The options of a row, by its set first, so that those named themselves go before.
std::vector<DhcpOptionConfig> options(const model::Tree& tree, const View& row) {
  std::vector<DhcpOptionConfig> out;
  const model::Menu& sets = *model::find_menu("/ip/dhcp-server/option/sets");
  if (const model::RowPtr set = tree.find(sets, row.get("dhcp-option-set")); set != nullptr)
    add_options(tree, View(sets, *set).get("options"), out);
  add_options(tree, row.get("dhcp-option"), out);
  return out;
}

std::vector<DhcpPoolRange> ranges(const model::Tree& tree, std::string_view pool) {
  constexpr size_t kMostPools = 256;
  std::vector<DhcpPoolRange> out;
  const model::Menu& menu = *model::find_menu("/ip/pool");
  for (size_t i = 0; i < kMostPools; ++i) {
    const model::RowPtr found = tree.find(menu, pool);
    if (found == nullptr) break;
    const View row(menu, *found);
    for (std::string_view one : model::split_list(row.get("ranges"))) {
      if (const auto range = model::parse_ip4_set(one))
        out.push_back({std::string(pool), range->first, range->last});
    }
    pool = row.get("next-pool");
  }
  return out;
}

/// The rows of /ip/dhcp-server/matcher that are about a server.
std::vector<DhcpMatcher> matchers(const model::Tree& tree, std::string_view server) {
  std::vector<DhcpMatcher> out;
  for_each(tree, "/ip/dhcp-server/matcher", [&](const View& row) {
    if (row.disabled() || (row.get("server") != "all" && row.get("server") != server)) return;
    DhcpMatcher one;
    one.code = static_cast<uint8_t>(row.get_integer("code"));
    one.substring = row.get("matching-type") == "substring";
    const auto value = model::parse_dhcp_option(row.get("value"));
    if (!value) return;
    for (const DhcpOptionPart& part : *value)
      one.value.insert(one.value.end(), part.bytes.begin(), part.bytes.end());
    one.has_pool = row.get("address-pool") != "none";
    if (one.has_pool) one.ranges = ranges(tree, row.get("address-pool"));
    const model::Menu& sets = *model::find_menu("/ip/dhcp-server/option/sets");
    if (const model::RowPtr set = tree.find(sets, row.get("option-set")); set != nullptr)
      add_options(tree, View(sets, *set).get("options"), one.options);
    out.push_back(std::move(one));
  });
  return out;
}

uint32_t seconds(const View& row, std::string_view property) {
  return static_cast<uint32_t>(row.get_time_ms(property) / 1000);
}

DhcpServerConfig server(const model::Tree& tree, const compile::Names& names, const View& row) {
  DhcpServerConfig one;
  one.id = row.row().id;
  one.name = row.raw("name");
  one.interface_name = row.raw("interface");
  one.interface = names.index_of(one.interface_name);
  one.ranges = ranges(tree, row.get("address-pool"));
  one.lease_s = seconds(row, "lease-time");
  using A = DhcpServerConfig::Authoritative;
  const std::string_view authoritative = row.get("authoritative");
  one.authoritative = authoritative == "no"                  ? A::kNo
                      : authoritative == "after-2sec-delay"  ? A::kAfter2s
                      : authoritative == "after-10sec-delay" ? A::kAfter10s
                                                             : A::kYes;
  const auto threshold = model::parse_time_ms(row.get("delay-threshold"));
  one.delay_threshold_s = static_cast<uint32_t>(threshold.value_or(0) / 1000);
  one.conflict_detection = row.get_bool("conflict-detection");
  one.add_arp = row.get_bool("add-arp");
  one.add_dns_entries = row.get_bool("add-dns-entries");
  one.dns_suffix = model::plain_name(row.get("add-dns-entries-suffix"));
  one.always_broadcast = row.get_bool("always-broadcast");
  one.by_client_id =
      row.get("dynamic-lease-identifiers").find("client-id") != std::string_view::npos;
  one.server_address = be32::from(model::parse_ip4(row.get("server-address")).value_or(0));
  one.client_mac_limit =
      static_cast<uint32_t>(model::parse_integer(row.get("client-mac-limit")).value_or(0));
  one.relay = be32::from(model::parse_ip4(row.get("relay")).value_or(0));
  one.options = options(tree, row);
  one.lease_script = row.get("lease-script");
  one.address_lists = address_lists(row);
  using B = DhcpServerConfig::Bootp;
  const std::string_view bootp = row.get("bootp-support");
  one.bootp = bootp == "none" ? B::kNone : bootp == "dynamic" ? B::kDynamic : B::kStatic;
  const std::string_view bootp_time = row.get("bootp-lease-time");
  if (bootp_time == "lease-time") {
    one.bootp_lease_s = one.lease_s;
  } else if (bootp_time != "forever") {
    one.bootp_lease_s = seconds(row, "bootp-lease-time");
  }
  one.matchers = matchers(tree, one.name);
  return one;
}

DhcpNetworkConfig network(const model::Tree& tree, const View& row) {
  DhcpNetworkConfig one;
  const auto prefix = model::parse_prefix(row.get("address")).value_or(model::Ip4Prefix{});
  one.network = prefix.network();
  one.length = prefix.length;
  one.netmask = static_cast<uint8_t>(row.get_integer("netmask"));
  one.gateways = addresses(row, "gateway");
  one.dns = addresses(row, "dns-server");
  one.dns_none = row.get_bool("dns-none");
  one.wins = addresses(row, "wins-server");
  one.ntp = addresses(row, "ntp-server");
  one.ntp_none = row.get_bool("ntp-none");
  one.capwap = addresses(row, "caps-manager");
  one.domain = row.get("domain");
  one.next_server = be32::from(model::parse_ip4(row.get("next-server")).value_or(0));
  one.boot_file = row.get("boot-file-name");
  one.options = options(tree, row);
  return one;
}

}  // namespace

DhcpServingConfig dhcp_serving(const model::Tree& tree, const compile::Names& names) {
  DhcpServingConfig config;
  for_each(tree, "/ip/dhcp-server", [&](const View& row) {
    config.names.emplace(row.row().id, row.raw("name"));
    if (!row.disabled()) config.servers.push_back(server(tree, names, row));
  });
  if (config.names.empty()) return config;
  for_each(tree, "/ip/dhcp-server/network",
           [&](const View& row) { config.networks.push_back(network(tree, row)); });
  for_each(tree, "/ip/dhcp-server/lease", [&](const View& row) {
    const auto address = model::parse_ip4(row.get("address"));
    if (row.disabled() || !address) return;
    DhcpStaticLease one;
    one.id = row.row().id;
    one.server = row.get("server") == "all" ? std::string() : std::string(row.get("server"));
    one.address = *address;
    if (const auto mac = model::parse_mac(row.get("mac-address"))) one.mac = MacAddr{*mac};
    one.client_id = model::parse_client_id(row.get("client-id")).value_or(std::vector<uint8_t>());
    one.lease_s = seconds(row, "lease-time");
    one.block = row.get_bool("block-access");
    one.always_broadcast = row.get_bool("always-broadcast");
    one.options = options(tree, row);
    one.address_lists = address_lists(row);
    config.leases.push_back(std::move(one));
  });
  return config;
}

uint64_t lease_store_interval(const model::Tree& tree) {
  const std::string_view text = tree.settings("/ip/dhcp-server/config").get("store-leases-disk");
  if (text == "never") return UINT64_MAX;
  return text == "immediately"
             ? 0
             : static_cast<uint64_t>(model::parse_time_ms(text).value_or(300'000));
}

}  // namespace maclane
