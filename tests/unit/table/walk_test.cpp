#include "dataplane/stage/walk.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace maclane {
namespace {

std::vector<Rule> make_rules(uint32_t count) {
  std::vector<Rule> rules(count);
  for (uint32_t i = 0; i < count; ++i) rules[i].counter = i;
  return rules;
}

class Walks : public testing::Test {
 protected:
  WalkRecord& record(std::initializer_list<unsigned> hits) {
    record_->clear();
    for (unsigned h : hits) record_->hit(rules_[h]);
    return *record_;
  }
  std::vector<RuleCounter> read() {
    std::vector<RuleCounter> out(rules_.size());
    table_.read(counters_, out);
    return out;
  }
  std::vector<Rule> rules_ = make_rules(1000);
  std::unique_ptr<WalkRecord> record_ = std::make_unique<WalkRecord>();
  Counters counters_;
  WalkTable table_;
};

TEST_F(Walks, EqualWalksShareANumber) {
  const uint16_t a = table_.intern(record({1, 2, 3}));
  ASSERT_NE(a, WalkTable::kNone);
  EXPECT_EQ(table_.intern(record({1, 2, 3})), a);
  record({1, 2, 3}).dscp = 46;
  const uint16_t marked = table_.intern(*record_);
  EXPECT_NE(marked, a);
  EXPECT_EQ(table_.dscp(marked), 46);
  EXPECT_EQ(table_.dscp(a), WalkRecord::kSameDscp);
  record({1, 2, 3}).holds = Holds::kWhileSteady;
  const uint16_t steady = table_.intern(*record_);
  EXPECT_NE(steady, a);
  EXPECT_TRUE(table_.while_steady(steady));
  EXPECT_FALSE(table_.while_steady(a));
  EXPECT_NE(table_.intern(record({1, 3, 2})), a);
  EXPECT_NE(table_.intern(record({1, 2})), a);
  const uint16_t empty = table_.intern(record({}));
  EXPECT_NE(empty, a);
  EXPECT_EQ(table_.intern(record({})), empty);
}

TEST_F(Walks, WhatCannotBeInterned) {
  const auto refused = [&](auto&& change) {
    change(record({1}));
    return table_.intern(*record_) == WalkTable::kNone;
  };
  EXPECT_TRUE(refused([](WalkRecord& r) { r.holds = Holds::kForOne; }));
  EXPECT_TRUE(refused([](WalkRecord& r) { r.logged = 1; }));
  EXPECT_TRUE(refused([](WalkRecord& r) { r.effects = 1; }));
  EXPECT_TRUE(refused([](WalkRecord& r) { r.new_ttl = true; }));
  EXPECT_TRUE(refused([](WalkRecord& r) { r.clear_df = true; }));
  EXPECT_TRUE(refused([](WalkRecord& r) { r.strip_options = true; }));
  EXPECT_FALSE(refused([](WalkRecord&) {}));
}

TEST_F(Walks, FullTableAndFullArena) {
  unsigned made = 0;
  for (unsigned i = 0; i < 1000; ++i)
    for (unsigned j = 0; j < 5; ++j) made += table_.intern(record({i, j})) != WalkTable::kNone;
  EXPECT_EQ(made, WalkTable::kMaxWalks);
  EXPECT_NE(table_.intern(record({0, 0})), WalkTable::kNone);  // known ones still are
  EXPECT_EQ(table_.intern(record({999, 4})), WalkTable::kNone);
  table_.fold(counters_);
  made = 0;
  for (unsigned i = 0; i < 1000; ++i) {
    record({});
    for (unsigned h = 0; h < WalkRecord::kMaxHits; ++h) record_->rules[h] = &rules_[(i + h) % 1000];
    record_->hits = WalkRecord::kMaxHits;
    made += table_.intern(*record_) != WalkTable::kNone;
  }
  EXPECT_EQ(made, WalkTable::kMaxArena / WalkRecord::kMaxHits);
}

TEST_F(Walks, CountsAreExactOverFolds) {
  std::mt19937 random(1);
  std::vector<RuleCounter> model(rules_.size());
  for (unsigned i = 0; i < 50000; ++i) {
    record({});
    const unsigned hits = static_cast<unsigned>(random() % 6);
    for (unsigned h = 0; h < hits; ++h)
      record_->rules[record_->hits++] = &rules_[(random() % 7) * 100 + h];
    record_->holds = random() % 4 != 0 ? Holds::kForAll : Holds::kForOne;
    const auto bytes = static_cast<uint32_t>(random() % 1500);
    const uint16_t walk = table_.intern(*record_);
    ASSERT_TRUE(walk == WalkTable::kNone || record_->holds == Holds::kForAll);
    if (walk != WalkTable::kNone)
      table_.count(walk, 1, bytes);
    else
      WalkTable::count_once(*record_, bytes, counters_);
    for (unsigned h = 0; h < hits; ++h) {
      model[record_->rules[h]->counter].packets += 1;
      model[record_->rules[h]->counter].bytes += bytes;
    }
    if (random() % 1000 == 0) table_.fold(counters_);
    if (random() % 500 != 0) continue;
    const auto got = read();
    for (size_t n = 0; n < model.size(); ++n) {
      ASSERT_EQ(got[n].packets, model[n].packets);
      ASSERT_EQ(got[n].bytes, model[n].bytes);
    }
  }
}

TEST_F(Walks, AReaderNeverSeesAFoldHalfDone) {
  // Every packet counts rules 0 and 1 by 100 bytes, through ever other walks.
  std::atomic<uint64_t> done{0};
  std::atomic<bool> stop{false};
  std::thread worker([&] {
    // Each walk counts much before a fold, so that one counted twice or not at all shows.
    for (unsigned i = 0; !stop.load(std::memory_order_relaxed); ++i) {
      const uint16_t walk = table_.intern(record({0, 2 + i % 900, 1}));
      for (unsigned n = 0; n < 20; ++n) {
        table_.count(walk, 1, 100);
        done.fetch_add(1, std::memory_order_release);
      }
      if (i % 900 == 899) table_.fold(counters_);
    }
  });
  std::vector<RuleCounter> out(2);
  uint64_t wrong = 0;
  // Long enough for some hundred folds, however the two threads are scheduled.
  for (uint64_t reads = 0; reads < 20000 || done.load() < 2000000; ++reads) {
    const uint64_t before = done.load(std::memory_order_acquire);
    table_.read(counters_, out);
    const uint64_t after = done.load(std::memory_order_acquire);
    for (const RuleCounter& c : out) {
      wrong += c.packets < before || c.packets > after + 1;
    }
  }
  stop = true;
  worker.join();
  EXPECT_EQ(wrong, 0u);
  table_.read(counters_, out);
  EXPECT_EQ(out[0].packets, done.load());
  EXPECT_EQ(out[1].bytes, done.load() * 100);
}

}  // namespace
}  // namespace maclane
