// Routes that lead to the gateways of others: scope and target-scope.
#include "tests/unit/compile/testing.h"

namespace maclane::compile {
namespace {

using Kind = NextHop::Kind;
using testing::Bench;
using testing::ip;

/// Two uplinks, and a host far behind each that a route leads to.
struct Uplinks : Bench {
  Uplinks() {
    ethernet("ether1");
    ethernet("ether2");
    address("10.0.1.1/24", "ether1");
    address("10.0.2.1/24", "ether2");
    first = route("8.8.8.8/32", "10.0.1.254", {{"scope", "10"}});
    second = route("8.8.4.4/32", "10.0.2.254", {{"scope", "10"}});
  }
  uint32_t first, second;
};

TEST(CompileRecursion, OthersLeadToAGatewayWithinTheTargetScope) {
  Uplinks b;
  const uint32_t one =
      b.route("0.0.0.0/0", "8.8.8.8", {{"target-scope", "11"}, {"check-gateway", "ping"}});
  const uint32_t two =
      b.route("0.0.0.0/0", "8.8.4.4",
              {{"target-scope", "11"}, {"check-gateway", "ping"}, {"distance", "2"}});
  b.must_compile();
  EXPECT_EQ(b.hop("0.0.0.0/0").gateway.host(), ip("10.0.1.254"));
  EXPECT_EQ(b.hop("0.0.0.0/0").out_if, b.index("ether1"));
  EXPECT_EQ(b.static_route(one).immediate_gateway, "10.0.1.254%ether1");
  EXPECT_FALSE(b.static_route(two).active);
  // The host far behind is what is asked.
  ASSERT_EQ(b.now.state->checked.size(), 2u);
  EXPECT_EQ(b.now.state->checked[0].address.host(), ip("8.8.8.8"));
  EXPECT_EQ(b.now.state->checked[0].interface, b.index("ether1"));

  b.learned.peers.lost_gateways.insert({true, "ether1", ip("8.8.8.8")});
  b.must_compile();
  EXPECT_TRUE(b.static_route(b.first).active);  // or nobody would hear that it is back
  EXPECT_FALSE(b.static_route(one).active);
  EXPECT_EQ(b.hop("0.0.0.0/0").gateway.host(), ip("10.0.2.254"));

  b.learned.peers.lost_gateways.clear();
  testing::set(b.tree, "/interface/ethernet", 1, {{"disabled", "yes"}});
  b.must_compile();
  EXPECT_FALSE(b.static_route(one).active);  // what leads to it went
  EXPECT_EQ(b.hop("0.0.0.0/0").gateway.host(), ip("10.0.2.254"));
}

TEST(CompileRecursion, NoRouteLeadsToItsOwnGateway) {
  Uplinks b;
  const uint32_t same_scope = b.route("172.16.0.0/16", "8.8.8.8", {{"target-scope", "10"}});
  const uint32_t beyond = b.route("172.17.0.0/16", "8.8.8.8", {{"target-scope", "9"}});
  const uint32_t itself = b.route("172.18.0.0/16", "172.18.0.1", {{"target-scope", "40"}});
  const uint32_t low = b.route("172.19.0.0/16", "10.0.1.254", {{"target-scope", "9"}});
  b.route("9.9.9.9/32", "10.0.1.254");
  const uint32_t wide = b.route("172.20.0.0/16", "9.9.9.9", {{"target-scope", "11"}});
  const uint32_t wider = b.route("172.21.0.0/16", "9.9.9.9", {{"target-scope", "30"}});
  const uint32_t chain = b.route("172.22.0.0/16", "172.21.0.1", {{"target-scope", "31"}});
  b.route("9.9.9.8/32", "", {{"blackhole", "yes"}, {"scope", "10"}});
  const uint32_t dropped = b.route("172.23.0.0/16", "9.9.9.8", {{"target-scope", "30"}});
  const uint32_t own = b.route("172.24.0.0/16", "10.0.1.1", {{"target-scope", "30"}});
  b.must_compile();
  EXPECT_FALSE(b.static_route(same_scope).active);
  EXPECT_FALSE(b.static_route(beyond).active);
  EXPECT_FALSE(b.static_route(itself).active);
  EXPECT_FALSE(b.static_route(low).active);   // a connected network has scope 10
  EXPECT_FALSE(b.static_route(wide).active);  // 9.9.9.9's route has scope 30
  EXPECT_TRUE(b.static_route(wider).active);
  EXPECT_TRUE(b.static_route(chain).active);
  EXPECT_EQ(b.hop("172.22.0.0/16").gateway.host(), ip("10.0.1.254"));
  EXPECT_FALSE(b.static_route(dropped).active);
  EXPECT_FALSE(b.static_route(own).active);
}

TEST(CompileRecursion, AGatewayOnAnInterfaceOrByTwoWays) {
  Uplinks b;
  b.route("9.9.9.9/32", "ether1", {{"scope", "10"}});
  b.route("9.9.9.8/32", "10.0.1.254", {{"scope", "10"}});
  b.route("9.9.9.8/32", "10.0.2.254", {{"scope", "10"}});
  b.route("172.16.0.0/16", "9.9.9.9", {{"target-scope", "11"}});
  b.route("172.17.0.0/16", "9.9.9.8", {{"target-scope", "11"}, {"pref-src", "10.0.2.1"}});
  b.must_compile();
  EXPECT_EQ(b.hop("172.16.0.0/16").kind, Kind::kGateway);
  EXPECT_EQ(b.hop("172.16.0.0/16").gateway.host(), ip("9.9.9.9"));  // a neighbour there
  EXPECT_EQ(b.ways("172.17.0.0/16"), (std::vector{b.index("ether1"), b.index("ether2")}));
  EXPECT_EQ(b.hop("172.17.0.0/16").pref_src.host(), ip("10.0.2.1"));
}

TEST(CompileRecursion, AGatewayIsLookedForInItsTable) {
  Uplinks b;
  testing::add(b.tree, "/routing/table", {{"name", "isp2"}, {"fib", "yes"}});
  b.route("8.8.8.8/32", "10.0.2.254", {{"scope", "10"}, {"routing-table", "isp2"}});
  const uint32_t main = b.route("172.16.0.0/16", "8.8.8.8@main", {{"target-scope", "11"}});
  const uint32_t other = b.route("172.17.0.0/16", "8.8.8.8@isp2", {{"target-scope", "11"}});
  const uint32_t flat = b.route("172.18.0.0/16", "10.0.2.254@isp2");
  const uint32_t near = b.route("172.19.0.0/16", "8.8.8.8@isp2");
  b.must_compile();
  EXPECT_EQ(b.static_route(near).immediate_gateway, "10.0.2.254%ether2");  // of scope 10
  EXPECT_EQ(b.static_route(main).immediate_gateway, "10.0.1.254%ether1");
  EXPECT_EQ(b.static_route(other).immediate_gateway, "10.0.2.254%ether2");
  EXPECT_FALSE(b.static_route(flat).active);  // connected networks are in main
}

// A question goes by the table that its route's gateway is looked for in, whatever main says.
TEST(CompileRecursion, AGatewayInATableIsAskedByItsWay) {
  Uplinks b;
  testing::add(b.tree, "/routing/table", {{"name", "isp2"}, {"fib", "yes"}});
  b.route("8.8.8.8/32", "10.0.2.254", {{"scope", "10"}, {"routing-table", "isp2"}});
  const uint32_t route = b.route("0.0.0.0/0", "8.8.8.8@isp2", {{"check-gateway", "ping"}});
  b.route("172.16.0.0/16", "8.8.8.8@isp2", {{"check-gateway", "ping"}, {"routing-table", "isp2"}});
  b.must_compile();
  EXPECT_TRUE(b.static_route(route).active);
  const auto probe = [&] {
    const auto& probes = b.now.snapshot->probe_ways;
    EXPECT_EQ(probes.size(), 1u);
    EXPECT_EQ(probes[0].from, b.index("ether2"));
    EXPECT_EQ(probes[0].target.host(), ip("8.8.8.8"));
    return b.now.snapshot->next_hops[probes[0].next_hop];
  };
  EXPECT_EQ(probe().gateway.host(), ip("10.0.2.254"));
  EXPECT_EQ(probe().out_if, b.index("ether2"));
  b.learned.peers.lost_gateways.insert({true, "ether2", ip("8.8.8.8")});
  b.must_compile();
  EXPECT_FALSE(b.static_route(route).active);
  EXPECT_EQ(probe().gateway.host(), ip("10.0.2.254")) << "it is asked on";
  // By ARP it is the gateway of that way, and no packet needs one.
  testing::set(b.tree, "/ip/route", route, {{"check-gateway", "arp"}});
  b.must_compile();
  EXPECT_TRUE(b.static_route(route).active);
}

}  // namespace
}  // namespace maclane::compile
