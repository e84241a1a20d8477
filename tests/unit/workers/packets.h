// IPv4 packets as bytes, for the tests of several workers.
#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/net/wire.h"

namespace maclane::test {

using Bytes = std::vector<uint8_t>;

constexpr uint32_t ip4(unsigned a, unsigned b, unsigned c, unsigned d) {
  return a << 24 | b << 16 | c << 8 | d;
}

Bytes ip_packet(uint32_t src, uint32_t dst, uint8_t proto, const Bytes& payload,
                uint16_t fragment = 0, uint16_t id = 1);
Bytes udp(uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport, size_t data = 8);
Bytes tcp(uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport, uint8_t flags);
Bytes echo(uint32_t src, uint32_t dst, uint16_t id, bool reply = false);
Bytes gre(uint32_t src, uint32_t dst);
/// Port unreachable about a packet.
Bytes icmp_error(uint32_t src, uint32_t dst, const Bytes& quoted);
/// A UDP datagram in `count` pieces.
std::vector<Bytes> fragments(uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport,
                             unsigned count, uint16_t id);

inline const Ip4Hdr& ip_of(const Bytes& packet) {
  return *reinterpret_cast<const Ip4Hdr*>(packet.data());
}
/// The ports of a TCP or UDP packet.
struct Ports {
  uint16_t sport;
  uint16_t dport;
};
inline Ports ports_of(const Bytes& packet) {
  const auto* udp = reinterpret_cast<const UdpHdr*>(packet.data() + ip_of(packet).header_length());
  return {udp->sport.host(), udp->dport.host()};
}

}  // namespace maclane::test
