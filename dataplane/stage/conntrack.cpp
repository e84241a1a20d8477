#include "dataplane/stage/conntrack.h"

#include "dataplane/net/checksum.h"
#include "dataplane/stage/icmp_error.h"
#include "dataplane/stage/ip4_validate.h"
#include "dataplane/worker/packet.h"

namespace maclane {
namespace {

enum Input : uint8_t { kInSyn, kInSynAck, kInFin, kInAck, kInRst, kInNone };

/// Flag combinations that no TCP sends (scans) are no input at all.
Input input_of(uint8_t flags) noexcept {
  switch (flags & (kTcpFin | kTcpSyn | kTcpRst | kTcpAck)) {
    case kTcpSyn:
      return kInSyn;
    case kTcpSyn | kTcpAck:
      return kInSynAck;
    case kTcpFin | kTcpAck:
      return kInFin;
    case kTcpAck:
      return kInAck;
    case kTcpRst:
    case kTcpRst | kTcpAck:
      return kInRst;
    default:
      return kInNone;
  }
}

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

/// A connection taken up in its middle is not trusted with the long timeout until it was answered,
/// so that stray ACKs cannot fill the table for a day.
TimeoutClass tcp_class_of(const Session& s) noexcept {
  if (s.tcp_state == TcpState::kEstablished && !s.has(Session::kSeenReply))
    return TimeoutClass::kTcpUnacked;
  return tcp_timeout_class(s.tcp_state);
}

/// Applies packet i to its session; what state the packet has.
ConnState advance(Worker& w, Burst& b, unsigned i) noexcept {
  Session& s = w.sessions.at(b.session[i]);
  const uint8_t dir = b.direction[i];
  const bool again = (b.flags[i] & L3Queue::kHeldBefore) != 0;
  if (b.bad_l4[i]) return ConnState::kInvalid;
  TimeoutClass cls = s.timeout_class;
  const uint8_t flags_before = s.flags;
  const TcpState state_before = s.tcp_state;

  if (s.proto == kProtoTcp && b.l4[i] != nullptr) {
    const TcpStep step = tcp_step(s.tcp_state, dir, b.tcp_flags[i]);
    switch (step.result) {
      case TcpStep::Result::kInvalid:
        return ConnState::kInvalid;
      case TcpStep::Result::kReopen: {
        // Forgotten only for a SYN that really opens: a forged one ends nothing.
        const ConnState opening = opening_state(w, b, i);
        if (opening != ConnState::kNew) return opening;
        w.sessions.release(b.session[i]);
        b.session[i] = SessionTable::kNone;
        return ConnState::kNew;
      }
      case TcpStep::Result::kIgnore:
        break;
      case TcpStep::Result::kValid:
        if (again) break;  // it took its step before it waited for ARP
        s.tcp_state = step.next;
        if (dir == kReply) s.flags |= Session::kSeenReply;
        if (step.next == TcpState::kEstablished && s.has(Session::kSeenReply))
          s.flags |= Session::kAssured;
        cls = tcp_class_of(s);
        break;
    }
  } else if (s.proto == kProtoUdp) {
    // a stream: the asker goes on after it was answered
    if (dir == kOriginal && s.has(Session::kSeenReply)) {
      s.flags |= Session::kAssured;
      cls = TimeoutClass::kUdpStream;
    }
  }
  if (dir == kReply) s.flags |= Session::kSeenReply;
  s.last_seen_cs = w.now.cs;
  if (s.flags != flags_before || s.tcp_state != state_before || s.timeout_class != cls)
    s.unsettle();
  w.sessions.set_class(b.session[i], cls, w.now.cs);
  return s.has(Session::kSeenReply) ? ConnState::kEstablished : ConnState::kNew;
}

bool l4_checksum_ok(const Burst& b, unsigned i) noexcept {
  const rte_mbuf* m = b.mbuf[i];
  const Ip4Hdr& ip = *b.ip[i];
  if (ip.is_fragment() || m->nb_segs > 1) return true;  // only the receiver can tell
  const auto length = static_cast<uint16_t>(b.length[i] - ip.header_length());
  switch (ip.proto) {
    case kProtoIcmp:
      return checksum(b.l4[i], length) == 0;
    case kProtoUdp: {
      const auto* udp = reinterpret_cast<const UdpHdr*>(b.l4[i]);
      if (udp->checksum.raw == 0) return true;
      const uint16_t udp_length = udp->length.host();
      return checksum(udp, udp_length, pseudo_sum(ip.src, ip.dst, ip.proto, udp_length)) == 0;
    }
    case kProtoTcp:
      return checksum(b.l4[i], length, pseudo_sum(ip.src, ip.dst, ip.proto, length)) == 0;
    default:
      return true;
  }
}

}  // namespace

TcpStep tcp_step(TcpState state, uint8_t direction, uint8_t flags) noexcept {
  const Input input = input_of(flags);
  if (input == kInNone) return {};
  const Cell c = kSteps[direction][input][static_cast<unsigned>(state)];
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

ConnState opening_state(const Worker& w, Burst& b, unsigned i) noexcept {
  if (b.bad_l4[i]) return ConnState::kInvalid;
  // Ports of a later fragment were learnt from the first, which was checked when it came.
  if (b.l4[i] == nullptr) return ConnState::kNew;
  switch (b.tuple[i].proto) {
    case kProtoTcp: {
      const TcpStep step = tcp_step(TcpState::kNone, kOriginal, b.tcp_flags[i]);
      if (step.result != TcpStep::Result::kValid) return ConnState::kInvalid;
      if (step.next != TcpState::kSynSent && !w.snapshot->loose_tcp) return ConnState::kInvalid;
      break;
    }
    case kProtoIcmp:
      if (!is_icmp_query(b.icmp_type[i])) return ConnState::kInvalid;
      break;
    default:
      break;
  }
  if (!l4_checksum_ok(b, i)) {
    b.bad_l4[i] = true;
    return ConnState::kInvalid;
  }
  return ConnState::kNew;
}

void open_session_state(const Burst& b, unsigned i, TcpState* tcp, TimeoutClass* cls) noexcept {
  *tcp = TcpState::kNone;
  switch (b.tuple[i].proto) {
    case kProtoTcp:
      *tcp = b.l4[i] == nullptr ? TcpState::kSynSent
                                : tcp_step(TcpState::kNone, kOriginal, b.tcp_flags[i]).next;
      *cls = *tcp == TcpState::kEstablished ? TimeoutClass::kTcpUnacked : tcp_timeout_class(*tcp);
      break;
    case kProtoUdp:
      *cls = TimeoutClass::kUdp;
      break;
    case kProtoIcmp:
      *cls = TimeoutClass::kIcmp;
      break;
    default:
      *cls = TimeoutClass::kGeneric;
  }
}

uint8_t steady_flags(const Session& s, uint8_t direction) noexcept {
  switch (s.proto) {
    case kProtoTcp:
      return s.tcp_state == TcpState::kEstablished && s.has(Session::kAssured) ? kTcpAck
                                                                               : Leg::kUnsteady;
    case kProtoUdp:
      // The asker's next packet after the first answer makes it a stream.
      return direction == kOriginal && s.has(Session::kSeenReply) && !s.has(Session::kAssured)
                 ? Leg::kUnsteady
                 : uint8_t{0};
    default:
      return Leg::kUnsteady;
  }
}

void session_lookup(Worker& w, Burst& b) noexcept {
  if (!w.snapshot->tracking) return;
  for (unsigned i = 0; i < b.count; ++i) {
    if (b.mbuf[i] == nullptr) continue;
    b.hash[i] = w.sessions.hash(b.tuple[i]);
    w.sessions.prefetch_bucket(b.hash[i]);
  }
  for (unsigned i = 0; i < b.count; ++i) {
    if (b.mbuf[i] == nullptr) continue;
    const SessionTable::Hit hit = w.sessions.candidate(b.hash[i]);
    if (!hit) continue;
    b.session[i] = hit.session;
    b.direction[i] = hit.direction;
    w.sessions.prefetch_session(hit.session);
  }
}

void classify(Worker& w, Burst& b, unsigned i) noexcept {
  if (!w.snapshot->tracking) {
    b.state[i] = ConnState::kUntracked;
    return;
  }
  if ((b.flags[i] & L3Queue::kRelatedToOther) != 0) {
    b.session[i] = SessionTable::kNone;
    b.state[i] = ConnState::kRelated;
    return;
  }
  if (b.tuple[i].proto == kProtoIcmp && b.l4[i] != nullptr && is_icmp_error(b.icmp_type[i])) {
    b.session[i] = SessionTable::kNone;
    b.state[i] = icmp_error_match(w, b, i) ? ConnState::kRelated : ConnState::kInvalid;
    return;
  }
  // It may be another's, or packets before this one in the burst opened the connection, or ended
  // it.
  const bool known = b.session[i] != SessionTable::kNone;
  if (!known || !w.sessions.at(b.session[i]).has(Session::kUsed) ||
      !w.sessions.at(b.session[i]).is(b.direction[i], b.tuple[i])) {
    const SessionTable::Hit hit = w.sessions.find(b.tuple[i], b.hash[i]);
    b.session[i] = hit.session;
    b.direction[i] = hit.direction;
  }
  b.state[i] = b.session[i] != SessionTable::kNone ? advance(w, b, i) : opening_state(w, b, i);
}

}  // namespace maclane
