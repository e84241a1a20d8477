// The rules of pools and DHCP servers (behaviour.md C-2, C2).
#include <fmt/format.h>

#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "control/model/validate.h"
#include "control/model/value.h"

namespace maclane::model {
namespace {

void check_pools(Check& check) {
  const Menu& menu = *find_menu("/ip/pool");
  for (const RowPtr& row : check.tree.rows(menu)) {
    const View pool(menu, *row);
    std::set<std::string_view> seen{pool.raw("name")};
    for (std::string_view next = pool.get("next-pool"); next != "none";) {
      if (!seen.insert(next).second) {
        check.add(pool, "next-pool",
                  fmt::format("the pools after {} lead back to {}; let the last have "
                              "next-pool=none",
                              pool.raw("name"), next));
        break;
      }
      const RowPtr after = check.tree.find(menu, next);
      if (after == nullptr) break;
      next = View(menu, *after).get("next-pool");
    }
  }
}

void check_servers(Check& check) {
  std::map<std::pair<std::string_view, std::string_view>, std::string_view> on_interface;
  for_each(check.tree, "/ip/dhcp-server", [&](const View& row) {
    if (check.is_attached(row.raw("interface"))) {
      check.add(row, "interface",
                fmt::format("{} is attached: its frames belong to the container or program that "
                            "holds the tap; run the DHCP server there, or take attach away",
                            row.raw("interface")));
    }
    if (row.disabled()) return;
    const auto [first, fresh] =
        on_interface.try_emplace({row.raw("interface"), row.get("relay")}, row.raw("name"));
    if (fresh) return;
    check.add(row, "interface",
              fmt::format("failure: dhcp-server on that interface already exists: {} serves {}; "
                          "disable one, or give this one an interface or a relay of its own",
                          first->second, row.raw("interface")));
  });
}

void check_alerts(Check& check) {
  check.for_each_twin(
      "/ip/dhcp-server/alert", [](const View&) { return true; },
      [&](const View& row, const View& first) {
        check.add(row, "interface",
                  fmt::format("failure: dhcp alert on that interface already exists: {} has one "
                              "({}); add the servers to its valid-server",
                              row.raw("interface"), where(first)));
      });
  for_each(check.tree, "/ip/dhcp-server/alert", [&](const View& row) {
    if (!check.is_attached(row.raw("interface"))) return;
    check.add(row, "interface",
              fmt::format("{} is attached: its frames belong to the container or program that "
                          "holds the tap; watch its parent, or take attach away",
                          row.raw("interface")));
  });
}

/// A row for an address of the router's own would have a client answer in its place.
void check_own_addresses(Check& check) {
  std::unordered_map<uint32_t, std::string_view> ours;
  for_each(check.tree, "/ip/address", [&](const View& row) {
    const auto prefix = parse_prefix(row.raw("address"));
    if (!row.disabled() && prefix) ours.emplace(prefix->address, row.raw("interface"));
  });
  const bool moved = check.whole || check.concerns({"/ip/address"});
  check.for_asked("/ip/dhcp-server/lease", moved, [&](const View& row) {
    const auto address = parse_ip4(row.raw("address"));
    const auto found = address && !row.disabled() ? ours.find(*address) : ours.end();
    if (found == ours.end()) return;
    check.add(row, "address",
              fmt::format("failure: {} is the router's own address, on {}: give the client another",
                          row.raw("address"), found->second));
  });
}

bool is_of_a_host(uint32_t address) {
  constexpr uint32_t kMulticast = 0xe0000000;
  const uint32_t first = address >> 24;
  return first != 0 && first != 127 && address < kMulticast;
}

/// RFC 2132 9.2, 9.3, 9.6, 9.7: what the exchange consists of is the server's to say.
void check_options(Check& check) {
  check.for_asked("/ip/dhcp-server/option", false, [&](const View& row) {
    const int64_t code = row.get_integer("code");
    if (code < 51 || code > 54) return;
    check.add(
        row, "code",
        fmt::format("option {} belongs to the exchange itself and is made by the server; {}", code,
                    code == 51 ? "set lease-time of the server or of the lease"
                               : "give another, 1 to 50 or 55 to 254"));
  });
}

void check_leases(Check& check) {
  const Menu& menu = *find_menu("/ip/dhcp-server/lease");
  const auto address = static_cast<size_t>(menu.index("address"));
  std::unordered_set<std::string_view> asked;  // addresses
  check.for_asked(menu.path, false, [&](const View& row) {
    asked.insert(row.row().values[address]);
    if (!row.is_set("mac-address") && !row.is_set("client-id")) {
      check.add(row, "mac-address", "missing =mac-address=: write the client's, or its client-id",
                Trouble::kMissing);
    }
    std::string mistake = mac_mistake(row.raw("mac-address"));
    if (!mistake.empty()) check.add(row, "mac-address", std::move(mistake));
    const auto own = parse_ip4(row.raw("address"));
    if (own && !is_of_a_host(*own)) {
      check.add(
          row, "address",
          fmt::format("{} is no address that a client can have; write one of the server's "
                      "network (0.0.0.0 for any of the pool, as in RouterOS, is not supported)",
                      row.raw("address")));
    }
  });
  std::map<std::string_view, std::string> by_address;
  for (const RowPtr& one : check.tree.rows(menu)) {
    if (!asked.contains(one->values[address])) continue;
    const View row(menu, *one);
    if (row.disabled()) continue;
    const auto [first, fresh] = by_address.try_emplace(row.raw("address"), where(row));
    if (fresh) continue;
    check.add(row, "address",
              fmt::format("failure: already have static lease with this address: {} is another "
                          "client's ({})",
                          row.raw("address"), first->second));
  }
}

}  // namespace

void validate_dhcp(Check& check) {
  if (check.concerns({"/ip/pool"})) check_pools(check);
  if (check.concerns({"/ip/dhcp-server", "/interface/macvlan"})) check_servers(check);
  if (check.concerns({"/ip/dhcp-server/alert", "/interface/macvlan"})) check_alerts(check);
  if (check.concerns({"/ip/dhcp-server/lease"})) check_leases(check);
  if (check.concerns({"/ip/dhcp-server/option"})) check_options(check);
  if (check.concerns({"/ip/dhcp-server/lease", "/ip/address"})) check_own_addresses(check);
  if (!check.concerns({"/ip/dhcp-server/network"})) return;
  check.for_each_twin(
      "/ip/dhcp-server/network", [](const View&) { return true; },
      [&](const View& row, const View& first) {
        check.add(row, "address",
                  fmt::format("failure: already have such network: {} has a row already ({})",
                              row.raw("address"), where(first)));
      });
}

}  // namespace maclane::model
