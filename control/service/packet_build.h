// Packets made by the router itself, and bounded reads of those it was given. Control thread.
#pragma once

#include <cstdint>
#include <span>

#include "control/service/packet_io.h"
#include "dataplane/net/wire.h"

namespace maclane {

inline const MacAddr kBroadcastMac = MacAddr::from_key(0xffffffffffffULL);

/// Copies the first bytes of a packet, chained or not; returns how many it had.
size_t read_head(const rte_mbuf* packet, std::span<uint8_t> out);

/// Whether a frame for a service of layer 2 (kDhcp) was heard on an interface that is up: one to
/// its MAC by it alone, a broadcast by all of the wire; what a macvlan sent by its bridge siblings
/// alone.
[[nodiscard]] bool is_heard_on(const Snapshot& snapshot, IfIndex interface,
                               const PacketMessage& punt);

/// A header at an offset of a byte range; false if it does not fit.
template <typename Header>
[[nodiscard]] bool read_header(std::span<const uint8_t> bytes, size_t offset, Header& out) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(Header)) return false;
  std::memcpy(static_cast<void*>(&out), bytes.data() + offset, sizeof(Header));
  return true;
}
template <typename Header>
void write_header(std::span<uint8_t> bytes, size_t offset, const Header& header) {
  std::memcpy(bytes.data() + offset, &header, sizeof(Header));
}

/// The bytes in a buffer, chained if they are too many for one; nullptr if buffers ran out.
[[nodiscard]] rte_mbuf* make_packet(PacketIo& io, std::span<const uint8_t> bytes);

/// A 20-byte IPv4 header with its checksum.
struct Ip4Fields {
  be32 src;
  be32 dst;
  uint8_t proto = 0;
  uint8_t tos = 0;
  uint16_t id = 0;
  bool dont_fragment = false;
  uint8_t ttl = 64;
};
[[nodiscard]] Ip4Hdr make_ip4(const Ip4Fields& fields, size_t total_length);

/// The IPv4 header at the front of a packet, checked: version, header length, total length.
[[nodiscard]] bool read_ip4(std::span<const uint8_t> bytes, Ip4Hdr& out);

/// Sends an IPv4 packet of the router itself through the worker that has its connection. False if
/// buffers ran out or the ring is full.
bool send_ip4(PacketIo& io, std::span<const uint8_t> packet, bool related, uint8_t worker);

}  // namespace maclane
