#include "dataplane/stage/match.h"

#include "dataplane/stage/tcp_options.h"

namespace maclane {
namespace {

bool in_ports(const RuleSet& set, uint32_t first, uint16_t count, uint16_t port) noexcept {
  for (uint32_t i = first; i < first + count; ++i)
    if (port >= set.ports[i].first && port <= set.ports[i].last) return true;
  return false;
}

/// True if the matcher is set and its answer, turned round if negated, is no.
template <typename What, typename Bit, typename Test>
bool fails(const What& what, Bit bit, Test&& test) noexcept {
  return (what.match & bit) != 0 && test() == ((what.negate & bit) != 0);
}

bool in_list(const RuleSet& set, uint16_t list, uint32_t address, const RuleKey& key) noexcept {
  if (contains(*set.address_sets[list], address)) return true;
  const uint16_t dynamic = set.dynamic_lists.empty() ? uint16_t{0} : set.dynamic_lists[list];
  return dynamic != 0 && key.facts != nullptr && key.facts->shared != nullptr &&
         key.facts->shared->lists.contains(dynamic, address, key.facts->now.cs);
}

AddressType type_of(const Snapshot* s, uint32_t address) noexcept {
  if ((address >> 28) == 0xe) return AddressType::kMulticast;
  if (address == 0xffffffffu || address == 0) return AddressType::kBroadcast;
  if (s == nullptr || s->fib == nullptr) return AddressType::kUnicast;
  switch (s->next_hops[s->fib->lookup(address)].kind) {
    case NextHop::Kind::kLocal:
      return AddressType::kLocal;
    case NextHop::Kind::kBroadcast:
      return AddressType::kBroadcast;
    case NextHop::Kind::kBlackhole:
      // 127.0.0.0/8 is the router's own, wherever it may go (compile_routes).
      return (address >> 24) == 127 ? AddressType::kLocal : AddressType::kBlackhole;
    default:
      return AddressType::kUnicast;
  }
}

bool type_in(const RuleKey& key, uint8_t types, uint32_t address) noexcept {
  const Snapshot* s = key.facts != nullptr ? key.facts->snapshot : nullptr;
  return ((types >> static_cast<unsigned>(type_of(s, address))) & 1) != 0;
}

bool type_fits(const RuleMore& more, const RuleKey& key) noexcept {
  return key.helper != 0 && ((more.connection_types >> key.helper) & 1) != 0;
}

/// RuleMore's share of session_matches().
bool more_session_matches(const RuleSet& set, const RuleMore& more, const RuleKey& key) noexcept {
  using M = RuleMore;
  const auto no = [&](M::Match bit, auto&& test) { return fails(more, bit, test); };
  if (no(M::kConnectionMark, [&] { return key.connection_mark == more.connection_mark; }))
    return false;
  if (no(M::kPacketMark, [&] { return key.packet_mark == more.packet_mark; })) return false;
  if (no(M::kRoutingMark, [&] { return key.routing_mark == more.routing_mark; })) return false;
  if (no(M::kAnyPort, [&] {
        return in_ports(set, more.ports, more.port_count, key.sport) ||
               in_ports(set, more.ports, more.port_count, key.dport);
      }))
    return false;
  // Of a new connection's first packet it is not settled yet: packet_matches() asks then.
  if (key.state != ConnState::kNew && no(M::kConnectionType, [&] { return type_fits(more, key); }))
    return false;
  if (no(M::kClassifier, [&] {
        return (classify_key(more.classifier, key, 0) >> 32) % more.denominator == more.remainder;
      }))
    return false;
  if (no(M::kSrcType, [&] { return type_in(key, more.src_types, key.src); })) return false;
  return !no(M::kDstType, [&] { return type_in(key, more.dst_types, key.dst); });
}

struct Options {
  bool any = false, loose = false, strict = false, record = false, alert = false, time = false;
};

Options options_of(Bytes bytes) noexcept {
  Options found;
  if (bytes.size() < sizeof(Ip4Hdr)) return found;
  const size_t end = std::min<size_t>((bytes[0] & 0xfu) * 4u, bytes.size());
  for (size_t at = sizeof(Ip4Hdr); at < end;) {
    const uint8_t type = bytes[at];
    if (type == 0) break;
    found.any = found.any || type != 1;
    found.loose |= type == 131;
    found.strict |= type == 137;
    found.record |= type == 7;
    found.alert |= type == 148;
    found.time |= type == 68;
    at += type == 1 || at + 1 >= end || bytes[at + 1] < 2 ? 1u : bytes[at + 1];
  }
  return found;
}

bool option_matches(IpOption wanted, Bytes bytes) noexcept {
  const Options o = options_of(bytes);
  switch (wanted) {
    case IpOption::kAny:
      return o.any;
    case IpOption::kLooseSourceRouting:
      return o.loose;
    case IpOption::kStrictSourceRouting:
      return o.strict;
    case IpOption::kNoSourceRouting:
      return !o.loose && !o.strict;
    case IpOption::kRecordRoute:
      return o.record;
    case IpOption::kNoRecordRoute:
      return !o.record;
    case IpOption::kRouterAlert:
      return o.alert;
    case IpOption::kNoRouterAlert:
      return !o.alert;
    case IpOption::kTimestamp:
      return o.time;
    case IpOption::kNoTimestamp:
      return !o.time;
    case IpOption::kNone:
      return !o.any;
  }
  return false;
}

/// Bits a second over at least the last second, taken anew when that is over.
uint64_t rate_of(const PacketFacts& f) noexcept {
  if (f.session == nullptr || f.note == nullptr) return 0;
  SessionNote& n = *f.note;
  const uint64_t bytes = f.session->original.bytes + f.session->reply.bytes;
  const uint32_t passed = f.now.cs - n.rate_cs;
  const bool known = n.rate_of == f.owner;
  if (known && passed < 100) return n.rate;
  n.rate = known ? (bytes - n.rate_bytes) * 800 / passed : 0;
  n.rate_bytes = bytes;
  n.rate_cs = f.now.cs;
  n.rate_of = f.owner;
  return n.rate;
}

/// What only the packet itself can answer.
bool facts_match(const RuleSet& set, const RuleMore& more, const RuleKey& key,
                 const PacketFacts& f) noexcept {
  using M = RuleMore;
  const auto no = [&](M::Match bit, auto&& test) { return fails(more, bit, test); };
  if (no(M::kTcpFlags, [&] {
        return key.proto == kProtoTcp && (f.tcp_flags & more.tcp_set) == more.tcp_set &&
               (f.tcp_flags & more.tcp_clear) == 0;
      }))
    return false;
  if (no(M::kPacketSize, [&] { return f.length >= more.size_first && f.length <= more.size_last; }))
    return false;
  if (no(M::kSrcMac, [&] { return f.src_mac == more.src_mac; })) return false;
  if (no(M::kFragment, [&] { return f.fragment; })) return false;
  if (no(M::kOptions, [&] { return option_matches(static_cast<IpOption>(more.options), f.bytes); }))
    return false;
  if (no(M::kTcpMss, [&] {
        const uint16_t mss = key.proto == kProtoTcp && f.is_syn() ? mss_of(f.bytes) : uint16_t{0};
        return mss != 0 && mss >= more.mss_first && mss <= more.mss_last;
      }))
    return false;
  if (no(M::kConnectionBytes, [&] {
        const uint64_t so_far =
            f.session != nullptr ? f.session->original.bytes + f.session->reply.bytes : 0;
        const uint64_t bytes = so_far + f.length;
        return bytes >= more.bytes_first && bytes <= more.bytes_last;
      }))
    return false;
  if (no(M::kConnectionRate, [&] {
        const uint64_t rate = rate_of(f);
        return rate >= more.rate_first && rate <= more.rate_last;
      }))
    return false;
  if (no(M::kContent, [&] { return holds(f.bytes, set.texts[more.text]); })) return false;
  return !no(M::kTlsHost, [&] {
    const std::string_view host = key.proto == kProtoTcp ? tls_host(f.payload) : "";
    return !host.empty() && fits(host, set.texts[more.text]);
  });
}

uint32_t block_of(uint32_t address, uint8_t length) noexcept {
  return length == 0 ? 0 : address & (~uint32_t{0} << (32 - length));
}

/// Whether more connections than allowed are counted, this one included.
bool too_many(const Rule& rule, const RuleMore& more, const RuleKey& key, const PacketFacts& f,
              WalkRecord& record) noexcept {
  if (f.shared == nullptr || key.state == ConnState::kInvalid ||
      key.state == ConnState::kUntracked) {
    return false;
  }
  const uint64_t block = ConnectionCounts::key_of(
      rule.counter, block_of(key.src, more.block_length), more.block_length);
  uint32_t count = f.shared->counts.count(block);
  bool counted = false;
  if (f.note != nullptr && f.session != nullptr && f.session->has(Session::kCounted)) {
    for (const SessionNote::Counted& one : f.note->counted)
      counted |= one.word != 0 && one.rule == rule.counter;
  }
  if (!counted) {
    ++count;
    record.note({Effect::Kind::kCount, &rule, &more, block, 0});
  }
  return count > more.connections;
}

/// The matchers that count who asks, in an order of their own; each asks only if those before it
/// said yes.
bool counts_match(const Rule& rule, const RuleMore& more, const RuleKey& key, const PacketFacts& f,
                  WalkRecord& record) noexcept {
  using M = RuleMore;
  const auto no = [&](M::Match bit, auto&& test) { return fails(more, bit, test); };
  RuleState* const state = more.state;
  if (no(M::kRandom,
         [&] { return f.random != nullptr && (f.random->next() >> 32) % 100 < more.random; }))
    return false;
  if (no(M::kNth, [&] {
        record.note({Effect::Kind::kNth, &rule, &more, 0, 0});
        return state->count.load(std::memory_order_relaxed) % more.every == more.nth;
      }))
    return false;
  if (no(M::kScan, [&] {
        return (key.proto == kProtoTcp || key.proto == kProtoUdp) &&
               state->scans->is_scan(more.scan, key.src, key.dport, f.now.cs);
      }))
    return false;
  if (no(M::kConnectionLimit, [&] { return too_many(rule, more, key, f, record); })) return false;
  if (no(M::kLimit, [&] {
        const uint64_t cost = more.limit.cost_of(more.by_bits ? f.length * uint64_t{8} : 1);
        if (!state->limit.allows(more.limit, cost, f.now.fine())) return false;
        record.note({Effect::Kind::kLimit, &rule, &more, cost, 0});
        return true;
      }))
    return false;
  return !no(M::kDstLimit, [&] {
    const uint64_t who = classify_key(more.dst_mode, key, state->seed);
    const uint64_t cost = more.dst_limit.cost_of(1);
    if (!state->keyed->allows(who, more.dst_limit, cost, f.now, more.dst_expire_cs)) return false;
    record.note({Effect::Kind::kDstLimit, &rule, &more, who, cost});
    return true;
  });
}

/// Matchers of TCP flags whose answer is one for all packets that leave a connection as it is.
constexpr uint8_t kStateFlags = kTcpFin | kTcpSyn | kTcpRst | kTcpAck;

}  // namespace

uint64_t classify_key(uint8_t mode, const RuleKey& key, uint64_t seed) noexcept {
  uint64_t h = seed ^ 0x9e3779b97f4a7c15ULL;
  const auto mix = [&](uint64_t value) {
    h = (h ^ value) * 0xd6e8feb86659fd93ULL;
    h ^= h >> 32;
  };
  if ((mode & kClassifySrc) != 0) mix(key.src);
  if ((mode & kClassifyDst) != 0) mix(uint64_t{key.dst} << 1);
  if ((mode & kClassifySrcPort) != 0) mix(uint64_t{key.sport} << 2);
  if ((mode & kClassifyDstPort) != 0) mix(uint64_t{key.dport} << 3);
  h *= 0x9e3779b97f4a7c15ULL;
  return h ^ h >> 29;
}

bool session_matches(const RuleSet& set, const Rule& rule, const RuleKey& key) noexcept {
  const auto no = [&](Rule::Match bit, auto&& test) { return fails(rule, bit, test); };
  if (no(Rule::kState,
         [&] { return ((rule.state_mask >> static_cast<unsigned>(key.state)) & 1) != 0; }))
    return false;
  if (no(Rule::kProtocol, [&] { return key.proto == rule.protocol; })) return false;
  if (no(Rule::kInInterface, [&] { return key.in_if == rule.in_if; })) return false;
  if (no(Rule::kOutInterface, [&] { return key.out_if == rule.out_if; })) return false;
  if (no(Rule::kSrc, [&] { return rule.src.contains(key.src); })) return false;
  if (no(Rule::kDst, [&] { return rule.dst.contains(key.dst); })) return false;
  if (no(Rule::kSrcPort,
         [&] { return in_ports(set, rule.src_ports, rule.src_port_count, key.sport); }))
    return false;
  if (no(Rule::kDstPort,
         [&] { return in_ports(set, rule.dst_ports, rule.dst_port_count, key.dport); }))
    return false;
  if (no(Rule::kInList, [&] { return contains(set.interface_sets[rule.in_list], key.in_if); }))
    return false;
  if (no(Rule::kOutList, [&] { return contains(set.interface_sets[rule.out_list], key.out_if); }))
    return false;
  if (no(Rule::kSrcList, [&] { return in_list(set, rule.src_list, key.src, key); })) return false;
  if (no(Rule::kDstList, [&] { return in_list(set, rule.dst_list, key.dst, key); })) return false;
  return (rule.match & Rule::kMore) == 0 || more_session_matches(set, set.more_of(rule), key);
}

Holds packet_holds(const RuleSet& set, const Rule& rule, const RuleKey& key) noexcept {
  // An ICMP session carries many codes; srcnat is decided only after the first walk, and so is
  // which helper a connection has.
  if ((rule.match & Rule::kIcmp) != 0 && key.proto == kProtoIcmp) return Holds::kForOne;
  if ((rule.match & Rule::kNatState) != 0 && key.state == ConnState::kNew) return Holds::kForOne;
  if ((rule.match & Rule::kMore) == 0) return Holds::kForAll;
  const RuleMore& more = set.more_of(rule);
  if ((more.match & RuleMore::kConnectionType) != 0 && key.state == ConnState::kNew)
    return Holds::kForOne;
  // A connection has no fragments: where there is one, nothing is tracked (B-12).
  uint32_t left = more.match & ~(RuleMore::kSteady | RuleMore::kFragment);
  if (left == 0) return Holds::kForAll;
  if (((more.tcp_set | more.tcp_clear) & ~kStateFlags) == 0) left &= ~uint32_t{RuleMore::kTcpFlags};
  left &= ~uint32_t{RuleMore::kTcpMss};  // only a SYN has it
  if (left != 0) return Holds::kForOne;
  const bool steady = key.facts != nullptr && (key.facts->tcp_flags & kStateFlags) == kTcpAck;
  return key.proto != kProtoTcp ? Holds::kForAll : steady ? Holds::kWhileSteady : Holds::kForOne;
}

bool packet_matches(const RuleSet& set, const Rule& rule, const RuleKey& key,
                    WalkRecord& record) noexcept {
  if (fails(rule, Rule::kIcmp, [&] {
        return key.proto == kProtoIcmp && key.icmp_type == rule.icmp_type &&
               key.icmp_code >= rule.icmp_code_first && key.icmp_code <= rule.icmp_code_last;
      }))
    return false;
  if (fails(rule, Rule::kNatState, [&] { return (key.nat & rule.nat_mask) != 0; })) return false;
  if ((rule.match & Rule::kMore) == 0) return true;
  const RuleMore& more = set.more_of(rule);
  using M = RuleMore;
  if (key.state == ConnState::kNew &&
      fails(more, M::kConnectionType, [&] { return type_fits(more, key); }))
    return false;
  if ((more.match & ~M::kSteady) == 0) return true;
  if (fails(more, M::kTtl, [&] { return key.ttl >= more.ttl_first && key.ttl <= more.ttl_last; }))
    return false;
  if (fails(more, M::kDscp, [&] { return key.dscp == more.dscp; })) return false;
  if (fails(more, M::kPriority, [&] { return key.priority == more.priority; })) return false;
  if (fails(more, M::kIngressPriority,
            [&] { return key.ingress_priority == more.ingress_priority; }))
    return false;
  constexpr uint32_t kOfKey = M::kSteady | M::kTtl | M::kDscp | M::kPriority | M::kIngressPriority;
  if ((more.match & ~kOfKey) == 0) return true;
  if (key.facts == nullptr) return false;
  if (!facts_match(set, more, key, *key.facts)) return false;
  return (more.match & M::kCounting) == 0 || counts_match(rule, more, key, *key.facts, record);
}

}  // namespace maclane
