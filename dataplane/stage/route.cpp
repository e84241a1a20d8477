#include "dataplane/stage/route.h"

#include "dataplane/stage/refuse.h"
#include "dataplane/worker/worker.h"

namespace maclane {
namespace {

using Kind = NextHop::Kind;

bool is_own(Kind kind) noexcept {
  return kind == Kind::kLocal || kind == Kind::kBroadcast;
}

bool leads_on(Kind kind) noexcept {
  return kind == Kind::kConnected || kind == Kind::kGateway;
}

Route to(const NextHop& hop, be32 dst) noexcept {
  return {hop.kind, hop.out_if, hop.kind == Kind::kGateway ? hop.gateway : dst};
}

/// Calls fn with each of the equal ways of a next hop.
template <typename Fn>
void each_way(const Snapshot& s, const NextHop& hop, Fn&& fn) noexcept {
  if (hop.alternatives.empty()) return fn(hop);
  for (uint16_t a : hop.alternatives) fn(s.next_hops[a]);
}

/// Where a connection came in that has to be answered there; kNoIf: anywhere.
IfIndex bound_to(Worker& w, const Burst& b, unsigned i) noexcept {
  const Snapshot& s = *w.snapshot;
  const bool unasked = b.session[i] == SessionTable::kNone && from_router(b, i);
  if (unasked || (b.flags[i] & L3Queue::kRelatedToOther) != 0) {
    // What the router says: from the address that was asked, or that its sender chose.
    const NextHop& hop = s.next_hops[s.fib->lookup(b.tuple[i].src.host())];
    return hop.kind == Kind::kLocal ? hop.out_if : kNoIf;
  }
  if (b.session[i] == SessionTable::kNone || b.direction[i] != kReply) return kNoIf;
  const Session& session = w.sessions.at(b.session[i]);
  const IfIndex in_if = session.original.in_if;
  if (in_if == kNoIf || in_if >= s.return_ways.size()) return kNoIf;
  return session.has(Session::kDstNat) || is_local(s, session.original.dst) ? in_if : kNoIf;
}

/// The way of a question to a gateway in another table; nullptr: it is none.
[[gnu::cold, gnu::noinline]] const NextHop* probe_way(const Snapshot& s,
                                                      const Tuple& post) noexcept {
  const NextHop& owner = s.next_hops[s.fib->lookup(post.src.host())];
  if (owner.kind != Kind::kLocal) return nullptr;
  for (const ProbeWay& probe : s.probe_ways)
    if (probe.target == post.dst && probe.from == owner.out_if) return &s.next_hops[probe.next_hop];
  return nullptr;
}

/// Every bit of it depends on every bit of the value: products carry upwards only.
uint64_t stirred(uint64_t value) noexcept {
  value *= 0x9e3779b97f4a7c15ULL;
  value ^= value >> 32;
  return value * 0xd6e8feb86659fd93ULL;
}

}  // namespace

uint16_t look_up(const Snapshot& s, const Tuple& t, IfIndex in_if, uint32_t mark,
                 bool* decided) noexcept {
  const uint32_t dst = t.dst.host();
  const uint16_t main = s.fib->lookup(dst);
  *decided = false;
  if ((mark == 0 && s.routing_rules.empty()) || is_own(s.next_hops[main].kind)) return main;
  *decided = true;
  const uint32_t src = t.src.host();
  for (const RoutingRule& rule : s.routing_rules) {
    if (!(rule.any_mark || rule.mark == mark) || !rule.src.contains(src) ||
        !rule.dst.contains(dst) || (rule.in_if != kNoIf && rule.in_if != in_if)) {
      continue;
    }
    if (rule.action == RoutingRule::Action::kDrop) return s.drop_hop;
    if (rule.action == RoutingRule::Action::kUnreachable) return s.unreachable_hop;
    const uint16_t hop = rule.table != nullptr ? rule.table->lookup(dst) : uint16_t{0};
    if (hop != 0 || rule.action == RoutingRule::Action::kLookupOnly) return hop;
  }
  if (mark != 0 && mark < s.tables.size() && s.tables[mark] != nullptr) {
    const uint16_t hop = s.tables[mark]->lookup(dst);
    if (hop != 0) return hop;
  }
  *decided = false;
  return main;
}

Route choose_route(const Snapshot& s, uint16_t next_hop, const Tuple& t,
                   const NeighbourTable* neighbours, KeptWay kept) noexcept {
  const NextHop& first = s.next_hops[next_hop];
  if (first.alternatives.empty()) return to(first, t.dst);
  const NextHop* chosen = nullptr;
  const NextHop* same_interface = nullptr;
  if (kept.out_if != kNoIf && neighbours != nullptr) {
    for (uint16_t a : first.alternatives) {
      const NextHop& way = s.next_hops[a];
      if (way.out_if != kept.out_if) continue;
      same_interface = &way;
      if (neighbours->find(way.out_if, to(way, t.dst).next_hop).ref == kept.neighbour)
        chosen = &way;
    }
  }
  if (chosen == nullptr) chosen = same_interface;
  const NextHop& own = s.next_hops[s.fib->lookup(t.src.host())];
  if (chosen == nullptr && own.kind == Kind::kLocal) {
    for (uint16_t a : first.alternatives)
      if (s.next_hops[a].out_if == own.out_if) chosen = &s.next_hops[a];
  }
  if (chosen == nullptr && first.kind == Kind::kGateway) {
    uint64_t mix = stirred(uint64_t{t.src.raw} << 32 | t.dst.raw);
    if (s.hash_ports) mix = stirred(mix ^ (uint64_t{t.sport.raw} << 16 | t.dport.raw));
    chosen = &s.next_hops[first.alternatives[(mix >> 33) % first.alternatives.size()]];
  }
  if (chosen == nullptr) chosen = &s.next_hops[first.alternatives.front()];
  return to(*chosen, t.dst);
}

Route route_of(Worker& w, const Burst& b, unsigned i, const Tuple& post, uint32_t mark) noexcept {
  const Snapshot& s = *w.snapshot;
  if (!s.probe_ways.empty() && from_router(b, i)) [[unlikely]] {
    if (const NextHop* way = probe_way(s, post); way != nullptr) return to(*way, post.dst);
  }
  bool decided = false;
  const uint16_t hop = look_up(s, post, b.in_if[i], mark, &decided);
  KeptWay kept;
  if (b.session[i] != SessionTable::kNone && !b.icmp_error[i] &&
      b.state[i] != ConnState::kInvalid) {
    const Leg& leg = w.sessions.at(b.session[i]).leg(b.direction[i]);
    if (leg.neighbour != kNoNeighbour) kept = {leg.out_if, leg.neighbour};
  }
  const Route route = choose_route(s, hop, post, &w.neighbours, kept);
  if (decided || !leads_on(route.kind)) return route;
  const IfIndex bound = bound_to(w, b, i);
  if (bound == kNoIf || bound == route.out_if) return route;
  // A way of the same cost, or else any default route, through where it came in.
  const NextHop* back = nullptr;
  each_way(s, s.next_hops[hop], [&](const NextHop& way) {
    if (way.out_if == bound) back = &way;
  });
  // A host of a network of our own is answered there; what lies behind a PPPoE session is none.
  const bool far =
      route.kind == Kind::kGateway || s.interfaces[route.out_if].kind == IfKind::kPppoe;
  if (back == nullptr && far && bound < s.return_ways.size() && s.return_ways[bound] != 0)
    back = &s.next_hops[s.return_ways[bound]];
  return back != nullptr ? to(*back, post.dst) : route;
}

bool is_local(const Snapshot& s, be32 address) noexcept {
  return s.next_hops[s.fib->lookup(address.host())].kind == Kind::kLocal;
}

bool is_on_link(const Snapshot& s, be32 address, IfIndex interface) noexcept {
  bool found = false;
  each_way(s, s.next_hops[s.fib->lookup(address.host())], [&](const NextHop& way) {
    found |= way.kind == Kind::kConnected && way.out_if == interface;
  });
  return found;
}

bool source_is_sound(const Snapshot& s, be32 src, IfIndex in_if) noexcept {
  if (src.raw == 0) return true;  // a host that asks for an address
  const NextHop& hop = s.next_hops[s.fib->lookup(src.host())];
  if (!leads_on(hop.kind)) return false;
  if (s.rp_filter == RpFilter::kLoose) return true;
  bool found = false;
  each_way(s, hop, [&](const NextHop& way) { found |= way.out_if == in_if; });
  return found;
}

}  // namespace maclane
