// /routing/table and /routing/rule, routes in tables, and the ways that answers leave by.
#include "tests/unit/compile/testing.h"

namespace maclane::compile {
namespace {

using testing::add;
using testing::Bench;
using testing::ip;
using testing::set;

class CompilePolicy : public ::testing::Test {
 protected:
  void SetUp() override {
    b.ethernet("ether1");
    b.ethernet("ether2");
    b.address("10.0.1.1/24", "ether1");
    b.address("10.0.2.1/24", "ether2");
    table = add(b.tree, "/routing/table", {{"name", "second"}});
  }
  [[nodiscard]] const NextHop& hop(std::string_view name, uint32_t network, uint8_t length) {
    const auto known = b.now.state->tables.find(name);
    if (known == b.now.state->tables.end()) return b.now.snapshot->next_hops[0];
    for (const Fib4Route& route : known->second.routes)
      if (route.network == network && route.length == length)
        return b.now.snapshot->next_hops[route.next_hop];
    return b.now.snapshot->next_hops[0];
  }
  [[nodiscard]] IfIndex back_by(std::string_view interface) const {
    const uint16_t way = b.now.snapshot->return_ways[b.index(interface)];
    return b.now.snapshot->next_hops[way].out_if;
  }
  Bench b;
  uint32_t table = 0;
};

TEST_F(CompilePolicy, ARouteStandsInItsTable) {
  b.route("0.0.0.0/0", "10.0.1.254");
  const uint32_t other = b.route("0.0.0.0/0", "10.0.2.254", {{"routing-table", "second"}});
  b.must_compile();
  EXPECT_EQ(b.hop("0.0.0.0/0").gateway.host(), ip("10.0.1.254"));
  EXPECT_EQ(hop("second", 0, 0).gateway.host(), ip("10.0.2.254"));
  EXPECT_EQ(hop("second", ip("10.0.1.0"), 24).kind, NextHop::Kind::kNone);
  EXPECT_TRUE(b.static_route(other).active);
  EXPECT_EQ(b.static_route(other).immediate_gateway, "10.0.2.254%ether2");
  const uint32_t mark = b.now.state->names.mark("second");
  ASSERT_GT(b.now.snapshot->tables.size(), mark);
  EXPECT_EQ(b.now.snapshot->tables[mark], b.now.state->tables.find("second")->second.fib);

  const auto before = b.now.snapshot->tables[mark];
  b.must_compile();
  EXPECT_EQ(b.now.snapshot->tables[mark], before) << "the same routes, the same table";
  set(b.tree, "/routing/table", table, {{"disabled", "yes"}});
  b.must_compile();
  EXPECT_FALSE(b.static_route(other).active);
  EXPECT_EQ(hop("second", 0, 0).kind, NextHop::Kind::kNone);
}

TEST_F(CompilePolicy, TheBestDefaultRouteOfAnInterfaceIsItsWayBack) {
  b.route("0.0.0.0/0", "10.0.1.254");
  b.route("0.0.0.0/0", "10.0.2.8", {{"distance", "20"}});
  b.route("0.0.0.0/0", "10.0.2.9", {{"distance", "10"}});
  b.must_compile();
  EXPECT_EQ(back_by("ether1"), b.index("ether1"));
  ASSERT_EQ(back_by("ether2"), b.index("ether2"));
  const uint16_t way = b.now.snapshot->return_ways[b.index("ether2")];
  EXPECT_EQ(b.now.snapshot->next_hops[way].gateway.host(), ip("10.0.2.9"));
}

TEST_F(CompilePolicy, AGatewayThatDoesNotAnswerLeadsNowhere) {
  const uint32_t first = b.route("0.0.0.0/0", "10.0.1.254", {{"check-gateway", "ping"}});
  const uint32_t second = b.route("0.0.0.0/0", "10.0.2.254", {{"distance", "2"}});
  b.must_compile();
  ASSERT_EQ(b.now.state->checked.size(), 1u);
  EXPECT_TRUE(b.now.state->checked[0].ping);
  EXPECT_EQ(b.now.state->checked[0].interface, b.index("ether1"));
  EXPECT_TRUE(b.static_route(first).active);
  b.learned.peers.lost_gateways.insert({true, "ether1", ip("10.0.1.254")});
  b.must_compile();
  EXPECT_FALSE(b.static_route(first).active);
  EXPECT_EQ(b.static_route(first).immediate_gateway, "");
  EXPECT_TRUE(b.static_route(second).active);
  EXPECT_EQ(b.hop("0.0.0.0/0").gateway.host(), ip("10.0.2.254"));
  EXPECT_EQ(b.now.state->checked.size(), 1u) << "it is asked on";
  b.learned.peers.lost_gateways = {{false, "ether1", ip("10.0.1.254")}};
  b.must_compile();
  EXPECT_TRUE(b.static_route(first).active) << "that was another question";
}

TEST_F(CompilePolicy, Rules) {
  b.route("0.0.0.0/0", "10.0.2.254", {{"routing-table", "second"}});
  add(b.tree, "/routing/rule",
      {{"src-address", "192.168.0.0/16"}, {"interface", "ether1"}, {"table", "second"}});
  add(b.tree, "/routing/rule",
      {{"routing-mark", "second"}, {"action", "lookup-only-in-table"}, {"table", "main"}});
  add(b.tree, "/routing/rule", {{"dst-address", "10.9.0.0/16"}, {"action", "unreachable"}});
  add(b.tree, "/routing/rule", {{"action", "drop"}, {"disabled", "yes"}});
  b.must_compile();
  const auto& rules = b.now.snapshot->routing_rules;
  ASSERT_EQ(rules.size(), 3u);
  EXPECT_EQ(rules[0].src.first, ip("192.168.0.0"));
  EXPECT_EQ(rules[0].src.last, ip("192.168.255.255"));
  EXPECT_EQ(rules[0].dst.last, 0xffffffffu);
  EXPECT_EQ(rules[0].in_if, b.index("ether1"));
  EXPECT_TRUE(rules[0].any_mark);
  EXPECT_EQ(rules[0].table, b.now.state->tables.find("second")->second.fib);
  EXPECT_FALSE(rules[1].any_mark);
  EXPECT_EQ(rules[1].mark, b.now.state->names.mark("second"));
  EXPECT_EQ(rules[1].action, RoutingRule::Action::kLookupOnly);
  EXPECT_EQ(rules[1].table, b.now.snapshot->fib);
  EXPECT_EQ(rules[2].action, RoutingRule::Action::kUnreachable);
  EXPECT_EQ(b.now.snapshot->next_hops[b.now.snapshot->unreachable_hop].kind,
            NextHop::Kind::kUnreachable);
  EXPECT_EQ(b.now.snapshot->next_hops[b.now.snapshot->drop_hop].kind, NextHop::Kind::kBlackhole);
}

// As the kernel's suppress_prefixlength: what is as short or shorter is as if it were not there.
TEST_F(CompilePolicy, ShortPrefixesAreHidden) {
  b.route("0.0.0.0/0", "10.0.1.254");
  b.route("10.9.0.0/16", "10.0.1.254");
  b.route("0.0.0.0/0", "10.0.2.254", {{"routing-table", "second"}});
  b.route("10.9.9.0/24", "10.0.2.254", {{"routing-table", "second"}});
  add(b.tree, "/routing/rule", {{"table", "main"}, {"min-prefix", "0"}});
  add(b.tree, "/routing/rule", {{"table", "main"}, {"min-prefix", "16"}, {"interface", "ether1"}});
  add(b.tree, "/routing/rule", {{"table", "second"}, {"min-prefix", "0"}});
  add(b.tree, "/routing/rule", {{"table", "second"}, {"min-prefix", "4294967295"}});
  add(b.tree, "/routing/rule", {{"table", "main"}, {"min-prefix", "0"}});
  b.must_compile();
  const auto rules = b.now.snapshot->routing_rules;
  ASSERT_EQ(rules.size(), 5u);
  const auto seen = [&](const std::string& table, uint8_t hidden, const char* network,
                        uint8_t length) {
    const CompileState::Fib& fib = b.now.state->narrowed.at({table, hidden});
    return std::ranges::any_of(fib.routes, [&](const Fib4Route& one) {
      return one.network == ip(network) && one.length == length;
    });
  };
  EXPECT_FALSE(seen("main", 0, "0.0.0.0", 0));
  EXPECT_TRUE(seen("main", 0, "10.9.0.0", 16));
  EXPECT_TRUE(seen("main", 0, "10.0.2.0", 24));
  EXPECT_FALSE(seen("main", 16, "10.9.0.0", 16)) << "as long as min-prefix";
  EXPECT_TRUE(seen("main", 16, "10.0.2.0", 24));
  EXPECT_FALSE(seen("second", 0, "0.0.0.0", 0));
  EXPECT_TRUE(seen("second", 0, "10.9.9.0", 24));
  EXPECT_TRUE(b.now.state->narrowed.at({"second", 32}).routes.empty());
  EXPECT_EQ(b.now.state->narrowed.size(), 4u);
  const auto fib = [&](const std::string& table, uint8_t hidden) {
    return b.now.state->narrowed.at({table, hidden}).fib;
  };
  EXPECT_EQ(rules[0].table, fib("main", 0));
  EXPECT_EQ(rules[1].table, fib("main", 16));
  EXPECT_EQ(rules[2].table, fib("second", 0));
  EXPECT_EQ(rules[3].table, fib("second", 32));
  EXPECT_EQ(rules[4].table, fib("main", 0)) << "one for all rules of it";
  EXPECT_NE(rules[0].table, b.now.snapshot->fib);
  b.must_compile();
  EXPECT_EQ(b.now.snapshot->routing_rules[0].table, rules[0].table) << "nothing changed";
  b.route("10.8.0.0/16", "10.0.1.254");
  b.must_compile();
  EXPECT_TRUE(seen("main", 0, "10.8.0.0", 16));
}

TEST_F(CompilePolicy, MarksAreTablesByName) {
  const uint32_t rule =
      add(b.tree, "/ip/firewall/mangle",
          {{"chain", "prerouting"}, {"action", "mark-routing"}, {"new-routing-mark", "second"}});
  b.must_compile();
  const auto made = [&] {
    const RuleSet& mangle = *b.now.snapshot->mangle;
    return mangle.more_of(b.chain(mangle, "prerouting").at(0));
  };
  EXPECT_EQ(b.chain(*b.now.snapshot->mangle, "prerouting").at(0).action, Action::kMarkRouting);
  EXPECT_EQ(made().mark, b.now.state->names.mark("second"));
  set(b.tree, "/ip/firewall/mangle", rule, {{"new-routing-mark", "main"}});
  b.must_compile();
  EXPECT_EQ(made().mark, 0u);
  add(b.tree, "/ip/firewall/filter",
      {{"chain", "forward"}, {"routing-mark", "!second"}, {"content", "x y"}});
  b.must_compile();
  const RuleSet& filter = *b.now.snapshot->filter;
  const RuleMore& more = filter.more_of(b.chain(filter, "forward").at(0));
  EXPECT_EQ(more.match, RuleMore::kRoutingMark | RuleMore::kContent);
  EXPECT_EQ(more.negate, RuleMore::kRoutingMark);
  EXPECT_EQ(more.routing_mark, b.now.state->names.mark("second"));
  EXPECT_EQ(filter.texts.at(more.text), "x y");
}

TEST_F(CompilePolicy, NoMarkIsTheOneOfMain) {  // B-11
  for (const char* none : {"main", "no-mark"})
    add(b.tree, "/ip/firewall/filter", {{"chain", "forward"}, {"routing-mark", none}});
  b.must_compile();
  const RuleSet& filter = *b.now.snapshot->filter;
  for (const Rule& rule : b.chain(filter, "forward")) {
    EXPECT_EQ(filter.more_of(rule).match, RuleMore::kRoutingMark);
    EXPECT_EQ(filter.more_of(rule).routing_mark, 0u);
  }
}

TEST_F(CompilePolicy, Settings) {
  b.must_compile();
  EXPECT_TRUE(b.now.snapshot->send_redirects);
  EXPECT_EQ(b.now.snapshot->rp_filter, RpFilter::kNo);
  set(b.tree, "/ip/settings", 0,
      {{"rp-filter", "strict"}, {"send-redirects", "no"}, {"ipv4-multipath-hash-policy", "l4"}});
  b.must_compile();
  EXPECT_FALSE(b.now.snapshot->send_redirects);
  EXPECT_EQ(b.now.snapshot->rp_filter, RpFilter::kStrict);
  EXPECT_TRUE(b.now.snapshot->hash_ports);
}

}  // namespace
}  // namespace maclane::compile
