// An indexed chain is walked as it would be without the index: the same rules match in the same
// order, with the same verdict, and the walk may be kept for the session exactly when the other
// may.
#include "tests/unit/table/rule_index_fixture.h"

namespace maclane {
namespace {

using test::fields;
using test::Maker;
using test::prefix;
using test::RuleIndexTest;
using test::take;
using test::walk;
using test::with_own_states;

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
  EXPECT_GT(kept_, 0u);
  for (unsigned bit = 0; bit < RuleMore::kMatchers; ++bit)
    EXPECT_GT(matched_[bit], 0u) << "no packet met a rule with matcher " << bit;
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
  unsigned steady = 0;
  for (uint32_t seed = 2001; seed <= 2060; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Maker make(seed);
    RuleSet set = make.rule_set(1 + make.below(80), 3, 8);
    index_rules(set);
    std::vector<uint8_t> packet;
    Session session;
    SessionNote note;
    PacketFacts facts;
    for (unsigned i = 0; i < 300; ++i) {
      RuleKey key = make.key(set);
      if (make.one_in(2)) key.proto = make.one_in(2) ? kProtoIcmp : kProtoTcp;
      const auto vary = [&](RuleKey& one) {
        make.facts(one, facts, packet, session);
        facts.note = &note;
        facts.random = &random_a_;
        if (one.proto == kProtoIcmp) {
          one.icmp_type = static_cast<uint8_t>(make.below(3));
          one.icmp_code = static_cast<uint8_t>(make.below(4));
        }
        if (one.state == ConnState::kNew) {
          one.nat = static_cast<uint8_t>(make.below(4));
          one.helper = static_cast<uint8_t>(make.below(5));
        }
      };
      RuleKey first = key;
      vary(first);
      walk(set, first, *a_);
      // A walk that changed the connection's mark is true of one packet (slow_path.cpp: commit).
      if (a_->holds == Holds::kForOne || a_->logged != 0 || a_->effects != 0 || a_->new_ttl ||
          a_->clear_df || a_->strip_options || first.connection_mark != key.connection_mark) {
        continue;
      }
      ++kept;
      steady += a_->holds == Holds::kWhileSteady ? 1 : 0;
      for (unsigned change = 0; change < 12; ++change) {
        RuleKey other = key;
        vary(other);
        if (a_->holds == Holds::kWhileSteady)
          facts.tcp_flags = static_cast<uint8_t>((facts.tcp_flags & 0xe8) | kTcpAck);
        walk(set, other, *b_);
        if (a_->hits != b_->hits) {
          for (unsigned q = 0; q < std::max(a_->hits, b_->hits); ++q)
            for (auto* r :
                 {q < a_->hits ? a_->rules[q] : nullptr, q < b_->hits ? b_->rules[q] : nullptr})
              if (r)
                printf("%u: c%u match %x neg %x more %x/%x act %d proto %d set %x clear %x\n", q,
                       r->counter, r->match, r->negate, set.more_of(*r).match,
                       set.more_of(*r).negate, (int)r->action, key.proto, set.more_of(*r).tcp_set,
                       set.more_of(*r).tcp_clear);
          printf("holds %d state %d flags %x\n", (int)a_->holds, (int)key.state, facts.tcp_flags);
        }
        ASSERT_EQ(a_->hits, b_->hits);
        ASSERT_TRUE(std::equal(a_->rules.begin(), a_->rules.begin() + a_->hits, b_->rules.begin()));
        ASSERT_EQ(a_->verdict.rule, b_->verdict.rule);
        ASSERT_EQ(a_->dscp, b_->dscp);
        ASSERT_EQ(b_->mss, 0);
        ASSERT_EQ(first.packet_mark, other.packet_mark);
        ASSERT_EQ(first.routing_mark, other.routing_mark);
      }
    }
  }
  EXPECT_GT(kept, 500u);
  EXPECT_GT(steady, 10u);
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
  r.match |= Rule::kDstPort;
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
    const auto add = [&](uint32_t what) { r.match |= what; };
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
