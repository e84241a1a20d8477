// What a TCP packet means for its connection (behaviour.md B-16 to B-22): the state machine of the
// kernel's conntrack, the windows (tcp_window.h), and what RFC 5961 makes of resets and of SYNs
// that come too early.
//
// A packet that would end or reopen a connection is not believed unless its numbers are right: it
// is let through, noted, and what the other side answers decides. So nobody who sees neither side
// can take a connection down or keep a half-open one alive. Pure but for the session it is given;
// worker thread only.
#pragma once

#include "dataplane/stage/tcp_window.h"

namespace maclane {

/// What the flags of a packet say. Combinations that no TCP sends (scans) are no input at all.
enum class TcpInput : uint8_t { kNone, kSyn, kSynAck, kFin, kAck, kRst };
[[nodiscard]] TcpInput tcp_input(uint8_t flags) noexcept;

/// What a TCP packet may do to a connection by its flags alone.
struct TcpStep {
  enum class Result : uint8_t {
    kValid,    // take `next`
    kIgnore,   // passes, state unchanged (a repeated SYN-ACK, say)
    kInvalid,  // passes as state invalid, changes nothing
    kReopen,   // a SYN on a finished connection
  };
  Result result = Result::kInvalid;
  TcpState next = TcpState::kNone;
};
/// Pure: the transition for the flags of a packet in one direction.
[[nodiscard]] TcpStep tcp_step(TcpState state, uint8_t direction, uint8_t flags) noexcept;

struct TcpVerdict {
  enum class Result : uint8_t {
    kAccept,   // it took its step: refresh, and wait in `timeout_class`
    kIgnore,   // it passes, and nothing but a note was made
    kInvalid,  // it does not belong; nothing was changed
    kReopen,   // forget the connection: this SYN opens the next one
    kEnds,     // a reset for a connection that nobody ever answered: forget it behind this packet
  };
  Result result = Result::kInvalid;
  TimeoutClass timeout_class = TimeoutClass::kTcpSynSent;
  bool refresh = true;  // false: a repeated SYN, which must not keep an unanswered connection alive
};

struct TcpSwitches {
  bool liberal = false;  // only resets can be invalid by their numbers
  const Timeouts& timeouts;
};

/// Takes the step of a segment of a session's direction.
[[nodiscard]] TcpVerdict tcp_track(Session& s, SessionSide& side, uint8_t direction,
                                   const Segment& segment, const TcpSwitches& switches) noexcept;

/// The state and class of a new session that this segment opens.
TimeoutClass tcp_open(Session& s, SessionSide& side, const Segment& segment) noexcept;

/// The class by state alone.
[[nodiscard]] TimeoutClass tcp_timeout_class(TcpState state) noexcept;

}  // namespace maclane
