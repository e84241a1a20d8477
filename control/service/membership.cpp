#include "control/service/membership.h"

#include <algorithm>
#include <array>
#include <vector>

#include "control/service/packet_build.h"

namespace maclane {
namespace {

const MacAddr kAllNodes4{{0x01, 0x00, 0x5e, 0x00, 0x00, 0x01}};
const MacAddr kAllNodes6{{0x33, 0x33, 0x00, 0x00, 0x00, 0x01}};

constexpr size_t kLongestFrame = 9216;

}  // namespace

void Membership::on_config() {
  const Snapshot& snapshot = io_.snapshot();
  const size_t slots = std::min<size_t>(snapshot.interfaces.size(), kMaxInterfaces);
  std::erase_if(vports_, [&](const auto& row) {
    if (row.first >= slots) return true;
    const Interface& i = snapshot.interfaces[row.first];
    return i.kind == IfKind::kNone || i.mac != row.second.mac ||
           (!i.attached && row.second.groups.empty());
  });
  for (size_t i = 1; i < std::max(slots, configured_); ++i) {
    const auto index = static_cast<IfIndex>(i);
    const bool exists = i < slots && snapshot.interfaces[i].kind != IfKind::kNone;
    if (!exists) {
      io_.mc_filters().clear(index);
      continue;
    }
    const Interface& interface = snapshot.interfaces[i];
    Vport* vport = nullptr;
    if (interface.attached) {
      vport = &vports_[index];
      vport->mac = interface.mac;
    } else if (const auto found = vports_.find(index); found != vports_.end()) {
      vport = &found->second;
    }
    program(index, vport);
  }
  configured_ = slots;
}

void Membership::program(IfIndex interface, const Vport* vport) {
  const Snapshot& snapshot = io_.snapshot();
  McFilters& filters = io_.mc_filters();
  if (snapshot.interfaces[interface].multicast_all || (vport != nullptr && vport->everything)) {
    filters.set_all(interface);
    return;
  }
  std::vector<uint64_t> keys{kAllNodes4.key()};
  if (vport != nullptr) {
    if (snapshot.interfaces[interface].attached) keys.push_back(kAllNodes6.key());
    for (const auto& [group, reported] : vport->groups) keys.push_back(mac_of(group).key());
  }
  filters.set(interface, keys);
}

void Membership::handle(rte_mbuf* packet) {
  const IfIndex in_if = message_of(packet).in_if;
  const auto found = vports_.find(in_if);
  if (found != vports_.end()) {
    std::array<uint8_t, kLongestFrame> frame;
    const auto reports = parse_membership({frame.data(), read_head(packet, frame)});
    if (!reports.empty()) {
      report(found->second, reports);
      program(in_if, &found->second);
    }
  }
  io_.consume(packet);  // a copy: the frame itself went its way
}

void Membership::hear(IfIndex interface, std::span<const uint8_t> frame) {
  const Snapshot& snapshot = io_.snapshot();
  if (interface >= snapshot.interfaces.size() ||
      snapshot.interfaces[interface].kind != IfKind::kMacvlan) {
    return;  // whoever owns the wire hears every group
  }
  const auto reports = parse_membership(frame);
  if (reports.empty()) return;
  Vport& vport = vports_[interface];
  vport.mac = snapshot.interfaces[interface].mac;
  report(vport, reports);
  program(interface, &vport);
}

void Membership::report(Vport& vport, std::span<const GroupReport> reports) {
  const uint64_t now = io_.now_ms();
  for (const GroupReport& r : reports) {
    if (r.current) vport.answered_ms = now;
    if (!r.join) {
      vport.groups.erase(r.group);
    } else if (vport.groups.contains(r.group) || vport.groups.size() < kGroups) {
      vport.groups[r.group] = now;
    } else {
      vport.everything = true;
    }
  }
  if (vport.groups.empty()) vport.everything = false;
}

void Membership::tick() {
  const uint64_t now = io_.now_ms();
  if (now < sweep_ms_) return;
  sweep_ms_ = now + kSweepMs;
  for (auto& known : vports_) {
    auto& vport = known.second;
    const size_t expired = std::erase_if(vport.groups, [&](const auto& group) {
      return now >= group.second + kTimeoutMs && vport.answered_ms >= group.second + kQueryGapMs;
    });
    if (expired != 0) program(known.first, &vport);
  }
}

size_t Membership::groups(IfIndex interface) const {
  const auto found = vports_.find(interface);
  return found == vports_.end() ? 0 : found->second.groups.size();
}

}  // namespace maclane
