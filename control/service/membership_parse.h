// Reads IGMP v1-v3 (RFC 1112, 2236, 3376) and MLD v1-v2 (RFC 2710, 3810) frames. No state; any
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/net/types.h"

namespace maclane {

/// IPv6, or IPv4 mapped into it: several groups share one Ethernet address.
using GroupAddress = std::array<uint8_t, 16>;

struct GroupReport {
  GroupAddress group{};
  bool join = true;      // false: leave
  bool current = false;  // IGMPv3/MLDv2 current state: what a host says when it is queried
  friend bool operator==(const GroupReport&, const GroupReport&) = default;
};

/// The Ethernet address of a group (RFC 1112 6.4, RFC 2464 7).
[[nodiscard]] MacAddr mac_of(const GroupAddress& group);

/// What an untagged Ethernet frame reports; empty if it is neither, or malformed.
[[nodiscard]] std::vector<GroupReport> parse_membership(std::span<const uint8_t> frame);

}  // namespace maclane
