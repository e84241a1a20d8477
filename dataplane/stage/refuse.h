// How a packet ends in L3 when it may not go on: a named drop, or a request to control to answer
// with an ICMP error or a reset. And the log lines of rules that matched. Worker thread only.
#pragma once

#include "dataplane/stage/filter.h"
#include "dataplane/worker/burst.h"

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

/// One event for each matched rule of the walk that wants a log line (B-15).
void log_matches(Worker& w, const Burst& b, unsigned i, const WalkRecord& record,
                 const RuleKey& key, bool nat) noexcept;

}  // namespace maclane
