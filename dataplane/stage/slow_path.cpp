#include "dataplane/stage/slow_path.h"

#include <algorithm>

#include "dataplane/helper/helpers.h"
#include "dataplane/stage/conntrack.h"
#include "dataplane/stage/decision.h"
#include "dataplane/stage/dispatch.h"
#include "dataplane/stage/effects.h"
#include "dataplane/stage/egress.h"
#include "dataplane/stage/nat.h"
#include "dataplane/stage/pppoe.h"
#include "dataplane/stage/refuse.h"
#include "dataplane/stage/rewrite.h"
#include "dataplane/stage/route.h"
#include "dataplane/worker/packet.h"

namespace maclane {
namespace {

[[nodiscard]] uint16_t chain_of(const RuleSet* set, uint16_t RuleSet::*chain) noexcept {
  return set == nullptr ? RuleSet::kNoChain : set->*chain;
}

void walk(Worker& w, const RuleSet* set, uint16_t RuleSet::*chain, RuleTable table,
          RuleKey& key) noexcept {
  const uint16_t number = chain_of(set, chain);
  if (number != RuleSet::kNoChain) walk_chain(set, number, table, key, w.walk);
}

/// The packet goes no further; its rules matched all the same, and if it ends its connection, it
/// does.
void account(Worker& w, const Burst& b, unsigned i, const Decision& d) noexcept {
  settle(w, b, i, d.key, d.logged_before_dstnat, SessionTable::kNone);
  WalkTable::count_once(w.walk, b.length[i], w.counters);
  finish_session(w, b, i);
}

/// What the last chain said. False: the packet is finished.
bool passes(Worker& w, Burst& b, unsigned i, const Decision& d, Drop reason) noexcept {
  const Verdict& v = w.walk.verdict;
  if (v.action == Action::kAccept || v.action == Action::kNotrack) return true;
  account(w, b, i, d);
  if (v.action == Action::kReject)
    reject(w, b, i, v.reject);
  else if (v.action == Action::kTarpit)
    tarpit(w, b, i);
  else
    refuse(w, b, i, reason, b.in_if[i]);
  return false;
}

/// The raw chains, before tracking. False: the packet is finished.
bool walk_raw(Worker& w, Burst& b, unsigned i, Decision& d) noexcept {
  const RuleSet* raw = w.snapshot->raw.get();
  d.key.state = ConnState::kUntracked;  // nothing is known yet, and no raw rule asks
  if (from_router(b, i)) {
    bool decided = false;
    const Snapshot& s = *w.snapshot;
    const bool told = (b.flags[i] & L3Queue::kLeavesBy) != 0;
    d.key.out_if = told ? message_of(b.mbuf[i]).out_if
                        : choose_route(s, look_up(s, d.post, kNoIf, 0, &decided), d.post).out_if;
    walk(w, raw, &RuleSet::output, RuleTable::kRaw, d.key);
    d.key.out_if = kNoIf;
  } else {
    walk(w, raw, &RuleSet::prerouting, RuleTable::kRaw, d.key);
  }
  if (!passes(w, b, i, d, Drop::raw_drop)) return false;
  if (w.walk.verdict.action == Action::kNotrack) b.untracked[i] = true;
  return true;
}

/// What the last step does to a packet.
struct Leaving {
  IfIndex out_if = kIfLocal;
  MacAddr dst_mac;
  bool broadcast = false;
  bool keeps_ttl = false;  // it was set
  uint8_t priority = WalkRecord::kNoPriority;
};

/// The last step: translate, and out or up to control.
void finish_packet(Worker& w, Burst& b, unsigned i, const Leaving& how) noexcept {
  if (!translate(w, b, i)) return;
  const Session* const s = session_of(w, b, i);
  const bool gone = s != nullptr && s->has(Session::kHelped) && !b.icmp_error[i] &&
                    help(w, b, i) == Helped::kDropped;
  finish_session(w, b, i);
  if (gone) return;
  if (how.out_if == kIfLocal) {
    PacketMessage message;
    message.reason = PuntReason::kLocal;
    message.in_if = b.in_if[i];
    message.related = b.icmp_error[i];
    message.broadcast = how.broadcast || (b.flags[i] & L3Queue::kL2Broadcast) != 0;
    punt(w, b.mbuf[i], message);
  } else {
    if (!from_router(b, i) && !how.keeps_ttl) decrement_ttl(*b.ip[i]);
    if (how.priority != WalkRecord::kNoPriority)
      w.tag_priority = static_cast<uint16_t>(std::min<unsigned>(how.priority, 7) << 13);
    egress(w, b.mbuf[i], how.out_if, how.dst_mac);
    w.tag_priority = 0;
  }
  b.mbuf[i] = nullptr;
}

/// Mangle and filter where the packet now is. False: it is finished.
bool judge(Worker& w, Burst& b, unsigned i, Decision& d) noexcept {
  const Snapshot& s = *w.snapshot;
  const bool local = d.out_if == kIfLocal;
  d.key.out_if = local ? kNoIf : d.out_if;
  const auto chain = from_router(b, i) ? &RuleSet::output
                     : local           ? &RuleSet::input
                                       : &RuleSet::forward;
  if (!from_router(b, i)) walk(w, s.mangle.get(), chain, RuleTable::kMangle, d.key);
  w.walk.verdict = {};
  walk(w, s.filter.get(), chain, RuleTable::kFilter, d.key);
  return passes(w, b, i, d, Drop::filter_drop);
}

/// Who announced the connection that a packet opens.
struct Announced {
  Expectations::Ref ref;  // none: nobody did
  Expectation what;
};

/// srcnat, and the connection. False: there is none, and the packet is finished.
bool open(Worker& w, Burst& b, unsigned i, Decision& d, const Announced& announced) noexcept {
  const Expectation* const expected = announced.ref ? &announced.what : nullptr;
  const SnatResult made =
      snat_and_create(w, b.tuple[i], d.post, d.key, d.out_if, opening_class(b, i), expected);
  if (made.session == SessionTable::kNone) {
    if (w.snapshot->endpoint_independent)  // the sender is told that there is no room (N-32)
      refuse_with_icmp(w, b, i, made.reason, kIcmpUnreachable, 13);
    else
      refuse(w, b, i, made.reason, b.in_if[i]);
    return false;
  }
  if (expected != nullptr) {
    const bool stays = (expected->flags & Expectation::kStays) != 0;
    if (!stays && !w.shared->expectations.take(announced.ref)) {
      w.sessions.release(made.session);
      refuse(w, b, i, Drop::expectation_gone, b.in_if[i]);
      return false;
    }
    w.sessions.side(made.session).helper = expected->helper;
  }
  open_session(w, b, i, made.session);
  if (expected != nullptr && (expected->flags & Expectation::kHelps) != 0)
    give_helper(w, made.session, expected->helper);
  b.session[i] = made.session;
  b.direction[i] = kOriginal;
  return true;
}

/// Counts the packet, for its rules and for its connection, whose leg keeps what holds of the next.
void commit(Worker& w, Burst& b, unsigned i, const Decision& d) noexcept {
  WalkRecord& record = w.walk;
  if (b.icmp_error[i] || d.broadcast) record.at_most(Holds::kForOne);
  Session* const s = session_of(w, b, i);
  if (s != nullptr && s->mark != d.key.connection_mark) {
    s->mark = d.key.connection_mark;
    s->original.generation = s->reply.generation = 0;
    record.at_most(Holds::kForOne);  // rules that ask for the mark see another one from now on
  }
  settle(w, b, i, d.key, d.logged_before_dstnat, s != nullptr ? b.session[i] : SessionTable::kNone);
  const uint16_t walk = w.walks.intern(record);
  if (walk != WalkTable::kNone)
    w.walks.count(walk, 1, b.length[i]);
  else
    WalkTable::count_once(record, b.length[i], w.counters);
  if (s == nullptr || b.icmp_error[i]) return;
  Leg& leg = s->leg(b.direction[i]);
  w.sessions.count(leg, b.session[i], b.direction[i], b.length[i]);
  leg.in_if = b.in_if[i];
  leg.out_if = d.out_if;
  leg.neighbour = d.neighbour;
  leg.walk = walk;
  leg.walk_state = b.state[i];
  const bool changes =
      record.dscp != WalkRecord::kSameDscp || record.priority != WalkRecord::kNoPriority;
  leg.steady_flags = changes ? Leg::kUnsteady : steady_flags(w, b.session[i], b.direction[i]);
  leg.generation = walk != WalkTable::kNone ? w.generation : 0;
}

/// The rules behind see where the packet goes now.
void show_destination(const Burst& b, unsigned i, Decision& d, bool opens) noexcept {
  if (opens && !(d.post == b.tuple[i])) d.key.nat |= RuleKey::kDstNat;
  d.key.dst = d.post.dst.host();
  d.key.dport = d.post.dport.host();
}

/// Mangle's and NAT's chains output, which may lead elsewhere what the router sends. False: it is
/// finished.
bool walk_output(Worker& w, Burst& b, unsigned i, Decision& d, bool opens) noexcept {
  const Snapshot& s = *w.snapshot;
  const uint32_t mark = d.key.routing_mark;
  d.key.out_if = d.out_if == kIfLocal ? kNoIf : d.out_if;
  walk(w, s.mangle.get(), &RuleSet::output, RuleTable::kMangle, d.key);
  bool again = d.key.routing_mark != mark;
  if (opens && !d.broadcast && chain_of(s.nat.get(), &RuleSet::output) != RuleSet::kNoChain) {
    dnat_own(w, b.tuple[i], d.key, d.post);
    show_destination(b, i, d, true);
    again |= !(d.post == b.tuple[i]);
  }
  return !again || route(w, b, i, d);
}

void slow(Worker& w, Burst& b, unsigned i, Decision& d) noexcept {
  const Snapshot& s = *w.snapshot;
  const bool opens = b.session[i] == SessionTable::kNone && b.state[i] == ConnState::kNew;
  const bool own = from_router(b, i);
  if (w.count > 1 && b.session[i] == SessionTable::kNone && dispatch_claimed(w, b, i)) return;
  // The connection that claimed this packet is over, and a new one would have another home.
  if (opens && (b.flags[i] & L3Queue::kClaimed) != 0)
    return refuse(w, b, i, Drop::claim_over, b.in_if[i]);
  if (b.session[i] == SessionTable::kNone && !own && w.new_left != 0) --w.new_left;

  Announced announced;
  if (opens && !w.shared->expectations.empty())
    announced.ref = w.shared->expectations.find(b.tuple[i], w.now.cs, announced.what);
  if (announced.ref) {
    b.state[i] = ConnState::kRelated;
    d.key.connection_mark = announced.what.mark;
    d.key.helper = static_cast<uint8_t>(announced.what.helper);
  }
  add_session(w, b, i, d);
  const Session* const session = session_of(w, b, i);
  // FastTrack: past all rules, but for the one that shows how many they are (B-25, B-26).
  const bool fast_track = s.fast_track_on && session != nullptr &&
                          session->has(Session::kFastTracked) && !b.icmp_error[i];
  if (fast_track) {
    w.walk.clear();
    w.walk.hit(s.fast_track);
  } else if (!own) {
    walk(w, s.mangle.get(), &RuleSet::prerouting, RuleTable::kMangle, d.key);
  }
  d.logged_before_dstnat = w.walk.logged;
  if (!s.accept_source_route && is_source_routed(*b.ip[i]) && !w.walk.strip_options) {
    account(w, b, i, d);
    return refuse(w, b, i, Drop::ip_options, b.in_if[i]);
  }
  // The gateway that a redirect names is not one of the network behind a translation.
  if (b.icmp_error[i] && b.icmp_type[i] == kIcmpRedirect && session != nullptr &&
      session->translated()) {
    account(w, b, i, d);
    return refuse(w, b, i, Drop::nat_filtered, b.in_if[i]);
  }
  if (opens && !own) {
    // A source that is one of our own addresses cannot come from a wire (RFC 1812 5.3.8).
    if (is_local(s, b.tuple[i].src)) {
      account(w, b, i, d);
      return refuse(w, b, i, Drop::ip_martian, b.in_if[i]);
    }
    if (!announced.ref && !dnat(w, b.tuple[i], d.key, d.post)) {
      account(w, b, i, d);
      return refuse(w, b, i, Drop::nat_filtered, b.in_if[i]);
    }
  }
  if (announced.ref) {
    d.post.dst = announced.what.to_dst;
    d.post.dport = announced.what.to_dport;
  }
  show_destination(b, i, d, opens);

  if (!route(w, b, i, d)) return account(w, b, i, d);
  if (own && !fast_track && !walk_output(w, b, i, d, opens && !announced.ref))
    return account(w, b, i, d);
  const bool local = d.out_if == kIfLocal;
  if (outlived_masquerade(w, b, i, d)) {
    w.sessions.release(b.session[i]);
    b.session[i] = SessionTable::kNone;
    b.state[i] = opening_state(w, b, i);
    Decision again;
    begin(w, b, i, again);
    clear_walks(w);
    if (!walk_raw(w, b, i, again)) return;
    return slow(w, b, i, again);
  }
  if (!local && !own) {
    if (!may_forward(w, b, i, d)) return account(w, b, i, d);
    --d.key.ttl;
  }
  if (!fast_track && !judge(w, b, i, d)) return;
  if (!local) {
    const Fate fate = resolve(w, b, i, d);
    if (fate == Fate::kRefused) account(w, b, i, d);
    if (fate != Fate::kGoesOn) return;
    if (!fast_track) walk(w, s.mangle.get(), &RuleSet::postrouting, RuleTable::kMangle, d.key);
  }
  if (opens && !d.broadcast && !open(w, b, i, d, announced)) return account(w, b, i, d);
  if (!local && !own) redirect_sender(w, b, i, d.out_if, d.next_hop);
  commit(w, b, i, d);
  change_packet(b, i, w.walk, d.key.ttl);
  finish_packet(w, b, i, {d.out_if, d.dst_mac, d.broadcast, w.walk.new_ttl, w.walk.priority});
}

/// Whether the leg that packet i seems to have still holds, whatever its state turns out to be.
[[nodiscard]] bool leg_holds(Worker& w, const Burst& b, unsigned i) noexcept {
  if (b.session[i] == SessionTable::kNone || b.icmp_error[i]) return false;
  Session& s = w.sessions.at(b.session[i]);
  Leg& leg = s.leg(b.direction[i]);
  if (!s.is(b.direction[i], b.tuple[i]) || leg.in_if != b.in_if[i]) return false;
  if (leg.generation != w.generation && !revive(w, s, leg)) return false;
  return !w.walks.while_steady(leg.walk) || (b.tcp_flags[i] & kTcpStateFlags) == kTcpAck;
}

/// A packet that had to be classified, but whose leg still holds everything: verdict, egress,
/// neighbour. False: take `slow`.
bool fast(Worker& w, Burst& b, unsigned i) noexcept {
  if (!leg_holds(w, b, i)) return false;
  Leg& leg = w.sessions.at(b.session[i]).leg(b.direction[i]);
  if (leg.walk_state != b.state[i]) return false;
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
  const uint8_t dscp = w.walks.dscp(leg.walk);
  const uint8_t priority = w.walks.priority(leg.walk);
  if (dscp != WalkRecord::kSameDscp) change_dscp(*b.ip[i], dscp);
  if (dscp == WalkRecord::kSameDscp && priority == WalkRecord::kNoPriority)
    leg.steady_flags = steady_flags(w, b.session[i], b.direction[i]);
  finish_packet(w, b, i, {leg.out_if, mac, false, false, priority});
  return true;
}

/// Whether raw rules are asked about packet i at all.
[[nodiscard]] bool has_raw(Worker& w, const Burst& b, unsigned i) noexcept {
  const RuleSet* raw = w.snapshot->raw.get();
  const auto chain = from_router(b, i) ? &RuleSet::output : &RuleSet::prerouting;
  if (chain_of(raw, chain) == RuleSet::kNoChain) return false;
  if ((b.flags[i] & L3Queue::kRelatedToOther) != 0) return true;
  if (b.session[i] == SessionTable::kNone) return true;
  const Session& s = w.sessions.at(b.session[i]);
  return !(w.snapshot->fast_track_on && s.has(Session::kFastTracked) &&
           s.is(b.direction[i], b.tuple[i]));
}

}  // namespace

void take_slowly(Worker& w, Burst& b, unsigned i) noexcept {
  Decision d;
  bool begun = false;
  b.untracked[i] = !w.snapshot->tracking;
  clear_walks(w);
  const bool barred = is_source_routed(*b.ip[i]);
  if (has_raw(w, b, i) && (barred || !leg_holds(w, b, i))) {
    begin(w, b, i, d);
    begun = true;
    if (!walk_raw(w, b, i, d)) return;
  }
  classify(w, b, i);
  if (!barred && fast(w, b, i)) return;
  if (!begun) {
    begin(w, b, i, d);
    // Asked again: a SYN may have ended the FastTracked connection that it seemed to be of.
    if (has_raw(w, b, i)) {
      if (!walk_raw(w, b, i, d)) return;
      if (b.untracked[i]) classify(w, b, i);
    }
  }
  slow(w, b, i, d);
}

}  // namespace maclane
