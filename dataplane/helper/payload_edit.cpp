// Changing the text of a packet that a helper reads.
#include <algorithm>

#include "dataplane/helper/protocols.h"
#include "dataplane/net/checksum.h"
#include "dataplane/worker/packet.h"

namespace maclane {
namespace {

constexpr size_t kLongestPacket = 65535;

[[nodiscard]] size_t l4_header(const HelperPacket& p) noexcept {
  return p.s.proto == kProtoTcp
             ? (reinterpret_cast<const TcpHdr*>(p.b.l4[p.i])->data_offset >> 4) * size_t{4}
             : sizeof(UdpHdr);
}

/// The packet's checksum anew: it was right before, and the text may have moved by an odd number.
void sum_again(HelperPacket& p) noexcept {
  Ip4Hdr& ip = *p.b.ip[p.i];
  uint8_t* const l4 = p.b.l4[p.i];
  const auto length = static_cast<uint16_t>(p.b.length[p.i] - ip.header_length());
  const uint32_t pseudo = pseudo_sum(ip.src, ip.dst, ip.proto, length);
  if (ip.proto == kProtoTcp) {
    auto& tcp = *reinterpret_cast<TcpHdr*>(l4);
    tcp.checksum = {};
    tcp.checksum.raw = checksum(l4, length, pseudo);
    return;
  }
  auto& udp = *reinterpret_cast<UdpHdr*>(l4);
  if (udp.checksum.raw == 0) return;
  udp.checksum = {};
  const uint16_t sum = checksum(l4, length, pseudo);
  udp.checksum.raw = sum == 0 ? uint16_t{0xffff} : sum;
}

}  // namespace

std::span<uint8_t> HelperPacket::payload() const noexcept {
  const size_t headers = b.ip[i]->header_length() + l4_header(*this);
  auto* const bytes = reinterpret_cast<uint8_t*>(b.ip[i]);
  return {bytes + headers, b.length[i] - headers};
}

bool replace_all(HelperPacket& p, std::span<const Edit> edits) noexcept {
  if (edits.empty()) return true;
  rte_mbuf* m = p.b.mbuf[p.i];
  const size_t old_size = p.payload().size();
  int32_t by = 0;
  int32_t most = 0;  // how far it grows on the way, as the last edit is made first
  size_t until = old_size;
  for (size_t k = edits.size(); k-- > 0;) {
    const Edit& edit = edits[k];
    if (edit.at > until || edit.length > until - edit.at) return false;
    until = edit.at;
    by += int32_t{edit.size} - int32_t{edit.length};
    most = std::max(most, by);
  }
  if (most > 0) {
    if (p.b.length[p.i] + static_cast<size_t>(most) > kLongestPacket) return false;
    if (rte_pktmbuf_append(m, static_cast<uint16_t>(most)) == nullptr) return false;
    if (most > by) (void)rte_pktmbuf_trim(m, static_cast<uint16_t>(most - std::max(by, 0)));
  }
  uint8_t* const begin = reinterpret_cast<uint8_t*>(p.b.ip[p.i]) + p.b.length[p.i] - old_size;
  size_t size = old_size;
  for (size_t k = edits.size(); k-- > 0;) {
    const Edit& edit = edits[k];
    uint8_t* const place = begin + edit.at;
    std::memmove(place + edit.size, place + edit.length, size - edit.at - edit.length);
    std::memcpy(place, edit.text.data(), edit.size);
    size = size + edit.size - edit.length;
  }
  if (by < 0) (void)rte_pktmbuf_trim(m, static_cast<uint16_t>(-by));
  if (by != 0) {
    Ip4Hdr& ip = *p.b.ip[p.i];
    const be16 before = ip.total_length;
    p.b.length[p.i] = static_cast<uint16_t>(p.b.length[p.i] + by);
    ip.total_length = be16::from(p.b.length[p.i]);
    ip.checksum = apply_delta(ip.checksum, delta16(before, ip.total_length));
    if (p.s.proto == kProtoTcp) {
      const uint32_t seq = reinterpret_cast<const TcpHdr*>(p.b.l4[p.i])->seq.host();
      p.record.shift[p.direction].change(seq, by);
    } else {
      auto& udp = *reinterpret_cast<UdpHdr*>(p.b.l4[p.i]);
      udp.length = be16::from(static_cast<uint16_t>(p.b.length[p.i] - ip.header_length()));
    }
  }
  sum_again(p);
  return true;
}

bool replace(HelperPacket& p, size_t at, size_t length, std::string_view text) noexcept {
  Edit edit{static_cast<uint16_t>(at),
            static_cast<uint16_t>(length),
            static_cast<uint8_t>(text.size()),
            {}};
  if (text.size() > edit.text.size()) return false;
  std::copy(text.begin(), text.end(), edit.text.begin());
  return replace_all(p, {&edit, 1});
}

}  // namespace maclane
