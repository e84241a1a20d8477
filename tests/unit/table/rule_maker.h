// Rule sets and packets at random, of few values, so that they meet.
#pragma once

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "dataplane/stage/filter.h"
#include "dataplane/table/rule_index.h"

namespace maclane::test {

inline uint32_t mask_of(unsigned length) {
  return length == 0 ? 0 : ~uint32_t{0} << (32 - length);
}

inline AddressRange prefix(uint32_t address, unsigned length) {
  return {address & mask_of(length), address | ~mask_of(length)};
}

inline RuleIndex::Key fields(const RuleKey& key) {
  return {key.dst, key.src, key.dport, key.sport, key.in_if, key.out_if, key.proto};
}

class Maker {
 public:
  explicit Maker(uint32_t seed) : random_(seed) {}

  uint32_t below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }
  bool one_in(uint32_t n) { return below(n) == 0; }

  uint32_t address() {
    switch (below(4)) {
      case 0:
        return 0x0a000000 + below(64);
      case 1:
        return 0x0a000000 + below(0x10000);
      case 2:
        return 0xfffffff0 + below(16);
      default:
        return static_cast<uint32_t>(random_());
    }
  }

  AddressRange range() {
    switch (below(4)) {
      case 0: {
        const uint32_t a = address();
        const uint32_t b = address();
        return {std::min(a, b), std::max(a, b)};
      }
      case 1:
        return prefix(address(), below(33));
      default:
        return prefix(address(), 24 + below(9));
    }
  }

  AddressSet address_set(uint32_t size) {
    std::vector<uint32_t> edges;
    for (uint32_t i = 0; i < 2 * size; ++i) edges.push_back(address());
    std::sort(edges.begin(), edges.end());
    edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
    AddressSet set;
    for (size_t i = 0; i + 1 < edges.size(); i += 2) set.push_back({edges[i], edges[i + 1]});
    return set;
  }

  RuleSet rule_set(uint32_t rules, uint32_t chains, uint32_t negated_one_in) {
    RuleSet set;
    for (uint32_t size : {0u, 1u, 5u, 40u, 700u})
      set.address_sets.push_back(std::make_shared<AddressSet>(address_set(size)));
    for (uint32_t size : {0u, 1u, 6u, 900u}) {
      InterfaceSet& members = set.interface_sets.emplace_back();
      for (uint32_t i = 0; i < size; ++i) {
        const uint32_t member = size > 100 ? below(kMaxInterfaces) : below(12);
        members[member >> 6] |= uint64_t{1} << (member & 63);
      }
    }
    for (uint32_t c = 0; c < chains; ++c) {
      const auto first = static_cast<uint32_t>(set.rules.size());
      const uint32_t count = c == 0 ? rules : below(rules / 2 + 2);
      set.chains.push_back({first, count, "c" + std::to_string(c)});
      for (uint32_t i = 0; i < count; ++i)
        set.rules.push_back(rule(set, c, chains, negated_one_in));
    }
    for (uint32_t i = 0; i < set.rules.size(); ++i) set.rules[i].counter = i;
    set.forward = 0;
    set.dynamic_lists = {0, 0, 1, 0, 2};
    set.texts = {"GET /", "*.example.org"};
    return set;
  }

  Rule rule(RuleSet& set, uint32_t chain, uint32_t chains, uint32_t negated_one_in) {
    Rule r;
    const uint32_t most = below(5);
    for (uint32_t i = 0; i < most; ++i) r.match |= 1u << below(14);
    for (unsigned bit = 0; bit < 14; ++bit)
      if (one_in(negated_one_in)) r.negate |= 1u << bit;
    r.in_if = interface();
    r.out_if = interface();
    r.in_list = static_cast<uint16_t>(below(static_cast<uint32_t>(set.interface_sets.size())));
    r.out_list = static_cast<uint16_t>(below(static_cast<uint32_t>(set.interface_sets.size())));
    r.src_list = static_cast<uint16_t>(below(static_cast<uint32_t>(set.address_sets.size())));
    r.dst_list = static_cast<uint16_t>(below(static_cast<uint32_t>(set.address_sets.size())));
    r.src = range();
    r.dst = range();
    r.protocol = protocol();
    ports(set, r.src_ports, r.src_port_count);
    ports(set, r.dst_ports, r.dst_port_count);
    r.state_mask = static_cast<uint8_t>(below(16));
    r.nat_mask = static_cast<uint8_t>(below(4));
    r.icmp_type = static_cast<uint8_t>(below(3));
    r.icmp_code_first = static_cast<uint8_t>(below(2));
    r.icmp_code_last = static_cast<uint8_t>(1 + below(3));
    r.log = one_in(20);
    RuleMore more = this->more(set, negated_one_in);
    if (more.match != 0) r.match |= Rule::kMore;
    more.reject = static_cast<RejectWith>(below(8));
    switch (below(8)) {
      case 0:
        if (chain + 1 < chains) {
          r.action = Action::kJump;
          more.jump_chain = static_cast<uint16_t>(chain + 1 + below(chains - chain - 1));
          break;
        }
        [[fallthrough]];
      case 1:
        r.action = one_in(4) ? Action::kReturn : Action::kPassthrough;
        break;
      case 2:
        r.action = Action::kLog;
        break;
      case 3:
        r.action = one_in(2) ? Action::kAccept : Action::kReject;
        break;
      case 4:
        r.action = static_cast<Action>(static_cast<unsigned>(Action::kFastTrack) + below(10));
        more.mark = below(3);
        more.passthrough = !one_in(6);
        more.mss = static_cast<uint16_t>(below(2) * 1300);
        more.ttl = static_cast<uint8_t>(1 + below(3));
        more.ttl_change = static_cast<RuleMore::Ttl>(below(3));
        more.new_dscp = static_cast<uint8_t>(below(3));
        break;
      default:
        r.action = Action::kPassthrough;
        break;
    }
    set.add_more(r, more);
    return r;
  }

  /// What few rules have: mostly nothing, else one or two of all there is.
  RuleMore more(RuleSet& set, uint32_t negated_one_in) {
    RuleMore m;
    if (!one_in(3)) return m;
    for (uint32_t i = 0; i < 1 + below(2); ++i) m.match |= 1u << below(RuleMore::kMatchers);
    for (unsigned bit = 0; bit < RuleMore::kMatchers; ++bit)
      if (one_in(negated_one_in)) m.negate |= 1u << bit;
    ports(set, m.ports, m.port_count);
    m.src_types = static_cast<uint8_t>(below(32));
    m.dst_types = static_cast<uint8_t>(below(32));
    m.tcp_set = static_cast<uint8_t>(below(256) & below(256) & 0x1f);
    m.tcp_clear = static_cast<uint8_t>(below(256) & below(256) & ~m.tcp_set);
    m.src_mac.bytes[5] = static_cast<uint8_t>(below(2));
    m.mss_first = 1000;
    m.mss_last = static_cast<uint16_t>(1000 + below(1000));
    m.size_first = static_cast<uint16_t>(below(100));
    m.size_last = static_cast<uint16_t>(m.size_first + below(100));
    m.ttl_first = static_cast<uint8_t>(below(3));
    m.ttl_last = static_cast<uint8_t>(m.ttl_first + below(3));
    m.dscp = static_cast<uint8_t>(below(3));
    m.options = static_cast<uint8_t>(below(11));
    m.connection_mark = below(3);
    m.packet_mark = below(3);
    m.routing_mark = below(3);
    m.connection_types = below(16);
    m.bytes_first = below(1000);
    m.bytes_last = m.bytes_first + below(3000);
    m.rate_first = below(1000);
    m.rate_last = m.rate_first + below(100000);
    m.classifier = static_cast<uint8_t>(1 + below(15));
    m.denominator = 1 + below(3);
    m.remainder = below(m.denominator);
    m.random = static_cast<uint8_t>(1 + below(99));
    m.every = 1 + below(3);
    m.nth = below(m.every);
    m.block_length = static_cast<uint8_t>(24 + below(9));
    m.connections = below(3);
    m.by_bits = one_in(2);
    m.limit = MeterRate::of(1 + below(20), 1000, m.by_bits ? 4000 : 1 + below(10));
    m.dst_limit = MeterRate::of(1 + below(20), 1000, 1 + below(3));
    m.dst_expire_cs = 1 + below(200);
    m.dst_mode = static_cast<uint8_t>(1 + below(15));
    m.scan = {1 + below(6), 100, 3, 1};
    m.text = static_cast<uint16_t>((m.match & RuleMore::kTlsHost) != 0 ? 1 : 0);
    if ((m.match & RuleMore::kCounting) != 0) {
      set.states.push_back(fresh_state());
      m.state = set.states.back().get();
    }
    return m;
  }

  static std::shared_ptr<RuleState> fresh_state() {
    auto state = std::make_shared<RuleState>();
    state->keyed = std::make_unique<KeyedMeters>(16);
    state->scans = std::make_unique<ScanTable>(16);
    return state;
  }

  /// The packet itself, of few kinds.
  void facts(RuleKey& key, PacketFacts& f, std::vector<uint8_t>& packet, Session& session) {
    packet.assign(28 + (one_in(3) ? 4u : 0u) + 20 + below(40), 0);
    const bool options = one_in(4);
    packet[0] = options ? 0x46 : 0x45;
    const size_t l4 = options ? 24 : 20;
    if (options) packet[20] = static_cast<uint8_t>(one_in(2) ? 7 : 1);
    if (options && packet[20] == 7) packet[21] = 4;
    packet[l4 + 12] = 0x60;
    packet[l4 + 20] = 2;  // an MSS
    packet[l4 + 21] = 4;
    packet[l4 + 22] = static_cast<uint8_t>(3 + below(4));
    if (one_in(4)) std::memcpy(packet.data() + l4 + 4, "GET /", 5);
    f = {};
    f.bytes = packet;
    f.payload = f.bytes.subspan(l4 + 8);
    f.length = static_cast<uint16_t>(packet.size());
    f.tcp_flags = static_cast<uint8_t>(one_in(2) ? kTcpAck : one_in(2) ? kTcpSyn : below(256));
    f.src_mac.bytes[5] = static_cast<uint8_t>(below(3));
    session.original.bytes = below(3000);
    f.session = one_in(3) ? nullptr : &session;
    key.ttl = static_cast<uint8_t>(below(5));
    key.dscp = static_cast<uint8_t>(below(4));
    key.facts = &f;
  }

  /// A packet, as a rule likes it or not.
  RuleKey key(const RuleSet& set) {
    RuleKey k;
    k.src = address();
    k.dst = address();
    k.sport = port();
    k.dport = port();
    k.in_if = interface();
    k.out_if = interface();
    k.proto = protocol();
    if (!set.rules.empty()) {
      const Rule& r = set.rules[below(static_cast<uint32_t>(set.rules.size()))];
      if (one_in(2)) k.src = edge(r.src);
      if (one_in(2)) k.dst = edge(r.dst);
      if (one_in(2)) k.proto = r.protocol;
      if (one_in(2)) k.in_if = r.in_if;
      if (one_in(2)) k.out_if = r.out_if;
      if (r.dst_port_count != 0 && one_in(2)) k.dport = set.ports[r.dst_ports].last;
    }
    k.icmp_type = static_cast<uint8_t>(below(3));
    k.icmp_code = static_cast<uint8_t>(below(4));
    k.state = static_cast<ConnState>(below(4));
    k.nat = static_cast<uint8_t>(below(4));
    k.helper = static_cast<uint8_t>(below(5));
    k.connection_mark = below(3);
    k.packet_mark = below(3);
    k.routing_mark = below(3);
    return k;
  }

  uint8_t protocol() {
    constexpr std::array<uint8_t, 5> kSome{6, 6, 17, 1, 47};
    return one_in(8) ? static_cast<uint8_t>(random_()) : kSome[below(5)];
  }
  IfIndex interface() {
    return static_cast<IfIndex>(one_in(20)  ? 0xffff
                                : one_in(4) ? below(kMaxInterfaces)
                                            : below(12));
  }
  uint16_t port() {
    return static_cast<uint16_t>(one_in(8) ? 0xffff : one_in(3) ? random_() : below(32));
  }

 private:
  uint32_t edge(const AddressRange& r) {
    switch (below(5)) {
      case 0:
        return r.first;
      case 1:
        return r.last;
      case 2:
        return r.first - 1;
      case 3:
        return r.last + 1;
      default:
        return r.first + (r.last - r.first) / 2;
    }
  }

  void ports(RuleSet& set, uint32_t& first, uint16_t& count) {
    first = static_cast<uint32_t>(set.ports.size());
    count = static_cast<uint16_t>(below(one_in(10) ? 15 : 3));
    for (uint16_t i = 0; i < count; ++i) {
      const uint16_t a = port();
      const uint16_t b = one_in(3) ? port() : a;
      set.ports.push_back({std::min(a, b), std::max(a, b)});
    }
  }

  std::mt19937 random_;
};

/// The same rules that remember for themselves.
inline RuleSet with_own_states(const RuleSet& set) {
  RuleSet own = set;
  own.states.clear();
  for (RuleMore& more : own.more) {
    if (more.state == nullptr) continue;
    own.states.push_back(Maker::fresh_state());
    more.state = own.states.back().get();
  }
  return own;
}

inline void walk(const RuleSet& set, RuleKey& key, WalkRecord& record) {
  record.clear();
  walk_chain(&set, set.forward, RuleTable::kFilter, key, record);
}

/// What a worker would do behind a walk (stage/effects.h).
inline void take(const WalkRecord& record, Now now) {
  for (unsigned i = 0; i < record.effects; ++i) {
    const Effect& e = record.effect[i];
    if (e.kind == Effect::Kind::kLimit) e.more->state->limit.take(e.a, now.fine());
    if (e.kind == Effect::Kind::kDstLimit)
      e.more->state->keyed->take(e.a, e.b, now, e.more->dst_expire_cs);
    if (e.kind == Effect::Kind::kNth) e.more->state->count.fetch_add(1);
  }
}

}  // namespace maclane::test
