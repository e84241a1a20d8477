// Rules that are in force at times, for kinds of interfaces, or not at all (behaviour.md B-10,
// B-11).
#include "tests/unit/compile/testing.h"

namespace maclane::compile {
namespace {

using testing::add;
using testing::Bench;
using testing::set;

size_t rules(const Bench& b) {
  return b.now.snapshot->filter->rules.size();
}

TEST(CompileTimes, ARuleIsInForceAtItsTime) {  // B-11
  Bench b;
  add(b.tree, kFilter, {{"chain", "forward"}, {"time", "8h-17h,mon,tue"}, {"action", "drop"}});
  add(b.tree, kFilter, {{"chain", "forward"}, {"time", "22h-6h,sun"}, {"action", "accept"}});
  struct Case {
    unsigned weekday;
    uint32_t hour;
    size_t in_force;
  };
  const Case cases[] = {{1, 7, 0},  {1, 8, 1},  {1, 16, 1}, {2, 12, 1}, {3, 12, 0},
                        {0, 12, 0}, {0, 23, 1}, {0, 3, 1},  {1, 23, 0}};
  for (const Case& one : cases) {
    b.learned.clock = {one.weekday, one.hour * 3600};
    b.must_compile();
    EXPECT_EQ(rules(b), one.in_force) << one.weekday << " " << one.hour;
    EXPECT_FALSE(is_outdated(*b.now.state, b.learned.clock));
  }
  b.learned.clock = {1, 17 * 3600};
  b.must_compile();
  EXPECT_EQ(rules(b), 1u) << "the end counts";
  const auto before = b.now.snapshot->filter;
  b.learned.clock.second += 1;
  EXPECT_TRUE(is_outdated(*b.now.state, b.learned.clock));
  b.must_compile();
  EXPECT_EQ(rules(b), 0u);
  b.learned.clock.second += 1;
  const auto now = b.now.snapshot->filter;
  b.must_compile();
  EXPECT_EQ(b.now.snapshot->filter, now) << "nothing is made anew while no time begins or ends";
}

TEST(CompileTimes, KindsOfInterfaces) {  // B-11
  Bench b;
  b.ethernet("ether1");
  b.vlan("v30", "ether1", "30");
  b.macvlan("m1", "ether1", "0a:00:00:00:00:01");
  add(b.tree, "/interface/list", {{"name", "LAN"}});
  add(b.tree, "/interface/list/member", {{"list", "LAN"}, {"interface", "v30"}});
  add(b.tree, "/interface/list/member", {{"list", "LAN"}, {"interface", "m1"}});
  add(b.tree, kFilter, {{"chain", "forward"}, {"in-interface", "all-ethernet"}});
  add(b.tree, kFilter,
      {{"chain", "forward"}, {"out-interface", "!all-vlan"}, {"out-interface-list", "LAN"}});
  add(b.tree, kFilter,
      {{"chain", "forward"}, {"in-interface", "all-vlan"}, {"in-interface-list", "!LAN"}});
  b.must_compile();
  const RuleSet& filter = *b.now.snapshot->filter;
  const auto chain = b.chain(filter, "forward");
  ASSERT_EQ(chain.size(), 3u);
  EXPECT_EQ(chain[0].match, static_cast<uint32_t>(Rule::kInList));
  EXPECT_EQ(chain[0].negate, 0u);
  const auto has = [&](uint16_t set, std::string_view name) {
    return contains(filter.interface_sets[set], b.index(name));
  };
  EXPECT_TRUE(has(chain[0].in_list, "ether1"));
  EXPECT_FALSE(has(chain[0].in_list, "v30"));
  EXPECT_FALSE(has(chain[0].in_list, "m1"));
  EXPECT_EQ(chain[1].match, static_cast<uint32_t>(Rule::kOutList));
  EXPECT_TRUE(has(chain[1].out_list, "m1"));
  EXPECT_FALSE(has(chain[1].out_list, "v30"));
  EXPECT_FALSE(has(chain[1].out_list, "ether1"));
  EXPECT_FALSE(contains(filter.interface_sets[chain[1].out_list], kNoIf)) << "LAN has no router";
  EXPECT_EQ(chain[2].negate, 0u);
  EXPECT_FALSE(has(chain[2].in_list, "v30"));
}

TEST(CompileTimes, WhatNamesWhatIsGoneMatchesNothing) {  // B-10
  Bench b;
  b.ethernet("ether1");
  for (std::string_view property : {"in-interface", "in-interface-list", "routing-mark"}) {
    add(b.tree, kFilter, {{"chain", "forward"}, {property, "*7"}, {"action", "drop"}});
    add(b.tree, kFilter, {{"chain", "forward"}, {property, "!*7"}, {"action", "drop"}});
  }
  add(b.tree, kMangle,
      {{"chain", "prerouting"}, {"action", "mark-routing"}, {"new-routing-mark", "*2"}});
  b.must_compile();
  EXPECT_EQ(rules(b), 0u);
  EXPECT_EQ(b.now.snapshot->mangle->rules.size(), 0u);
}

TEST(CompileTimes, NothingGoesByIpsec) {
  Bench b;
  add(b.tree, kFilter, {{"chain", "forward"}, {"ipsec-policy", "in,ipsec"}});
  add(b.tree, kFilter, {{"chain", "forward"}, {"ipsec-policy", "out,none"}});
  b.must_compile();
  ASSERT_EQ(rules(b), 1u);
  EXPECT_EQ(b.chain(*b.now.snapshot->filter, "forward")[0].match, 0u);
}

TEST(CompileTimes, ConnectionTypes) {  // B-11, B-24
  Bench b;
  add(b.tree, kFilter, {{"chain", "forward"}, {"connection-type", "!tftp"}});
  b.must_compile();
  const RuleSet& filter = *b.now.snapshot->filter;
  const RuleMore& more = filter.more_of(b.chain(filter, "forward").at(0));
  EXPECT_EQ(more.match, static_cast<uint32_t>(RuleMore::kConnectionType));
  EXPECT_EQ(more.negate, static_cast<uint32_t>(RuleMore::kConnectionType));
  EXPECT_EQ(more.connection_types, 1u << static_cast<unsigned>(Helper::kTftp));
}

TEST(CompileTimes, Priorities) {  // B-11
  Bench b;
  add(b.tree, kMangle,
      {{"chain", "postrouting"},
       {"priority", "!5"},
       {"ingress-priority", "6"},
       {"action", "set-priority"},
       {"new-priority", "from-ingress"}});
  b.must_compile();
  const RuleSet& mangle = *b.now.snapshot->mangle;
  const RuleMore& more = mangle.more_of(b.chain(mangle, "postrouting").at(0));
  EXPECT_EQ(more.match, RuleMore::kPriority | RuleMore::kIngressPriority);
  EXPECT_EQ(more.negate, static_cast<uint32_t>(RuleMore::kPriority));
  EXPECT_EQ(more.priority, 5);
  EXPECT_EQ(more.ingress_priority, 6);
  EXPECT_EQ(more.from, RuleMore::Priority::kIngress);
}

}  // namespace
}  // namespace maclane::compile
