// What is decided about a packet on the slow path, and the decisions that rules have no part in:
// its route, its next hop, whether it may be forwarded at all. Worker thread only.
#pragma once

#include "dataplane/stage/filter.h"
#include "dataplane/worker/burst.h"
#include "dataplane/worker/worker.h"

namespace maclane {

/// What is decided about a packet, before anything is committed.
struct Decision {
  PacketFacts facts;
  RuleKey key;
  Tuple post;  // after dnat
  IfIndex out_if = kNoIf;
  be32 next_hop{};
  NeighbourRef neighbour = kNoNeighbour;
  MacAddr dst_mac;
  bool broadcast = false;             // for a group: the router is one of many, or says it to many
  unsigned logged_before_dstnat = 0;  // lines of Worker::walk that come before those of dstnat
};

enum class Fate : uint8_t { kGoesOn, kHeld, kRefused };

/// The connection that decides about packet i; nullptr: none does.
[[nodiscard]] inline Session* session_of(Worker& w, const Burst& b, unsigned i) noexcept {
  return b.session[i] == SessionTable::kNone || b.state[i] == ConnState::kInvalid
             ? nullptr
             : &w.sessions.at(b.session[i]);
}

/// What rules see of packet i before anything was decided about it.
void begin(Worker& w, const Burst& b, unsigned i, Decision& d) noexcept;

/// And what its connection adds to that.
void add_session(Worker& w, const Burst& b, unsigned i, Decision& d) noexcept;

/// Where the packet goes; false if it goes nowhere (and is finished). Sets out_if and next_hop.
[[nodiscard]] bool route(Worker& w, Burst& b, unsigned i, Decision& d) noexcept;

/// The next hop's MAC, or what becomes of the packet without it.
[[nodiscard]] Fate resolve(Worker& w, Burst& b, unsigned i, Decision& d) noexcept;

/// Forwarding rules that are not the filter's: TTL, MTU, no broadcasts, ip-forward.
[[nodiscard]] bool may_forward(Worker& w, Burst& b, unsigned i, const Decision& d) noexcept;

/// A masqueraded connection whose packets would leave with an address that is no longer that of the
/// interface (it changed, or the route moved to another): its replies could not come back (B-30).
[[nodiscard]] bool outlived_masquerade(const Worker& w, const Burst& b, unsigned i,
                                       const Decision& d) noexcept;

}  // namespace maclane
