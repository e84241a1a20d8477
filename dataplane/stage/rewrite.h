// Rewrite: translation, TTL and checksums of a packet that is about to leave. Nothing after this
// stage may hold or re-queue the packet. Worker thread only.
#pragma once

#include "dataplane/worker/burst.h"

namespace maclane {

struct Worker;

/// Applies the precompiled rewrite of packet i's session and direction (nothing if it has none or
/// none is needed), by deltas only; later fragments get their addresses alone. False: it cannot be
/// translated, and was dropped.
[[nodiscard]] bool translate(Worker& w, Burst& b, unsigned i) noexcept;

/// RFC 1812 5.3.1 with RFC 1624: one hop less.
void decrement_ttl(Ip4Hdr& ip) noexcept;

}  // namespace maclane
