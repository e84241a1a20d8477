// An indexed chain is walked as it would be without the index: the same rules match in the same
// order, with the same verdict, and the walk may be kept for the session exactly when the other
// may.
#include "dataplane/table/rule_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "dataplane/stage/filter.h"

namespace maclane {
namespace {

uint32_t mask_of(unsigned length) {
  return length == 0 ? 0 : ~uint32_t{0} << (32 - length);
}

AddressRange prefix(uint32_t address, unsigned length) {
  return {address & mask_of(length), address | ~mask_of(length)};
}

RuleIndex::Key fields(const RuleKey& key) {
  return {key.dst, key.src, key.dport, key.sport, key.in_if, key.out_if, key.proto};
}

/// Makes rule sets and packets of few values, so that they meet.
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
    RuleMore more;
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
      default:
        r.action = Action::kPassthrough;
        break;
    }
    set.add_more(r, more);
    return r;
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

class RuleIndexTest : public testing::Test {
 protected:
  void walk(const RuleSet& set, const RuleKey& key, WalkRecord& record) {
    walk_chain(&set, set.forward, key, record);
  }

  void expect_same(const RuleSet& linear, const RuleSet& indexed, const RuleKey& key) {
    walk(linear, key, *a_);
    walk(indexed, key, *b_);
    ASSERT_EQ(a_->hits, b_->hits);
    for (unsigned i = 0; i < a_->hits; ++i) {
      ASSERT_EQ(a_->rules[i] - linear.rules.data(), b_->rules[i] - indexed.rules.data());
      ASSERT_EQ(a_->chains[i], b_->chains[i]);
    }
    ASSERT_EQ(a_->verdict.action, b_->verdict.action);
    ASSERT_EQ(a_->verdict.reject, b_->verdict.reject);
    ASSERT_EQ(a_->verdict.rule == nullptr, b_->verdict.rule == nullptr);
    if (a_->verdict.rule != nullptr) {
      ASSERT_EQ(a_->verdict.rule - linear.rules.data(), b_->verdict.rule - indexed.rules.data());
    }
    ASSERT_EQ(a_->logs, b_->logs);
    ASSERT_EQ(a_->cacheable, b_->cacheable);
    hits_ += a_->hits;
    cacheable_ += a_->cacheable ? 1 : 0;
  }

  void compare(Maker& make, const RuleSet& linear, uint32_t packets) {
    RuleSet indexed = linear;
    index_rules(indexed);
    for (uint32_t i = 0; i < packets; ++i) {
      expect_same(linear, indexed, make.key(linear));
      if (HasFatalFailure()) return;
    }
  }

  std::unique_ptr<WalkRecord> a_ = std::make_unique<WalkRecord>();
  std::unique_ptr<WalkRecord> b_ = std::make_unique<WalkRecord>();
  uint64_t hits_ = 0;
  uint64_t cacheable_ = 0;
};

TEST_F(RuleIndexTest, AgreesWithTheLinearWalk) {
  for (uint32_t seed = 1; seed <= 120; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Maker make(seed);
    const uint32_t rules = seed % 12 == 0 ? 1 + make.below(2000) : 1 + make.below(200);
    const RuleSet set = make.rule_set(rules, 1 + seed % 5, seed % 3 == 0 ? 3 : 12);
    compare(make, set, 300);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(hits_, 120u * 300u);  // the packets do meet rules
  EXPECT_GT(cacheable_, 0u);
}

TEST_F(RuleIndexTest, AgreesWithTheLinearWalkOfTenThousandRules) {
  for (uint32_t seed = 1001; seed <= 1003; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Maker make(seed);
    compare(make, make.rule_set(10000, 1 + seed % 3, 12), 60);
    if (HasFatalFailure()) return;
  }
}

/// A walk that is kept for a session says what every packet of the session would get.
TEST_F(RuleIndexTest, KeptWalksDoNotDependOnThePacket) {
  unsigned kept = 0;
  for (uint32_t seed = 2001; seed <= 2030; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Maker make(seed);
    RuleSet set = make.rule_set(1 + make.below(80), 3, 8);
    for (Rule& rule : set.rules) {
      rule.log = false;
      if (rule.action == Action::kLog) rule.action = Action::kPassthrough;
    }
    index_rules(set);
    for (unsigned i = 0; i < 200; ++i) {
      RuleKey key = make.key(set);
      if (make.one_in(2)) key.proto = kProtoIcmp;
      walk(set, key, *a_);
      if (!a_->cacheable) continue;
      ++kept;
      for (unsigned change = 0; change < 12; ++change) {
        if (key.proto == kProtoIcmp) {
          key.icmp_type = static_cast<uint8_t>(change % 3);
          key.icmp_code = static_cast<uint8_t>(change % 4);
        }
        if (key.state == ConnState::kNew) key.nat = static_cast<uint8_t>(change / 3);
        walk(set, key, *b_);
        ASSERT_EQ(a_->hits, b_->hits);
        ASSERT_TRUE(std::equal(a_->rules.begin(), a_->rules.begin() + a_->hits, b_->rules.begin()));
        ASSERT_EQ(a_->verdict.rule, b_->verdict.rule);
      }
    }
  }
  EXPECT_GT(kept, 500u);
}

/// `count` rules, each made by `each`.
template <typename Each>
RuleSet one_chain(uint32_t count, Each&& each) {
  RuleSet set;
  for (uint32_t i = 0; i < count; ++i) {
    Rule r;
    r.action = Action::kPassthrough;
    r.counter = i;
    each(set, r, i);
    set.rules.push_back(r);
  }
  set.chains.push_back({0, count, "forward"});
  set.forward = 0;
  return set;
}

void dst_port(RuleSet& set, Rule& r, uint16_t first, uint16_t last) {
  r.match = static_cast<uint16_t>(r.match | Rule::kDstPort);
  r.dst_ports = static_cast<uint32_t>(set.ports.size());
  r.dst_port_count = 1;
  set.ports.push_back({first, last});
}

/// At most this much memory, whatever the rules are.
size_t bytes_of(const RuleSet& set) {
  const auto index = RuleIndex::build(set, 0, set.chains[0].count);
  return index == nullptr ? 0 : index->bytes();
}

TEST_F(RuleIndexTest, WorstCasesAgreeAndStayBounded) {
  constexpr uint32_t kRules = 3000;
  constexpr size_t kMost = kRules * (RuleIndex::kMaxCopies * 2 + 64);
  Maker make(7);
  const std::vector<RuleSet> sets{
      // all the same
      one_chain(kRules,
                [](RuleSet& set, Rule& r, uint32_t) {
                  r.match = Rule::kSrc | Rule::kDst | Rule::kProtocol;
                  r.src = prefix(0x0a000000, 16);
                  r.dst = prefix(0x0a000000, 26);
                  r.protocol = 6;
                  dst_port(set, r, 10, 20);
                }),
      // no matcher at all
      one_chain(kRules, [](RuleSet&, Rule&, uint32_t) {}),
      // all wide, by every matcher that has a range
      one_chain(kRules,
                [&](RuleSet& set, Rule& r, uint32_t i) {
                  r.match = Rule::kSrc | Rule::kDst;
                  r.src = prefix(make.address(), i % 4);
                  r.dst = prefix(make.address(), i % 3);
                  dst_port(set, r, static_cast<uint16_t>(i % 7), 0xffff);
                }),
      // all negated
      one_chain(kRules,
                [&](RuleSet&, Rule& r, uint32_t) {
                  r.match = Rule::kSrc | Rule::kDst | Rule::kProtocol | Rule::kInInterface;
                  r.negate = r.match;
                  r.src = make.range();
                  r.dst = make.range();
                  r.protocol = make.protocol();
                  r.in_if = make.interface();
                }),
      // nested: every range within the one before
      one_chain(kRules,
                [](RuleSet&, Rule& r, uint32_t i) {
                  r.match = Rule::kDst;
                  r.dst = {0x0a000000 + i, 0x0a002000 - i};
                }),
      // overlapping like roof tiles
      one_chain(kRules,
                [](RuleSet&, Rule& r, uint32_t i) {
                  r.match = Rule::kSrc;
                  r.src = {0x0a000000 + i, 0x0a000400 + i};
                }),
      // the edges of the numbers
      one_chain(kRules,
                [](RuleSet& set, Rule& r, uint32_t i) {
                  r.match = Rule::kDst | Rule::kInInterface;
                  r.dst = i % 2 != 0 ? AddressRange{0, i} : AddressRange{~i, ~0u};
                  r.in_if = static_cast<IfIndex>(i % 5 != 0 ? 0xffff : 0);
                  if (i % 3 == 0) dst_port(set, r, 0xffff, 0xffff);
                  if (i % 7 == 0) dst_port(set, r, 0, 0);
                }),
  };
  for (size_t i = 0; i < sets.size(); ++i) {
    SCOPED_TRACE("set " + std::to_string(i));
    compare(make, sets[i], 40);
    if (HasFatalFailure()) return;
    EXPECT_LE(bytes_of(sets[i]), kMost);
  }
}

TEST_F(RuleIndexTest, ShortChainsAndUselessIndexesAreNotMade) {
  const auto host = [](RuleSet&, Rule& r, uint32_t i) {
    r.match = Rule::kDst;
    r.dst = {i, i};
  };
  RuleSet few = one_chain(RuleIndex::kFewRules - 1, host);
  index_rules(few);
  EXPECT_EQ(few.chains[0].index, nullptr);
  RuleSet enough = one_chain(RuleIndex::kFewRules, host);
  index_rules(enough);
  EXPECT_NE(enough.chains[0].index, nullptr);
  RuleSet any = one_chain(100, [](RuleSet&, Rule&, uint32_t) {});
  index_rules(any);
  EXPECT_EQ(any.chains[0].index, nullptr);
}

TEST_F(RuleIndexTest, FewOfTenThousandRulesAreLookedAt) {
  constexpr uint32_t kRules = 10000;
  Maker make(99);
  const RuleSet set = one_chain(kRules, [&](RuleSet& rules, Rule& r, uint32_t i) {
    r.protocol = 6;
    r.match = Rule::kProtocol;
    const auto add = [&](uint16_t what) { r.match = static_cast<uint16_t>(r.match | what); };
    switch (i % 4) {
      case 0:  // a host; all the same port
        add(Rule::kDst);
        r.dst = prefix(0x0a000000 + i, 32);
        dst_port(rules, r, 443, 443);
        break;
      case 1:  // a host within a network that holds all of them
        add(Rule::kSrc | Rule::kDst);
        r.src = prefix(0x0a000000 + i, 32);
        r.dst = prefix(0x0a000000, 8);
        break;
      case 2:  // a vport
        add(Rule::kInInterface);
        r.in_if = static_cast<IfIndex>(1 + i % 4000);
        break;
      default:  // a port, to everywhere
        add(Rule::kDst);
        r.dst = prefix(0, 0);
        dst_port(rules, r, static_cast<uint16_t>(i), static_cast<uint16_t>(i + 2));
        break;
    }
  });
  const auto index = RuleIndex::build(set, 0, kRules);
  ASSERT_NE(index, nullptr);
  EXPECT_EQ(index->rest(), 0u);
  EXPECT_LT(index->bytes(), 1u << 20);
  RuleSet indexed = set;
  indexed.chains[0].index = index;
  unsigned most = 0;
  for (unsigned i = 0; i < 5000; ++i) {
    RuleKey key;
    key.proto = 6;
    key.src = 0x0a000000 + make.below(kRules);
    key.dst = 0x0a000000 + make.below(kRules);
    key.dport = static_cast<uint16_t>(make.one_in(2) ? 443 : make.below(kRules));
    key.in_if = static_cast<IfIndex>(1 + make.below(4000));
    RuleIndex::Cursor cursor;
    cursor.start(*index, fields(key));
    unsigned looked_at = 0;
    while (cursor.next() != RuleIndex::kEnd) ++looked_at;
    most = std::max(most, looked_at);
    if (i % 16 == 0) expect_same(set, indexed, key);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(most, 0u);
  EXPECT_LE(most, 64u);
}

TEST_F(RuleIndexTest, WideRangesAndLongListsAreFiledRoughly) {
  constexpr uint32_t kRules = 10000;
  Maker make(12);
  const auto long_list = std::make_shared<AddressSet>();
  for (uint32_t i = 0; i < 100000; ++i) long_list->push_back({i * 7, i * 7 + 1});
  const RuleSet set = one_chain(kRules, [&](RuleSet& rules, Rule& r, uint32_t i) {
    if (i == 0) rules.address_sets.push_back(long_list);
    r.match = i % 2 != 0 ? Rule::kDst : Rule::kDst | Rule::kDstList;
    r.dst = {100 * i, 100 * i + 200000};
  });
  const auto index = RuleIndex::build(set, 0, kRules);
  ASSERT_NE(index, nullptr);
  EXPECT_EQ(index->rest(), 0u);
  EXPECT_LT(index->bytes(), 3u << 20);
  RuleSet indexed = set;
  indexed.chains[0].index = index;
  for (unsigned i = 0; i < 30; ++i) {
    RuleKey key;
    key.dst = make.below(1200000);
    expect_same(set, indexed, key);
    if (HasFatalFailure()) return;
  }
}

TEST_F(RuleIndexTest, ListsAreTheirMembers) {
  RuleSet set = one_chain(1000, [](RuleSet& rules, Rule& r, uint32_t i) {
    const uint32_t base = 0x0a000000 + i * 256;
    rules.address_sets.push_back(std::make_shared<AddressSet>(
        AddressSet{{base, base + 3}, {base + 9, base + 9}, {base + 100, base + 200}}));
    r.match = Rule::kSrcList;
    r.src_list = static_cast<uint16_t>(i);
  });
  const auto index = RuleIndex::build(set, 0, 1000);
  ASSERT_NE(index, nullptr);
  EXPECT_EQ(index->rest(), 0u);
  RuleIndex::Cursor cursor;
  cursor.start(*index, {0, 0x0a000000 + 77 * 256 + 9});
  EXPECT_EQ(cursor.next(), 77);
  EXPECT_EQ(cursor.next(), RuleIndex::kEnd);
  cursor.start(*index, {0, 0x0a000000 + 77 * 256 + 10});
  EXPECT_EQ(cursor.next(), RuleIndex::kEnd);
}

}  // namespace
}  // namespace maclane
