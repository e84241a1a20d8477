// Overload: what an L3 burst may spend on new connections while frames wait faster than they are
// worked off (Worker::overloaded, set by the loop). Worker thread only.
#pragma once

#include "dataplane/stage/ip4_validate.h"
#include "dataplane/worker/worker.h"

namespace maclane {

inline constexpr unsigned kNewOverloaded = kBurst / 8;

/// How many connections a burst may open under overload, of whose packets `known` have one. Opening
/// one costs as much as forwarding eight packets: those of connections that stand do not wait for
/// more than a few. One alone may be a chance likeness of tags.
[[nodiscard]] inline unsigned new_limit(const Worker& w, unsigned known) noexcept {
  if (w.sessions.full()) return 0;
  return known <= 1 ? kBurst : kNewOverloaded;
}

/// Whether packet i came from a wire and is of no connection: found out without looking further.
[[nodiscard]] inline bool of_no_connection(const Worker& w, const Burst& b, unsigned i) noexcept {
  if (!w.snapshot->tracking) return false;
  if ((b.flags[i] & ~(L3Queue::kL2Broadcast | L3Queue::kHandedOver)) != 0) return false;
  const Tuple& t = b.tuple[i];
  // An ICMP error may be of one that it quotes, and another worker may have what is claimed here.
  if (t.proto == kProtoIcmp && (b.l4[i] == nullptr || is_icmp_error(b.icmp_type[i]))) return false;
  if (w.claims.size() != 0 && w.claims.find(t, b.hash[i]) != nullptr) return false;
  return !w.sessions.find(t, b.hash[i]);
}

}  // namespace maclane
