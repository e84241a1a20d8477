#include "dataplane/stage/nat.h"

#include <algorithm>
#include <utility>

#include "dataplane/net/checksum.h"
#include "dataplane/stage/endpoint.h"
#include "dataplane/stage/route.h"
#include "dataplane/worker/claim.h"
#include "dataplane/worker/worker.h"

namespace maclane {
namespace {

/// One address of a range for a host: always the same (paired pooling, RFC 4787 REQ-2).
be32 pick_address(const AddressRange& range, uint32_t host) noexcept {
  const uint64_t size = uint64_t{range.last} - range.first + 1;
  if (size == 1) return be32::from(range.first);
  const uint64_t mix = host * 0x9e3779b97f4a7c15ULL;
  return be32::from(static_cast<uint32_t>(range.first + (mix >> 32) % size));
}

/// One address onto one of another prefix, with the host's bits kept (B-31).
be32 map_address(const AddressRange& range, be32 address) noexcept {
  const uint32_t host_bits = range.first ^ range.last;
  return be32::from(range.first | (address.host() & host_bits));
}

/// The address a rule says instead of `address`, for the connection of a key.
be32 new_address(Action action, const RuleMore& rule, be32 address, const RuleKey& key) noexcept {
  if (rule.to_addresses.last == 0) return address;
  if (action == Action::kNetmap) return map_address(rule.to_addresses, address);
  uint32_t host = key.src;
  if (action == Action::kSame && !rule.same_not_by_dst) host ^= key.dst * 0x85ebca6bU;
  return pick_address(rule.to_addresses, host);
}

/// Sets the source port, or the id of an ICMP query.
void set_source_port(Tuple& t, be16 port) noexcept {
  t.sport = port;
}

[[nodiscard]] bool changes_source(Action action) noexcept {
  return action == Action::kMasquerade || action == Action::kSrcNat || action == Action::kNetmap ||
         action == Action::kSame || action == Action::kEndpointIndependent;
}

/// The rewrite as checksum deltas (RFC 1624), once per session.
void precompile(Session& s) noexcept {
  const Tuple in = s.tuple(kOriginal);
  const Tuple out = s.tuple(kReply).reversed();
  const uint16_t addresses = delta_add(delta32(in.src, out.src), delta32(in.dst, out.dst));
  const uint16_t ports = delta_add(delta16(in.sport, out.sport), delta16(in.dport, out.dport));
  s.l3_delta = addresses;
  s.l4_delta = s.proto == kProtoIcmp ? ports : delta_add(addresses, ports);
}

/// Whether a default route leads out by an interface: who sends from there is outside.
bool is_uplink(const Snapshot& s, IfIndex interface) noexcept {
  return interface < s.return_ways.size() && s.return_ways[interface] != 0;
}

/// What is sent to a mapping's outer port is its inside's (N-8): from those that the inside has
/// sent to, or from everyone. From behind the router it is a hairpin, which nobody filters: those
/// there see each other as they would be seen from outside (N-9). False: it is filtered.
bool to_mapping(const Worker& w, const Tuple& t, RuleKey& key, bool by_address,
                Tuple& post) noexcept {
  if (!has_ports(t)) return true;
  const Mappings& mappings = w.shared->mappings;
  Mapping m;
  m.out_address = t.dst;
  m.out_port = t.dport;
  m.proto = t.proto;
  if (!mappings.find_outside(m)) return true;
  const bool hairpin = key.in_if != m.out_if && !is_uplink(*w.snapshot, key.in_if);
  if (!hairpin && by_address && !mappings.allows(m, t.src)) return false;
  post.dst = m.in_address;
  post.dport = m.in_port;
  key.nat |= RuleKey::kEndpointDstNat;
  if (hairpin) key.as_if = m.out_if;
  return true;
}

/// Where a connection's source goes, as the rules say.
struct SourceRule {
  PortSpan span{1, 65535};
  bool span_from_rule = false;
  bool kept = true;  // the port stays if it can
  bool endpoint_independent = false;
  uint16_t flags = 0;
};

/// What is for the router keeps its source unless a rule of the chain input says another.
[[gnu::noinline]] void walk_input(Worker& w, RuleKey& key, Tuple& out, SourceRule& rule) noexcept {
  const RuleSet& set = *w.snapshot->nat;
  if (set.input == RuleSet::kNoChain) return;
  walk_chain(&set, set.input, RuleTable::kNat, key, w.snat_walk);
  const Verdict& v = w.snat_walk.verdict;
  if (v.rule == nullptr || !changes_source(v.action)) return;
  const RuleMore& to = set.more_of(*v.rule);
  out.src = new_address(v.action, to, out.src, key);
  rule.kept = !to.randomise_ports;
  if (to.to_port_first == 0 || !has_ports(out)) return;
  rule.span = {to.to_port_first, to.to_port_last};
  rule.span_from_rule = true;
}

/// Walks srcnat; sets out.src. False: there is no address to translate to.
bool walk_srcnat(Worker& w, RuleKey& key, IfIndex out_if, Tuple& out, SourceRule& rule) noexcept {
  const Snapshot& snap = *w.snapshot;
  if (out_if == kIfLocal) {
    walk_input(w, key, out, rule);
    return true;
  }
  const IfIndex leaves = key.as_if != kNoIf ? key.as_if : out_if;
  const IfIndex out_before = std::exchange(key.out_if, leaves);
  walk_chain(snap.nat.get(), snap.nat->srcnat, RuleTable::kNat, key, w.snat_walk);
  key.out_if = out_before;
  const Verdict& v = w.snat_walk.verdict;
  if (v.rule == nullptr || !changes_source(v.action)) return true;
  const RuleMore& to = snap.nat->more_of(*v.rule);
  const bool own = v.action == Action::kMasquerade ||
                   (v.action == Action::kEndpointIndependent && to.to_addresses.last == 0);
  if (own) {
    out.src = snap.interfaces[leaves].primary_address;
    if (out.src.raw == 0) return false;
    // A hairpin's address is not that of the interface it leaves by.
    if (key.as_if == kNoIf) rule.flags |= Session::kMasquerade;
  } else {
    out.src = new_address(v.action, to, out.src, key);
  }
  rule.kept = !to.randomise_ports;
  rule.endpoint_independent = snap.endpoint_independent || v.action == Action::kEndpointIndependent;
  if (to.to_port_first != 0 && has_ports(out)) {
    rule.span = {to.to_port_first, to.to_port_last};
    rule.span_from_rule = true;
  }
  return true;
}

/// The mapping of a connection's source, held: the one it has, else a new one whose port stays if
/// it can, keeps its parity if it can (N-4), and is no other connection's towards any destination.
/// No port is shared when they run out (N-11). False: there is none.
bool by_mapping(Worker& w, const SourceRule& rule, const Tuple& t, const Tuple& out,
                Mapping& m) noexcept {
  using Held = Mappings::Held;
  Mappings& mappings = w.shared->mappings;
  const Snapshot& snap = *w.snapshot;
  const bool icmp = t.proto == kProtoIcmp;
  const bool ours = !icmp && !snap.own_ports.empty() && is_local(snap, out.src);
  const uint16_t original = t.sport.host();
  PortSpan span = rule.span;
  if (!rule.span_from_rule) span = icmp ? PortSpan{0, 65535} : port_class(original);
  bool again = true;
  // Twice: another worker may have made it meanwhile.
  for (unsigned round = 0; again && round < 2; ++round) {
    const Held known = mappings.hold(m);
    if (known == Held::kHeld) return true;
    if (known == Held::kBusy) return false;
    again = false;
    Tuple candidate = out;
    const auto usable = [&](uint16_t port) {
      set_source_port(candidate, be16::from(port));
      if (ours && std::binary_search(snap.own_ports.begin(), snap.own_ports.end(), port))
        return false;
      const Tuple reply = candidate.reversed();
      if (again || w.sessions.exists(reply) || is_claimed(w, reply)) return false;
      m.out_port = candidate.sport;
      const Held made = mappings.create(m);
      again = made == Held::kBusy;
      return made == Held::kHeld;
    };
    if (rule.kept && original >= span.first && original <= span.last && usable(original))
      return true;
    const auto even = [&](uint16_t p) { return icmp || ((p ^ original) & 1) == 0; };
    const auto home = [&](uint16_t p) {
      set_source_port(candidate, be16::from(p));
      return even(p) && w.handoff.home.of(candidate) == w.id;
    };
    uint16_t port = 0;
    if (w.count > 1 && pick_port(span, w.random, &port, home, usable)) return true;
    if (pick_port(span, w.random, &port, even, usable)) return true;
    if (pick_port(
            span, w.random, &port, [](uint16_t) { return true; }, usable))
      return true;
  }
  return false;
}

/// A port of a rule's range (B-33): the one it has if that is inside, else a free one from a random
/// start, best one whose replies come home. If none is free the source will have to change.
void pick_destination_port(Worker& w, const Tuple& t, PortSpan span, Tuple& post) noexcept {
  const uint16_t asked = t.dport.host();
  if (span.first != span.last && asked >= span.first && asked <= span.last) return;
  post.dport = be16::from(span.first);
  if (span.first == span.last) return;
  const auto with = [&](uint16_t port) {
    Tuple candidate = post;
    candidate.dport = be16::from(port);
    return candidate;
  };
  const auto mine = [&](uint16_t port) { return w.handoff.home.of(with(port)) == w.id; };
  const auto any = [](uint16_t) { return true; };
  const auto usable = [&](uint16_t port) {
    const Tuple reply = with(port).reversed();
    return !w.sessions.exists(reply) && !is_claimed(w, reply);
  };
  uint16_t port = 0;
  if ((w.count > 1 && pick_port(span, w.random, &port, mine, usable)) ||
      pick_port(span, w.random, &port, any, usable)) {
    post.dport = be16::from(port);
  }
}

/// The destination that the rule of a verdict says.
void apply_destination(Worker& w, const Tuple& t, const Verdict& v, const RuleKey& key,
                       Tuple& post) noexcept {
  const RuleMore& rule = w.snapshot->nat->more_of(*v.rule);
  if (v.action == Action::kDstNat || v.action == Action::kNetmap || v.action == Action::kSame) {
    post.dst = new_address(v.action, rule, t.dst, key);
  } else if (v.action == Action::kRedirect) {
    const be32 own = w.snapshot->interfaces[key.in_if].primary_address;
    if (own.raw != 0) post.dst = own;
  } else {
    return;
  }
  if (rule.to_port_first != 0 && has_ports(t))
    pick_destination_port(w, t, {rule.to_port_first, rule.to_port_last}, post);
}

}  // namespace

bool dnat(Worker& w, const Tuple& t, RuleKey& key, Tuple& post) noexcept {
  const RuleSet* set = w.snapshot->nat.get();
  post = t;
  w.dnat_walk.clear();
  walk_chain(set, set != nullptr ? set->dstnat : RuleSet::kNoChain, RuleTable::kNat, key,
             w.dnat_walk);
  const Verdict& v = w.dnat_walk.verdict;
  if (v.rule == nullptr)
    return !w.snapshot->endpoint_independent ||
           to_mapping(w, t, key, w.snapshot->address_filtering, post);
  if (v.action == Action::kEndpointIndependent) return to_mapping(w, t, key, false, post);
  apply_destination(w, t, v, key, post);
  return true;
}

void dnat_own(Worker& w, const Tuple& t, RuleKey& key, Tuple& post) noexcept {
  const RuleSet& set = *w.snapshot->nat;
  post = t;
  w.dnat_walk.clear();
  walk_chain(&set, set.output, RuleTable::kNat, key, w.dnat_walk);
  const Verdict& v = w.dnat_walk.verdict;
  if (v.rule != nullptr) apply_destination(w, t, v, key, post);
}

SnatResult snat_and_create(Worker& w, const Tuple& t, const Tuple& post, RuleKey& key,
                           IfIndex out_if, TimeoutClass timeout_class,
                           const Expectation* expected) noexcept {
  const Snapshot& snap = *w.snapshot;
  Tuple out = post;
  SourceRule rule;
  w.snat_walk.clear();
  if (expected != nullptr) {
    rule.flags |= Session::kExpected;
    if ((expected->flags & Expectation::kByRules) != 0 && out_if != kIfLocal &&
        snap.nat != nullptr && !walk_srcnat(w, key, out_if, out, rule)) {
      return {SessionTable::kNone, Drop::nat_no_address};
    }
    if (expected->to_src.raw != 0) out.src = expected->to_src;
    if (expected->to_sport.raw != 0) out.sport = expected->to_sport;
    if (expected->known_as.raw != 0 && expected->known_src == t.src &&
        expected->known_sport == t.sport && !(out.src == t.src)) {
      out.sport = expected->known_as;
      rule.kept = true;
      rule.span_from_rule = rule.endpoint_independent = false;
    }
  } else if (snap.nat != nullptr && !walk_srcnat(w, key, out_if, out, rule)) {
    return {SessionTable::kNone, Drop::nat_no_address};
  }
  PortSpan span = rule.span;
  const bool span_from_rule = rule.span_from_rule;
  uint16_t flags = rule.flags;
  if (!(post == t)) flags |= Session::kDstNat;
  if ((key.nat & RuleKey::kEndpointDstNat) != 0) flags |= Session::kDstMapped;

  const bool translatable = has_ports(t) || t.proto == kProtoIcmp;
  const uint16_t original_port = t.sport.host();
  Drop reason = Drop::session_table_full;
  const auto take = [&](const Tuple& candidate) {
    if (w.sessions.full() && w.sessions.evict(w.now.cs, snap.timeouts)) ++w.counters.evicted;
    const uint32_t id = w.sessions.create(t, candidate.reversed(), timeout_class, w.now.cs);
    if (id == SessionTable::kNone) return SessionTable::kNone;
    Session& s = w.sessions.at(id);
    const bool translated = !(candidate.src == t.src);
    if (translated || !(candidate.sport == t.sport)) flags |= Session::kSrcNat;
    w.last_source = translated ? candidate.src : be32{};
    s.flags |= flags;
    precompile(s);
    if (w.count > 1 && !claim_reply(w, id)) {
      w.sessions.release(id);
      reason = Drop::handoff_full;
      return SessionTable::kNone;
    }
    return id;
  };
  const auto is_free = [&](const Tuple& candidate) {
    const Tuple reply = candidate.reversed();
    if (w.sessions.exists(reply) || is_claimed(w, reply)) return false;
    return candidate.src == t.src || !is_mapped(w, candidate);
  };

  if (rule.endpoint_independent && translatable && !(out.src == t.src)) {
    Mapping m{t.src, out.src, t.sport, {}, t.proto, key.as_if != kNoIf ? key.as_if : out_if};
    if (!by_mapping(w, rule, t, out, m)) return {SessionTable::kNone, Drop::nat_ports_exhausted};
    Tuple candidate = out;
    candidate.sport = m.out_port;
    const uint32_t id = take(candidate);
    if (id == SessionTable::kNone) {
      w.shared->mappings.release(m);
      return {id, reason};
    }
    w.sessions.at(id).set(Session::kSrcMapped);
    w.shared->mappings.allow(m, t.dst);
    return {id, reason};
  }

  // Port preservation first (B-33 1): the reply tuple itself says whether the port is free.
  const bool inside =
      (rule.kept || !translatable) &&
      (!span_from_rule || (original_port >= span.first && original_port <= span.last));
  // Where RSS decides, a kept port may lead replies to another worker; another port need not.
  const bool comes_home =
      !w.handoff.home.rss() || out.src == t.src || !has_ports(t) || w.handoff.home.of(out) == w.id;
  if (inside && comes_home && is_free(out)) {
    const uint32_t id = take(out);
    return {id, reason};
  }
  if (!translatable) return {SessionTable::kNone, Drop::nat_ports_exhausted};

  if (!span_from_rule) {
    if (t.proto == kProtoIcmp)
      span = {0, 65535};
    else
      span = port_class(original_port);
  }
  uint16_t port = 0;
  Tuple candidate = out;
  const auto mine = [&](uint16_t p) {
    set_source_port(candidate, be16::from(p));
    return w.count == 1 || w.handoff.home.of(candidate) == w.id;
  };
  const auto any = [&](uint16_t p) {
    set_source_port(candidate, be16::from(p));
    return true;
  };
  const auto usable = [&](uint16_t /*p, which candidate has*/) { return is_free(candidate); };
  // A port whose reply comes home; if a rule leaves none, one whose reply must be claimed.
  if (!pick_port(span, w.random, &port, mine, usable) &&
      (w.count == 1 || !pick_port(span, w.random, &port, any, usable))) {
    return {SessionTable::kNone, Drop::nat_ports_exhausted};
  }
  set_source_port(candidate, be16::from(port));
  const uint32_t id = take(candidate);
  return {id, reason};
}

}  // namespace maclane
