// Routing decision: destination to next hop, and next hop to neighbour. Worker thread; control for
// itself.
//
// The router's own addresses come first, whatever marks and rules say, as in Linux; then the rules
// of /routing/rule in order, then the table that the routing mark names, then main.
//
// A connection keeps its way. Among ways of equal cost it stays on the one it was on. And what came
// in by one uplink is answered by it: replies of a connection that reached one of the router's own
// addresses, or was translated on the way in, leave where it came in if there is a default route
// through that interface in any table, of whatever distance; a mark or a rule that decides goes
// before that (behaviour.md E-27, F-7). Where no connection says it, what the router itself sends
// leaves by the interface that owns its source.
#pragma once

#include "dataplane/snapshot.h"
#include "dataplane/table/neighbour.h"
#include "dataplane/worker/burst.h"

namespace maclane {

struct Worker;

struct Route {
  NextHop::Kind kind = NextHop::Kind::kNone;
  IfIndex out_if = kNoIf;
  be32 next_hop{};  // the address to resolve: the gateway, or the destination itself
};

/// The route of packet i with the tuple that it has behind dstnat.
[[nodiscard]] Route route_of(Worker& w, const Burst& b, unsigned i, const Tuple& post,
                             uint32_t mark) noexcept;

/// What rules and tables say: an index into Snapshot::next_hops. `decided`: a rule or a mark did.
[[nodiscard]] uint16_t look_up(const Snapshot& s, const Tuple& t, IfIndex in_if, uint32_t mark,
                               bool* decided) noexcept;

/// Among equal ways: the one that `kept` names, else the one whose interface owns the source (so
/// that an answer leaves where the question came in), else gateways by a hash of the addresses and
/// connected subnets by their order.
struct KeptWay {
  IfIndex out_if = kNoIf;
  NeighbourRef neighbour = kNoNeighbour;
};
[[nodiscard]] Route choose_route(const Snapshot& s, uint16_t next_hop, const Tuple& t,
                                 const NeighbourTable* neighbours = nullptr,
                                 KeptWay kept = {}) noexcept;

/// True if the address is one of the router's own.
[[nodiscard]] bool is_local(const Snapshot& s, be32 address) noexcept;

/// True if the address is a host of a network on that interface.
[[nodiscard]] bool is_on_link(const Snapshot& s, be32 address, IfIndex interface) noexcept;

/// /ip/settings rp-filter: loose, there is a route to the source at all; strict, one of the best
/// leads back to where it came from (RFC 3704).
[[nodiscard]] bool source_is_sound(const Snapshot& s, be32 src, IfIndex in_if) noexcept;

}  // namespace maclane
