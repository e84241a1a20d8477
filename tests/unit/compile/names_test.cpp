// Numbers that stay: interface indexes, counter slots and their baselines.
#include "control/compile/names.h"

#include <numeric>

#include "tests/unit/compile/testing.h"

namespace maclane::compile {
namespace {

bool set(Names& names, std::initializer_list<std::string_view> wanted) {
  names.forget_changes();
  return names.set_interfaces(std::vector<std::string_view>(wanted));
}

TEST(Names, IndexesStayWhileTheNameIsThere) {
  Names names;
  ASSERT_TRUE(set(names, {"a", "b"}));
  EXPECT_EQ(names.index_of("a"), 1);
  EXPECT_EQ(names.index_of("b"), 2);
  EXPECT_EQ(names.index_of("c"), kNoIf);
  EXPECT_EQ(names.name_of(2), "b");
  EXPECT_EQ(names.name_of(99), "");
  EXPECT_EQ(names.added(), (std::vector<IfIndex>{1, 2}));
  ASSERT_TRUE(set(names, {"c", "b"}));
  EXPECT_EQ(names.index_of("b"), 2);
  EXPECT_EQ(names.index_of("c"), 3);
  EXPECT_EQ(names.index_of("a"), kNoIf);
  EXPECT_EQ(names.name_of(1), "");
  EXPECT_EQ(names.removed(), (std::vector<IfIndex>{1}));
}

TEST(Names, ANewNameKeepsTheNumber) {
  Names names;
  ASSERT_TRUE(set(names, {"a", "b", "c"}));
  names.forget_changes();
  names.rename({{"a", "b"}, {"b", "a"}});  // they change places
  ASSERT_TRUE(names.set_interfaces(std::vector<std::string_view>{"a", "b", "c"}));
  EXPECT_EQ(names.index_of("a"), 2);
  EXPECT_EQ(names.index_of("b"), 1);
  EXPECT_EQ(names.name_of(1), "b");
  EXPECT_TRUE(names.added().empty() && names.removed().empty());
  // The name of one that goes with the same change.
  names.forget_changes();
  names.rename({{"c", "a"}});
  ASSERT_TRUE(names.set_interfaces(std::vector<std::string_view>{"a", "b"}));
  EXPECT_EQ(names.index_of("a"), 3);
  EXPECT_EQ(names.name_of(3), "a");
  EXPECT_EQ(names.name_of(2), "");
  EXPECT_EQ(names.removed(), (std::vector<IfIndex>{2}));
  EXPECT_TRUE(names.added().empty());
}

TEST(Names, NumbersGivenBackAreTheLastToBeTaken) {
  Names names;
  std::vector<std::string> many;
  for (unsigned i = 1; i < kMaxInterfaces; ++i) many.push_back("m" + std::to_string(i));
  std::vector<std::string_view> wanted(many.begin(), many.end());
  ASSERT_TRUE(names.set_interfaces(wanted));
  EXPECT_EQ(names.index_of(many.back()), kMaxInterfaces - 1);
  const std::string old = many[41];
  many[41] = "new";  // full: the number of the one that goes is the only one
  wanted.assign(many.begin(), many.end());
  ASSERT_TRUE(names.set_interfaces(wanted));
  EXPECT_EQ(names.index_of("new"), 42);
  EXPECT_EQ(names.index_of(old), kNoIf);
  wanted.push_back("one more");
  EXPECT_FALSE(names.set_interfaces(wanted));
}

TEST(Names, SlotsStayOverEdits) {
  Names names;
  ASSERT_TRUE(names.set_rules(kFilter, std::vector<uint32_t>{1, 2, 3}));
  ASSERT_TRUE(names.set_rules(kNat, std::vector<uint32_t>{1}));
  const auto second = names.slot_of(kFilter, 2);
  const auto nat = names.slot_of(kNat, 1);
  EXPECT_NE(names.slot_of(kFilter, 1), nat);
  ASSERT_TRUE(names.set_rules(kFilter, std::vector<uint32_t>{9, 2}));
  EXPECT_EQ(names.slot_of(kFilter, 2), second);
  EXPECT_EQ(names.slot_of(kNat, 1), nat);
  EXPECT_EQ(names.slot_of(kFilter, 1), std::nullopt);
  EXPECT_EQ(names.slot_of(kFilter, 9), 5u);  // never used before
}

TEST(Names, ReusedSlotAndResetRuleCountFromZero) {
  Names names;
  std::vector<uint32_t> rows(kMaxRuleCounters - 1);
  std::iota(rows.begin(), rows.end(), 1);
  ASSERT_TRUE(names.set_rules(kFilter, rows));
  EXPECT_FALSE(names.has_reused());
  std::vector<RuleCounter> raw(kMaxRuleCounters, RuleCounter{10, 1000});
  EXPECT_EQ(names.count(kFilter, 5, raw).packets, 10u);

  rows[4] = 100000;  // row 5 goes, another comes
  ASSERT_TRUE(names.set_rules(kFilter, rows));
  EXPECT_TRUE(names.has_reused());
  names.start_reused(raw);
  EXPECT_FALSE(names.has_reused());
  EXPECT_EQ(names.count(kFilter, 100000, raw).packets, 0u);
  raw[*names.slot_of(kFilter, 100000)] = {13, 1300};
  EXPECT_EQ(names.count(kFilter, 100000, raw).packets, 3u);
  EXPECT_EQ(names.count(kFilter, 100000, raw).bytes, 300u);
  EXPECT_EQ(names.count(kFilter, 6, raw).packets, 10u);

  names.reset(kFilter, 6, raw);
  EXPECT_EQ(names.count(kFilter, 6, raw).packets, 0u);
  EXPECT_EQ(names.count(kFilter, 424242, raw).packets, 0u);  // no such row

  rows.push_back(200000);
  EXPECT_FALSE(names.set_rules(kFilter, rows));
}

TEST(Names, CountersFollowTheRuleThroughCompiles) {
  testing::Bench b;
  const uint32_t first = testing::add(b.tree, kFilter, {{"chain", "input"}});
  const uint32_t second = testing::add(b.tree, kFilter, {{"chain", "forward"}, {"action", "drop"}});
  b.must_compile();
  const uint32_t slot = b.chain(*b.now.snapshot->filter, "forward")[0].counter;
  EXPECT_EQ(b.now.state->names.slot_of(kFilter, second), slot);
  auto& rows = b.tree.edit(*model::find_menu(kFilter));
  rows.move(1, 0);
  testing::add(b.tree, kFilter, {{"chain", "forward"}});
  testing::set(b.tree, kFilter, second, {{"action", "accept"}});
  testing::remove(b.tree, kFilter, first);
  b.must_compile();
  EXPECT_EQ(b.chain(*b.now.snapshot->filter, "forward")[0].counter, slot);
  EXPECT_NE(b.chain(*b.now.snapshot->filter, "forward")[1].counter, slot);
  EXPECT_EQ(b.now.state->names.slot_of(kFilter, first), std::nullopt);
}

TEST(Names, FailedCompileChangesNothing) {
  testing::Bench b;
  b.ethernet("ether1");
  b.must_compile();
  const CompileState* before = b.now.state.get();
  b.ethernet("ether2");
  b.macvlan("m1", "ether2", "02:00:00:00:00:02");  // the device's own MAC
  EXPECT_FALSE(b.compile().empty());
  EXPECT_EQ(b.now.state.get(), before);
  EXPECT_EQ(before->names.index_of("ether2"), kNoIf);
  EXPECT_EQ(before->names.index_of("ether1"), 1);
}

}  // namespace
}  // namespace maclane::compile
