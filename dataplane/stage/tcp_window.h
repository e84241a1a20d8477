// TCP window tracking (behaviour.md B-21): is a packet inside what its peer said it would take, and
// does it acknowledge only what the peer has sent?
//
// The rules are those of "Real Stateful TCP Packet Filtering in IP Filter" (G. van Rooij, 2000) as
// the kernel's conntrack has them, which bounds both sides without knowing what was lost on the
// way:
//
//   I    its first byte is not beyond what the receiver takes        seq  <= max_end of the sender
//   II   its end is not far behind what was sent before              end  >= end - the peer's
//        window
//   III  it acknowledges nothing that the peer has not sent          sack <= end of the receiver
//   IV   and nothing that is long past                               sack >= end - kLateAck
//
// where sack is the right edge of the last SACK block, or the ACK if there is none. What breaks I
// (by more than one window) or III is invalid; II and IV are what a network that delays and repeats
// does, and pass without changing anything. Numbers are as received, before a helper shifts them.
//
// window_follows() is what the established path asks: it takes what goes on in order, which is
// nearly everything, and leaves the rest to tcp_track. Worker thread only.
#pragma once

#include <algorithm>

#include "dataplane/net/wire.h"
#include "dataplane/table/session_types.h"

namespace maclane {

/// Leg::scale of a connection whose beginning was not seen, or of which fragments were: windows are
/// taken for as large as they can be, and nothing is judged by them.
inline constexpr uint8_t kLiberalScale = 15;
inline constexpr uint8_t kLargestScale = 14;  // RFC 7323 2.3

/// An ACK may be as late as this at least.
inline constexpr uint32_t kLateAck = 66000;

[[nodiscard]] constexpr bool is_after(uint32_t a, uint32_t b) noexcept {
  return static_cast<int32_t>(a - b) > 0;
}

/// A TCP packet as numbers.
struct Segment {
  uint32_t seq = 0;
  uint32_t end = 0;  // behind its last byte; SYN and FIN are one each
  uint32_t ack = 0;
  uint32_t sack = 0;  // see above
  uint16_t window = 0;
  uint8_t flags = 0;
  // options
  bool sack_permitted = false;
  bool scale_offered = false;
  uint8_t scale = 0;

  [[nodiscard]] bool has(uint8_t flag) const noexcept { return (flags & flag) != 0; }
};

/// Reads the header and its options; `length` counts from the TCP header to the end of the packet.
[[nodiscard]] Segment read_segment(const TcpHdr& tcp, unsigned length) noexcept;

enum class WindowVerdict : uint8_t { kAccept, kIgnore, kInvalid };

/// Judges a segment of a session's direction by the windows, and takes it up into them if it is
/// accepted. liberal: nothing is invalid.
[[nodiscard]] WindowVerdict check_window(Session& s, TcpMemory& memory, uint8_t direction,
                                         const Segment& segment, bool liberal) noexcept;

/// The windows of a session that this segment opens.
void open_window(Session& s, TcpMemory& memory, const Segment& segment) noexcept;

/// From now on nothing is judged by numbers.
void make_liberal(Session& s, TcpMemory& memory) noexcept;

/// An ACK without other flags that goes on where its sender was, acknowledges no less than it did,
/// and is inside the windows: true, and the windows have it. False: nothing was changed.
[[nodiscard]] inline bool window_follows(Leg& from, Leg& to, const TcpHdr& tcp,
                                         unsigned length) noexcept {
  unsigned header = sizeof(TcpHdr);
  if (tcp.data_offset >> 4 != sizeof(TcpHdr) / 4) {
    // Timestamps and nothing else is what most have; SACK blocks ask for more care.
    constexpr unsigned kWithTimestamps = sizeof(TcpHdr) + 12;
    be32 options;
    std::memcpy(&options.raw, &tcp + 1, sizeof(options.raw));
    if (tcp.data_offset >> 4 != kWithTimestamps / 4 || options.raw != be32::from(0x0101080a).raw)
      return false;
    header = kWithTimestamps;
  }
  TcpWindow& sender = from.window;
  TcpWindow& receiver = to.window;
  const uint32_t end = tcp.seq.host() + (length - header);
  const uint32_t ack = tcp.ack.host();
  const uint32_t new_data = end - sender.end;
  const uint32_t new_ack = ack - sender.max_ack;
  const uint32_t room = sender.max_end - end;
  // Each is below 2^31, or it goes back; if nothing goes on it may be a repetition.
  if (((new_data | new_ack | room) >> 31) != 0 || (new_data | new_ack) == 0) return false;
  const uint32_t unacknowledged = receiver.end - ack;
  if (unacknowledged > kLateAck && unacknowledged > sender.max_window) return false;
  const uint32_t window = uint32_t{tcp.window.host()} << from.scale;
  if (window == 0) return false;
  sender.end = end;
  sender.max_ack = ack;
  if (window > sender.max_window) sender.max_window = window;
  if (is_after(ack + window, receiver.max_end)) receiver.max_end = ack + window;
  return true;
}

}  // namespace maclane
