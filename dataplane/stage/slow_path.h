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

/// Whether a packet, whose options are sound, says by which routers it wants to go. Such a one goes
/// no further than mangle's prerouting: accept-source-route=no (RFC 6274 3.13).
[[nodiscard]] inline bool is_source_routed(const Ip4Hdr& ip) noexcept {
  if (ip.header_length() == sizeof(Ip4Hdr)) return false;
  const auto* option = reinterpret_cast<const uint8_t*>(&ip + 1);
  const auto* end = reinterpret_cast<const uint8_t*>(&ip) + ip.header_length();
  while (option < end && *option != 0) {
    if (*option == 131 || *option == 137) return true;  // loose and strict source route
    option += *option == 1 ? 1 : option[1];
  }
  return false;
}

/// Packet i from its connection to its end: judged, held, dropped, or on its way.
void take_slowly(Worker& w, Burst& b, unsigned i) noexcept;

}  // namespace maclane
