#include "dataplane/stage/tcp_window.h"

namespace maclane {
namespace {

constexpr uint8_t kEndOfOptions = 0, kNop = 1, kWindowScale = 3, kSackPermitted = 4, kSack = 5;

// Numbers are compared over half of their range.
constexpr uint32_t kWidest = 0x7fff0000;

be32 word_at(const uint8_t* p) noexcept {
  be32 word;
  std::memcpy(&word.raw, p, sizeof(word.raw));
  return word;
}

void read_option(Segment& s, uint8_t kind, const uint8_t* data, unsigned length) noexcept {
  if (kind == kWindowScale && length == 1) {
    s.scale_offered = true;
    s.scale = std::min(data[0], kLargestScale);
  } else if (kind == kSackPermitted && length == 0) {
    s.sack_permitted = true;
  } else if (kind == kSack && length != 0 && length % 8 == 0) {
    for (unsigned i = 0; i < length; i += 8) {
      const uint32_t right = word_at(data + i + 4).host();
      if (is_after(right, s.sack)) s.sack = right;
    }
  }
}

/// The sender of a SYN, from what that says: nothing of before counts.
void begin_sender(Session& s, TcpMemory& memory, uint8_t direction,
                  const Segment& segment) noexcept {
  Leg& leg = s.leg(direction);
  leg.window = {segment.end, segment.end, std::max<uint32_t>(segment.window, 1), 0};
  leg.scale = segment.scale & 0xf;
  memory.flags[direction] =
      static_cast<uint8_t>((segment.sack_permitted ? TcpMemory::kSackPermitted : 0) |
                           (segment.scale_offered ? TcpMemory::kScaleOffered : 0));
  // Both sides must offer scaling for either to use it (RFC 7323 1.3).
  if (direction == kReply &&
      (memory.flags[kOriginal] & memory.flags[kReply] & TcpMemory::kScaleOffered) == 0) {
    s.original.scale = s.reply.scale = 0;
  }
}

/// The sender of a packet in the middle of a connection, from what that says.
void guess_sender(TcpWindow& sender, TcpWindow& receiver, const Segment& segment,
                  uint32_t window) noexcept {
  sender.end = segment.end;
  sender.max_window = std::max(window, 1u);
  sender.max_end = segment.end + sender.max_window;
  if (receiver.max_window == 0)
    receiver.end = receiver.max_end = segment.sack;  // until it is heard itself
  else if (segment.sack == receiver.end + 1)
    ++receiver.end;  // what answers a keep-alive
}

void take_up(TcpWindow& sender, TcpWindow& receiver, uint8_t& sender_flags, const Segment& p,
             uint32_t window) noexcept {
  sender.max_window = std::max(sender.max_window, std::min(window + (p.sack - p.ack), kWidest));
  if (is_after(p.end, sender.end)) sender.end = p.end;
  if (p.has(kTcpAck)) {
    if ((sender_flags & TcpMemory::kHasAcked) == 0 || is_after(p.ack, sender.max_ack))
      sender.max_ack = p.ack;
    sender_flags |= TcpMemory::kHasAcked;
  }
  if (receiver.max_window != 0 && is_after(p.end, sender.max_end))
    receiver.max_window = std::min(receiver.max_window + (p.end - sender.max_end), kWidest);
  const uint32_t edge = p.sack + window;
  if (!is_after(receiver.max_end, edge)) receiver.max_end = window == 0 ? edge + 1 : edge;
}

}  // namespace

Segment read_segment(const TcpHdr& tcp, unsigned length) noexcept {
  Segment s;
  const unsigned header = (tcp.data_offset >> 4) * 4u;
  s.seq = tcp.seq.host();
  s.flags = tcp.flags;
  s.end = s.seq + (length - header) + (s.has(kTcpSyn) ? 1 : 0) + (s.has(kTcpFin) ? 1 : 0);
  s.ack = s.sack = tcp.ack.host();
  s.window = tcp.window.host();
  const auto* p = reinterpret_cast<const uint8_t*>(&tcp + 1);
  for (auto left = header - static_cast<unsigned>(sizeof(TcpHdr)); left != 0;) {
    if (*p == kEndOfOptions) break;
    if (*p == kNop) {
      ++p;
      --left;
      continue;
    }
    if (left < 2 || p[1] < 2 || p[1] > left) break;
    read_option(s, p[0], p + 2, p[1] - 2u);
    left -= p[1];
    p += p[1];
  }
  return s;
}

WindowVerdict check_window(Session& s, TcpMemory& memory, uint8_t direction, const Segment& segment,
                           bool liberal) noexcept {
  Leg& from = s.leg(direction);
  TcpWindow& sender = from.window;
  TcpWindow& receiver = s.leg(opposite(direction)).window;
  const bool forgiving = liberal || from.scale == kLiberalScale;
  Segment p = segment;
  if ((memory.flags[opposite(direction)] & TcpMemory::kSackPermitted) == 0) p.sack = p.ack;
  const bool opening = s.tcp_state == TcpState::kSynSent || s.tcp_state == TcpState::kSynRecv;

  if (sender.max_window == 0) {
    if (p.has(kTcpSyn)) {
      begin_sender(s, memory, direction, p);
      if (!p.has(kTcpAck)) return WindowVerdict::kAccept;  // both open at once
    } else {
      guess_sender(sender, receiver, p, uint32_t{p.window} << from.scale);
    }
  } else if (p.has(kTcpSyn) && opening && is_after(p.end, sender.end)) {
    begin_sender(s, memory, direction, p);  // it began anew (RFC 9293 3.4.1)
    if (direction == kReply && !p.has(kTcpAck)) return WindowVerdict::kAccept;
  }

  // Without an ACK, or with the zero that some put into a RST: as if it were right.
  if (!p.has(kTcpAck) || (p.has(kTcpRst) && p.ack == 0)) p.ack = p.sack = receiver.end;
  // A RST that answers a SYN has no number of its own.
  if (p.has(kTcpRst) && p.seq == 0 && s.tcp_state == TcpState::kSynSent) p.seq = p.end = sender.end;

  const bool in_window =
      receiver.max_window == 0 || !is_after(sender.end - receiver.max_window, p.end);
  const bool ack_not_late = !is_after(receiver.end - std::max(kLateAck, sender.max_window), p.sack);
  if (is_after(p.seq, sender.max_end)) {  // I
    // More than the receiver offered, but close: it passes, and its ACK must not be taken for one
    // of something never sent.
    const uint32_t over = p.end - sender.max_end + 1;
    const bool close = receiver.max_window != 0 && in_window && ack_not_late &&
                       over <= receiver.max_window && !is_after(p.sack, receiver.end);
    if (close) sender.end = p.end;
    if (forgiving) return WindowVerdict::kAccept;
    return close ? WindowVerdict::kIgnore : WindowVerdict::kInvalid;
  }
  if (is_after(p.sack, receiver.end))  // III
    return forgiving ? WindowVerdict::kAccept : WindowVerdict::kInvalid;
  if (!in_window || !ack_not_late)  // II, IV
    return forgiving ? WindowVerdict::kAccept : WindowVerdict::kIgnore;

  const uint32_t window = p.has(kTcpSyn) ? p.window : uint32_t{p.window} << from.scale;
  const uint32_t progress_before = sender.end + sender.max_ack + receiver.end + receiver.max_ack;
  take_up(sender, receiver, memory.flags[direction], p, window);
  if ((p.flags & (kTcpSyn | kTcpFin | kTcpRst)) != 0) return WindowVerdict::kAccept;
  // Packets that the established path took moved the windows on: only what stands still repeats.
  const bool again = memory.direction == direction && memory.seq == p.seq && memory.ack == p.ack &&
                     memory.end == p.end && memory.window == p.window &&
                     memory.progress == progress_before;
  if (again) {
    if (memory.repeats < 15) ++memory.repeats;
  } else {
    memory.direction = direction;
    memory.seq = p.seq;
    memory.ack = p.ack;
    memory.end = p.end;
    memory.window = p.window;
    memory.repeats = 0;
  }
  memory.progress = sender.end + sender.max_ack + receiver.end + receiver.max_ack;
  return WindowVerdict::kAccept;
}

void open_window(Session& s, TcpMemory& memory, const Segment& segment) noexcept {
  if (segment.has(kTcpSyn)) {
    begin_sender(s, memory, kOriginal, segment);
    s.reply.window.max_end = segment.window;
    return;
  }
  make_liberal(s, memory);
  TcpWindow& sender = s.original.window;
  sender.end = segment.end;
  sender.max_window = std::max(uint32_t{segment.window} << kLiberalScale, 1u);
  sender.max_end = segment.end + sender.max_window;
}

void make_liberal(Session& s, TcpMemory& memory) noexcept {
  s.original.scale = s.reply.scale = kLiberalScale;
  for (uint8_t& flags : memory.flags) flags |= TcpMemory::kLiberal | TcpMemory::kSackPermitted;
}

}  // namespace maclane
