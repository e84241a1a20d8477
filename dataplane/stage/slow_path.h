// The slow path: one packet about which something has yet to be decided. Everything is decided
// before anything is changed: counters and sessions are committed, and the packet rewritten, only
// when it can leave. So a packet that waits for ARP waits untranslated and uncounted, and an ICMP
// error quotes what was received.
//
// Chains are passed in the order of B-1: raw, connection tracking, mangle prerouting, dstnat,
// routing, TTL, mangle and filter (input or forward), next hop, mangle postrouting, srcnat; for
// what the router sends itself raw output, connection tracking, mangle output, routing, filter
// output, mangle postrouting, srcnat. Worker thread only.
#pragma once

#include "dataplane/worker/burst.h"

namespace maclane {

struct Worker;

/// Packet i from its connection to its end: judged, held, dropped, or on its way.
void take_slowly(Worker& w, Burst& b, unsigned i) noexcept;

}  // namespace maclane
