// What an interface is to those at its other end: a MAC address on a wire, with VLAN tags. A
// session or a lease is of one such, and ends where the interface becomes another. Control thread.
#pragma once

#include <algorithm>

#include "dataplane/snapshot.h"

namespace maclane {

struct Wire {
  MacAddr mac;
  IfIndex ethernet = kNoIf;  // that it stands on, whatever is between
  uint8_t tag_count = 0;
  std::array<VlanTag, 2> tags{};

  [[nodiscard]] bool is_known() const { return !mac.is_zero(); }
  /// Whether both are known and not the same.
  [[nodiscard]] bool is_other_than(const Wire& other) const {
    return is_known() && other.is_known() && !(*this == other);
  }
  friend bool operator==(const Wire& a, const Wire& b) {
    const auto same_tag = [](const VlanTag& x, const VlanTag& y) {
      return x.tpid == y.tpid && x.vid == y.vid;
    };
    return a.mac == b.mac && a.ethernet == b.ethernet && a.tag_count == b.tag_count &&
           std::equal(a.tags.begin(), a.tags.begin() + a.tag_count, b.tags.begin(), same_tag);
  }
};

/// Not known for an interface that is not there, or whose device is not.
[[nodiscard]] inline Wire wire_of(const Snapshot& s, IfIndex interface) {
  Wire out;
  if (interface >= s.interfaces.size() || s.interfaces[interface].kind == IfKind::kNone) return out;
  const Interface& i = s.interfaces[interface];
  out.mac = i.mac;
  out.tag_count = i.tag_count;
  out.tags = i.tags;
  out.ethernet = interface;
  for (size_t steps = 0; steps < s.interfaces.size(); ++steps) {
    const IfIndex parent = s.interfaces[out.ethernet].parent;
    if (parent == kNoIf || parent >= s.interfaces.size()) break;
    out.ethernet = parent;
  }
  return out;
}

}  // namespace maclane
