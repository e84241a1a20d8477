#include "dataplane/stage/transport.h"

#include <algorithm>
#include <cstring>

#include "dataplane/net/checksum.h"
#include "dataplane/net/crc32c.h"
#include "dataplane/snapshot.h"

namespace maclane {
namespace {

template <typename Header>
[[nodiscard]] Header read(L4Bytes l4) noexcept {
  Header h;
  std::memcpy(&h, l4.data(), sizeof(h));
  return h;
}

/// DCCP's data offset counts words; with long sequence numbers the header has four more bytes.
[[nodiscard]] size_t dccp_header(const DccpHdr& h) noexcept {
  return h.data_offset * size_t{4};
}
[[nodiscard]] size_t dccp_least(const DccpHdr& h) noexcept {
  return (h.type & 1) != 0 ? sizeof(DccpHdr) + 4 : sizeof(DccpHdr);
}

bool sctp_checksum_ok(L4Bytes l4) noexcept {
  constexpr uint32_t kNoChecksum = 0;
  constexpr size_t kAt = offsetof(SctpHdr, checksum);
  uint32_t reg = crc32c_more(~uint32_t{0}, l4.data(), kAt);
  reg = crc32c_more(reg, &kNoChecksum, sizeof(kNoChecksum));
  reg = crc32c_more(reg, l4.data() + sizeof(SctpHdr), l4.size() - sizeof(SctpHdr));
  return ~reg == read<SctpHdr>(l4).checksum;
}

/// What the checksum covers (RFC 4340 9.2): the header, and some or all of what is behind it. 0:
/// the packet says what is not there.
size_t dccp_coverage(L4Bytes l4) noexcept {
  const auto h = read<DccpHdr>(l4);
  const unsigned words = h.coverage & 0xfu;
  if (words == 0) return l4.size();
  const size_t covered = dccp_header(h) + (words - size_t{1}) * 4;
  return covered <= l4.size() ? covered : 0;
}

/// As the kernel has it: what only goes on (DATA, SACK and what is not known) opens nothing.
bool sctp_opens(L4Bytes l4) noexcept {
  enum Chunk : uint8_t { kInit = 1, kInitAck = 2, kHeartbeat = 4, kCookieAck = 11, kComplete = 14 };
  if (l4.size() < sizeof(SctpHdr) + 4) return false;
  const uint8_t type = l4[sizeof(SctpHdr)];
  if (type == kInit) return read<SctpHdr>(l4).tag.raw == 0;
  return type == kInitAck || (type >= kHeartbeat && type <= kCookieAck) || type == kComplete;
}

/// A Request opens; data and acknowledgements may be of a connection older than the table.
bool dccp_opens(L4Bytes l4) noexcept {
  enum Type : uint8_t { kRequest = 0, kData = 2, kAck = 3, kDataAck = 4 };
  const unsigned type = read<DccpHdr>(l4).type >> 1 & 0xfu;
  return type == kRequest || (type >= kData && type <= kDataAck);
}

}  // namespace

bool transport_header_ok(uint8_t proto, L4Bytes l4, bool whole) noexcept {
  switch (proto) {
    case kProtoSctp:
      return l4.size() >= sizeof(SctpHdr);
    case kProtoDccp: {
      if (l4.size() < sizeof(DccpHdr)) return false;
      const auto h = read<DccpHdr>(l4);
      return dccp_header(h) >= dccp_least(h) && (!whole || dccp_header(h) <= l4.size());
    }
    default: {
      if (l4.size() < sizeof(UdpHdr)) return false;
      const size_t covered = read<UdpHdr>(l4).length.host();
      return covered == 0 || (covered >= sizeof(UdpHdr) && (!whole || covered <= l4.size()));
    }
  }
}

void read_ports(const Snapshot& snapshot, const uint8_t* l4, Tuple& t) noexcept {
  const unsigned bit = t.proto == kProtoSctp   ? Snapshot::kSctp
                       : t.proto == kProtoDccp ? Snapshot::kDccp
                                               : Snapshot::kUdpLite;
  if ((snapshot.portless & bit) != 0) return;
  std::memcpy(&t.sport, l4, sizeof(t.sport));
  std::memcpy(&t.dport, l4 + sizeof(t.sport), sizeof(t.dport));
}

size_t transport_header(uint8_t proto, const uint8_t* l4) noexcept {
  if (proto == kProtoSctp) return sizeof(SctpHdr);
  return proto == kProtoDccp ? l4[offsetof(DccpHdr, data_offset)] * size_t{4} : sizeof(UdpHdr);
}

bool transport_checksum_ok(const Ip4Hdr& ip, L4Bytes l4) noexcept {
  size_t covered = l4.size();
  switch (ip.proto) {
    case kProtoSctp:
      return sctp_checksum_ok(l4);
    case kProtoDccp:
      covered = dccp_coverage(l4);
      break;
    case kProtoUdpLite: {
      const auto h = read<UdpHdr>(l4);
      if (h.checksum.raw == 0) return false;  // RFC 3828 3.1: it is not optional
      if (h.length.raw != 0) covered = std::min<size_t>(h.length.host(), l4.size());
      break;
    }
    default:
      return true;
  }
  const uint32_t pseudo = pseudo_sum(ip.src, ip.dst, ip.proto, static_cast<uint16_t>(l4.size()));
  return covered != 0 && checksum(l4.data(), covered, pseudo) == 0;
}

bool transport_opens(const Tuple& t, L4Bytes l4) noexcept {
  if (t.proto == kProtoSctp) return sctp_opens(l4);
  return t.proto != kProtoDccp || dccp_opens(l4);
}

void change_ports(uint8_t proto, std::span<uint8_t> l4, size_t whole, Ports ports,
                  uint16_t delta) noexcept {
  static_assert(sizeof(Ports) == sizeof(uint32_t));
  // Both of a connection whose ports are not read are 0, and the packet's stay.
  const bool unread = (ports.sport.raw | ports.dport.raw) == 0;
  if (proto == kProtoSctp) {
    if (unread) return;
    uint32_t before;
    uint32_t after;
    std::memcpy(&before, l4.data(), sizeof(before));
    std::memcpy(&after, &ports, sizeof(after));
    std::memcpy(l4.data(), &ports, sizeof(ports));
    if (before == after || l4.size() < sizeof(SctpHdr)) return;
    uint32_t sum;
    uint8_t* const at = l4.data() + offsetof(SctpHdr, checksum);
    std::memcpy(&sum, at, sizeof(sum));
    sum ^= crc32c_change(before ^ after, whole);
    std::memcpy(at, &sum, sizeof(sum));
    return;
  }
  if (!unread) std::memcpy(l4.data(), &ports, sizeof(ports));
  static_assert(offsetof(DccpHdr, checksum) == offsetof(UdpHdr, checksum));
  be16 sum;
  uint8_t* const at = l4.data() + offsetof(UdpHdr, checksum);
  std::memcpy(&sum, at, sizeof(sum));
  sum = proto == kProtoDccp ? apply_delta(sum, delta) : udp_apply_delta(sum, delta);
  std::memcpy(at, &sum, sizeof(sum));
}

}  // namespace maclane
