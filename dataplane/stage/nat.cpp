#include "dataplane/stage/nat.h"

#include "dataplane/net/checksum.h"
#include "dataplane/worker/claim.h"
#include "dataplane/worker/worker.h"

namespace maclane {
namespace {

[[nodiscard]] bool has_ports(uint8_t proto) noexcept {
  return proto == kProtoTcp || proto == kProtoUdp;
}

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
         action == Action::kSame;
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

}  // namespace

Tuple dnat(Worker& w, const Tuple& t, RuleKey& key) noexcept {
  const RuleSet* set = w.snapshot->nat.get();
  Tuple post = t;
  w.dnat_walk.clear();
  walk_chain(set, set != nullptr ? set->dstnat : RuleSet::kNoChain, RuleTable::kNat, key,
             w.dnat_walk);
  const Verdict& v = w.dnat_walk.verdict;
  if (v.rule == nullptr) return post;
  const RuleMore& rule = set->more_of(*v.rule);
  if (v.action == Action::kDstNat || v.action == Action::kNetmap || v.action == Action::kSame) {
    post.dst = new_address(v.action, rule, t.dst, key);
  } else if (v.action == Action::kRedirect) {
    const be32 own = w.snapshot->interfaces[key.in_if].primary_address;
    if (own.raw != 0) post.dst = own;
  } else {
    return post;
  }
  if (rule.to_port_first != 0 && has_ports(t.proto)) {
    const uint32_t span = static_cast<uint32_t>(rule.to_port_last) - rule.to_port_first + 1;
    // within a range the port stays if it can, else it follows the host
    const bool inside = key.dport >= rule.to_port_first && key.dport <= rule.to_port_last;
    if (!inside)
      post.dport = be16::from(static_cast<uint16_t>(rule.to_port_first + key.src % span));
  }
  return post;
}

SnatResult snat_and_create(Worker& w, const Tuple& t, const Tuple& post, RuleKey& key,
                           IfIndex out_if, TimeoutClass timeout_class,
                           const Expectation* expected) noexcept {
  const Snapshot& snap = *w.snapshot;
  Tuple out = post;
  uint16_t flags = post == t ? uint16_t{0} : uint16_t{Session::kDstNat};
  PortSpan span{1, 65535};
  bool span_from_rule = false;
  bool kept = true;  // the port stays if it can

  w.snat_walk.clear();
  if (expected != nullptr) {
    flags |= Session::kExpected;
    if (expected->to_src.raw != 0) out.src = expected->to_src;
    if (expected->to_sport.raw != 0) out.sport = expected->to_sport;
  } else if (out_if != kIfLocal && snap.nat != nullptr) {
    walk_chain(snap.nat.get(), snap.nat->srcnat, RuleTable::kNat, key, w.snat_walk);
    const Verdict& v = w.snat_walk.verdict;
    const RuleMore& to = v.rule != nullptr ? snap.nat->more_of(*v.rule) : snap.nat->more.front();
    if (v.action == Action::kMasquerade) {
      out.src = snap.interfaces[out_if].primary_address;
      if (out.src.raw == 0) return {SessionTable::kNone, Drop::nat_no_address};
      flags |= Session::kMasquerade;
    } else if (changes_source(v.action)) {
      out.src = new_address(v.action, to, out.src, key);
    }
    if (changes_source(v.action)) {
      kept = !to.randomise_ports;
      if (to.to_port_first != 0 && has_ports(t.proto)) {
        span = {to.to_port_first, to.to_port_last};
        span_from_rule = true;
      }
    }
  }

  const bool translatable = has_ports(t.proto) || t.proto == kProtoIcmp;
  const uint16_t original_port = t.sport.host();
  Drop reason = Drop::session_table_full;
  const auto take = [&](const Tuple& candidate) {
    if (w.sessions.full()) (void)w.sessions.evict();
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
    return !w.sessions.exists(reply) && !is_claimed(w, reply);
  };

  // Port preservation first (B-33 1): the reply tuple itself says whether the port is free.
  const bool inside =
      (kept || !translatable) &&
      (!span_from_rule || (original_port >= span.first && original_port <= span.last));
  // Where RSS decides, a kept port may lead replies to another worker; another port need not.
  const bool comes_home = !w.handoff.home.rss() || out.src == t.src || !has_ports(t.proto) ||
                          w.handoff.home.of(out) == w.id;
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
