// First L3 stage: is this an IPv4 packet a router may touch (RFC 791, 1122 3.2.1, 1812 4.2, 5.3)?
// Fills the header fields of the burst. Worker thread only.
#pragma once

#include <rte_mbuf.h>

#include "dataplane/net/checksum.h"
#include "dataplane/worker/burst.h"

namespace maclane {

struct Snapshot;
struct Worker;

/// Checks packet i: version, lengths, header checksum, options, addresses, L4 header. A packet that
/// fails is dropped by name and its mbuf becomes nullptr. Trailing Ethernet padding is cut off.
/// ip4_begin() was called for the burst.
void ip4_validate(Worker& w, Burst& b, unsigned i) noexcept;

/// What ip4_validate() and ip4_validate_plain() take as set, for a whole burst at once.
inline void ip4_begin(Burst& b) noexcept {
  // All of it, whatever the count: a length known to the compiler is a few wide stores.
  b.icmp_type.fill(0);
  b.icmp_code.fill(0);
  b.tcp_flags.fill(0);
  b.bad_l4.fill(false);
  b.icmp_error.fill(false);
  b.session.fill(SessionTable::kNone);
}

/// Whether the checksum of a header without options is right.
[[nodiscard]] inline bool plain_header_ok(const Ip4Hdr* ip) noexcept {
  std::array<uint32_t, 5> words;
  static_assert(sizeof(words) == sizeof(Ip4Hdr));
  std::memcpy(words.data(), ip, sizeof(words));
  uint64_t sum = uint64_t{words[0]} + words[1] + words[2] + words[3] + words[4];
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  return fold(static_cast<uint32_t>(sum)) == 0xffff;
}

/// The same as ip4_validate() for what nearly every packet is: whole UDP and TCP in one segment,
/// without options, from and to addresses that need no second look. False: nothing was done.
[[nodiscard]] inline bool ip4_validate_plain(Burst& b, unsigned i) noexcept {
  rte_mbuf* m = b.mbuf[i];
  auto* ip = rte_pktmbuf_mtod(m, Ip4Hdr*);
  const unsigned here = m->data_len;
  if (here < sizeof(Ip4Hdr) + sizeof(UdpHdr) || m->nb_segs != 1) return false;
  const unsigned total = ip->total_length.host();
  // The first byte is the lowest of the raw value, or the highest: either way the network's.
  const uint32_t src_net = ip->src.host() >> 24;
  const uint32_t dst_net = ip->dst.host() >> 24;
  if ((ip->version_ihl != 0x45) | ip->is_fragment() | (total > here) |
      (total < sizeof(Ip4Hdr) + sizeof(UdpHdr)) | (src_net == 0) | (src_net == 127) |
      (src_net >= 224) | (dst_net == 0) | (dst_net == 127)) {
    return false;
  }
  if (!plain_header_ok(ip)) return false;
  const unsigned l4_length = total - static_cast<unsigned>(sizeof(Ip4Hdr));
  auto* l4 = reinterpret_cast<uint8_t*>(ip + 1);
  const uint8_t proto = ip->proto;
  if (proto == kProtoUdp) {
    const unsigned length = reinterpret_cast<const UdpHdr*>(l4)->length.host();
    if ((length < sizeof(UdpHdr)) | (length > l4_length)) return false;
  } else if (proto == kProtoTcp) {
    if (l4_length < sizeof(TcpHdr)) return false;
    const auto* tcp = reinterpret_cast<const TcpHdr*>(l4);
    const unsigned header = (tcp->data_offset >> 4) * 4u;
    if ((header < sizeof(TcpHdr)) | (header > l4_length)) return false;
    b.tcp_flags[i] = tcp->flags;
  } else {
    return false;
  }
  if (here != total) {
    m->data_len = static_cast<uint16_t>(total);
    m->pkt_len = total;
  }
  b.ip[i] = ip;
  b.l4[i] = l4;
  b.length[i] = static_cast<uint16_t>(total);
  // Addresses and ports stand together on the wire as in the tuple; TCP's ports are where UDP's
  // are.
  static_assert(sizeof(Tuple) == 13);
  auto* tuple = reinterpret_cast<uint8_t*>(&b.tuple[i]);
  std::memcpy(tuple, &ip->src, 12);
  tuple[12] = proto;
  return true;
}

/// The protocol fields of packet i (ports, ICMP id and type, TCP flags) from b.l4, into b.tuple.
/// False: the L4 header is shorter or longer than its packet.
[[nodiscard]] bool parse_l4(const Snapshot& snapshot, Burst& b, unsigned i, unsigned l4_length,
                            bool whole) noexcept;

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
