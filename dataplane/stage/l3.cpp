// The L3 pipeline of one worker. A packet of an established connection passes validate, session and
// `fast`; everything else takes `slow`, which decides all before it changes anything: counters and
// sessions are committed, and the packet rewritten, only when it can leave. So a packet that waits
// for ARP waits untranslated and uncounted, and an ICMP error quotes what was received.
#include "dataplane/stage/l3.h"

#include <algorithm>

#include "dataplane/stage/conntrack.h"
#include "dataplane/stage/dispatch.h"
#include "dataplane/stage/egress.h"
#include "dataplane/stage/fast_path.h"
#include "dataplane/stage/filter.h"
#include "dataplane/stage/ip4_validate.h"
#include "dataplane/stage/nat.h"
#include "dataplane/stage/overload.h"
#include "dataplane/stage/pppoe.h"
#include "dataplane/stage/reassemble.h"
#include "dataplane/stage/refuse.h"
#include "dataplane/stage/rewrite.h"
#include "dataplane/stage/route.h"
#include "dataplane/worker/lap.h"
#include "dataplane/worker/packet.h"

namespace maclane {
namespace {

/// What is decided about a packet on the slow path, before anything is committed.
struct Decision {
  RuleKey key;
  Tuple post;  // after dnat
  IfIndex out_if = kNoIf;
  be32 next_hop{};
  NeighbourRef neighbour = kNoNeighbour;
  MacAddr dst_mac;
  bool broadcast = false;  // for the router, but as a broadcast or multicast
};

/// What waits with control for its next hop.
void punt_unresolved(Worker& w, Burst& b, unsigned i, const Decision& d) noexcept {
  PacketMessage message;
  message.reason = PuntReason::kNeighbour;
  message.in_if = b.in_if[i];
  message.out_if = d.out_if;
  message.next_hop = d.next_hop;
  message.related = (b.flags[i] & L3Queue::kRelatedToOther) != 0;
  punt(w, b.mbuf[i], message);
  b.mbuf[i] = nullptr;
}

/// The next hop's MAC, or what becomes of the packet without it. True if it may go on.
bool resolve(Worker& w, Burst& b, unsigned i, Decision& d) noexcept {
  const Interface& out = w.snapshot->interfaces[d.out_if];
  if (out.kind == IfKind::kPppoe) {
    d.neighbour = point_to_point(d.out_if);
    if (out.pppoe_session.raw != 0) return true;
    punt_unresolved(w, b, i, d);  // control dials
    return false;
  }
  const Neighbour n = w.neighbours.find(d.out_if, d.next_hop);
  d.neighbour = n.ref;
  d.dst_mac = n.mac;
  switch (n.state) {
    case NeighState::kStale:
      // Told once a second, not once a packet.
      if (w.last_stale != n.ref || w.now.cs - w.last_stale_cs >= 100) {
        w.last_stale = n.ref;
        w.last_stale_cs = w.now.cs;
        Event e;
        e.kind = Event::Kind::kNeighbourUsed;
        e.out_if = d.out_if;
        e.address = d.next_hop;
        if (!emit(w, e)) w.last_stale = kNoNeighbour;
      }
      return true;
    case NeighState::kReachable:
    case NeighState::kProbe:
    case NeighState::kPermanent:
      return true;
    case NeighState::kFull:
      refuse(w, b, i, Drop::neigh_queue_full, d.out_if);
      return false;
    case NeighState::kFailed:
      refuse(w, b, i, Drop::neigh_failed, d.out_if);
      return false;
    case NeighState::kNone:
    case NeighState::kIncomplete:
      break;
  }
  punt_unresolved(w, b, i, d);
  return false;
}

/// Where the packet goes; false if it goes nowhere (and is finished). Sets out_if and next_hop.
bool route(Worker& w, Burst& b, unsigned i, Decision& d) noexcept {
  const Snapshot& s = *w.snapshot;
  const uint32_t dst = d.post.dst.host();
  const bool own = from_router(b, i);
  if ((dst >> 28) == 0xe || dst == 0xffffffffu) {
    if (own) {
      refuse(w, b, i, Drop::no_route, b.in_if[i]);
      return false;
    }
    d.out_if = kIfLocal;
    d.broadcast = true;
    return true;
  }
  const Route r = choose_route(s, s.fib->lookup(dst), d.post.src, d.post.dst);
  switch (r.kind) {
    case NextHop::Kind::kLocal:
      d.out_if = kIfLocal;
      return true;
    case NextHop::Kind::kBroadcast:
      if (own) {
        refuse(w, b, i, Drop::no_route, b.in_if[i]);
        return false;
      }
      d.out_if = kIfLocal;
      d.broadcast = true;
      return true;
    case NextHop::Kind::kConnected:
    case NextHop::Kind::kGateway:
      d.out_if = r.out_if;
      d.next_hop = r.next_hop;
      return true;
    case NextHop::Kind::kBlackhole:
      refuse(w, b, i, Drop::route_blackhole, b.in_if[i]);
      return false;
    case NextHop::Kind::kProhibit:
      refuse_with_icmp(w, b, i, Drop::route_prohibit, kIcmpUnreachable, 13);
      return false;
    case NextHop::Kind::kUnreachable:
      refuse_with_icmp(w, b, i, Drop::route_unreachable, kIcmpUnreachable, 1);
      return false;
    case NextHop::Kind::kNone:
      break;
  }
  refuse_with_icmp(w, b, i, Drop::no_route, kIcmpUnreachable, 0);
  return false;
}

/// Forwarding rules that are not the filter's: TTL, MTU, no broadcasts, ip-forward.
bool may_forward(Worker& w, Burst& b, unsigned i, const Decision& d) noexcept {
  if (!w.snapshot->ip_forward) {
    refuse(w, b, i, Drop::forward_off, b.in_if[i]);
    return false;
  }
  if ((b.flags[i] & L3Queue::kL2Broadcast) != 0) {
    refuse(w, b, i, Drop::bcast_forward, b.in_if[i]);
    return false;
  }
  if (b.ip[i]->ttl <= 1) {
    refuse_with_icmp(w, b, i, Drop::ttl_expired, kIcmpTimeExceeded, 0);
    return false;
  }
  const uint16_t mtu = w.snapshot->interfaces[d.out_if].mtu;
  if (b.length[i] > mtu && b.ip[i]->dont_fragment()) {
    refuse_with_icmp(w, b, i, Drop::frag_needed, kIcmpUnreachable, 4, mtu);
    return false;
  }
  return true;
}

/// The last step: translate, and out or up to control.
void finish_packet(Worker& w, Burst& b, unsigned i, IfIndex out_if, const MacAddr& dst_mac,
                   bool broadcast) noexcept {
  translate(w, b, i);
  finish_session(w, b, i);
  if (out_if == kIfLocal) {
    PacketMessage message;
    message.reason = PuntReason::kLocal;
    message.in_if = b.in_if[i];
    message.broadcast = broadcast || (b.flags[i] & L3Queue::kL2Broadcast) != 0;
    punt(w, b.mbuf[i], message);
  } else {
    if (!from_router(b, i)) decrement_ttl(*b.ip[i]);
    egress(w, b.mbuf[i], out_if, dst_mac);
  }
  b.mbuf[i] = nullptr;
}

/// A masqueraded connection whose packets would leave with an address that is no longer that of the
/// interface (it changed, or the route moved to another): its replies could not come back (B-30).
bool outlived_masquerade(const Worker& w, const Burst& b, unsigned i, const Decision& d) noexcept {
  if (b.session[i] == SessionTable::kNone || b.icmp_error[i] || b.direction[i] != kOriginal ||
      b.state[i] == ConnState::kInvalid || d.out_if == kIfLocal) {
    return false;
  }
  const Session& s = w.sessions.at(b.session[i]);
  return s.has(Session::kMasquerade) &&
         !(s.reply.dst == w.snapshot->interfaces[d.out_if].primary_address);
}

void slow(Worker& w, Burst& b, unsigned i) noexcept {
  const Snapshot& s = *w.snapshot;
  const bool opens = b.session[i] == SessionTable::kNone && b.state[i] == ConnState::kNew;
  const bool own = from_router(b, i);
  if (w.count > 1 && b.session[i] == SessionTable::kNone && dispatch_claimed(w, b, i)) return;
  // The connection that claimed this packet is over, and a new one would have another home.
  if (opens && (b.flags[i] & L3Queue::kClaimed) != 0)
    return refuse(w, b, i, Drop::claim_over, b.in_if[i]);
  if (b.session[i] == SessionTable::kNone && !own && w.new_left != 0) --w.new_left;

  Decision d;
  d.post = b.tuple[i];
  d.key = {b.tuple[i].src.host(),
           b.tuple[i].dst.host(),
           b.tuple[i].sport.host(),
           b.tuple[i].dport.host(),
           b.tuple[i].proto,
           b.icmp_type[i],
           b.icmp_code[i],
           b.state[i],
           0,
           b.in_if[i],
           kNoIf};
  w.dnat_walk.clear();
  if (b.session[i] != SessionTable::kNone && b.state[i] != ConnState::kInvalid) {
    const Session& session = w.sessions.at(b.session[i]);
    const Tuple other = session.tuple(b.direction[i] == kOriginal ? kReply : kOriginal);
    d.key.nat = static_cast<uint8_t>((session.has(Session::kSrcNat) ? RuleKey::kSrcNat : 0) |
                                     (session.has(Session::kDstNat) ? RuleKey::kDstNat : 0));
    d.post.dst = other.src;
    if (!b.icmp_error[i]) d.post.dport = other.sport;
  } else if (opens && !own) {
    // A source that is one of our own addresses cannot come from a wire (RFC 1812 5.3.8).
    if (is_local(s, b.tuple[i].src)) return refuse(w, b, i, Drop::ip_martian, b.in_if[i]);
    d.post = dnat(w, b.tuple[i], d.key);
    if (!(d.post == b.tuple[i])) d.key.nat = RuleKey::kDstNat;
  }
  d.key.dst = d.post.dst.host();
  d.key.dport = d.post.dport.host();

  if (!route(w, b, i, d)) return;
  const bool local = d.out_if == kIfLocal;
  if (outlived_masquerade(w, b, i, d)) {
    w.sessions.release(b.session[i]);
    b.session[i] = SessionTable::kNone;
    b.state[i] = opening_state(w, b, i);
    return slow(w, b, i);
  }
  if (!local && !own && !may_forward(w, b, i, d)) return;

  const RuleSet* filter = s.filter.get();
  d.key.out_if = local ? kNoIf : d.out_if;
  uint16_t chain = RuleSet::kNoChain;
  if (filter != nullptr) chain = own ? filter->output : local ? filter->input : filter->forward;
  WalkRecord& record = w.filter_walk;
  walk_chain(filter, chain, d.key, record);
  if (b.icmp_error[i] || d.broadcast) record.cacheable = false;

  if (record.verdict.action != Action::kAccept) {
    log_matches(w, b, i, record, d.key, false);
    WalkTable::count_once(record, b.length[i], w.counters);
    if (record.verdict.action == Action::kReject) return reject(w, b, i, record.verdict.reject);
    return refuse(w, b, i, Drop::filter_drop, b.in_if[i]);
  }
  if (!local && !resolve(w, b, i, d)) return;

  if (opens && !d.broadcast) {
    const SnatResult made =
        snat_and_create(w, b.tuple[i], d.post, d.key, d.out_if, opening_class(b, i));
    if (made.session == SessionTable::kNone) return refuse(w, b, i, made.reason, b.in_if[i]);
    log_matches(w, b, i, w.dnat_walk, d.key, true);
    log_matches(w, b, i, w.snat_walk, d.key, true);
    WalkTable::count_once(w.dnat_walk, b.length[i], w.counters);
    WalkTable::count_once(w.snat_walk, b.length[i], w.counters);
    open_session(w, b, i, made.session);
    b.session[i] = made.session;
    b.direction[i] = kOriginal;
  }

  log_matches(w, b, i, record, d.key, false);
  const uint16_t walk = w.walks.intern(record);
  if (walk != WalkTable::kNone)
    w.walks.count(walk, 1, b.length[i]);
  else
    WalkTable::count_once(record, b.length[i], w.counters);
  if (b.session[i] != SessionTable::kNone && b.state[i] != ConnState::kInvalid &&
      !b.icmp_error[i]) {
    Leg& leg = w.sessions.at(b.session[i]).leg(b.direction[i]);
    w.sessions.count(leg, b.session[i], b.direction[i], b.length[i]);
    leg.in_if = b.in_if[i];
    leg.out_if = d.out_if;
    leg.neighbour = d.neighbour;
    leg.walk = walk;
    leg.walk_state = b.state[i];
    leg.steady_flags = steady_flags(w, b.session[i]);
    leg.generation = walk != WalkTable::kNone ? w.generation : 0;
  }
  finish_packet(w, b, i, d.out_if, d.dst_mac, d.broadcast);
}

/// A packet that had to be classified, but whose leg still holds everything: verdict, egress,
/// neighbour. False: take `slow`.
bool fast(Worker& w, Burst& b, unsigned i) noexcept {
  if (b.session[i] == SessionTable::kNone || b.icmp_error[i]) return false;
  Leg& leg = w.sessions.at(b.session[i]).leg(b.direction[i]);
  if (leg.generation != w.generation || leg.walk_state != b.state[i] || leg.in_if != b.in_if[i]) {
    return false;
  }
  MacAddr mac;
  if (leg.out_if != kIfLocal) {
    if (!is_point_to_point(leg.neighbour)) {
      const Neighbour n = w.neighbours.get(leg.neighbour);
      if (n.state != NeighState::kReachable && n.state != NeighState::kPermanent &&
          n.state != NeighState::kProbe) {
        return false;
      }
      mac = n.mac;
    }
    if (!from_router(b, i) &&
        (b.ip[i]->ttl <= 1 || b.length[i] > w.snapshot->interfaces[leg.out_if].mtu ||
         (b.flags[i] & L3Queue::kL2Broadcast) != 0)) {
      return false;
    }
  }
  w.walks.count(leg.walk, 1, b.length[i]);
  w.sessions.count(leg, b.session[i], b.direction[i], b.length[i]);
  leg.steady_flags = steady_flags(w, b.session[i]);
  finish_packet(w, b, i, leg.out_if, mac, false);
  return true;
}

/// Whether packets only need a route: nothing is tracked, nothing is filtered.
bool only_routes(const Snapshot& s) noexcept {
  return !s.tracking && s.ip_forward &&
         (s.filter == nullptr || s.filter->forward == RuleSet::kNoChain);
}

void run_routed(Worker& w, Burst& b) noexcept {
  std::array<uint32_t, kBurst> to;
  std::array<uint64_t, kBurst> next_hops;
  for (unsigned i = 0; i < b.count; ++i) to[i] = b.mbuf[i] == nullptr ? 0 : b.tuple[i].dst.host();
  w.snapshot->fib->lookup(to.data(), next_hops.data(), b.count);
  FastPath path(w);
  for (unsigned i = 0; i < b.count; ++i) {
    if (b.mbuf[i] == nullptr || path.routed(b, i, static_cast<uint16_t>(next_hops[i]))) continue;
    classify(w, b, i);
    slow(w, b, i);
  }
  lap(w, Stage::kForward);
}

void run(Worker& w, Burst& b, L3Queue& released) noexcept {
  bool plain = true;
  ip4_begin(b);
  for (unsigned i = 0; i < b.count; ++i) {
    if (ip4_validate_plain(b, i)) continue;
    ip4_validate(w, b, i);
    plain = false;
  }
  const bool several = w.count > 1;
  if (several && !plain) dispatch_fragments(w, b);
  if (!plain) reassemble(w, b, released);
  if (several) dispatch_home(w, b);
  lap(w, Stage::kValidate);
  if (only_routes(*w.snapshot)) return run_routed(w, b);
  const unsigned known = session_lookup(w, b);
  w.new_left = new_limit(w, known);
  lap(w, Stage::kLookup);
  FastPath path(w);
  for (unsigned i = 0; i < b.count; ++i) {
    if (b.mbuf[i] == nullptr || path.established(b, i)) continue;
    if (w.overloaded && w.new_left == 0 && of_no_connection(w, b, i)) {
      refuse(w, b, i, Drop::new_flow_limit, b.in_if[i]);
      continue;
    }
    classify(w, b, i);
    if (!fast(w, b, i)) slow(w, b, i);
  }
  lap(w, Stage::kForward);
}

}  // namespace

void l3_input(Worker& w, L3Queue& queue) noexcept {
  L3Queue* from = &queue;
  // Fragments that waited for the first of this burst follow it in a second round; they release
  // none.
  for (unsigned round = 0; round < 2; ++round) {
    for (unsigned at = 0; at < from->count;) {
      Burst& b = w.burst;
      b.count = std::min(kBurst, from->count - at);
      std::copy_n(from->packets.begin() + at, b.count, b.mbuf.begin());
      std::copy_n(from->in_if.begin() + at, b.count, b.in_if.begin());
      std::copy_n(from->flags.begin() + at, b.count, b.flags.begin());
      at += b.count;
      run(w, b, w.released);
    }
    from->count = 0;
    from = &w.released;
  }
}

}  // namespace maclane
