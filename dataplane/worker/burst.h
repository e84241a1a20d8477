// A burst: a bounded number of packets as parallel arrays, handed from stage to stage.
//
// Metadata lives here and not in the mbuf. A stage that finishes a packet (drop, punt, held) sets
// its mbuf to nullptr; the others skip it.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/net/types.h"
#include "dataplane/net/wire.h"
#include "dataplane/table/neighbour.h"
#include "dataplane/table/session.h"

struct rte_mbuf;

namespace maclane {

inline constexpr unsigned kBurst = 64;

/// IPv4 packets on their way into L3: the IP header is at the start of the mbuf's data.
struct L3Queue {
  static constexpr unsigned kCapacity = 4 * kBurst;
  unsigned count = 0;
  std::array<rte_mbuf*, kCapacity> packets{};
  std::array<IfIndex, kCapacity> in_if{};  // kNoIf: the router itself
  std::array<uint8_t, kCapacity> flags{};
  enum Flag : uint8_t {
    kNone = 0,
    kL2Broadcast = 1,     // came as an L2 broadcast or multicast: no ICMP error, no forwarding
    kFromRouter = 2,      // the router's own
    kRelatedToOther = 4,  // the router's own ICMP error or reset: state related, untracked
    kHeldBefore = 8,      // comes back from the hold queue
    // from another worker (stage/dispatch.h)
    kAtReassembler = 16,  // a fragment where its datagram meets
    kAtHome = 32,         // where its tuple's session is or will be
    kClaimed = 64,        // where its session is, which is not its tuple's home
    kHandedOver = kAtReassembler | kAtHome | kClaimed,
    // the router's own to a group or broadcast address: leaves by its message's out_if, stays here
    kLeavesBy = 128,
  };
  /// False if the queue is full; the packet stays the caller's.
  [[nodiscard]] bool push(rte_mbuf* m, IfIndex interface, uint8_t f) noexcept {
    if (count == kCapacity) return false;
    packets[count] = m;
    in_if[count] = interface;
    flags[count++] = f;
    return true;
  }
};

/// One burst in L3, filled stage by stage. Reused and never cleared: what a stage reads, it or one
/// before it has set for each packet.
struct Burst {
  unsigned count = 0;
  std::array<rte_mbuf*, kBurst> mbuf;
  std::array<IfIndex, kBurst> in_if;
  std::array<uint8_t, kBurst> flags;  // L3Queue::Flag
  // ip4_validate
  std::array<Ip4Hdr*, kBurst> ip;
  std::array<uint8_t*, kBurst> l4;      // nullptr in fragments that carry no L4 header
  std::array<uint16_t, kBurst> length;  // IPv4 total length
  std::array<uint8_t, kBurst> icmp_type;
  std::array<uint8_t, kBurst> icmp_code;
  std::array<uint8_t, kBurst> tcp_flags;
  std::array<bool, kBurst> bad_l4;  // state invalid: a checksum or length is wrong
  std::array<Tuple, kBurst> tuple;
  std::array<bool, kBurst> untracked;  // a raw rule said so, or nothing is tracked
  // session
  std::array<uint32_t, kBurst> hash;
  std::array<uint32_t, kBurst> session;  // SessionTable::kNone: none
  std::array<uint8_t, kBurst> direction;
  std::array<ConnState, kBurst> state;
  std::array<bool, kBurst> icmp_error;  // related: its inner packet belongs to `session`
};

}  // namespace maclane
