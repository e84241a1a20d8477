// The states and the timers of connections, in plain words (B-16 to B-22).
#include <fmt/format.h>

#include <algorithm>

#include "tests/unit/l3/fixture.h"
#include "tests/unit/l3/plain_router.h"

namespace maclane::test {
namespace {

constexpr uint32_t kStreamAfterCs = 200;

/// The state that a TCP segment leads to (B-19); nothing: it is let through and changes nothing.
std::optional<TcpState> next_state(TcpState from, uint8_t direction, uint8_t flags) {
  using S = TcpState;
  const bool syn = (flags & kTcpSyn) != 0, ack = (flags & kTcpAck) != 0;
  if ((flags & kTcpRst) != 0) return S::kClose;
  if (syn && !ack)
    return from == S::kSynSent && direction == kOriginal ? std::optional(S::kSynSent)
                                                         : std::nullopt;
  if (syn) return from == S::kSynSent ? std::optional(S::kSynRecv) : std::nullopt;
  const bool fin = (flags & kTcpFin) != 0;
  switch (from) {
    case S::kSynRecv:
      if (fin) return S::kFinWait;
      return direction == kOriginal ? S::kEstablished : S::kSynRecv;
    case S::kEstablished:
      return fin ? S::kFinWait : S::kEstablished;
    case S::kFinWait:
    case S::kCloseWait:
      return fin ? S::kLastAck : S::kCloseWait;
    case S::kLastAck:
      return fin ? S::kLastAck : S::kTimeWait;
    case S::kTimeWait:
    case S::kClose:
      return from;
    default:
      return std::nullopt;
  }
}

TimeoutClass class_of(TcpState state) {
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

}  // namespace

bool PlainRouter::is_assured(const PlainConnection& c) {
  return c.assured || (c.original.proto == kProtoUdp && c.seen_reply &&
                       static_cast<int32_t>(c.last_seen - c.stream_from) >= 0);
}

TimeoutClass PlainRouter::effective(const PlainConnection& c) const {
  return c.original.proto == kProtoUdp && is_assured(c) ? TimeoutClass::kUdpStream : c.waits;
}

void PlainRouter::pass(uint32_t now_cs) {
  for (auto it = connections.begin(); it != connections.end();) {
    const uint32_t timeout = timeouts_[static_cast<unsigned>(effective(*it))];
    const uint32_t idle = now_cs - it->last_seen;
    const bool stands = real_.stands(it->original);
    if (!stands && idle < timeout) blame(*it, "ended before its time");
    // A sixty-fourth late at the most; after a change of times, none stays longer than a new one
    // would.
    const bool known = now_cs - timeouts_changed > timeout + 2;
    if (stands && known && idle > timeout + timeout / 32 + 2) blame(*it, "outlived its time");
    it = stands ? std::next(it) : connections.erase(it);
  }
}

ConnState PlainRouter::opening(const PlainPacket& p) const {
  if (p.sense == PlainPacket::Sense::kForeign || !p.opens) return ConnState::kInvalid;
  if (p.flow.proto != kProtoTcp) return ConnState::kNew;
  const bool syn = (p.tcp_flags & (kTcpSyn | kTcpAck | kTcpRst)) == kTcpSyn;
  const bool pure_ack = (p.tcp_flags & (kTcpSyn | kTcpAck | kTcpRst | kTcpFin)) == kTcpAck;
  return syn || (pure_ack && loose) ? ConnState::kNew : ConnState::kInvalid;
}

ConnState PlainRouter::track_tcp(const PlainPacket& p, PlainConnection*& c, uint8_t direction,
                                 bool& refresh) {
  const bool syn = (p.tcp_flags & (kTcpSyn | kTcpAck)) == kTcpSyn;
  if (p.sense == PlainPacket::Sense::kForeign) return ConnState::kInvalid;
  if (p.sense == PlainPacket::Sense::kDoubtful) {  // believed no more than that it ends soon
    c->waits = TimeoutClass::kTcpClose;
    return ConnState::kEstablished;
  }
  if (syn && (c->state == TcpState::kTimeWait || c->state == TcpState::kClose)) {
    forget(c);
    c = nullptr;
    return opening(p);
  }
  const std::optional<TcpState> next = next_state(c->state, direction, p.tcp_flags);
  refresh = next.has_value();
  if (!next) return ConnState::kEstablished;
  const TcpState before = c->state;
  c->state = *next;
  c->waits = (p.tcp_flags & kTcpRst) != 0 ? TimeoutClass::kTcpClose : class_of(*next);
  if (!c->seen_reply) {
    if ((p.tcp_flags & kTcpRst) != 0) c->ends = true;
    if (syn) refresh = false;
  } else if (*next == TcpState::kEstablished &&
             (before == TcpState::kSynRecv || before == TcpState::kEstablished)) {
    c->assured = true;
  }
  return ConnState::kEstablished;
}

ConnState PlainRouter::track(const PlainPacket& p, PlainConnection*& c, uint8_t direction,
                             uint32_t now) {
  if (p.flow.proto != kProtoTcp && p.sense == PlainPacket::Sense::kForeign)
    return ConnState::kInvalid;
  bool refresh = true;
  if (p.flow.proto == kProtoTcp) {
    const ConnState state = track_tcp(p, c, direction, refresh);
    if (state != ConnState::kEstablished) return state;
  }
  if (p.flow.proto == kProtoUdp && direction == kReply && !c->seen_reply)
    c->stream_from = std::max(c->created + kStreamAfterCs, now + 1);
  if (direction == kReply) c->seen_reply = true;
  if (refresh) c->last_seen = now;
  return c->seen_reply ? ConnState::kEstablished : ConnState::kNew;
}

}  // namespace maclane::test
