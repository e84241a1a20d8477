// TCP numbers of a connection in which a helper writes longer or shorter text (the kernel's
// nf_conntrack_seqadj): what one side sends is shifted from a point on, and what the other
// acknowledges is shifted back. Two offsets are enough, as before the last change only
// repetitions are under way. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "dataplane/net/wire.h"

namespace maclane {

/// Of what one side sends. All zero: nothing is shifted.
struct SeqShift {
  uint32_t from = 0;  // behind this number of its own the newer offset holds
  int32_t before = 0;
  int32_t after = 0;

  [[nodiscard]] bool active() const noexcept { return (before | after) != 0; }
  /// Text that begins at `seq` became longer by `by` bytes. A repetition of what was changed
  /// already does not count again.
  void change(uint32_t seq, int32_t by) noexcept {
    if (by == 0) return;
    if (before != after && static_cast<int32_t>(seq - from) <= 0) return;
    from = seq;
    before = after;
    after += by;
  }
  /// A number of its sender, as the other side is to see it.
  [[nodiscard]] uint32_t out(uint32_t seq) const noexcept {
    const bool behind = static_cast<int32_t>(seq - from) > 0;
    return seq + static_cast<uint32_t>(behind ? after : before);
  }
  /// A number that the other side acknowledges, as its sender knows it.
  [[nodiscard]] uint32_t back(uint32_t ack) const noexcept {
    const bool behind = static_cast<int32_t>(ack - static_cast<uint32_t>(before) - from) > 0;
    return ack - static_cast<uint32_t>(behind ? after : before);
  }
};

/// Shifts the numbers of a TCP header with its options in place: its own by `own`, its ACK and SACK
/// blocks back by `peers`; the checksum follows. `header` are the bytes that are there of it.
void shift_numbers(std::span<uint8_t> header, const SeqShift& own, const SeqShift& peers) noexcept;

}  // namespace maclane
