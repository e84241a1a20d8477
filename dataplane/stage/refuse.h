// How a packet ends in L3 when it may not go on: a named drop, or a request to control to answer
// with an ICMP error or a reset. Worker thread only.
#pragma once

#include "dataplane/table/rules.h"
#include "dataplane/worker/burst.h"
#include "dataplane/worker/drop.h"

namespace maclane {

struct Worker;

[[nodiscard]] inline bool from_router(const Burst& b, unsigned i) noexcept {
  return (b.flags[i] & L3Queue::kFromRouter) != 0;
}

/// Drops packet i, counted for `interface`.
void refuse(Worker& w, Burst& b, unsigned i, Drop reason, IfIndex interface) noexcept;

/// Asks control to answer packet i with an ICMP error, and counts the drop. The packet is still as
/// it was received. The router's own packets and L2 broadcasts get no error (RFC 1812 4.3.2.7).
void refuse_with_icmp(Worker& w, Burst& b, unsigned i, Drop reason, uint8_t type, uint8_t code,
                      uint16_t mtu = 0) noexcept;

/// The filter's action=reject (behaviour.md B-14).
void reject(Worker& w, Burst& b, unsigned i, RejectWith with) noexcept;

/// And its action=tarpit: control holds a TCP client with an answer that never takes any data
/// (B-6).
void tarpit(Worker& w, Burst& b, unsigned i) noexcept;

/// Asks control to tell packet i's sender of the next hop it could use itself (RFC 1812 5.2.7.2),
/// if the packet leaves where it came in. The packet goes on.
void redirect_sender(Worker& w, const Burst& b, unsigned i, IfIndex out_if, be32 next_hop) noexcept;

}  // namespace maclane
