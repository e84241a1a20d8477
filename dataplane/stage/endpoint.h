// Endpoint-independent NAT (behaviour.md B-32, B-36): how connections use mappings
// (table/mappings.h).
//
// A connection that leaves by a mapping holds it; one that came to its outer port holds it from the
// first answer on, and is kept alive by answers only, unless inbound-refresh says otherwise: who
// may send without being asked must not be able to keep a port open (RFC 7857 6). Worker thread
// only.
#pragma once

#include "dataplane/table/mappings.h"
#include "dataplane/table/session.h"
#include "dataplane/worker/worker.h"

namespace maclane {

/// The mapping of a connection's source (Session::kSrcMapped), and that of its destination.
[[nodiscard]] Mapping source_mapping(const Session& s) noexcept;
[[nodiscard]] Mapping destination_mapping(const Session& s) noexcept;

/// Whether the outer port that a tuple's source would get is a mapping's, of whatever inside.
[[nodiscard]] bool is_mapped(const Worker& w, const Tuple& out) noexcept;

/// A connection to a mapping's outer port was answered for the first time.
void hold_destination(Worker& w, Session& s) noexcept;
/// Whether a connection to a mapping's outer port that nobody answered has outlived it: the port
/// may be another inside's by now.
[[nodiscard]] inline bool awaits_answer(const Session& s) noexcept {
  return (s.flags & (Session::kDstMapped | Session::kSeenReply)) == Session::kDstMapped;
}
[[nodiscard]] bool outlived_mapping(const Worker& w, const Session& s) noexcept;
/// A session is released.
void forget_mappings(Worker& w, uint32_t session) noexcept;

/// Whether a UDP packet of this direction keeps its connection alive.
[[nodiscard]] inline bool refreshes(const Worker& w, const Session& s, uint8_t direction) noexcept {
  return direction == kReply || w.snapshot->inbound_refresh ||
         (s.flags & (Session::kSrcMapped | Session::kDstMapped)) != Session::kDstMapped;
}

}  // namespace maclane
