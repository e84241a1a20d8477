// What rules count and remember on whole packets, once each packet (behaviour.md B-6, B-11, B-13).
#include "tests/unit/l3/filter_fixture.h"

namespace maclane::test {

TEST_F(FilterRules, AddressesComeIntoListsForATime) {  // B-13
  Draft add = make(Action::kAddSrcToList, 10);
  add.with.list = 5;
  add.with.timeout_cs = 1000;
  filter({add});
  run(udp(kPc, 1000, kServer, 53), kLan);
  EXPECT_EQ(sent().size(), 1u) << "B-5: it goes on";
  const DynamicLists& lists = w->shared->lists;
  EXPECT_TRUE(lists.contains(5, kPc, w->now.cs + 999));
  EXPECT_FALSE(lists.contains(5, kPc, w->now.cs + 1000));
  EXPECT_FALSE(lists.contains(5, kServer, w->now.cs));
}

TEST_F(FilterRules, LimitLetsTheBurstThrough) {  // B-11
  auto state = std::make_shared<RuleState>();
  Draft few = asking(Action::kAccept, 10, RuleMore::kLimit);
  few.with.limit = MeterRate::of(1, 60000, 2);
  few.with.state = state.get();
  filter({few, make(Action::kDrop, 11)});
  for (uint16_t i = 0; i < 5; ++i)
    run(udp(kPc, static_cast<uint16_t>(1000 + i), kServer, 53), kLan);
  EXPECT_EQ(rule(10).packets, 2u);
  EXPECT_EQ(rule(11).packets, 3u);
}

TEST_F(FilterRules, LimitsMayBeSlowOrFast) {  // B-11
  for (const uint64_t period_ms : {1000u, 3'600'000u, 86'400'000u}) {
    auto state = std::make_shared<RuleState>();
    Draft few = asking(Action::kAccept, 10, RuleMore::kLimit);
    few.with.limit = MeterRate::of(1, period_ms, 3);
    few.with.state = state.get();
    filter({few, make(Action::kDrop, 11)});
    const uint64_t before = rule(10).packets;
    const auto ask = [&] {
      run(udp(kPc, static_cast<uint16_t>(2000 + w->now.cs % 1000), kServer, 9), kLan);
    };
    for (int i = 0; i < 5; ++i) ask();
    EXPECT_EQ(rule(10).packets - before, 3u) << period_ms;
    w->now.cs += static_cast<uint32_t>(period_ms / 10 - 1);
    ask();
    EXPECT_EQ(rule(10).packets - before, 3u) << period_ms;
    w->now.cs += 1;
    ask();
    ask();
    EXPECT_EQ(rule(10).packets - before, 4u) << period_ms;
  }
  const MeterRate fast = MeterRate::of(32'000'000'000, 1000, 1);
  EXPECT_NEAR(static_cast<double>(fast.cost_of(32'000'000'000)), 100.0 * 4294967296.0, 1e8);
}

TEST_F(FilterRules, ConnectionLimitCountsThoseThatLive) {  // B-11
  Draft many = asking(Action::kDrop, 10, RuleMore::kConnectionLimit);
  many.with.connections = 2;
  filter({many});
  for (uint16_t i = 0; i < 5; ++i)
    run(udp(kPc, static_cast<uint16_t>(1000 + i), kServer, 53), kLan);
  EXPECT_EQ(rule(10).packets, 3u);
  EXPECT_EQ(w->sessions.size(), 2u);
  EXPECT_EQ(w->shared->counts.used(), 1u);
  run(udp(kIotHost, 1000, kServer, 53), kIot);
  EXPECT_EQ(rule(10).packets, 3u) << "another block of addresses";
  for (uint32_t i = 0; i < w->sessions.capacity(); ++i)
    if (w->sessions.at(i).has(Session::kUsed)) w->sessions.release(i);
  EXPECT_EQ(w->shared->counts.used(), 0u);
}

TEST_F(FilterRules, TarpitAsksControl) {  // B-6
  filter({make(Action::kTarpit, 10)});
  run(tcp(kPc, 1000, kServer, 80, kTcpSyn), kLan);
  const auto up = punted();
  ASSERT_EQ(up.size(), 1u);
  EXPECT_EQ(up[0].message.reason, PuntReason::kTarpit);
  EXPECT_EQ(sent().size(), 0u);
}

TEST_F(FilterRules, NthCountsAPacketOnceThoughItWaited) {  // B-11
  auto state = std::make_shared<RuleState>();
  Draft second = asking(Action::kDrop, 10, RuleMore::kNth);
  second.with.every = 2;
  second.with.nth = 1;
  second.with.state = state.get();
  filter({second});
  neighbours->remove(kWan, be32::from(kGateway));
  run(udp(kPc, 1000, kServer, 53), kLan);
  ASSERT_EQ(punted().size(), 1u);
  EXPECT_EQ(state->count.load(), 0u) << "it will come again";
}

TEST_F(FilterRules, RateOfAFormerConnectionIsNotTheNewOnes) {  // B-11
  RuleSet set;
  Rule fast;
  fast.match = Rule::kMore;
  fast.counter = 1;
  RuleMore more;
  more.match = RuleMore::kConnectionRate;
  more.rate_first = 1;
  more.rate_last = ~uint64_t{0};
  set.add_more(fast, more);
  set.rules.push_back(fast);
  set.chains.push_back({0, 1, "forward"});
  Session session;
  session.original.bytes = 100000;
  SessionNote note;
  PacketFacts facts;
  facts.session = &session;
  facts.note = &note;
  facts.owner = 3;
  facts.now.cs = 1000;
  RuleKey key;
  key.facts = &facts;
  auto record = std::make_unique<WalkRecord>();
  const auto matches = [&] {
    record->clear();
    walk_chain(&set, 0, RuleTable::kFilter, key, *record);
    return record->hits != 0;
  };
  EXPECT_FALSE(matches()) << "nothing is known yet";
  session.original.bytes += 100000;
  facts.now.cs += 50;
  EXPECT_FALSE(matches()) << "half a second is too short";
  facts.now.cs += 50;
  EXPECT_TRUE(matches());
  EXPECT_EQ(note.rate, 800000u);
  facts.owner = 5;
  facts.now.cs += 200;
  EXPECT_FALSE(matches()) << "another connection has the place now";
}

}  // namespace maclane::test
