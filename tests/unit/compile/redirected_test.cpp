// What ICMP redirects change of the main table, and when they hold no more.
#include "tests/unit/compile/testing.h"

namespace maclane::compile {
namespace {

using testing::Bench;
using testing::ip;

struct CompileRedirected : ::testing::Test, Bench {
  CompileRedirected() {
    ethernet("ether1");
    ethernet("ether2");
    address("203.0.113.50/24", "ether1");
    address("10.2.0.1/24", "ether2");
    default_way = route("0.0.0.0/0", "203.0.113.1");
    route("10.77.0.0/16", "203.0.113.7");
    accept({{"accept-redirects", "yes"}});
    tell("198.51.100.9", "203.0.113.1", "203.0.113.7");
  }
  void accept(testing::Values values) { testing::set(tree, "/ip/settings", 0, values); }
  void tell(std::string_view destination, std::string_view told_by, std::string_view gateway) {
    learned.peers.redirects.push_back({ip(destination), ip(told_by), ip(gateway), "ether1"});
  }
  /// What the main FIB was given for a host; kNone: nothing of its own.
  [[nodiscard]] const NextHop& host(std::string_view address) const {
    for (const Fib4Route& one : now.state->redirected_routes)
      if (one.network == ip(address) && one.length == 32)
        return now.snapshot->next_hops[one.next_hop];
    return now.snapshot->next_hops[0];
  }
  [[nodiscard]] std::vector<uint32_t> holding() {
    must_compile();
    return now.state->redirected;
  }
  uint32_t default_way = 0;
};

TEST_F(CompileRedirected, AHostGoesByTheNearerGateway) {
  ASSERT_EQ(holding(), std::vector{ip("198.51.100.9")});
  EXPECT_EQ(host("198.51.100.9").kind, NextHop::Kind::kGateway);
  EXPECT_EQ(host("198.51.100.9").gateway.host(), ip("203.0.113.7"));
  EXPECT_EQ(host("198.51.100.9").out_if, index("ether1"));
  EXPECT_EQ(hop("198.51.100.9/32").kind, NextHop::Kind::kNone) << "the routes below are as before";
  EXPECT_EQ(now.state->redirected_routes.size(), now.state->fib_routes.size() + 1);
  EXPECT_TRUE(std::ranges::is_sorted(now.state->redirected_routes, {}, [](const Fib4Route& one) {
    return std::pair(one.network, one.length);
  }));
  const RouteInfo& row = now.state->routes.rows.back();
  EXPECT_EQ(row.dst.address, ip("198.51.100.9"));
  EXPECT_EQ(row.dst.length, 32);
  EXPECT_EQ(row.gateway, "203.0.113.7%ether1");
  EXPECT_EQ(row.immediate_gateway, "203.0.113.7%ether1");
  EXPECT_EQ(row.learned, LearnedFrom::kRedirect);
  EXPECT_TRUE(row.active);
  EXPECT_EQ(row.distance, 0);
}

TEST_F(CompileRedirected, TheFibIsMadeWhenTheyComeAndGo) {
  must_compile();
  const int made = fibs;
  must_compile();
  EXPECT_EQ(fibs, made);
  learned.peers.redirects.clear();
  must_compile();
  EXPECT_EQ(fibs, made + 1);
  EXPECT_TRUE(now.state->redirected_routes.empty());
  tell("198.51.100.9", "203.0.113.1", "203.0.113.7");
  must_compile();
  EXPECT_EQ(fibs, made + 2);
}

TEST_F(CompileRedirected, TheyHoldWhileTheRouteBelowLeadsToWhoTold) {
  testing::set(tree, "/ip/route", default_way, {{"gateway", "203.0.113.2"}});
  EXPECT_TRUE(holding().empty());
  testing::set(tree, "/ip/route", default_way, {{"gateway", "203.0.113.1"}});
  EXPECT_EQ(holding().size(), 1u);
  const uint32_t better = route("198.51.100.0/24", "203.0.113.7");
  EXPECT_TRUE(holding().empty());
  testing::remove(tree, "/ip/route", better);
  route("198.51.100.9/32", "203.0.113.1");
  EXPECT_EQ(holding().size(), 1u) << "in the place of a route of the host's own";
  EXPECT_EQ(host("198.51.100.9").gateway.host(), ip("203.0.113.7"));
  EXPECT_EQ(hop("198.51.100.9/32").gateway.host(), ip("203.0.113.1"));
  learned.ethernets["ether1"].link_up = false;
  EXPECT_TRUE(holding().empty());
}

TEST_F(CompileRedirected, TheSourceIsThatOfTheRouteBelow) {
  address("203.0.113.51/24", "ether1");
  testing::set(tree, "/ip/route", default_way, {{"pref-src", "203.0.113.51"}});
  ASSERT_EQ(holding().size(), 1u);
  EXPECT_EQ(host("198.51.100.9").pref_src.host(), ip("203.0.113.51"));
  EXPECT_EQ(now.state->routes.rows.back().pref_src, ip("203.0.113.51"));
}

TEST_F(CompileRedirected, SettingsDecide) {
  accept({{"accept-redirects", "no"}});
  EXPECT_TRUE(holding().empty());
  accept({{"accept-redirects", "yes"}});
  learned.peers.redirects.front().gateway = ip("203.0.113.8");
  EXPECT_TRUE(holding().empty()) << "no route has that gateway";
  tell("198.51.100.10", "203.0.113.1", "203.0.113.8");
  EXPECT_TRUE(holding().empty()) << "nor has it one because of another redirect";
  accept({{"secure-redirects", "no"}});
  EXPECT_EQ(holding().size(), 2u);
}

TEST_F(CompileRedirected, OnlyToHostsOfTheInterfacesNetworks) {
  accept({{"secure-redirects", "no"}});
  for (const std::string_view gateway :
       {"10.2.0.9", "198.51.100.1", "203.0.113.50", "203.0.113.255", "203.0.113.0"}) {
    learned.peers.redirects.front().gateway = ip(gateway);
    EXPECT_TRUE(holding().empty()) << gateway;
  }
  learned.peers.redirects.front() = {ip("198.51.100.9"), ip("203.0.113.1"), ip("203.0.113.7"),
                                     "gone"};
  EXPECT_TRUE(holding().empty());
}

TEST_F(CompileRedirected, OneOfSeveralEqualWaysIsReplaced) {
  route("0.0.0.0/0", "203.0.113.2");
  ASSERT_EQ(holding().size(), 1u);
  std::vector<uint32_t> gateways;
  for (const uint16_t way : host("198.51.100.9").alternatives)
    gateways.push_back(now.snapshot->next_hops[way].gateway.host());
  EXPECT_EQ(gateways, (std::vector{ip("203.0.113.7"), ip("203.0.113.2")}));
  // Two ways become one where the other one is what is told of.
  route("0.0.0.0/0", "203.0.113.7");
  learned.peers.redirects.front().told_by = ip("203.0.113.2");
  ASSERT_EQ(holding().size(), 1u);
  gateways.clear();
  for (const uint16_t way : host("198.51.100.9").alternatives)
    gateways.push_back(now.snapshot->next_hops[way].gateway.host());
  EXPECT_EQ(gateways, (std::vector{ip("203.0.113.1"), ip("203.0.113.7")}));
}

TEST_F(CompileRedirected, ARuleThatHidesTheRouteBelowHidesThem) {
  testing::add(tree, "/routing/rule",
               {{"action", "lookup"}, {"table", "main"}, {"min-prefix", "0"}});
  ASSERT_EQ(holding().size(), 1u);
  ASSERT_EQ(now.state->narrowed.size(), 1u);
  for (const Fib4Route& one : now.state->narrowed.begin()->second.routes)
    EXPECT_NE(one.network, ip("198.51.100.9"));
}

}  // namespace
}  // namespace maclane::compile
