#include "dataplane/stage/decision.h"

#include "dataplane/net/group.h"
#include "dataplane/stage/effects.h"
#include "dataplane/stage/l2_frame.h"
#include "dataplane/stage/pppoe.h"
#include "dataplane/stage/refuse.h"
#include "dataplane/stage/route.h"
#include "dataplane/worker/packet.h"

namespace maclane {
namespace {

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

/// What the router's own to a group or broadcast address does: it leaves by the interface that its
/// sender chose. No route is asked, and nobody about the next hop's MAC.
[[gnu::cold, gnu::noinline]] bool route_to_group(Worker& w, Burst& b, unsigned i,
                                                 Decision& d) noexcept {
  const auto& interfaces = w.snapshot->interfaces;
  const IfIndex out_if = message_of(b.mbuf[i]).out_if;
  if (out_if >= interfaces.size() || interfaces[out_if].kind == IfKind::kNone) {
    refuse(w, b, i, Drop::no_route, b.in_if[i]);
    return false;
  }
  // Control has told a group by its bits, and the rest are broadcast addresses of networks.
  const bool broadcast = d.post.dst.host() >> 28 != 0xe;
  d.out_if = out_if;
  d.next_hop = d.post.dst;
  d.dst_mac = group_mac(d.post.dst, broadcast).value_or(MacAddr{});
  d.broadcast = true;
  return true;
}

}  // namespace

void begin(Worker& w, const Burst& b, unsigned i, Decision& d) noexcept {
  const Tuple& t = b.tuple[i];
  d.post = t;
  d.facts = facts_of(w, b, i);
  RuleKey& k = d.key;
  k.src = t.src.host();
  k.dst = t.dst.host();
  k.sport = t.sport.host();
  k.dport = t.dport.host();
  k.proto = t.proto;
  k.icmp_type = b.icmp_type[i];
  k.icmp_code = b.icmp_code[i];
  k.in_if = b.in_if[i];
  k.ttl = b.ip[i]->ttl;
  k.dscp = static_cast<uint8_t>(b.ip[i]->tos >> 2);
  k.priority = k.ingress_priority = tag_priority(*b.mbuf[i]);
  k.facts = &d.facts;
}

void add_session(Worker& w, const Burst& b, unsigned i, Decision& d) noexcept {
  d.key.state = b.state[i];
  const Session* s = session_of(w, b, i);
  if (s == nullptr) return;
  d.facts.session = s;
  d.facts.note = &w.notes.at(b.session[i]);
  d.facts.owner = w.sessions.sequence(b.session[i]) | 1;
  d.key.connection_mark = s->mark;
  d.key.helper = static_cast<uint8_t>(w.sessions.side(b.session[i]).helper);
  d.key.nat = static_cast<uint8_t>((s->has(Session::kSrcNat) ? RuleKey::kSrcNat : 0) |
                                   (s->has(Session::kDstNat) ? RuleKey::kDstNat : 0) |
                                   (s->has(Session::kSrcMapped) ? RuleKey::kEndpointSrcNat : 0) |
                                   (s->has(Session::kDstMapped) ? RuleKey::kEndpointDstNat : 0));
  const Tuple other = s->tuple(b.direction[i] == kOriginal ? kReply : kOriginal);
  d.post.dst = other.src;
  if (!b.icmp_error[i]) d.post.dport = other.sport;
}

Fate resolve(Worker& w, Burst& b, unsigned i, Decision& d) noexcept {
  const Interface& out = w.snapshot->interfaces[d.out_if];
  if (out.kind == IfKind::kPppoe) {
    d.neighbour = point_to_point(d.out_if);
    if (out.pppoe_session.raw != 0) return Fate::kGoesOn;
    if (d.broadcast) {
      refuse(w, b, i, Drop::tx_down, d.out_if);  // nobody dials to tell a group something
      return Fate::kRefused;
    }
    punt_unresolved(w, b, i, d);  // control dials
    return Fate::kHeld;
  }
  if (d.broadcast) [[unlikely]]
    return Fate::kGoesOn;  // its MAC is the group's
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
      return Fate::kGoesOn;
    case NeighState::kReachable:
    case NeighState::kProbe:
    case NeighState::kPermanent:
      return Fate::kGoesOn;
    case NeighState::kFull:
      refuse(w, b, i, Drop::neigh_queue_full, d.out_if);
      return Fate::kRefused;
    case NeighState::kFailed:
      refuse(w, b, i, Drop::neigh_failed, d.out_if);
      return Fate::kRefused;
    case NeighState::kNone:
    case NeighState::kIncomplete:
      break;
  }
  punt_unresolved(w, b, i, d);
  return Fate::kHeld;
}

bool route(Worker& w, Burst& b, unsigned i, Decision& d) noexcept {
  const Snapshot& s = *w.snapshot;
  if ((b.flags[i] & L3Queue::kLeavesBy) != 0) [[unlikely]]
    return route_to_group(w, b, i, d);
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
  if (!own && s.rp_filter != RpFilter::kNo && !source_is_sound(s, b.tuple[i].src, b.in_if[i])) {
    refuse(w, b, i, Drop::rp_filter, b.in_if[i]);
    return false;
  }
  const Route r = route_of(w, b, i, d.post, d.key.routing_mark);
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

bool may_forward(Worker& w, Burst& b, unsigned i, const Decision& d) noexcept {
  if (!w.snapshot->ip_forward) {
    refuse(w, b, i, Drop::forward_off, b.in_if[i]);
    return false;
  }
  if ((b.flags[i] & L3Queue::kL2Broadcast) != 0) {
    refuse(w, b, i, Drop::bcast_forward, b.in_if[i]);
    return false;
  }
  if (d.key.ttl <= 1) {
    refuse_with_icmp(w, b, i, Drop::ttl_expired, kIcmpTimeExceeded, 0);
    return false;
  }
  const uint16_t mtu = w.snapshot->interfaces[d.out_if].mtu;
  if (b.length[i] > mtu && b.ip[i]->dont_fragment() && !w.walk.clear_df) {
    refuse_with_icmp(w, b, i, Drop::frag_needed, kIcmpUnreachable, 4, mtu);
    return false;
  }
  return true;
}

bool outlived_masquerade(const Worker& w, const Burst& b, unsigned i, const Decision& d) noexcept {
  if (b.session[i] == SessionTable::kNone || b.icmp_error[i] || b.direction[i] != kOriginal ||
      b.state[i] == ConnState::kInvalid || d.out_if == kIfLocal) {
    return false;
  }
  const Session& s = w.sessions.at(b.session[i]);
  return s.has(Session::kMasquerade) &&
         !(s.reply.dst == w.snapshot->interfaces[d.out_if].primary_address);
}

}  // namespace maclane
