#include "dataplane/stage/tcp_options.h"

#include "dataplane/net/checksum.h"
#include "dataplane/net/wire.h"

namespace maclane {
namespace {

constexpr uint8_t kEnd = 0, kNothing = 1, kMss = 2;
constexpr size_t kMssLength = 4;

/// Where the two bytes of the MSS stand in a packet; 0: nowhere.
size_t mss_at(std::span<const uint8_t> packet) noexcept {
  if (packet.size() < sizeof(Ip4Hdr)) return 0;
  const size_t tcp = (packet[0] & 0xfu) * 4u;
  if (packet.size() < tcp + sizeof(TcpHdr)) return 0;
  const size_t end = tcp + (packet[tcp + 12] >> 4) * 4u;
  if (packet.size() < end) return 0;
  for (size_t at = tcp + sizeof(TcpHdr); at < end;) {
    const uint8_t kind = packet[at];
    if (kind == kEnd) break;
    if (kind == kNothing) {
      ++at;
      continue;
    }
    if (at + 1 >= end || packet[at + 1] < 2 || at + packet[at + 1] > end) break;
    if (kind == kMss) return packet[at + 1] == kMssLength ? at + 2 : 0;
    at += packet[at + 1];
  }
  return 0;
}

}  // namespace

uint16_t mss_of(std::span<const uint8_t> packet) noexcept {
  const size_t at = mss_at(packet);
  return at == 0 ? uint16_t{0} : static_cast<uint16_t>(packet[at] << 8 | packet[at + 1]);
}

bool lower_mss(std::span<uint8_t> packet, uint16_t most) noexcept {
  const size_t at = mss_at(packet);
  if (at == 0 || most == 0) return false;
  const auto mss = static_cast<uint16_t>(packet[at] << 8 | packet[at + 1]);
  if (mss <= most) return false;
  packet[at] = static_cast<uint8_t>(most >> 8);
  packet[at + 1] = static_cast<uint8_t>(most);
  // Options may stand at an odd byte; the sum then sees the bytes of each word the other way round.
  const size_t tcp = (packet[0] & 0xfu) * 4u;
  const bool odd = ((at - tcp) & 1) != 0;
  const auto seen = [&](uint16_t value) {
    return be16::from(odd ? static_cast<uint16_t>(value << 8 | value >> 8) : value);
  };
  auto* header = reinterpret_cast<TcpHdr*>(packet.data() + tcp);
  header->checksum = apply_delta(header->checksum, delta16(seen(mss), seen(most)));
  return true;
}

}  // namespace maclane
