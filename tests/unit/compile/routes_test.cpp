// Addresses and routes.
#include <random>
#include <tuple>

#include "tests/unit/compile/testing.h"

namespace maclane::compile {
namespace {

using Kind = NextHop::Kind;
using testing::Bench;
using testing::ip;

TEST(CompileRoutes, AddressGivesLocalConnectedAndBroadcast) {
  Bench b;
  b.ethernet("ether1");
  b.address("192.168.99.1/24", "ether1");
  b.must_compile();
  EXPECT_EQ(b.hop("192.168.99.1/32").kind, Kind::kLocal);
  EXPECT_EQ(b.hop("192.168.99.1/32").out_if, b.index("ether1"));
  EXPECT_EQ(b.hop("192.168.99.0/24").kind, Kind::kConnected);
  EXPECT_EQ(b.hop("192.168.99.0/24").out_if, b.index("ether1"));
  EXPECT_EQ(b.hop("192.168.99.255/32").kind, Kind::kBroadcast);
  EXPECT_EQ(b.hop("192.168.99.0/32").kind, Kind::kBroadcast);
  EXPECT_EQ(b.hop("255.255.255.255/32").kind, Kind::kBroadcast);
  EXPECT_EQ(b.hop("127.0.0.0/8").kind, Kind::kBlackhole);
  EXPECT_EQ(b.hop("0.0.0.0/0").kind, Kind::kNone);

  ASSERT_EQ(b.now.state->routes.rows.size(), 1u);
  const RouteInfo& info = b.now.state->routes.rows[0];
  EXPECT_EQ(model::format_prefix(info.dst), "192.168.99.0/24");
  EXPECT_EQ(info.gateway, "ether1");
  EXPECT_EQ(info.immediate_gateway, "ether1");
  EXPECT_EQ(info.distance, 0);
  EXPECT_TRUE(info.active && info.connect);
  EXPECT_EQ(info.row, 0u);
}

TEST(CompileRoutes, ShortNetworksHaveNoBroadcast) {
  Bench b;
  b.ethernet("ether1");
  b.address("10.0.0.0/31", "ether1");
  b.address("10.1.1.1/32", "ether1", {{"network", "10.1.1.2"}});
  b.must_compile();
  EXPECT_EQ(b.hop("10.0.0.0/32").kind, Kind::kLocal);
  EXPECT_EQ(b.hop("10.0.0.1/32").kind, Kind::kNone);
  EXPECT_EQ(b.hop("10.0.0.0/31").kind, Kind::kConnected);
  EXPECT_EQ(b.hop("10.1.1.1/32").kind, Kind::kLocal);
  EXPECT_EQ(b.hop("10.1.1.2/32").kind, Kind::kConnected);  // the other end
  EXPECT_EQ(b.hop("10.1.1.2/32").pref_src.host(), ip("10.1.1.1"));
}

TEST(CompileRoutes, LinkDownKeepsTheAddressAndLosesTheNetwork) {
  Bench b;
  b.ethernet("ether1", {}, false);
  b.ethernet("ether2", {{"disabled", "yes"}});
  b.address("10.0.0.1/24", "ether1");
  b.address("10.0.1.1/24", "ether2");
  const uint32_t id = b.route("0.0.0.0/0", "10.0.0.254");
  b.must_compile();
  EXPECT_EQ(b.hop("10.0.0.1/32").kind, Kind::kLocal);
  EXPECT_EQ(b.hop("10.0.0.0/24").kind, Kind::kNone);
  EXPECT_EQ(b.hop("10.0.1.1/32").kind, Kind::kNone);
  EXPECT_FALSE(b.static_route(id).active);
  EXPECT_EQ(b.static_route(id).immediate_gateway, "");
  EXPECT_FALSE(b.now.state->routes.rows[0].active);

  b.learned.ethernets["ether1"].link_up = true;
  b.must_compile();
  EXPECT_TRUE(b.static_route(id).active);
  EXPECT_EQ(b.hop("0.0.0.0/0").kind, Kind::kGateway);
}

TEST(CompileRoutes, OneSubnetOnTwoInterfaces) {  // E-27
  Bench b;
  b.ethernet("ether1");
  b.macvlan("macvlan1", "ether1", kMacA);
  b.address("203.0.113.1/24", "ether1");
  b.address("203.0.113.2/24", "macvlan1");
  const uint32_t id = b.route("0.0.0.0/0", "203.0.113.254");
  b.must_compile();
  const std::vector<IfIndex> both{b.index("ether1"), b.index("macvlan1")};
  EXPECT_EQ(b.hop("203.0.113.1/32").out_if, b.index("ether1"));
  EXPECT_EQ(b.hop("203.0.113.2/32").out_if, b.index("macvlan1"));
  EXPECT_EQ(b.hop("203.0.113.0/24").kind, Kind::kConnected);
  EXPECT_EQ(b.hop("203.0.113.0/24").out_if, b.index("ether1"));
  EXPECT_EQ(b.ways("203.0.113.0/24"), both);
  EXPECT_EQ(b.ways("203.0.113.255/32"), both);
  EXPECT_EQ(b.hop("0.0.0.0/0").kind, Kind::kGateway);
  EXPECT_EQ(b.ways("0.0.0.0/0"), both);
  EXPECT_EQ(b.static_route(id).immediate_gateway, "203.0.113.254%ether1,203.0.113.254%macvlan1");
  // The leader is one of its own alternatives; the others have none.
  const NextHop& leader = b.hop("203.0.113.0/24");
  EXPECT_EQ(&b.now.snapshot->next_hops[leader.alternatives[0]], &leader);
  EXPECT_TRUE(b.now.snapshot->next_hops[leader.alternatives[1]].alternatives.empty());
  ASSERT_EQ(b.now.state->routes.rows.size(), 3u);
  EXPECT_TRUE(b.now.state->routes.rows[0].active && b.now.state->routes.rows[1].active);
}

TEST(CompileRoutes, SecondAddressOfANetworkIsNoSecondRoute) {
  Bench b;
  b.ethernet("ether1");
  b.address("10.0.0.1/24", "ether1");
  b.address("10.0.0.2/24", "ether1");
  b.address("10.9.0.1/24", "ether1");
  b.must_compile();
  EXPECT_TRUE(b.hop("10.0.0.0/24").alternatives.empty());
  EXPECT_EQ(b.hop("10.0.0.2/32").kind, Kind::kLocal);
  EXPECT_EQ(b.hop("10.0.0.0/24").pref_src.host(), 0u);  // the primary one
  EXPECT_EQ(b.hop("10.9.0.0/24").pref_src.host(), ip("10.9.0.1"));
  EXPECT_EQ(b.now.state->routes.rows.size(), 2u);
}

TEST(CompileRoutes, AGatewayIsLookedForInMainAndMayBeSaidToBe) {
  Bench b;
  b.ethernet("ether1");
  b.address("10.0.1.1/24", "ether1");
  const uint32_t plain = b.route("10.9.0.0/16", "10.0.1.254@main");
  const uint32_t with = b.route("10.8.0.0/16", "10.0.1.253%ether1@main");
  b.must_compile();
  EXPECT_TRUE(b.static_route(plain).active);
  EXPECT_EQ(b.static_route(plain).immediate_gateway, "10.0.1.254%ether1");
  EXPECT_EQ(b.static_route(with).immediate_gateway, "10.0.1.253%ether1");
  EXPECT_EQ(b.hop("10.8.0.0/16").gateway.host(), ip("10.0.1.253"));
}

/// Rows of the compile before are taken over: what comes out is what a first compile makes.
TEST(CompileRoutes, AreTheSameWhateverWasCompiledBefore) {
  std::mt19937 random(17);
  const auto pick = [&](size_t n) { return random() % n; };
  const std::array<std::string, 6> gateways = {"10.0.0.2", "10.0.0.3", "10.0.1.9%ether2",
                                               "ether2",   "10.9.9.9", "10.0.0.1"};
  const std::array<std::string, 4> types = {"", "blackhole", "prohibit", "unreachable"};
  Bench b;
  b.ethernet("ether1");
  b.ethernet("ether2");
  b.address("10.0.0.1/24", "ether1");
  testing::add(b.tree, "/routing/table", {{"name", "other"}, {"fib", "true"}});
  std::vector<uint32_t> ids;
  size_t active = 0, inactive = 0;
  for (int round = 0; round < 300; ++round) {
    for (size_t i = pick(5); i != 0; --i) {
      ids.push_back(
          b.route("10." + std::to_string(pick(4)) + ".0.0/" + std::to_string(14 + pick(3)),
                  gateways[pick(gateways.size())]));
      const std::string& type = types[pick(10) < 7 ? 0 : 1 + pick(3)];
      if (!type.empty()) testing::set(b.tree, "/ip/route", ids.back(), {{"type", type}});
      testing::set(b.tree, "/ip/route", ids.back(), {{"distance", std::to_string(1 + pick(3))}});
      if (pick(4) == 0) testing::set(b.tree, "/ip/route", ids.back(), {{"routing-table", "other"}});
    }
    if (!ids.empty() && pick(2) == 0) {
      const size_t place = pick(ids.size());
      testing::remove(b.tree, "/ip/route", ids[place]);
      ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(place));
    }
    if (!ids.empty() && pick(2) == 0) {
      testing::set(b.tree, "/ip/route", ids[pick(ids.size())],
                   {{"disabled", pick(2) == 0 ? "true" : "false"}});
    }
    if (ids.size() > 1 && pick(3) == 0) {
      auto& rows = b.tree.edit(*model::find_menu("/ip/route"));
      rows.move(rows.size() - 1, pick(rows.size()));
    }
    b.must_compile();
    int fibs = 0;
    const auto first = compile_tree(b.tree, b.learned, nullptr, testing::counting_fib(fibs));
    ASSERT_TRUE(first);
    const CompileState& now = *b.now.state;
    const CompileState& other = *first->state;
    ASSERT_EQ(now.routes.rows.size(), other.routes.rows.size());
    for (size_t i = 0; i < now.routes.rows.size(); ++i) {
      const RouteInfo& a = now.routes.rows[i];
      const RouteInfo& c = other.routes.rows[i];
      EXPECT_EQ(std::tie(a.dst.address, a.dst.length, a.gateway, a.immediate_gateway, a.table,
                         a.distance, a.active, a.row),
                std::tie(c.dst.address, c.dst.length, c.gateway, c.immediate_gateway, c.table,
                         c.distance, c.active, c.row));
      (a.active ? active : inactive) += 1;
    }
    for (const uint32_t id : ids) {
      const RouteInfo* const a = now.routes.find(id);
      EXPECT_EQ(a != nullptr, other.routes.find(id) != nullptr);
      if (a != nullptr) {
        EXPECT_EQ(a->row, id);
      }
    }
    const auto same = [&](const std::vector<Fib4Route>& x, const std::vector<Fib4Route>& y) {
      ASSERT_EQ(x.size(), y.size());
      for (size_t i = 0; i < x.size(); ++i) {
        EXPECT_TRUE(x[i].network == y[i].network && x[i].length == y[i].length);
        EXPECT_EQ(b.now.snapshot->next_hops[x[i].next_hop].kind,
                  first->snapshot->next_hops[y[i].next_hop].kind);
      }
    };
    same(now.fib_routes, other.fib_routes);
    same(now.tables.at("other").routes, other.tables.at("other").routes);
  }
  EXPECT_GT(active, 1000u);
  EXPECT_GT(inactive, 1000u);
}

TEST(CompileRoutes, LowestDistanceWithAWayWins) {
  Bench b;
  b.ethernet("ether1");
  b.ethernet("ether2");
  b.address("10.0.1.1/24", "ether1");
  b.address("10.0.2.1/24", "ether2");
  const uint32_t far = b.route("0.0.0.0/0", "10.0.2.254", {{"distance", "5"}});
  const uint32_t near = b.route("0.0.0.0/0", "10.0.1.254");
  const uint32_t nowhere = b.route("0.0.0.0/0", "172.16.0.1");
  const uint32_t off = b.route("0.0.0.0/0", "10.0.1.9", {{"disabled", "yes"}});
  b.must_compile();
  EXPECT_TRUE(b.static_route(near).active);
  EXPECT_EQ(b.static_route(near).immediate_gateway, "10.0.1.254%ether1");
  EXPECT_FALSE(b.static_route(far).active);
  EXPECT_FALSE(b.static_route(nowhere).active);
  EXPECT_EQ(b.now.state->routes.find(off), nullptr);
  EXPECT_EQ(b.hop("0.0.0.0/0").gateway.host(), ip("10.0.1.254"));
  EXPECT_EQ(b.hop("0.0.0.0/0").out_if, b.index("ether1"));

  b.learned.ethernets["ether1"].link_up = false;  // failover
  b.must_compile();
  EXPECT_FALSE(b.static_route(near).active);
  EXPECT_TRUE(b.static_route(far).active);
  EXPECT_EQ(b.hop("0.0.0.0/0").gateway.host(), ip("10.0.2.254"));
}

TEST(CompileRoutes, EqualDistancesShare) {  // E-32
  Bench b;
  b.ethernet("ether1");
  b.ethernet("ether2");
  b.address("10.0.1.1/24", "ether1");
  b.address("10.0.2.1/24", "ether2");
  const uint32_t one = b.route("0.0.0.0/0", "10.0.1.254");
  const uint32_t two = b.route("0.0.0.0/0", "10.0.2.254");
  b.route("172.16.0.0/12", "10.0.1.254");
  b.must_compile();
  EXPECT_TRUE(b.static_route(one).active && b.static_route(two).active);
  EXPECT_EQ(b.ways("0.0.0.0/0"), (std::vector<IfIndex>{b.index("ether1"), b.index("ether2")}));
  EXPECT_TRUE(b.hop("172.16.0.0/12").alternatives.empty());
}

TEST(CompileRoutes, ConnectedBeatsStaticAndOwnAddressBeatsAll) {
  Bench b;
  b.ethernet("ether1");
  b.ethernet("ether2");
  b.address("10.0.1.1/24", "ether1");
  b.address("10.0.2.1/24", "ether2");
  const uint32_t same = b.route("10.0.1.0/24", "10.0.2.254");
  const uint32_t host = b.route("10.0.1.1/32", "10.0.2.254");
  b.must_compile();
  EXPECT_FALSE(b.static_route(same).active);
  EXPECT_EQ(b.hop("10.0.1.0/24").kind, Kind::kConnected);
  EXPECT_TRUE(b.static_route(host).active);  // in the main table, which is asked second
  EXPECT_EQ(b.hop("10.0.1.1/32").kind, Kind::kLocal);
}

TEST(CompileRoutes, GatewaysOfEveryForm) {
  Bench b;
  b.ethernet("ether1");
  b.ethernet("ether2", {}, false);
  b.address("10.0.1.1/24", "ether1");
  const uint32_t with = b.route("172.16.0.0/16", "192.0.2.1%ether1");
  const uint32_t on_link = b.route("172.17.0.0/16", "ether1");
  const uint32_t down = b.route("172.18.0.0/16", "ether2");
  const uint32_t own = b.route("172.19.0.0/16", "10.0.1.1");
  const uint32_t recursive = b.route("172.20.0.0/16", "172.17.0.1");
  b.must_compile();
  EXPECT_TRUE(b.static_route(with).active);
  EXPECT_EQ(b.hop("172.16.0.0/16").kind, Kind::kGateway);
  EXPECT_EQ(b.hop("172.16.0.0/16").gateway.host(), ip("192.0.2.1"));
  EXPECT_TRUE(b.static_route(on_link).active);
  EXPECT_EQ(b.hop("172.17.0.0/16").kind, Kind::kConnected);
  EXPECT_FALSE(b.static_route(down).active);
  EXPECT_FALSE(b.static_route(own).active);
  EXPECT_FALSE(b.static_route(recursive).active);  // scope 30 is not within target-scope 10
  EXPECT_EQ(b.hop("172.20.0.0/16").kind, Kind::kNone);
}

TEST(CompileRoutes, RoutesThatForwardNothing) {
  Bench b;
  b.ethernet("ether1");
  b.route("10.1.0.0/16", "", {{"blackhole", "yes"}});
  b.route("10.2.0.0/16", "", {{"type", "prohibit"}});
  b.route("10.3.0.0/16", "", {{"type", "unreachable"}});
  const uint32_t loopback = b.route("127.1.0.0/16", "ether1");
  b.must_compile();
  EXPECT_EQ(b.hop("10.1.0.0/16").kind, Kind::kBlackhole);
  EXPECT_EQ(b.hop("10.2.0.0/16").kind, Kind::kProhibit);
  EXPECT_EQ(b.hop("10.3.0.0/16").kind, Kind::kUnreachable);
  EXPECT_EQ(b.hop("127.1.0.0/16").kind, Kind::kNone);
  EXPECT_FALSE(b.static_route(loopback).active);
}

TEST(CompileRoutes, PreferredSource) {
  Bench b;
  b.ethernet("ether1");
  b.address("10.0.1.1/24", "ether1");
  b.route("0.0.0.0/0", "10.0.1.254", {{"pref-src", "10.0.1.1"}});
  b.must_compile();
  EXPECT_EQ(b.hop("0.0.0.0/0").pref_src.host(), ip("10.0.1.1"));
}

TEST(CompileRoutes, TooManyNextHopsIsAnErrorAtARow) {
  Bench b;
  b.ethernet("ether1");
  b.address("10.0.0.1/8", "ether1");
  const model::Menu& menu = *model::find_menu("/ip/route");
  for (uint32_t i = 0; i < 0x8000; ++i) {
    b.route(model::format_prefix({ip("172.16.0.0") + i, 32}),
            model::format_ip4(ip("10.1.0.0") + i));
  }
  Errors errors = b.compile();
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].path, "/ip/route");
  EXPECT_EQ(errors[0].property, "gateway");
  EXPECT_EQ(b.fibs, 0);
  while (b.tree.rows(menu).size() > 1000) b.tree.edit(menu).erase(b.tree.rows(menu).size() - 1);
  b.must_compile();
}

TEST(CompileRoutes, FibThatDoesNotFitIsAnError) {
  Bench b;
  b.ethernet("ether1");
  const auto result = compile_tree(b.tree, b.learned, nullptr, [](bool) -> FibBuilder {
    return [](std::span<const Fib4Route>, std::string* error) {
      *error = "no memory for routes; give the dataplane more";
      return std::shared_ptr<const Fib4>();
    };
  });
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error()[0].path, "/ip/route");
  EXPECT_EQ(result.error()[0].message, "no memory for routes; give the dataplane more");
}

}  // namespace
}  // namespace maclane::compile
