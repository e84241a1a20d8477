// What few rules say: matchers with forms of their own, marks, lists that fill by themselves, and
// what rules remember (behaviour.md B-1, B-5, B-6, B-11 to B-13).
#include <limits>

#include "tests/unit/compile/testing.h"

namespace maclane::compile {
namespace {

using testing::add;
using testing::Bench;
using testing::set;
using testing::Values;

constexpr std::string_view kRaw = "/ip/firewall/raw";

/// The one rule of chain forward, with what few have.
struct Made {
  Rule rule;
  RuleMore more;
};
Made made(Bench& b, Values values) {
  b.tree = {};
  const uint32_t id = add(b.tree, kFilter, {{"chain", "forward"}});
  set(b.tree, kFilter, id, values);
  b.must_compile();
  const RuleSet& filter = *b.now.snapshot->filter;
  const auto rules = b.chain(filter, "forward");
  if (rules.size() != 1) return {};
  return {rules[0], filter.more_of(rules[0])};
}

TEST(CompileRuleMore, MatchersOfThePacket) {  // B-11, B-12
  Bench b;
  Made one = made(b, {{"protocol", "tcp"}, {"tcp-flags", "syn,!ack"}, {"tcp-mss", "!100-1300"}});
  EXPECT_EQ(one.rule.match, Rule::kProtocol | Rule::kMore);
  EXPECT_EQ(one.more.match, RuleMore::kTcpFlags | RuleMore::kTcpMss);
  EXPECT_EQ(one.more.negate, RuleMore::kTcpMss);
  EXPECT_EQ(one.more.tcp_set, 2);
  EXPECT_EQ(one.more.tcp_clear, 16);
  EXPECT_EQ(one.more.mss_last, 1300);
  one = made(b, {{"ttl", "not-equal:5"}, {"dscp", "!46"}, {"packet-size", "0-100"}});
  EXPECT_EQ(one.more.negate, RuleMore::kTtl | RuleMore::kDscp);
  EXPECT_EQ(one.more.ttl_first, 5);
  EXPECT_EQ(one.more.dscp, 46);
  EXPECT_EQ(one.more.size_last, 100);
  one = made(b, {{"ttl", "!not-equal:5"}});
  EXPECT_EQ(one.more.negate, 0u);
  one = made(b, {{"ttl", "less-than:5"}});
  EXPECT_EQ(one.more.ttl_first, 0);
  EXPECT_EQ(one.more.ttl_last, 4);
  one = made(b, {{"protocol", "udp"}, {"port", "53,5000-5010"}, {"fragment", "no"}});
  EXPECT_EQ(one.more.match, RuleMore::kAnyPort | RuleMore::kFragment);
  EXPECT_EQ(one.more.negate, RuleMore::kFragment);
  ASSERT_EQ(one.more.port_count, 2);
  EXPECT_EQ(b.now.snapshot->filter->ports[one.more.ports + 1].last, 5010);
  one = made(b, {{"src-address-type", "!local,broadcast"},
                 {"src-mac-address", "02:00:00:00:00:07"},
                 {"ipv4-options", "router-alert"}});
  EXPECT_EQ(one.more.negate, RuleMore::kSrcType);
  EXPECT_EQ(one.more.src_types, 0b110);
  EXPECT_EQ(one.more.src_mac, testing::mac("02:00:00:00:00:07"));
  EXPECT_EQ(static_cast<IpOption>(one.more.options), IpOption::kRouterAlert);
  one = made(b, {{"per-connection-classifier", "src-address-and-port:4/3"}});
  EXPECT_EQ(one.more.classifier, kClassifySrc | kClassifySrcPort);
  EXPECT_EQ(one.more.denominator, 4u);
  EXPECT_EQ(one.more.remainder, 3u);
}

TEST(CompileRuleMore, MatchersThatCount) {  // B-11
  Bench b;
  Made one = made(b, {{"limit", "!10/1m,5:bit"}, {"nth", "3,2"}, {"random", "30"}});
  EXPECT_EQ(one.more.match, RuleMore::kLimit | RuleMore::kNth | RuleMore::kRandom);
  EXPECT_EQ(one.more.negate, RuleMore::kLimit);
  EXPECT_TRUE(one.more.by_bits);
  EXPECT_EQ(one.more.limit.cost, MeterRate::of(10, 60000, 5).cost);
  EXPECT_EQ(one.more.every, 3u);
  EXPECT_EQ(one.more.nth, 1u);
  EXPECT_EQ(one.more.random, 30);
  ASSERT_NE(one.more.state, nullptr);
  one = made(b, {{"dst-limit", "5,10,addresses-and-dst-port/2m"}, {"psd", "21,3s,3,1"}});
  EXPECT_EQ(one.more.dst_mode, kClassifySrc | kClassifyDst | kClassifyDstPort);
  EXPECT_EQ(one.more.dst_expire_cs, 12000u);
  EXPECT_EQ(one.more.scan.threshold, 21u);
  EXPECT_EQ(one.more.scan.delay_cs, 300u);
  EXPECT_EQ(one.more.scan.low_weight, 3);
  ASSERT_NE(one.more.state, nullptr);
  EXPECT_NE(one.more.state->keyed, nullptr);
  EXPECT_NE(one.more.state->scans, nullptr);
  one = made(b, {{"connection-limit", "100,24"},
                 {"connection-bytes", "1000-0"},
                 {"connection-rate", "0-100k"}});
  EXPECT_EQ(one.more.connections, 100u);
  EXPECT_EQ(one.more.block_length, 24);
  EXPECT_EQ(one.more.bytes_first, 1000u);
  EXPECT_EQ(one.more.bytes_last, std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(one.more.rate_last, 100000u);
  EXPECT_EQ(one.more.state, nullptr) << "connections are counted elsewhere";
}

TEST(CompileRuleMore, RulesRememberWhileTheySayTheSame) {  // B-11
  Bench b;
  const uint32_t id = add(b.tree, kFilter, {{"chain", "forward"}, {"limit", "1,5"}});
  b.must_compile();
  const RuleState* const state = b.now.snapshot->filter->states.at(0).get();
  add(b.tree, kFilter, {{"chain", "forward"}, {"action", "drop"}});
  b.must_compile();
  EXPECT_EQ(b.now.snapshot->filter->states.at(0).get(), state);
  add(b.tree, kNat, {{"chain", "srcnat"}, {"action", "masquerade"}});
  b.must_compile();  // the filter is shared now
  add(b.tree, kFilter, {{"chain", "input"}, {"action", "drop"}});
  b.must_compile();
  EXPECT_EQ(b.now.snapshot->filter->states.at(0).get(), state);
  const auto kept = b.now.snapshot->filter;  // so that its state is not made anew in the same place
  set(b.tree, kFilter, id, {{"limit", "2,5"}});
  b.must_compile();
  EXPECT_NE(b.now.snapshot->filter->states.at(0).get(), state);
}

TEST(CompileRuleMore, MarksAndChanges) {  // B-1, B-5
  Bench b;
  add(b.tree, kMangle,
      {{"chain", "prerouting"},
       {"action", "mark-connection"},
       {"new-connection-mark", "voice"},
       {"passthrough", "no"}});
  add(b.tree, kMangle,
      {{"chain", "postrouting"},
       {"connection-mark", "voice"},
       {"packet-mark", "!no-mark"},
       {"action", "change-dscp"},
       {"new-dscp", "46"}});
  add(b.tree, kMangle,
      {{"chain", "forward"}, {"protocol", "tcp"}, {"action", "change-mss"}, {"new-mss", "1360"}});
  add(b.tree, kMangle,
      {{"chain", "forward"}, {"action", "change-ttl"}, {"new-ttl", "increment:1"}});
  add(b.tree, kRaw, {{"chain", "prerouting"}, {"action", "notrack"}});
  add(b.tree, kFilter, {{"chain", "forward"}, {"connection-mark", "voice"}});
  b.must_compile();
  const RuleSet& mangle = *b.now.snapshot->mangle;
  const RuleMore& marks = mangle.more_of(b.chain(mangle, "prerouting").at(0));
  EXPECT_NE(marks.mark, 0u);
  EXPECT_FALSE(marks.passthrough);
  EXPECT_EQ(b.now.state->names.mark_name(marks.mark), "voice");
  const RuleMore& asks = mangle.more_of(b.chain(mangle, "postrouting").at(0));
  EXPECT_EQ(asks.connection_mark, marks.mark);
  EXPECT_EQ(asks.packet_mark, 0u);
  EXPECT_EQ(asks.negate, RuleMore::kPacketMark);
  EXPECT_EQ(asks.new_dscp, 46);
  EXPECT_TRUE(asks.passthrough);
  const auto forward = b.chain(mangle, "forward");
  EXPECT_EQ(forward[0].action, Action::kChangeMss);
  EXPECT_EQ(mangle.more_of(forward[0]).mss, 1360);
  EXPECT_EQ(mangle.more_of(forward[1]).ttl_change, RuleMore::Ttl::kIncrement);
  EXPECT_EQ(mangle.more_of(forward[1]).ttl, 1);
  const RuleSet& raw = *b.now.snapshot->raw;
  EXPECT_EQ(b.chain(raw, "prerouting").at(0).action, Action::kNotrack);
  EXPECT_NE(raw.prerouting, RuleSet::kNoChain);
  EXPECT_NE(mangle.postrouting, RuleSet::kNoChain);
  const RuleSet& filter = *b.now.snapshot->filter;
  EXPECT_EQ(filter.more_of(b.chain(filter, "forward").at(0)).connection_mark, marks.mark);
}

TEST(CompileRuleMore, ListsThatRulesFill) {  // B-13
  Bench b;
  add(b.tree, kNat, {{"chain", "dstnat"}, {"src-address-list", "bad"}, {"action", "accept"}});
  b.must_compile();
  EXPECT_EQ(b.now.snapshot->nat->dynamic_lists.at(0), 0);
  const auto id = add(b.tree, kFilter,
                      {{"chain", "input"},
                       {"action", "add-src-to-address-list"},
                       {"address-list", "bad"},
                       {"address-list-timeout", "1h"}});
  b.must_compile();
  const RuleSet& filter = *b.now.snapshot->filter;
  const RuleMore& more = filter.more_of(b.chain(filter, "input").at(0));
  EXPECT_NE(more.list, 0);
  EXPECT_EQ(more.timeout_cs, 360000u);
  EXPECT_EQ(more.list_set, filter.address_sets.at(0).get());
  EXPECT_EQ(b.now.state->names.list_name(more.list), "bad");
  EXPECT_EQ(b.now.snapshot->nat->dynamic_lists.at(0), more.list) << "those who ask for it know";
  set(b.tree, kFilter, id, {{"address-list-timeout", "none-dynamic"}});
  b.must_compile();
  const RuleSet& after = *b.now.snapshot->filter;
  EXPECT_EQ(after.more_of(b.chain(after, "input").at(0)).timeout_cs, DynamicLists::kForever);
}

TEST(CompileRuleMore, FastTrackHasACounterOfItsOwn) {  // B-26
  Bench b;
  add(b.tree, kFilter, {{"chain", "forward"}, {"action", "fasttrack-connection"}});
  b.must_compile();
  const uint32_t slot = b.now.snapshot->fast_track.counter;
  EXPECT_NE(slot, 0u);
  EXPECT_NE(slot, b.chain(*b.now.snapshot->filter, "forward").at(0).counter);
  add(b.tree, kFilter, {{"chain", "forward"}});
  b.must_compile();
  EXPECT_EQ(b.now.snapshot->fast_track.counter, slot);
}

}  // namespace
}  // namespace maclane::compile
