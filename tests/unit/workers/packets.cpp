#include "tests/unit/workers/packets.h"

#include "dataplane/net/checksum.h"

namespace maclane::test {
namespace {

template <typename T>
Bytes bytes_of(const T& header, const Bytes& rest = {}) {
  const auto* p = reinterpret_cast<const uint8_t*>(&header);
  Bytes all(p, p + sizeof(T));
  all.insert(all.end(), rest.begin(), rest.end());
  return all;
}

Bytes data_of(size_t size) {
  Bytes data(size);
  for (size_t i = 0; i < size; ++i) data[i] = static_cast<uint8_t>(i);
  return data;
}

Bytes with_icmp_checksum(Bytes message) {
  const uint16_t sum = checksum(message.data(), message.size());
  std::memcpy(message.data() + 2, &sum, 2);
  return message;
}

}  // namespace

Bytes ip_packet(uint32_t src, uint32_t dst, uint8_t proto, const Bytes& payload, uint16_t fragment,
                uint16_t id) {
  Ip4Hdr h{};
  h.version_ihl = 0x45;
  h.total_length = be16::from(static_cast<uint16_t>(20 + payload.size()));
  h.id = be16::from(id);
  h.fragment = be16::from(fragment);
  h.ttl = 64;
  h.proto = proto;
  h.src = be32::from(src);
  h.dst = be32::from(dst);
  h.checksum.raw = checksum(&h, 20);
  return bytes_of(h, payload);
}

Bytes udp(uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport, size_t data) {
  const UdpHdr u{
      be16::from(sport), be16::from(dport), be16::from(static_cast<uint16_t>(8 + data)), {}};
  return ip_packet(src, dst, kProtoUdp, bytes_of(u, data_of(data)));
}

Bytes tcp(uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport, uint8_t flags) {
  TcpHdr t{};
  t.sport = be16::from(sport);
  t.dport = be16::from(dport);
  t.data_offset = 0x50;
  t.flags = flags;
  t.checksum.raw = checksum(&t, 20, pseudo_sum(be32::from(src), be32::from(dst), kProtoTcp, 20));
  return ip_packet(src, dst, kProtoTcp, bytes_of(t));
}

Bytes echo(uint32_t src, uint32_t dst, uint16_t id, bool reply) {
  const IcmpHdr h{reply ? kIcmpEchoReply : kIcmpEcho, 0, {}, be16::from(id), be16::from(1)};
  return ip_packet(src, dst, kProtoIcmp, with_icmp_checksum(bytes_of(h, data_of(8))));
}

Bytes gre(uint32_t src, uint32_t dst) {
  return ip_packet(src, dst, kProtoGre, data_of(16));
}

Bytes icmp_error(uint32_t src, uint32_t dst, const Bytes& quoted) {
  const IcmpHdr h{kIcmpUnreachable, 3, {}, {}, {}};
  return ip_packet(src, dst, kProtoIcmp, with_icmp_checksum(bytes_of(h, quoted)));
}

std::vector<Bytes> fragments(uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport,
                             unsigned count, uint16_t id) {
  constexpr unsigned kPiece = 64;
  const Bytes whole = udp(src, sport, dst, dport, count * kPiece - 8);
  std::vector<Bytes> pieces;
  for (unsigned i = 0; i < count; ++i) {
    const Bytes part(whole.begin() + 20 + i * kPiece, whole.begin() + 20 + (i + 1) * kPiece);
    const unsigned more = i + 1 < count ? 0x2000u : 0u;
    pieces.push_back(
        ip_packet(src, dst, kProtoUdp, part, static_cast<uint16_t>(more | i * kPiece / 8), id));
  }
  return pieces;
}

}  // namespace maclane::test
