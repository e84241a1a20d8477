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

inline constexpr uint8_t kLooseSourceRoute = 131, kStrictSourceRoute = 137;

/// The option of a packet, whose options are sound, that says by which routers it wants to go;
/// nullptr: it has none. Such a packet goes no further than mangle's prerouting, unless
/// accept-source-route=yes (RFC 6274 3.13).
[[nodiscard]] inline const uint8_t* source_route(const Ip4Hdr& ip) noexcept {
  if (ip.header_length() == sizeof(Ip4Hdr)) return nullptr;
  const auto* option = reinterpret_cast<const uint8_t*>(&ip + 1);
  const auto* end = reinterpret_cast<const uint8_t*>(&ip) + ip.header_length();
  while (option < end && *option != 0) {
    if (*option == kLooseSourceRoute || *option == kStrictSourceRoute) return option;
    option += *option == 1 ? 1 : option[1];
  }
  return nullptr;
}
[[nodiscard]] inline bool is_source_routed(const Ip4Hdr& ip) noexcept {
  return source_route(ip) != nullptr;
}

/// Takes the packets of the burst that may say their way, and are at one of our addresses, on to
/// the next one of it (RFC 791 3.1, 1812 5.2.4.1). What has no sound one, or may not go through a
/// gateway and would, is refused.
void follow_source_routes(Worker& w, Burst& b) noexcept;

/// Packet i from its connection to its end: judged, held, dropped, or on its way.
void take_slowly(Worker& w, Burst& b, unsigned i) noexcept;

}  // namespace maclane
