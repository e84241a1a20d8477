// The rules of interfaces: parents, MTUs, MACs, VLAN IDs, attachments, lists (A-54..A-58, F-15).
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_set>

#include "control/model/validate.h"
#include "control/model/value.h"

namespace maclane::model {
namespace {

constexpr size_t kMostMacvlans = 4096;  // under one parent
constexpr size_t kMostPorts = 28;       // DPDK counts to 32; four stay for the router's own
constexpr size_t kTapName = 15;         // IFNAMSIZ less the final zero

/// Whether frames can be sent there; else it is said that they cannot.
bool has_frames(Check& check, const View& row, const InterfaceFacts& parent) {
  if (parent.type != "pppoe-out") return true;
  check.add(
      row, "interface",
      fmt::format("{} is a pppoe-client: PPP carries packets and no frames with MAC addresses, "
                  "so nothing can stand on it; give an ethernet or a VLAN interface",
                  parent.name));
  return false;
}

void check_parents(Check& check) {
  for_each(check.tree, "/interface/macvlan", [&](const View& row) {
    const InterfaceFacts* parent = check.interface(row.raw("interface"));
    if (parent == nullptr || !has_frames(check, row, *parent) || parent->type != "macvlan") return;
    check.add(row, "interface",
              fmt::format("{} is a macvlan itself, and a macvlan cannot stand on another; give an "
                          "ethernet or a VLAN interface",
                          parent->name));
  });
  for_each(check.tree, "/interface/vlan", [&](const View& row) {
    const InterfaceFacts* parent = check.interface(row.raw("interface"));
    if (parent == nullptr || !has_frames(check, row, *parent)) return;
    if (parent->type == "macvlan") {
      check.add(row, "interface",
                fmt::format("a VLAN on a macvlan is not supported; put the VLAN on {}, and a "
                            "macvlan on the VLAN",
                            parent->parent));
      return;
    }
    // Up the parents of parents: whoever meets itself again stands on nothing.
    const std::string_view start = row.raw("name");
    size_t steps = 0;
    while (parent != nullptr && parent->type == "vlan" && ++steps <= check.interfaces().size()) {
      if (parent->name == start) {
        check.add(
            row, "interface",
            fmt::format("{} would stand on itself through its parents; one of them must stand "
                        "on an ethernet interface",
                        start));
        return;
      }
      parent = check.interface(parent->parent);
    }
  });
}

/// Whether a row of the tree before the change is here as it was.
bool stood_before(const Check& check, const Menu& menu, const RowPtr& row) {
  return check.before != nullptr && check.before->rows(menu).by_id(row->id) == row;
}

void check_mtus(Check& check) {
  for (std::string_view path : {"/interface/vlan", "/interface/macvlan"}) {
    const Menu& menu = *find_menu(path);
    for (const RowPtr& row : check.tree.rows(menu)) {
      const View view(menu, *row);
      const InterfaceFacts* parent = check.interface(view.raw("interface"));
      if (!view.is_set("mtu") || parent == nullptr) continue;
      if (view.get_integer("mtu") <= parent->actual_mtu || stood_before(check, menu, row)) continue;
      check.add(view, "mtu",
                fmt::format("{} is above the {} of its parent {}; give at most {}, or raise the "
                            "parent's",
                            view.raw("mtu"), parent->actual_mtu, parent->name, parent->actual_mtu));
    }
  }
}

void check_macs(Check& check) {
  struct Owner {
    View row;
    bool parent;
  };
  std::map<std::pair<std::string_view, std::string_view>, Owner> used;  // parent, MAC
  std::map<std::string_view, std::string_view> own_mac;                 // of ethernets
  for_each(check.tree, "/interface/ethernet", [&](const View& row) {
    std::string mistake = mac_mistake(row.raw("mac-address"));
    if (!mistake.empty()) check.add(row, "mac-address", std::move(mistake));
    if (row.is_set("mac-address")) {
      own_mac.emplace(row.raw("name"), row.raw("mac-address"));
      used.try_emplace({row.raw("name"), row.raw("mac-address")}, Owner{row, true});
    }
  });
  for_each(check.tree, "/interface/vlan", [&](const View& row) {
    // A VLAN interface has the MAC of the ethernet it stands on.
    const InterfaceFacts* below = check.interface(row.raw("interface"));
    for (size_t i = 0; i < check.interfaces().size() && below != nullptr; ++i) {
      if (auto mac = own_mac.find(below->name); mac != own_mac.end()) {
        used.try_emplace({row.raw("name"), mac->second}, Owner{row, true});
        break;
      }
      below = check.interface(below->parent);
    }
  });
  for_each(check.tree, "/interface/macvlan", [&](const View& row) {
    const std::string_view mac = row.raw("mac-address");
    std::string mistake = mac_mistake(mac);
    if (!mistake.empty()) check.add(row, "mac-address", std::move(mistake));
    if (mac.empty()) return;
    const auto [it, fresh] = used.try_emplace({row.raw("interface"), mac}, Owner{row, false});
    if (fresh) return;
    const Owner& other = it->second;
    check.add(row, "mac-address",
              other.parent ? fmt::format("{} is the MAC address of its parent {}; frames could not "
                                         "be told apart; choose another or leave it out",
                                         mac, other.row.label())
                           : fmt::format("{} is used by {} under the same parent ({}); every "
                                         "macvlan of a parent needs its own; choose another or "
                                         "leave it out",
                                         mac, other.row.label(), where(other.row)));
  });
}

void check_vlan_ids(Check& check) {
  std::map<std::tuple<std::string_view, std::string_view, std::string_view>, View> used;
  for_each(check.tree, "/interface/vlan", [&](const View& row) {
    const auto [it, fresh] = used.try_emplace(
        {row.raw("interface"), row.get("use-service-tag"), row.get("vlan-id")}, row);
    if (fresh) return;
    check.add(row, "vlan-id",
              fmt::format("VLAN {} of {} is {} already ({}); choose another ID", row.get("vlan-id"),
                          row.raw("interface"), it->second.label(), where(it->second)));
  });
}

void check_attachments(Check& check) {
  size_t ports = check.tree.rows("/interface/ethernet").size();
  std::map<std::string_view, size_t> siblings;
  for_each(check.tree, "/interface/macvlan", [&](const View& row) {
    if (++siblings[row.raw("interface")] == kMostMacvlans + 1) {
      check.add(row, "interface",
                fmt::format("{} has more than {} macvlans, which is the most of one parent",
                            row.raw("interface"), kMostMacvlans));
    }
    if (row.get("attach") == "none") {
      if (row.is_set("netns")) {
        check.add(row, "netns",
                  "only an attached macvlan has a network namespace; add attach: tap");
      }
      return;
    }
    if (row.get("loop-protect") == "on") {
      check.add(row, "loop-protect",
                fmt::format("what comes back to an attached macvlan goes to whoever holds the tap; "
                            "switch loop protect on for its parent {}",
                            row.raw("interface")));
    }
    const std::string_view netns = row.raw("netns");
    if (netns == "." || netns == ".." ||
        (!netns.starts_with('/') && netns.find('/') != std::string_view::npos)) {
      check.add(row, "netns",
                fmt::format("\"{}\" is no name of a network namespace; give a name as `ip netns` "
                            "lists them, or a path that begins with '/'",
                            netns));
    }
    const std::string_view name = row.raw("name");
    if (name.size() > kTapName || name.find_first_of("/ :") != std::string_view::npos) {
      check.add(row, "name",
                fmt::format("an attached macvlan names a Linux device: at most {} characters, "
                            "without '/', ':' or spaces",
                            kTapName));
    }
    if (++ports == kMostPorts + 1) {
      check.add(
          row, "attach",
          fmt::format("ethernets and attached macvlans together are more than {}: DPDK counts "
                      "at most 32 devices and four are the router's own; attach fewer",
                      kMostPorts));
    }
  });
  if (check.tree.rows("/interface/ethernet").size() > kMostPorts) {
    const Menu& menu = *find_menu("/interface/ethernet");
    check.add(View(menu, *check.tree.rows(menu)[kMostPorts]), "name",
              fmt::format("more than {} ethernet interfaces: DPDK counts at most 32 devices",
                          kMostPorts));
  }
}

void check_devices(Check& check) {
  std::map<std::string_view, View> used;
  for_each(check.tree, "/interface/ethernet", [&](const View& row) {
    // "net_tap0,iface=a" and "net_tap0,iface=b" are one device to DPDK.
    std::string_view device = row.raw("device");
    device = device.substr(0, device.find(','));
    if (device.empty()) return;
    const auto [it, fresh] = used.try_emplace(device, row);
    if (!fresh) {
      check.add(row, "device",
                fmt::format("{} is the device of {} already; a device is one interface only",
                            device, it->second.label()));
    }
  });
}

void check_host_plane(Check& check) {
  const View settings = check.tree.settings("/dataplane");
  const std::string_view where = settings.get("host-plane");
  if (where == "." || where == ".." ||
      (!where.starts_with('/') && where.find('/') != std::string_view::npos)) {
    check.add(settings, "host-plane",
              fmt::format("\"{}\" is no name of a network namespace; give auto, yes, no, a name as "
                          "`ip netns` lists them, or a path that begins with '/'",
                          where));
  }
}

void check_lists(Check& check) {
  bool contains = false;
  check.for_asked("/interface/list", false, [&](const View& row) {
    contains |= row.is_set("include") || row.is_set("exclude");
    if (!is_builtin_list(row.raw("name"))) return;
    check.add(row, "name",
              fmt::format("{} is a built-in list; choose another name", row.raw("name")));
  });
  if (!contains) return;
  std::map<std::string_view, std::vector<std::string_view>> below;
  for_each(check.tree, "/interface/list", [&](const View& row) {
    auto& next = below[row.raw("name")];
    for (std::string_view property : {"include", "exclude"}) {
      for (std::string_view list : split_list(row.raw(property))) next.push_back(list);
    }
  });
  for_each(check.tree, "/interface/list", [&](const View& row) {
    std::vector<std::string_view> open{row.raw("name")};
    std::unordered_set<std::string_view> seen;
    while (!open.empty()) {
      const std::string_view list = open.back();
      open.pop_back();
      auto it = below.find(list);
      if (it == below.end()) continue;
      for (std::string_view next : it->second) {
        if (next == row.raw("name")) {
          check.add(
              row, row.is_set("include") ? "include" : "exclude",
              fmt::format("{} would contain itself; take it out of include or exclude", next));
          return;
        }
        if (seen.insert(next).second) open.push_back(next);
      }
    }
  });
}

void check_members(Check& check) {
  check.for_each_twin(
      "/interface/list/member", [](const View&) { return true; },
      [&](const View& row, const View&) {
        check.add(
            row, "interface",
            fmt::format("failure: already have such member: {} is in {} already; leave one of "
                        "the rows out",
                        row.raw("interface"), row.raw("list")));
      });
}

}  // namespace

void validate_interfaces(Check& check) {
  if (check.concerns({"/interface/ethernet", "/interface/vlan", "/interface/macvlan"})) {
    check_parents(check);
    check_mtus(check);
    check_macs(check);
    check_vlan_ids(check);
    check_attachments(check);
    check_devices(check);
  }
  if (check.concerns({"/interface/list"})) check_lists(check);
  if (check.concerns({"/interface/list/member"})) check_members(check);
  if (check.concerns({"/dataplane"})) check_host_plane(check);
}

}  // namespace maclane::model
