#include "dataplane/stage/tcp_track.h"

namespace maclane {
namespace {

// One cell a state, in the order of TcpState; N: does not belong (invalid); I: ignore; R: reopen.
enum Cell : uint8_t {
  N,
  I,
  R,
  SS,
  SR,
  ES,
  FW,
  CW,
  LA,
  TW,
  CL,
  S2,
};
constexpr unsigned kStates = 10;
// clang-format off
constexpr Cell kSteps[2][5][kStates] = {
    {   //            none ss  sr  es  fw  cw  la  tw  cl  s2
        /* syn    */ {SS, SS, I,  I,  I,  I,  I,  R,  R,  S2},
        /* synack */ {N,  N,  SR, N,  N,  N,  N,  N,  N,  SR},
        /* fin    */ {N,  N,  FW, FW, LA, LA, LA, TW, CL, N},
        /* ack    */ {ES, N,  ES, ES, CW, CW, TW, TW, CL, N},
        /* rst    */ {N,  CL, CL, CL, CL, CL, CL, CL, CL, CL},
    },
    {
        /* syn    */ {N,  S2, N,  N,  N,  N,  N,  R,  N,  S2},
        /* synack */ {N,  SR, I,  I,  I,  I,  I,  I,  I,  SR},
        /* fin    */ {N,  N,  FW, FW, LA, LA, LA, TW, CL, N},
        /* ack    */ {N,  I,  SR, ES, CW, CW, TW, TW, CL, I},
        /* rst    */ {N,  CL, CL, CL, CL, CL, CL, CL, CL, CL},
    },
};
// clang-format on

constexpr TcpState state_of(Cell c) noexcept {
  switch (c) {
    case SS:
      return TcpState::kSynSent;
    case SR:
      return TcpState::kSynRecv;
    case ES:
      return TcpState::kEstablished;
    case FW:
      return TcpState::kFinWait;
    case CW:
      return TcpState::kCloseWait;
    case LA:
      return TcpState::kLastAck;
    case TW:
      return TcpState::kTimeWait;
    case CL:
      return TcpState::kClose;
    case S2:
      return TcpState::kSynSent2;
    default:
      return TcpState::kNone;
  }
}

constexpr unsigned kRepeatsTooMany = 3;

constexpr bool is_closing(TcpState state) noexcept {
  return state >= TcpState::kFinWait && state <= TcpState::kClose;
}

/// One packet against one session.
class Track {
 public:
  Track(Session& s, SessionSide& side, uint8_t direction, const Segment& segment,
        const TcpSwitches& switches) noexcept
      : s_(s),
        side_(side),
        memory_(side.tcp),
        direction_(direction),
        p_(segment),
        switches_(switches),
        input_(tcp_input(segment.flags)) {}

  TcpVerdict run() noexcept {
    TcpStep step = tcp_step(s_.tcp_state, direction_, p_.flags);
    if (step.result == TcpStep::Result::kInvalid) return {};
    if (step.result == TcpStep::Result::kReopen) {
      const bool over = ((memory_.flags[0] | memory_.flags[1]) & TcpMemory::kClosedFirst) != 0 ||
                        last_was(TcpInput::kRst, direction_);
      if (over) return {TcpVerdict::Result::kReopen, {}, true};
      step.result = TcpStep::Result::kIgnore;  // its end was not seen: the answer will tell
    }
    if (step.result == TcpStep::Result::kIgnore) {
      if (!answers_noted_syn()) return note();
      take_noted_syn();
      step.next = TcpState::kSynRecv;
    } else if (s_.tcp_state == TcpState::kLastAck && step.next == TcpState::kTimeWait &&
               answers_challenge()) {
      return ignored();
    }
    if (step.next == TcpState::kSynSent2) memory_.notes |= TcpMemory::kSimultaneous;
    if (step.next == TcpState::kSynRecv && direction_ == kReply && input_ == TcpInput::kAck &&
        (memory_.notes & TcpMemory::kSimultaneous) != 0) {
      step.next = TcpState::kEstablished;
    }
    bool judged = true, believed = true;
    if (input_ == TcpInput::kRst) {
      if (is_closing(s_.tcp_state)) {
        judged = false;  // its tuple may be used again already, and it is nearly over
      } else {
        if (is_stale_reset()) return {};
        believed = is_exact_reset();
        if (!believed) step.next = s_.tcp_state;  // a challenge-ACK may follow
        judged = !answers_what_was_let_through();
      }
    }
    if (judged) {
      const std::array<TcpWindow, 2> windows{s_.original.window, s_.reply.window};
      const TcpMemory memory = memory_;
      switch (check_window(s_, memory_, direction_, p_, switches_.liberal)) {
        case WindowVerdict::kInvalid:
          return {};
        case WindowVerdict::kIgnore:
          return ignored();
        case WindowVerdict::kAccept:
          if (believed || switches_.liberal) break;
          // Or its number would be the one that is due when it comes again.
          s_.original.window = windows[kOriginal];
          s_.reply.window = windows[kReply];
          memory_ = memory;
          break;
      }
    }
    return take(step.next);
  }

 private:
  [[nodiscard]] bool last_was(TcpInput input, uint8_t direction) const noexcept {
    return memory_.input == static_cast<uint8_t>(input) && memory_.direction == direction;
  }
  [[nodiscard]] static TcpVerdict ignored() noexcept {
    return {TcpVerdict::Result::kIgnore, {}, false};
  }

  /// A SYN-ACK for a SYN that was let through: both sides have begun anew, and we had not noticed.
  [[nodiscard]] bool answers_noted_syn() const noexcept {
    return input_ == TcpInput::kSynAck && last_was(TcpInput::kSyn, opposite(direction_)) &&
           p_.ack == memory_.end;
  }
  void take_noted_syn() noexcept {
    const uint8_t opener = opposite(direction_);
    Leg& leg = s_.leg(opener);
    leg.window = {memory_.end, memory_.end, std::max<uint32_t>(memory_.window, 1), 0};
    leg.scale = memory_.scale;
    memory_.flags[opener] = static_cast<uint8_t>(
        ((memory_.notes & TcpMemory::kNotedSack) != 0 ? TcpMemory::kSackPermitted : 0) |
        ((memory_.notes & TcpMemory::kNotedScale) != 0 ? TcpMemory::kScaleOffered : 0));
    memory_.notes &= static_cast<uint8_t>(~TcpMemory::kChallenge);
    memory_.flags[direction_] = 0;
    s_.leg(direction_).window = {};
    s_.leg(direction_).scale = 0;
    s_.tcp_state = TcpState::kSynSent;
  }

  /// Lets the packet through and remembers what it said.
  TcpVerdict note() noexcept {
    s_.unsettle();  // whatever comes next, the note is asked
    memory_.input = static_cast<uint8_t>(input_);
    memory_.direction = direction_;
    memory_.seq = p_.seq;
    memory_.end = p_.end;
    memory_.window = p_.window;
    if (input_ == TcpInput::kSyn && direction_ == kOriginal) {
      memory_.scale = p_.scale & 0xf;
      memory_.notes =
          static_cast<uint8_t>((memory_.notes & TcpMemory::kSimultaneous) |
                               (p_.sack_permitted ? TcpMemory::kNotedSack : 0) |
                               (p_.scale_offered ? TcpMemory::kNotedScale : 0) |
                               (s_.tcp_state == TcpState::kLastAck ? TcpMemory::kChallenge : 0));
    }
    if (s_.tcp_state == TcpState::kSynSent && input_ == TcpInput::kAck && direction_ == kReply)
      memory_.ack = p_.ack;
    return ignored();
  }

  /// RFC 5961 4: an ACK that answers a SYN in an old connection, and not the FIN before it.
  [[nodiscard]] bool answers_challenge() noexcept {
    if (input_ != TcpInput::kAck || !last_was(TcpInput::kSyn, opposite(direction_)) ||
        (memory_.notes & TcpMemory::kChallenge) == 0) {
      return false;
    }
    memory_.notes &= static_cast<uint8_t>(~TcpMemory::kChallenge);
    return true;
  }

  [[nodiscard]] bool peer_has_acked() const noexcept {
    return (memory_.flags[opposite(direction_)] & TcpMemory::kHasAcked) != 0 &&
           memory_.input != static_cast<uint8_t>(TcpInput::kSyn);
  }
  [[nodiscard]] bool is_established() const noexcept {
    return s_.tcp_state == TcpState::kEstablished && s_.has(Session::kAssured);
  }
  [[nodiscard]] bool answers_a_syn() const noexcept { return p_.seq == 0 && !is_established(); }
  /// From before what the other side has acknowledged.
  [[nodiscard]] bool is_stale_reset() const noexcept {
    return peer_has_acked() && !answers_a_syn() &&
           is_after(s_.leg(opposite(direction_)).window.max_ack, p_.seq);
  }
  /// Its number is that behind what the same side sent last.
  [[nodiscard]] bool follows_last() const noexcept {
    const TcpWindow& sender = s_.leg(direction_).window;
    const TcpWindow& receiver = s_.leg(opposite(direction_)).window;
    const uint32_t progress = sender.end + sender.max_ack + receiver.end + receiver.max_ack;
    if (memory_.input == static_cast<uint8_t>(TcpInput::kAck) && memory_.progress != progress)
      return p_.seq == sender.end;  // the established path took what came last
    return last_was(TcpInput::kAck, direction_) && p_.seq == memory_.end;
  }
  /// RFC 5961 3.2: of an established connection it must have the very number that is due, or that
  /// of what its sender sent last.
  [[nodiscard]] bool is_exact_reset() const noexcept {
    return !peer_has_acked() || answers_a_syn() || !is_established() ||
           p_.seq == s_.leg(opposite(direction_)).window.max_ack || follows_last();
  }
  /// Answers a packet that was let through without being taken up: the windows know nothing of it.
  [[nodiscard]] bool answers_what_was_let_through() const noexcept {
    const bool to_syn =
        s_.has(Session::kSeenReply) && memory_.input == static_cast<uint8_t>(TcpInput::kSyn);
    const bool to_ack =
        !s_.has(Session::kAssured) && memory_.input == static_cast<uint8_t>(TcpInput::kAck);
    if ((to_syn || to_ack) && p_.ack == memory_.end) return true;
    return s_.tcp_state == TcpState::kSynSent && last_was(TcpInput::kAck, kReply) &&
           p_.seq == memory_.ack;
  }

  TcpVerdict take(TcpState next) noexcept {
    const TcpState before = s_.tcp_state;
    memory_.input = static_cast<uint8_t>(input_);
    memory_.direction = direction_;
    s_.tcp_state = next;
    if (next != before && next == TcpState::kFinWait)
      memory_.flags[direction_] |= TcpMemory::kClosedFirst;
    TcpVerdict verdict{TcpVerdict::Result::kAccept, class_of(next), true};
    if (!s_.has(Session::kSeenReply)) {
      if (input_ == TcpInput::kRst) verdict.result = TcpVerdict::Result::kEnds;
      // Else a client that tries again for ever, or another behind the same address, would keep it
      // and its translation alive.
      if (next == TcpState::kSynSent && before == TcpState::kSynSent) verdict.refresh = false;
    } else if (next == TcpState::kEstablished &&
               (before == TcpState::kSynRecv || before == TcpState::kEstablished)) {
      s_.flags |= Session::kAssured;
    }
    return verdict;
  }

  [[nodiscard]] bool longer(TimeoutClass a, TimeoutClass b) const noexcept {
    return switches_.timeouts[static_cast<unsigned>(a)] >
           switches_.timeouts[static_cast<unsigned>(b)];
  }
  [[nodiscard]] TimeoutClass class_of(TcpState state) const noexcept {
    const TimeoutClass by_state = tcp_timeout_class(state);
    const bool stuck =
        memory_.repeats >= kRepeatsTooMany || (input_ == TcpInput::kAck && p_.window == 0);
    if (stuck && longer(by_state, TimeoutClass::kTcpMaxRetrans))
      return TimeoutClass::kTcpMaxRetrans;
    if (input_ == TcpInput::kRst) return TimeoutClass::kTcpClose;
    if (!longer(by_state, TimeoutClass::kTcpUnacked)) return by_state;
    // Of an established connection the next packet may change whether all is acknowledged, and
    // nobody looks at that: effective_class() does when it matters.
    return state == TcpState::kEstablished || is_unacknowledged(s_, side_)
               ? TimeoutClass::kTcpUnacked
               : by_state;
  }

  Session& s_;
  SessionSide& side_;
  TcpMemory& memory_;
  const uint8_t direction_;
  const Segment& p_;
  const TcpSwitches& switches_;
  const TcpInput input_;
};

}  // namespace

TcpInput tcp_input(uint8_t flags) noexcept {
  switch (flags & (kTcpFin | kTcpSyn | kTcpRst | kTcpAck)) {
    case kTcpSyn:
      return TcpInput::kSyn;
    case kTcpSyn | kTcpAck:
      return TcpInput::kSynAck;
    case kTcpFin | kTcpAck:
      return TcpInput::kFin;
    case kTcpAck:
      return TcpInput::kAck;
    case kTcpRst:
    case kTcpRst | kTcpAck:
      return TcpInput::kRst;
    default:
      return TcpInput::kNone;
  }
}

TcpStep tcp_step(TcpState state, uint8_t direction, uint8_t flags) noexcept {
  const TcpInput input = tcp_input(flags);
  if (input == TcpInput::kNone) return {};
  const Cell c = kSteps[direction][static_cast<unsigned>(input) - 1][static_cast<unsigned>(state)];
  switch (c) {
    case N:
      return {};
    case I:
      return {TcpStep::Result::kIgnore, state};
    case R:
      return {TcpStep::Result::kReopen, state};
    default:
      return {TcpStep::Result::kValid, state_of(c)};
  }
}

TimeoutClass tcp_timeout_class(TcpState state) noexcept {
  switch (state) {
    case TcpState::kSynRecv:
      return TimeoutClass::kTcpSynReceived;
    case TcpState::kEstablished:
      return TimeoutClass::kTcpEstablished;
    case TcpState::kFinWait:
      return TimeoutClass::kTcpFinWait;
    case TcpState::kCloseWait:
      return TimeoutClass::kTcpCloseWait;
    case TcpState::kLastAck:
      return TimeoutClass::kTcpLastAck;
    case TcpState::kTimeWait:
      return TimeoutClass::kTcpTimeWait;
    case TcpState::kClose:
      return TimeoutClass::kTcpClose;
    default:
      return TimeoutClass::kTcpSynSent;
  }
}

TcpVerdict tcp_track(Session& s, SessionSide& side, uint8_t direction, const Segment& segment,
                     const TcpSwitches& switches) noexcept {
  return Track(s, side, direction, segment, switches).run();
}

TimeoutClass tcp_open(Session& s, SessionSide& side, const Segment& segment) noexcept {
  s.tcp_state = tcp_step(TcpState::kNone, kOriginal, segment.flags).next;
  open_window(s, side.tcp, segment);
  if (!segment.has(kTcpSyn)) (void)check_window(s, side.tcp, kOriginal, segment, true);
  side.tcp.input = static_cast<uint8_t>(tcp_input(segment.flags));
  side.tcp.direction = kOriginal;
  // Taken up in its middle it is not trusted with the long timeout until it was answered, so that
  // stray ACKs cannot fill the table for a day.
  return s.tcp_state == TcpState::kEstablished ? TimeoutClass::kTcpUnacked
                                               : tcp_timeout_class(s.tcp_state);
}

}  // namespace maclane
