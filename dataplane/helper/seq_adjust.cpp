#include "dataplane/helper/seq_adjust.h"

#include <algorithm>

#include "dataplane/net/checksum.h"

namespace maclane {
namespace {

constexpr uint8_t kEndOfOptions = 0, kNop = 1, kSack = 5;

/// Writes a number at any place of the header; the sum sees the bytes of its words in their order.
void put(std::span<uint8_t> header, size_t at, uint32_t value, TcpHdr& tcp) noexcept {
  be32 before;
  std::memcpy(&before.raw, header.data() + at, sizeof(before.raw));
  const be32 after = be32::from(value);
  std::memcpy(header.data() + at, &after.raw, sizeof(after.raw));
  uint16_t delta = delta32(before, after);
  if ((at & 1) != 0) delta = static_cast<uint16_t>(delta << 8 | delta >> 8);
  tcp.checksum = apply_delta(tcp.checksum, delta);
}

uint32_t sequence_at(std::span<const uint8_t> header, size_t at) noexcept {
  be32 value;
  std::memcpy(&value.raw, header.data() + at, sizeof(value.raw));
  return value.host();
}

}  // namespace

void shift_numbers(std::span<uint8_t> header, const SeqShift& own, const SeqShift& peers) noexcept {
  if (header.size() < sizeof(TcpHdr)) return;
  auto& tcp = *reinterpret_cast<TcpHdr*>(header.data());
  if (own.active()) put(header, offsetof(TcpHdr, seq), own.out(tcp.seq.host()), tcp);
  if (!peers.active() || (tcp.flags & kTcpAck) == 0) return;
  put(header, offsetof(TcpHdr, ack), peers.back(tcp.ack.host()), tcp);
  const size_t end = std::min<size_t>(header.size(), (tcp.data_offset >> 4) * size_t{4});
  for (size_t at = sizeof(TcpHdr); at < end;) {
    const uint8_t kind = header[at];
    if (kind == kEndOfOptions) return;
    if (kind == kNop) {
      ++at;
      continue;
    }
    if (at + 1 >= end || header[at + 1] < 2 || at + header[at + 1] > end) return;
    const size_t length = header[at + 1];
    if (kind == kSack && (length - 2) % 8 == 0) {
      for (size_t edge = at + 2; edge < at + length; edge += 4)
        put(header, edge, peers.back(sequence_at(header, edge)), tcp);
    }
    at += length;
  }
}

}  // namespace maclane
