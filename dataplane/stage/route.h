// Routing decision: destination to next hop, and next hop to neighbour. Worker thread only.
#pragma once

#include "dataplane/snapshot.h"
#include "dataplane/table/neighbour.h"

namespace maclane {

struct Worker;

struct Route {
  NextHop::Kind kind = NextHop::Kind::kNone;
  IfIndex out_if = kNoIf;
  be32 next_hop{};  // the address to resolve: the gateway, or the destination itself
};

/// From next-hop index to route: among equal ways, the one whose interface owns the source (so that
/// an answer leaves where the question came in), else gateways by a hash of the addresses and
/// connected subnets by their order.
[[nodiscard]] Route choose_route(const Snapshot& s, uint16_t next_hop, be32 src, be32 dst) noexcept;

/// True if the address is one of the router's own.
[[nodiscard]] bool is_local(const Snapshot& s, be32 address) noexcept;

}  // namespace maclane
