#include "dataplane/stage/conntrack.h"

#include <algorithm>

#include "dataplane/helper/helpers.h"
#include "dataplane/net/checksum.h"
#include "dataplane/stage/endpoint.h"
#include "dataplane/stage/icmp_error.h"
#include "dataplane/stage/ip4_validate.h"
#include "dataplane/stage/transport.h"
#include "dataplane/worker/packet.h"

namespace maclane {
namespace {

constexpr uint32_t kStreamAfterCs = 200;  // a UDP exchange that lasts longer is a stream (B-22)

[[nodiscard]] Segment segment_of(const Burst& b, unsigned i) noexcept {
  return read_segment(*reinterpret_cast<const TcpHdr*>(b.l4[i]),
                      b.length[i] - b.ip[i]->header_length());
}

/// How much of packet i's L4 lies together.
[[nodiscard]] size_t bytes_here(const Burst& b, unsigned i) noexcept {
  const size_t header = b.ip[i]->header_length();
  return std::min<size_t>(b.mbuf[i]->data_len, b.length[i]) - header;
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
      return transport_checksum_ok(ip, {b.l4[i], length});
  }
}

/// A TCP packet's step; what state the packet has.
ConnState advance_tcp(Worker& w, Burst& b, unsigned i, Session& s, SessionSide& side,
                      TimeoutClass& cls, bool& refresh) noexcept {
  const uint8_t dir = b.direction[i];
  const TcpSwitches switches{w.snapshot->liberal_tcp, w.snapshot->timeouts};
  if (b.ip[i]->is_fragment()) make_liberal(s, side.tcp);  // its end is in another packet
  Segment segment = segment_of(b, i);
  if (s.has(Session::kHelped)) unshift(w, b.session[i], dir, segment);
  TcpVerdict verdict;
  if ((b.flags[i] & L3Queue::kHeldBefore) != 0) {
    // It took its step before it waited for ARP: only whether it is valid is asked again.
    Session as_if = s;
    SessionSide aside = side;
    verdict = tcp_track(as_if, aside, dir, segment, switches);
    if (verdict.result == TcpVerdict::Result::kAccept) verdict.result = TcpVerdict::Result::kIgnore;
  } else {
    verdict = tcp_track(s, side, dir, segment, switches);
  }
  refresh = verdict.refresh;
  switch (verdict.result) {
    case TcpVerdict::Result::kInvalid:
      return ConnState::kInvalid;
    case TcpVerdict::Result::kReopen: {
      // Forgotten only for a SYN that really opens: a forged one ends nothing.
      const ConnState opening = opening_state(w, b, i);
      if (opening != ConnState::kNew) return opening;
      w.sessions.release(b.session[i]);
      b.session[i] = SessionTable::kNone;
      return ConnState::kNew;
    }
    case TcpVerdict::Result::kIgnore:
      refresh = false;
      break;
    case TcpVerdict::Result::kEnds:
      s.flags |= Session::kDying;
      [[fallthrough]];
    case TcpVerdict::Result::kAccept:
      cls = verdict.timeout_class;
      break;
  }
  return ConnState::kEstablished;
}

/// A reply, or what follows one.
void advance_udp(Session& s, SessionSide& side, uint8_t dir, uint32_t now_cs,
                 TimeoutClass& cls) noexcept {
  if (dir == kReply && !s.has(Session::kSeenReply)) {
    const uint32_t lasting = side.created_cs + kStreamAfterCs;
    side.stream_from_cs = is_after(lasting, now_cs) ? lasting : now_cs + 1;
    return;
  }
  if (cls == TimeoutClass::kUdp && s.has(Session::kSeenReply) &&
      !is_after(side.stream_from_cs, now_cs)) {
    s.flags |= Session::kAssured;
    cls = TimeoutClass::kUdpStream;
  }
}

/// Applies packet i to its session; what state the packet has.
ConnState advance(Worker& w, Burst& b, unsigned i) noexcept {
  const uint32_t id = b.session[i];
  Session& s = w.sessions.at(id);
  SessionSide& side = w.sessions.side(id);
  const uint8_t dir = b.direction[i];
  if (b.bad_l4[i]) return ConnState::kInvalid;
  TimeoutClass cls = side.timeout_class;
  const uint16_t flags_before = s.flags;
  const TcpState state_before = s.tcp_state;
  bool refresh = true;

  switch (s.proto) {
    case kProtoTcp:
      if (b.l4[i] == nullptr) break;
      // What ends or begins something must be what its sender sent.
      if ((b.tcp_flags[i] & (kTcpFin | kTcpSyn | kTcpRst)) != 0 && !l4_checksum_ok(b, i)) {
        b.bad_l4[i] = true;
        return ConnState::kInvalid;
      }
      if (const ConnState state = advance_tcp(w, b, i, s, side, cls, refresh);
          state != ConnState::kEstablished) {
        return state;
      }
      break;
    case kProtoUdp:
    case kProtoUdpLite:
      advance_udp(s, side, dir, w.now.cs, cls);
      refresh = refreshes(w, s, dir);
      break;
    case kProtoGre:
      if (s.has(Session::kSeenReply)) {
        s.flags |= Session::kAssured;
        cls = TimeoutClass::kGreStream;
      }
      break;
    case kProtoSctp:
    case kProtoDccp:
      if (s.has(Session::kSeenReply)) s.flags |= Session::kAssured;
      break;
    default:
      break;
  }
  if (dir == kReply && !s.has(Session::kSeenReply)) hold_destination(w, s);
  if (dir == kReply) s.flags |= Session::kSeenReply;
  if (refresh) s.last_seen_cs = w.now.cs;
  if (s.flags != flags_before || s.tcp_state != state_before || side.timeout_class != cls)
    s.unsettle();
  w.sessions.set_class(id, cls, w.now.cs);
  if (s.has(Session::kSeenReply)) return ConnState::kEstablished;
  return s.has(Session::kExpected) ? ConnState::kRelated : ConnState::kNew;
}

}  // namespace

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
    case kProtoUdp:
      break;
    default:
      if (!transport_opens(b.tuple[i], {b.l4[i], bytes_here(b, i)})) return ConnState::kInvalid;
      break;
  }
  if (!l4_checksum_ok(b, i)) {
    b.bad_l4[i] = true;
    return ConnState::kInvalid;
  }
  return ConnState::kNew;
}

TimeoutClass opening_class(const Burst& b, unsigned i) noexcept {
  switch (b.tuple[i].proto) {
    case kProtoTcp:
      return TimeoutClass::kTcpSynSent;
    case kProtoUdp:
    case kProtoUdpLite:
      return TimeoutClass::kUdp;
    case kProtoIcmp:
      return TimeoutClass::kIcmp;
    case kProtoGre:
      return TimeoutClass::kGre;
    default:
      return TimeoutClass::kGeneric;
  }
}

void open_session(Worker& w, const Burst& b, unsigned i, uint32_t session) noexcept {
  Session& s = w.sessions.at(session);
  SessionSide& side = w.sessions.side(session);
  side.icmp_type = b.icmp_type[i];
  side.icmp_code = b.icmp_code[i];
  if (!s.has(Session::kExpected)) assign_helper(w, session);
  if (s.proto != kProtoTcp) return;
  if (b.l4[i] == nullptr) {  // a later fragment
    s.tcp_state = TcpState::kSynSent;
    make_liberal(s, side.tcp);
    return;
  }
  const TimeoutClass cls = tcp_open(s, side, segment_of(b, i));
  if (b.ip[i]->is_fragment()) make_liberal(s, side.tcp);
  w.sessions.set_class(session, cls, w.now.cs);
}

void finish_session(Worker& w, const Burst& b, unsigned i) noexcept {
  if (b.session[i] != SessionTable::kNone && w.sessions.at(b.session[i]).has(Session::kDying))
    w.sessions.release(b.session[i]);
}

uint8_t steady_flags(const Worker& w, uint32_t session, uint8_t direction) noexcept {
  const Session& s = w.sessions.at(session);
  if (s.has(Session::kHelped)) return Leg::kUnsteady;
  switch (s.proto) {
    case kProtoTcp: {
      // A connection waits in one class while it carries packets; in others the next one moves it.
      if (s.tcp_state != TcpState::kEstablished || !s.has(Session::kAssured)) return Leg::kUnsteady;
      const SessionSide& side = w.sessions.side(session);
      // Nor while a packet is remembered that was let through without believing it.
      if (side.tcp.input != static_cast<uint8_t>(TcpInput::kAck)) return Leg::kUnsteady;
      const TimeoutClass cls = side.timeout_class;
      const auto& timeouts = w.snapshot->timeouts;
      const bool waits_for_acks = timeouts[static_cast<unsigned>(TimeoutClass::kTcpUnacked)] <
                                  timeouts[static_cast<unsigned>(TimeoutClass::kTcpEstablished)];
      return cls == (waits_for_acks ? TimeoutClass::kTcpUnacked : TimeoutClass::kTcpEstablished)
                 ? kTcpAck
                 : Leg::kUnsteady;
    }
    case kProtoUdp:
    case kProtoUdpLite:  // its checksum is where UDP's is, and never 0
      return refreshes(w, s, direction) && !awaits_answer(s) ? 0 : Leg::kUnsteady;
    default:
      return Leg::kUnsteady;
  }
}

unsigned session_lookup(Worker& w, Burst& b) noexcept {
  if (!w.snapshot->tracking) return 0;
  unsigned known = 0;
  for (unsigned i = 0; i < b.count; ++i) {
    if (b.mbuf[i] == nullptr) continue;
    b.hash[i] = w.sessions.hash(b.tuple[i]);
    w.sessions.prefetch_bucket(b.hash[i]);
  }
  for (unsigned i = 0; i < b.count; ++i) {
    if (b.mbuf[i] == nullptr) continue;
    const SessionTable::Hit hit = w.sessions.candidate(b.hash[i]);
    if (!hit) {
      // It will open a connection: most leave like the last one did, with their own port.
      const Tuple& t = b.tuple[i];
      const be32 source = w.last_source.raw != 0 ? w.last_source : t.src;
      w.sessions.prefetch_bucket(w.sessions.hash({t.dst, source, t.dport, t.sport, t.proto}));
      continue;
    }
    b.session[i] = hit.session;
    b.direction[i] = hit.direction;
    w.sessions.prefetch_session(hit.session);
    ++known;
  }
  return known;
}

void classify(Worker& w, Burst& b, unsigned i) noexcept {
  if (b.untracked[i]) {
    b.session[i] = SessionTable::kNone;
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
  if (b.session[i] != SessionTable::kNone && outlived_mapping(w, w.sessions.at(b.session[i]))) {
    w.sessions.release(b.session[i]);
    b.session[i] = SessionTable::kNone;
  }
  b.state[i] = b.session[i] != SessionTable::kNone ? advance(w, b, i) : opening_state(w, b, i);
}

}  // namespace maclane
