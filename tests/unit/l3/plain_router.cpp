#include "tests/unit/l3/plain_router.h"

#include <fmt/format.h>

#include <algorithm>

#include "dataplane/stage/filter.h"
#include "tests/unit/l3/fixture.h"

namespace maclane::test {

/// A packet as the next rule sees it.
struct PlainRouter::Seen {
  IfIndex in_if = 0, out_if = 0;
  Flow flow;
  ConnState state = ConnState::kUntracked;
  uint8_t nat = 0;
  uint32_t connection_mark = 0, packet_mark = 0;
  uint16_t size = 0;
  uint8_t ttl = 64, dscp = 0;
  bool syn = false;
  bool fast_tracks = false;  // some rule said so

  [[nodiscard]] uint32_t value(Field f) const {
    switch (f) {
      case Field::kInIf:
        return in_if;
      case Field::kOutIf:
        return out_if;
      case Field::kSrc:
        return flow.src;
      case Field::kDst:
        return flow.dst;
      case Field::kProto:
        return flow.proto;
      case Field::kDstPort:
        return flow.dport;
      case Field::kState:
        return 1u << static_cast<unsigned>(state);
      case Field::kNat:
        return nat;
      case Field::kConnectionMark:
        return connection_mark;
      case Field::kPacketMark:
        return packet_mark;
      case Field::kSize:
        return size;
      case Field::kTtl:
        return ttl;
      case Field::kDscp:
        return dscp;
      case Field::kSyn:
        return syn ? 1 : 0;
    }
    return 0;
  }
  [[nodiscard]] bool fits(const PlainRule& rule) const {
    return std::all_of(rule.matchers.begin(), rule.matchers.end(), [&](const Matcher& m) {
      const uint32_t v = value(m.field);
      const bool mask = m.field == Field::kState || m.field == Field::kNat;
      return (mask ? (v & m.first) != 0 : v >= m.first && v <= m.last) != m.negated;
    });
  }
};

namespace {

bool has_ports(uint8_t proto) {
  return proto == kProtoTcp || proto == kProtoUdp;
}
bool is_own(uint32_t address) {
  return address == kLanIp || address == kWanIp || address == ip4(203, 0, 113, 9) ||
         address == ip4(192, 168, 99, 1);
}
IfIndex way_to(uint32_t address) {
  if (address >> 8 == kPc >> 8) return kLan;
  return address >> 8 == kIotHost >> 8 ? kIot : kWan;
}

}  // namespace

PlainRouter::Walk PlainRouter::walk(const PlainChain& chain, Seen& seen, Hits& hits,
                                    const PlainRule** decided) {
  for (const PlainRule& rule : chain) {
    if (!seen.fits(rule)) continue;
    hits.push_back(rule.slot);
    switch (rule.action) {
      case Action::kPassthrough:
        break;
      case Action::kJump:
        if (walk(rules.filter_sub, seen, hits, decided) == Walk::kDecided) return Walk::kDecided;
        break;
      case Action::kReturn:
        return Walk::kReturned;
      case Action::kFastTrack:
        seen.fast_tracks = seen.fast_tracks || has_ports(seen.flow.proto);
        break;
      case Action::kMarkConnection:
        seen.connection_mark = rule.value;
        if (!rule.passthrough) return Walk::kDecided;
        break;
      case Action::kMarkPacket:
        seen.packet_mark = rule.value;
        if (!rule.passthrough) return Walk::kDecided;
        break;
      case Action::kChangeDscp:
        seen.dscp = static_cast<uint8_t>(rule.value);
        if (!rule.passthrough) return Walk::kDecided;
        break;
      case Action::kChangeTtl: {
        const int by = static_cast<int>(rule.value);
        const int ttl = rule.ttl == RuleMore::Ttl::kSet         ? by
                        : rule.ttl == RuleMore::Ttl::kIncrement ? seen.ttl + by
                                                                : seen.ttl - by;
        seen.ttl = static_cast<uint8_t>(std::clamp(ttl, 0, 255));
        if (!rule.passthrough) return Walk::kDecided;
        break;
      }
      default:
        *decided = &rule;
        return Walk::kDecided;
    }
  }
  return Walk::kEnd;
}

const PlainRule* PlainRouter::ask(const PlainChain& chain, Seen& seen, Hits& hits) {
  const PlainRule* decided = nullptr;
  (void)walk(chain, seen, hits, &decided);
  return decided;
}

void PlainRouter::count(Hits& hits, uint32_t bytes) {
  for (const uint32_t slot : hits) {
    ++counters[slot].packets;
    counters[slot].bytes += bytes;
  }
  hits.clear();
}

PlainConnection* PlainRouter::find(const Flow& flow, uint8_t* direction) {
  for (PlainConnection& c : connections) {
    for (const uint8_t way : {kOriginal, kReply}) {
      if ((way == kOriginal ? c.original : c.reply) != flow) continue;
      if (direction != nullptr) *direction = way;
      return &c;
    }
  }
  return nullptr;
}

void PlainRouter::forget(const PlainConnection* c) {
  connections.remove_if([&](const PlainConnection& one) { return &one == c; });
}

void PlainRouter::blame(const PlainConnection& c, const char* what) {
  wrong += fmt::format("protocol {} {:08x}:{} to {:08x}:{} in state {}, class {}: {}; ",
                       c.original.proto, c.original.src, c.original.sport, c.original.dst,
                       c.original.dport, static_cast<unsigned>(c.state),
                       static_cast<unsigned>(effective(c)), what);
}

uint8_t PlainRouter::nat_of(const PlainConnection& c) const {
  const Flow out = c.reply.reversed();
  return static_cast<uint8_t>(
      ((out.src != c.original.src || out.sport != c.original.sport) ? RuleKey::kSrcNat : 0) |
      ((out.dst != c.original.dst || out.dport != c.original.dport) ? RuleKey::kDstNat : 0));
}

bool PlainRouter::is_free(const Flow& reply) const {
  return std::none_of(connections.begin(), connections.end(), [&](const PlainConnection& c) {
    return c.reply == reply || c.original == reply;
  });
}

bool PlainRouter::make_room() {
  if (connections.size() < limit) return true;
  PlainConnection* gone = nullptr;
  bool some = false;
  for (PlainConnection& c : connections) {
    some = some || !is_assured(c);
    // Of a burst of several that open, the others' go with them.
    if (gone == nullptr && !real_.stands(c.original)) gone = &c;
  }
  if (gone == nullptr) {
    if (some) wrong += "refused a connection though there were some that are not assured; ";
    return false;
  }
  if (is_assured(*gone)) blame(*gone, "given up though it is assured");
  forget(gone);
  return connections.size() < limit;
}

PlainConnection* PlainRouter::open(const PlainPacket& p, const Flow& post, const Seen& seen,
                                   Hits& hits, uint32_t now) {
  Seen leaving = seen;
  Flow out = post;
  const PlainRule* rule = ask(rules.srcnat, leaving, hits);
  const bool masquerades = rule != nullptr && rule->action == Action::kMasquerade;
  if (masquerades) out.src = outer;
  const bool kept = is_free(out.reversed());
  if (!make_room()) return nullptr;
  PlainConnection c;
  c.original = p.flow;
  c.masqueraded = masquerades;
  c.created = c.last_seen = now;
  if (!kept) {
    // B-33: another of its class, or any id.
    const uint16_t port = real_.source_port(p.flow);
    const auto sort = [](uint16_t n) { return n < 512 ? 0 : n < 1024 ? 1 : 2; };
    if (p.flow.proto != kProtoIcmp && sort(port) != sort(out.sport))
      wrong += fmt::format("port {} was chosen for {}; ", port, out.sport);
    out.sport = port;
    if (!is_free(out.reversed())) wrong += fmt::format("port {} is another's; ", port);
  }
  c.reply = out.reversed();
  switch (p.flow.proto) {
    case kProtoTcp:
      c.state = (p.tcp_flags & kTcpSyn) != 0 ? TcpState::kSynSent : TcpState::kEstablished;
      c.waits =
          (p.tcp_flags & kTcpSyn) != 0 ? TimeoutClass::kTcpSynSent : TimeoutClass::kTcpUnacked;
      break;
    case kProtoUdp:
      c.waits = TimeoutClass::kUdp;
      break;
    default:
      c.waits = TimeoutClass::kIcmp;
      break;
  }
  return &connections.emplace_back(c);
}

PlainRouter::Outcome PlainRouter::take(const PlainPacket& p, uint32_t now) {
  Outcome o;
  Hits hits, dnat_hits, snat_hits;
  uint8_t direction = kOriginal;
  PlainConnection* c = p.quoted ? nullptr : find(p.flow, &direction);
  Seen seen;
  seen.in_if = p.in_if;
  seen.flow = p.flow;
  seen.size = p.size;
  seen.ttl = p.ttl;
  seen.dscp = p.dscp;
  seen.syn = p.flow.proto == kProtoTcp && (p.tcp_flags & (kTcpSyn | kTcpAck)) == kTcpSyn;
  const auto end = [&] {
    if (c != nullptr && c->ends) forget(c);  // whatever becomes of what ended it
    count(hits, p.size);
    count(dnat_hits, p.size);
    count(snat_hits, p.size);
    return o;
  };
  const auto refused = [](const PlainRule* rule) {
    return rule != nullptr && (rule->action == Action::kDrop || rule->action == Action::kReject);
  };

  bool untracked = false;
  const auto passes_raw = [&] {
    const PlainRule* raw = ask(rules.raw, seen, hits);
    untracked = raw != nullptr && raw->action == Action::kNotrack;
    return !refused(raw);
  };
  const bool was_fast_tracked = c != nullptr && c->fast_tracked;
  if (!was_fast_tracked && !passes_raw()) return end();
  o.tracked = !untracked;
  Flow post = p.flow;
  if (untracked) {
    c = nullptr;
  } else if (p.quoted) {
    c = find(p.quoted->reversed(), &direction);
    seen.state = c != nullptr ? ConnState::kRelated : ConnState::kInvalid;
  } else {
    const ConnState state = c != nullptr ? track(p, c, direction, now) : opening(p);
    // What ended a FastTracked connection is not of one.
    if (was_fast_tracked && c == nullptr && !passes_raw()) return end();
    o.tracked = !untracked;
    if (!untracked) seen.state = state;
  }
  o.state = seen.state;
  const bool opens = c == nullptr && seen.state == ConnState::kNew;
  if (seen.state == ConnState::kInvalid) c = nullptr;
  if (c != nullptr) {
    seen.connection_mark = c->mark;
    seen.nat = nat_of(*c);
    const Flow& other = direction == kOriginal ? c->reply : c->original;
    post.dst = other.src;
    if (!p.quoted) post.dport = other.sport;
  }
  const bool passes_rules = !(c != nullptr && c->fast_tracked && !p.quoted);
  if (passes_rules) {
    (void)ask(rules.mangle_prerouting, seen, hits);
  } else {
    hits = {fast_track_slot};
  }
  if (opens) {
    const PlainRule* rule = ask(rules.dstnat, seen, dnat_hits);
    if (rule != nullptr && rule->action == Action::kDstNat) {
      post.dst = rule->to_address;
      if (has_ports(post.proto) && rule->to_port != 0) post.dport = rule->to_port;
    }
    if (post != p.flow) seen.nat |= RuleKey::kDstNat;
  }
  seen.flow.dst = post.dst;
  seen.flow.dport = post.dport;
  if (is_own(post.dst)) return end();  // the router's own filter lets nothing in
  o.out_if = way_to(post.dst);
  if (down[o.out_if]) return end();  // the route is gone with it
  if (seen.ttl <= 1) return end();
  --seen.ttl;
  seen.out_if = o.out_if;
  if (passes_rules) {
    (void)ask(rules.mangle_forward, seen, hits);
    if (refused(ask(rules.filter, seen, hits))) return end();
    (void)ask(rules.mangle_postrouting, seen, hits);
  }
  if (opens) {
    c = open(p, post, seen, snat_hits, now);
    if (c == nullptr) return end();
    direction = kOriginal;
  }
  o.flow = p.flow;
  if (c != nullptr) {
    c->mark = seen.connection_mark;
    if (p.quoted) {
      const Flow& other = direction == kOriginal ? c->reply : c->original;
      o.flow.dst = other.src;
      // Who says it is told only if it is the end itself that says it.
      if (p.flow.src == (direction == kOriginal ? c->original : c->reply).src)
        o.flow.src = other.dst;
      o.quoted = other;
    } else {
      o.flow = (direction == kOriginal ? c->reply : c->original).reversed();
      if (seen.fast_tracks) c->fast_tracked = true;
      ++c->packets[direction];
      c->bytes[direction] += p.size;
    }
  }
  o.ttl = seen.ttl;
  o.dscp = seen.dscp;
  o.sent = true;
  return end();
}

}  // namespace maclane::test
