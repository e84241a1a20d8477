// Interfaces, L2 domains, ports and who polls their queues. Control thread.
//
// Interfaces are placed parents first. One that is missing a device (not started, failed) is there
// and down, so that its addresses, rules and statistics keep their place.
#include <fmt/format.h>

#include <algorithm>

#include "control/compile/parts.h"

namespace maclane::compile {
namespace {

constexpr uint16_t kCustomerTag = 0x8100;
constexpr uint16_t kServiceTag = 0x88a8;

ArpMode arp_mode(std::string_view value) {
  if (value == "disabled") return ArpMode::kDisabled;
  if (value == "reply-only") return ArpMode::kReplyOnly;
  if (value == "proxy-arp") return ArpMode::kProxy;
  if (value == "local-proxy-arp") return ArpMode::kLocalProxy;
  return ArpMode::kEnabled;
}

class Placer {
 public:
  explicit Placer(Work& work) : work_(work), facts_(model::interfaces(work.tree)) {
    for (std::string_view path : {"/interface/ethernet", "/interface/vlan", "/interface/macvlan",
                                  "/interface/pppoe-client"}) {
      model::for_each(work.tree, path, [&](const model::View& row) { rows_.push_back(row); });
    }
  }

  void run() {
    std::vector<std::string_view> names;
    for (const model::InterfaceFacts& one : facts_) names.push_back(one.name);
    Names& numbers = work_.state.names;
    if (!numbers.set_interfaces(names)) {
      work_.errors.push_back(rows_[kMaxInterfaces - 1].error(
          "name", fmt::format("{} interfaces are more than the dataplane's {}; remove some",
                              facts_.size(), kMaxInterfaces - 1)));
      return;
    }
    work_.snapshot.interfaces.resize(numbers.interface_limit());
    work_.enabled.resize(numbers.interface_limit());
    index_.resize(facts_.size());
    placed_.resize(facts_.size());
    for (size_t i = 0; i < facts_.size(); ++i) {
      index_[i] = numbers.index_of(facts_[i].name);
      by_name_.emplace(facts_[i].name, i);
    }
    for (size_t i = 0; i < facts_.size(); ++i) place(i);
  }

 private:
  [[nodiscard]] bool held(const model::InterfaceFacts& facts) const {
    return work_.learned.held.contains(facts.name);
  }

  void place(size_t i) {
    if (placed_[i]) return;
    placed_[i] = true;
    const model::InterfaceFacts& facts = facts_[i];
    Interface& mine = work_.snapshot.interfaces[index_[i]];
    mine.arp = arp_mode(rows_[i].get("arp"));
    mine.mtu = static_cast<uint16_t>(std::min<int64_t>(facts.actual_mtu, UINT16_MAX));
    if (facts.parent.empty()) {
      mine.kind = IfKind::kEthernet;
      place_ethernet(i, mine);
      return;
    }
    mine.kind = facts.type == "vlan"        ? IfKind::kVlan
                : facts.type == "pppoe-out" ? IfKind::kPppoe
                                            : IfKind::kMacvlan;
    auto parent = by_name_.find(facts.parent);
    if (parent == by_name_.end()) return;  // validation has refused it
    place(parent->second);
    const IfIndex below = index_[parent->second];
    const Interface& lower = work_.interface(below);
    mine.parent = below;
    mine.port = lower.port;
    mine.tags = lower.tags;
    mine.tag_count = lower.tag_count;
    if (mine.kind == IfKind::kPppoe) return place_pppoe(i, mine, below);
    mine.mtu = std::min(mine.mtu, lower.mtu);
    mine.up = !facts.disabled && lower.up && !held(facts);
    work_.enabled[index_[i]] = !facts.disabled && work_.enabled[below];
    if (mine.kind == IfKind::kVlan) {
      place_vlan(i, mine, lower);
    } else {
      place_macvlan(i, mine, lower);
    }
  }

  /// Without a session it is there and down. It has no frames of its own: no domain, no ARP.
  void place_pppoe(size_t i, Interface& mine, IfIndex below) {
    const model::InterfaceFacts& facts = facts_[i];
    Interface& lower = work_.snapshot.interfaces[below];
    mine.arp = ArpMode::kDisabled;
    mine.mac = lower.mac;  // that of its device for programs; on the wire it is the lower's own
    work_.enabled[index_[i]] = !facts.disabled && work_.enabled[below];
    if (!facts.disabled && !lower.attached) lower.pppoe = true;
    const auto learned = work_.learned.peers.sessions.find(facts.name);
    if (facts.disabled || !lower.up || learned == work_.learned.peers.sessions.end()) return;
    mine.up = true;
    mine.mtu = learned->second.mtu;
    if (learned->second.id == be16{}) return;
    mine.pppoe_session = learned->second.id;
    mine.pppoe_peer = learned->second.peer;
    work_.snapshot.pppoe_sessions.insert(MacAddr::from_key(pppoe_key(below, mine.pppoe_session)),
                                         index_[i]);
  }

  void place_ethernet(size_t i, Interface& mine) {
    const model::InterfaceFacts& facts = facts_[i];
    mine.mac = mac_of(rows_[i].raw("mac-address"));
    work_.enabled[index_[i]] = !facts.disabled;
    auto learned = work_.learned.ethernets.find(facts.name);
    if (learned != work_.learned.ethernets.end()) {
      const PortInfo& info = learned->second.info;
      if (mine.mac.is_zero()) mine.mac = info.mac;
      if (info.max_mtu != 0) mine.mtu = std::min(mine.mtu, info.max_mtu);
      mine.up = !facts.disabled && !held(facts) && (learned->second.link_up || !info.gates_on_link);
      mine.port = add_port(info, index_[i]);
    }
    mine.domain = add_domain(index_[i], mine);
    if (mine.port != kNoPort) work_.snapshot.ports[mine.port].domain = mine.domain;
  }

  void place_vlan(size_t i, Interface& mine, const Interface& lower) {
    mine.mac = lower.mac;
    if (mine.tag_count == mine.tags.size()) {
      work_.errors.push_back(rows_[i].error(
          "interface", fmt::format("a frame carries at most {} VLAN tags, and {} would be one "
                                   "more; put it on the ethernet",
                                   mine.tags.size(), facts_[i].name)));
      return;
    }
    const VlanTag tag{rows_[i].get_bool("use-service-tag") ? kServiceTag : kCustomerTag,
                      static_cast<uint16_t>(rows_[i].get_integer("vlan-id"))};
    mine.tags[mine.tag_count++] = tag;
    mine.domain = add_domain(index_[i], mine);
    // Also of a VLAN interface that is down: it takes its frames and drops them, as Linux does.
    if (lower.domain != kNoDomain) {
      work_.snapshot.domains[lower.domain].vlans.push_back({tag, mine.domain});
    }
  }

  void place_macvlan(size_t i, Interface& mine, const Interface& lower) {
    const model::View& row = rows_[i];
    mine.mac = mac_of(row.raw("mac-address"));
    mine.mode = row.get("mode") == "private" ? VportMode::kPrivate : VportMode::kBridge;
    mine.multicast_all = row.get("multicast") == "all";
    mine.attached = row.get("attach") != "none";
    mine.domain = lower.domain;
    if (!lower.mac.is_zero() && mine.mac == lower.mac) {
      // Validation knows configured MACs only; this one may be the device's.
      work_.errors.push_back(row.error(
          "mac-address", fmt::format("{} is the MAC address of its parent {}; frames could not be "
                                     "told apart; choose another or leave it out",
                                     row.raw("mac-address"), facts_[i].parent)));
      return;
    }
    if (mine.attached) {
      auto learned = work_.learned.attachments.find(facts_[i].name);
      if (learned == work_.learned.attachments.end()) {
        mine.up = false;
      } else {
        mine.attach_port = add_port(learned->second, index_[i]);
        Port& port = work_.snapshot.ports[mine.attach_port];
        port.attachment = true;
        port.domain = mine.domain;
      }
    }
    if (!mine.up || mine.domain == kNoDomain) return;
    Domain& domain = work_.snapshot.domains[mine.domain];
    domain.macs.insert(mine.mac, index_[i]);
    domain.vports.push_back(index_[i]);
    if (mine.mode != VportMode::kBridge) return;
    domain.bridge_vports.push_back(index_[i]);
    domain.has_bridge_vports = true;
  }

  uint16_t add_port(const PortInfo& info, IfIndex interface) {
    Port port;
    port.ethdev = info.ethdev;
    port.multi_segment = info.multi_segment;
    port.tx_queues = std::max<uint16_t>(info.queues, 1);
    port.interface = interface;
    const auto number = static_cast<uint16_t>(work_.snapshot.ports.size());
    work_.snapshot.ports.push_back(port);
    const unsigned workers = std::clamp(work_.learned.workers, 1u, kMaxWorkers);
    for (uint16_t q = 0; q < std::max<uint16_t>(info.queues, 1); ++q) {
      work_.snapshot.rx[q % workers].push_back({number, q});
    }
    return number;
  }

  uint16_t add_domain(IfIndex parent, const Interface& mine) {
    Domain domain;
    domain.parent = parent;
    domain.port = mine.port;
    if (!mine.mac.is_zero()) domain.macs.insert(mine.mac, parent);
    work_.snapshot.domains.push_back(std::move(domain));
    return static_cast<uint16_t>(work_.snapshot.domains.size() - 1);
  }

  Work& work_;
  std::vector<model::InterfaceFacts> facts_;
  std::vector<model::View> rows_;  // of the same interfaces
  std::vector<IfIndex> index_;
  std::vector<bool> placed_;
  std::unordered_map<std::string_view, size_t> by_name_;
};

}  // namespace

void compile_interfaces(Work& work) {
  Placer(work).run();
  if (!work.errors.empty()) return;
  const auto set_primary = [&](IfIndex index, uint32_t address) {
    if (index == kNoIf) return;
    Interface& owner = work.snapshot.interfaces[index];
    if (owner.primary_address == be32{}) owner.primary_address = be32::from(address);
  };
  model::for_each(work.tree, "/ip/address", [&](const model::View& row) {
    const IfIndex index = work.state.names.index_of(row.raw("interface"));
    const auto prefix = model::parse_prefix(row.raw("address"));
    if (row.disabled() || index == kNoIf || !prefix) return;
    set_primary(index, prefix->address);
  });
  for (const std::string& name : work.learned.peers.scanned) {
    const IfIndex index = work.state.names.index_of(name);
    if (index != kNoIf) work.snapshot.interfaces[index].pppoe = true;
  }
  for (const LearnedAddress& one : work.learned.peers.addresses)
    set_primary(work.state.names.index_of(one.interface), one.address);
  for (const char* menu : {"/ip/dhcp-client", "/ip/dhcp-server/alert"}) {
    model::for_each(work.tree, menu, [&](const model::View& row) {
      const IfIndex index = work.state.names.index_of(row.raw("interface"));
      if (!row.disabled() && index != kNoIf) work.snapshot.interfaces[index].dhcp = true;
    });
  }
  model::for_each(work.tree, "/ip/dhcp-server", [&](const model::View& row) {
    const IfIndex index = work.state.names.index_of(row.raw("interface"));
    if (!row.disabled() && index != kNoIf) work.snapshot.interfaces[index].dhcp_server = true;
  });
}

}  // namespace maclane::compile
