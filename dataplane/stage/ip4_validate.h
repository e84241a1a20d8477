// First L3 stage: is this an IPv4 packet a router may touch (RFC 791, 1122 3.2.1, 1812 4.2, 5.3)?
// Fills the header fields of the burst. Worker thread only.
#pragma once

#include "dataplane/worker/burst.h"

namespace maclane {

struct Worker;

/// Checks packet i: version, lengths, header checksum, options, addresses, L4 header. A packet that
/// fails is dropped by name and its mbuf becomes nullptr. Trailing Ethernet padding is cut off.
void ip4_validate(Worker& w, Burst& b, unsigned i) noexcept;

/// The protocol fields of packet i (ports, ICMP id and type, TCP flags) from b.l4, into b.tuple.
/// False: the L4 header is shorter or longer than its packet.
[[nodiscard]] bool parse_l4(Burst& b, unsigned i, unsigned l4_length, bool whole) noexcept;

/// ICMP error types that quote the packet they are about (behaviour.md B-17).
[[nodiscard]] constexpr bool is_icmp_error(uint8_t type) noexcept {
  return type == kIcmpUnreachable || type == kIcmpSourceQuench || type == kIcmpRedirect ||
         type == kIcmpTimeExceeded || type == kIcmpParameterProblem;
}
/// The query type that an ICMP reply answers; the type itself for queries and everything else.
[[nodiscard]] constexpr uint8_t icmp_query_of(uint8_t type) noexcept {
  switch (type) {
    case 0:
      return 8;
    case 14:
      return 13;
    case 16:
      return 15;
    case 18:
      return 17;
    default:
      return type;
  }
}
/// Queries: they alone may open an ICMP connection.
[[nodiscard]] constexpr bool is_icmp_query(uint8_t type) noexcept {
  return type == 8 || type == 13 || type == 15 || type == 17;
}

/// The tuple of an ICMP query or reply: the id on the asker's side, the query's type on the other,
/// so that a reply's tuple is the query's reversed, and a query from the other side is not.
[[nodiscard]] inline Tuple icmp_tuple(be32 src, be32 dst, uint8_t type, be16 id) noexcept {
  const be16 kind = be16::from(static_cast<uint16_t>(0x100u | icmp_query_of(type)));
  if (is_icmp_query(type)) return {src, dst, id, kind, kProtoIcmp};
  return {src, dst, kind, id, kProtoIcmp};
}

}  // namespace maclane
