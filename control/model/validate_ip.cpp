// The rules of addresses, routes and static ARP rows.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "control/model/gateway.h"
#include "control/model/validate.h"
#include "control/model/value.h"

namespace maclane::model {
namespace {

constexpr std::string_view kInterfaces[] = {"/interface/ethernet", "/interface/vlan",
                                            "/interface/macvlan", "/interface/pppoe-client"};

/// Menus whose changes may make an address or a route wrong that did not change itself.
bool interfaces_changed(const Check& check) {
  return check.concerns(kInterfaces);
}

void check_addresses(Check& check) {
  std::unordered_map<std::string_view, bool> attached;  // each interface is looked up once
  check.for_asked("/ip/address", interfaces_changed(check), [&](const View& row) {
    const std::string_view interface = row.raw("interface");
    const auto prefix = parse_prefix(row.raw("address"));
    if (!prefix) return;
    const auto [known, fresh_interface] = attached.try_emplace(interface, false);
    if (fresh_interface) known->second = check.is_attached(interface);
    if (known->second) {
      check.add(row, "interface",
                fmt::format("{} is attached: its addresses belong to the container or program that "
                            "holds the tap, not to the router; set the address there, or take "
                            "attach away",
                            interface));
    }
    const uint32_t top = prefix->address >> 28;
    if (prefix->address >> 24 == 0 || prefix->address >> 24 == 127 || top >= 14) {
      check.add(row, "address",
                fmt::format("{} cannot be an interface's address; 0.x, 127.x, multicast and above "
                            "are set apart",
                            row.raw("address")));
    } else if (prefix->length < 31 && !row.is_set("network") &&
               (prefix->address == prefix->network() || prefix->address == prefix->broadcast())) {
      check.add(
          row, "address",
          fmt::format("{} is its network's own {} address; choose one between {} and {}",
                      row.raw("address"),
                      prefix->address == prefix->network() ? "first" : "broadcast",
                      format_ip4(prefix->network() + 1), format_ip4(prefix->broadcast() - 1)));
    }
  });
  check.for_each_twin(
      "/ip/address",
      // One that is disabled is kept aside: it may repeat one in use.
      [](const View& row) { return row.is_set("address") && !row.disabled(); },
      [&](const View& row, const View& first) {
        const std::string_view address = row.raw("address");
        check.add(row, "address",
                  fmt::format("failure: already have such address: {} is on {} ({}); an address "
                              "stands once",
                              address.substr(0, address.find('/')), first.raw("interface"),
                              where(first)));
      });
}

bool has_table(const Check& check, std::string_view name) {
  const Menu& menu = *find_menu("/routing/table");
  const Rows& rows = check.tree.rows(menu);
  return std::any_of(rows.begin(), rows.end(),
                     [&](const RowPtr& row) { return View(menu, *row).raw("name") == name; });
}

void check_routes(Check& check) {
  const bool all = interfaces_changed(check) || check.concerns({"/routing/table"});
  check.for_asked("/ip/route", all, [&](const View& row) {
    const auto [gateway, table] = gateway_parts(row.raw("gateway"));
    if (table != "main" && !has_table(check, table)) {
      check.add(row, "gateway",
                fmt::format("there is no routing table named \"{}\" to look for {} in; add it in "
                            "/routing/table",
                            table, gateway));
    }
    const bool forwards = row.get("type") == "unicast" && !row.get_bool("blackhole");
    if (row.get_bool("blackhole") && row.is_set("type") && row.get("type") != "blackhole") {
      check.add(row, "type",
                fmt::format("{} and blackhole=yes contradict each other; leave one out",
                            row.get("type")));
    }
    if (gateway.empty() && forwards) {
      check.add(row, "gateway",
                "missing gateway: write the next hop's address or an interface, or "
                "blackhole: yes");
    }
    if (!gateway.empty() && !forwards) {
      check.add(row, "gateway", "a route that forwards nothing has no gateway; leave it out");
    }
    const size_t percent = gateway.find('%');
    const bool is_address = parse_ip4(gateway.substr(0, percent)).has_value();
    const std::string_view interface = percent != std::string_view::npos
                                           ? gateway.substr(percent + 1)
                                           : (is_address ? std::string_view{} : gateway);
    if (!interface.empty() && check.interface(interface) == nullptr) {
      if (check.took_away(kInterfaces, interface, row)) return;
      check.add(row, "gateway",
                fmt::format("there is no interface named \"{}\"; a gateway is an address, "
                            "address%interface or an interface",
                            interface));
    } else if (!interface.empty() && check.is_attached(interface)) {
      check.add(row, "gateway",
                fmt::format("{} is attached and not the router's; route to the address of its "
                            "holder by another interface",
                            interface));
    }
    if (const std::string_view how = row.get("check-gateway");
        !how.empty() && how != "none" && !is_address) {
      check.add(row, "check-gateway",
                "only a gateway with an address can be asked; leave check-gateway out");
    }
    if (is_address) {
      const uint32_t address = *parse_ip4(gateway.substr(0, percent));
      if (address == 0 || address >> 28 >= 14 || address >> 24 == 127) {
        check.add(row, "gateway", fmt::format("{} cannot be a next hop", format_ip4(address)));
      }
    }
  });
  check.for_each_twin(
      "/ip/route", [](const View& row) { return !row.disabled(); },
      [&](const View& row, const View& first) {
        check.add(
            row, "dst-address",
            fmt::format("failure: already have such route ({}); leave one out", where(first)));
      });
}

void check_routing_rules(Check& check) {
  check.for_asked("/routing/rule", false, [&](const View& row) {
    const bool looks_up = row.get("action").starts_with("lookup");
    // With drop and unreachable a table may stand there all the same, as in RouterOS: none is
    // asked.
    if (looks_up && !row.is_set("table"))
      check.add(row, "table", fmt::format("action={} needs table", row.get("action")));
  });
  check.for_asked("/routing/table", false, [&](const View& row) {
    if (row.raw("name") == "main")
      check.add(row, "name", "the table main is there always; choose another name");
  });
}

void check_arp(Check& check) {
  check.for_asked("/ip/arp", false, [&](const View& row) {
    std::string mistake = mac_mistake(row.raw("mac-address"));
    if (!mistake.empty()) check.add(row, "mac-address", std::move(mistake));
    if (!row.is_set("mac-address") && !row.get_bool("published")) {
      check.add(
          row, "mac-address",
          "missing =mac-address=: write the neighbour's, or published: yes to have the router "
          "answer for the address");
    }
  });
  check.for_each_twin(
      "/ip/arp", [](const View& row) { return !row.disabled(); },
      [&](const View& row, const View& first) {
        check.add(
            row, "address",
            fmt::format("failure: already have such address: {} on {} has a row already ({}); "
                        "leave one out",
                        row.raw("address"), row.raw("interface"), where(first)));
      });
}

}  // namespace

void validate_ip(Check& check) {
  const bool interfaces = interfaces_changed(check);
  if (interfaces || check.concerns({"/ip/address"})) check_addresses(check);
  if (interfaces || check.concerns({"/ip/route"})) check_routes(check);
  if (check.concerns({"/routing/rule", "/routing/table"})) check_routing_rules(check);
  if (check.concerns({"/ip/arp"})) check_arp(check);
}

}  // namespace maclane::model
