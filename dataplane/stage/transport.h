// The transports beside TCP and UDP that have ports: SCTP (RFC 9260), DCCP (RFC 4340) and UDP-lite
// (RFC 3828). Their connections are told apart by ports, which rules and NAT see.
//
// UDP-lite is tracked as UDP is. Of SCTP and DCCP only what may open a connection is judged, as the
// kernel does; their states are not followed, and they live by generic-timeout. Rewriting mends the
// checksums by what changed. SCTP's covers no addresses, but it is over the whole packet: a
// fragment whose port would change cannot be mended. Worker thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/table/session_types.h"

namespace maclane {

struct Snapshot;

using L4Bytes = std::span<const uint8_t>;

/// Whether the header is all there and says nothing impossible. `whole`: it is no fragment.
[[nodiscard]] bool transport_header_ok(uint8_t proto, L4Bytes l4, bool whole) noexcept;

/// Puts a packet's ports into its tuple, unless the snapshot says to leave them unread. Four bytes
/// are looked at.
void read_ports(const Snapshot& snapshot, const uint8_t* l4, Tuple& t) noexcept;

/// How long the header is, for what looks behind it.
[[nodiscard]] size_t transport_header(uint8_t proto, const uint8_t* l4) noexcept;

/// Whether a whole packet's checksum is right; true for any other protocol.
[[nodiscard]] bool transport_checksum_ok(const Ip4Hdr& ip, L4Bytes l4) noexcept;

/// Whether a packet may be the first of a connection; true for any other protocol. `l4`: what of it
/// lies together.
[[nodiscard]] bool transport_opens(const Tuple& t, L4Bytes l4) noexcept;

struct Ports {
  be16 sport;
  be16 dport;
};

/// Sets the ports and mends the checksum. `l4`: what is there of it, of `whole` bytes in all;
/// `delta`: of addresses and ports together (RFC 1624).
void change_ports(uint8_t proto, std::span<uint8_t> l4, size_t whole, Ports ports,
                  uint16_t delta) noexcept;

}  // namespace maclane
