// What services learned becomes addresses and routes (C-1, C-17, F-7).
#include "control/compile/clashes.h"
#include "tests/unit/compile/testing.h"

namespace maclane::compile {
namespace {

using Kind = NextHop::Kind;
using testing::Bench;
using testing::ip;

/// Two macvlans of one port, each with a lease of the same server.
struct Leases : Bench {
  Leases() {
    ethernet("ether1");
    macvlan("m1", "ether1", kMacA);
    macvlan("m2", "ether1", kMacB);
    lease("m1", "203.0.113.50", 1);
    lease("m2", "203.0.113.51", 1);
  }
  void lease(const std::string& name, std::string_view address, uint8_t distance) {
    learned.peers.addresses.push_back({name, ip(address), 24, 0, LearnedFrom::kDhcp});
    learned.peers.routes.push_back(
        {0, 0, "203.0.113.1%" + name, distance, ip(address), LearnedFrom::kDhcp});
  }
  [[nodiscard]] const RouteInfo& way_by(std::string_view name) const {
    static const RouteInfo none{};
    for (const RouteInfo& one : now.state->routes.rows) {
      if (one.gateway == "203.0.113.1%" + std::string(name)) return one;
    }
    ADD_FAILURE() << name;
    return none;
  }
};

TEST(CompileLearned, ALeaseIsAnAddressAndARoute) {
  Leases b;
  b.must_compile();
  EXPECT_EQ(b.hop("203.0.113.50/32").kind, Kind::kLocal);
  EXPECT_EQ(b.hop("203.0.113.50/32").out_if, b.index("m1"));
  EXPECT_EQ(b.hop("203.0.113.255/32").kind, Kind::kBroadcast);
  EXPECT_EQ(b.interface("m1").primary_address.host(), ip("203.0.113.50"));
  ASSERT_EQ(b.now.state->addresses.size(), 2u);
  EXPECT_EQ(b.now.state->addresses[0].row, 0u);
  EXPECT_EQ(b.now.state->addresses[0].network, ip("203.0.113.0"));
}

TEST(CompileLearned, WhatIsInTheWayOfOurNetworksIsSaid) {  // C-1, E-27
  Leases b;
  b.ethernet("ether2");
  testing::add(b.tree, "/interface/pppoe-client", {{"name", "dsl"}, {"interface", "m1"}});
  b.address("192.168.88.1/24", "ether2");
  b.address("203.0.113.2/24", "ether1");  // on one wire with the leases
  b.must_compile();
  EXPECT_TRUE(clashes(*b.now.state, *b.now.snapshot).empty());
  const auto said = [&](LearnedAddress one) {
    const auto before = b.learned.peers.addresses;
    b.learned.peers.addresses.push_back(std::move(one));
    b.must_compile();
    b.learned.peers.addresses = before;
    const auto found = clashes(*b.now.state, *b.now.snapshot);
    EXPECT_LE(found.size(), 1u);
    return found.empty() ? std::string() : found.front().interface + ": " + found.front().text;
  };
  EXPECT_EQ(said({"m2", ip("192.168.88.77"), 24, 0, LearnedFrom::kDhcp}),
            "m2: the network of 192.168.88.77/24 that a DHCP server gave it overlaps "
            "192.168.88.0/24 of ether2: hosts of one are looked for in the other; give ether2 "
            "another network");
  EXPECT_NE(said({"m2", ip("192.168.1.77"), 16, 0, LearnedFrom::kDhcp}), "");
  EXPECT_NE(said({"m2", ip("192.168.88.200"), 29, 0, LearnedFrom::kDhcp}), "");
  EXPECT_EQ(said({"m2", ip("192.168.89.77"), 24, 0, LearnedFrom::kDhcp}), "");
  EXPECT_EQ(said({"dsl", ip("192.168.88.9"), 32, ip("10.0.0.1"), LearnedFrom::kPpp}),
            "dsl: the address 192.168.88.9 that its access concentrator gave it is in the network "
            "192.168.88.0/24 of ether2: a host of that address is not reached there");
  EXPECT_EQ(said({"dsl", ip("10.0.0.9"), 32, ip("192.168.88.3"), LearnedFrom::kPpp}),
            "dsl: the address 192.168.88.3 of its access concentrator is in the network "
            "192.168.88.0/24 of ether2: a host of that address is not reached there");
  EXPECT_EQ(said({"dsl", ip("10.0.0.9"), 32, ip("10.0.0.1"), LearnedFrom::kPpp}), "");
}

TEST(CompileLearned, RoutesOfProgramsHaveTheirDistance) {  // DESIGN 6
  Leases b;
  b.learned.peers.routes.clear();
  const auto add = [&](std::string gateway, LearnedFrom from, uint8_t distance,
                       LearnedRoute::Type type = LearnedRoute::Type::kUnicast) {
    LearnedRoute one{ip("10.77.0.0"), 16, std::move(gateway), distance, 0, from};
    one.type = type;
    b.learned.peers.routes.push_back(one);
  };
  add("203.0.113.9%m1", LearnedFrom::kOspf, 110);
  add("203.0.113.9%m2", LearnedFrom::kOspf, 110);
  b.must_compile();
  EXPECT_EQ(b.hop("10.77.0.0/16").alternatives.size(), 2u) << "several ways of one route";
  add("203.0.113.8%m2", LearnedFrom::kBgp, 20);
  b.must_compile();
  EXPECT_EQ(b.hop("10.77.0.0/16").gateway.host(), ip("203.0.113.8"));
  add("", LearnedFrom::kProgram, 10, LearnedRoute::Type::kProhibit);
  b.must_compile();
  EXPECT_EQ(b.hop("10.77.0.0/16").kind, Kind::kProhibit);
  b.route("10.77.0.0/16", "203.0.113.7");
  b.must_compile();
  EXPECT_EQ(b.hop("10.77.0.0/16").gateway.host(), ip("203.0.113.7")) << "what is configured";
}

TEST(CompileLearned, OneGatewayOnTwoInterfacesIsTwoWays) {  // F-7, E-32
  Leases b;
  b.must_compile();
  const NextHop& both = b.hop("0.0.0.0/0");
  EXPECT_EQ(both.alternatives.size(), 2u) << "equal distance: both are used";
  EXPECT_TRUE(b.way_by("m1").active && b.way_by("m2").active);
  b.learned.peers.routes[0].distance = 2;
  b.must_compile();
  const NextHop& one = b.hop("0.0.0.0/0");
  EXPECT_EQ(one.kind, Kind::kGateway);
  EXPECT_EQ(one.out_if, b.index("m2"));
  EXPECT_EQ(one.gateway.host(), ip("203.0.113.1"));
  EXPECT_EQ(one.pref_src.host(), ip("203.0.113.51"));
  EXPECT_FALSE(b.way_by("m1").active);
  EXPECT_EQ(b.way_by("m1").learned, LearnedFrom::kDhcp);
  // The better one goes: the other takes over.
  b.learned.peers.routes.pop_back();
  b.learned.peers.addresses.pop_back();
  b.must_compile();
  EXPECT_EQ(b.hop("0.0.0.0/0").out_if, b.index("m1"));
  EXPECT_EQ(b.hop("203.0.113.51/32").kind, Kind::kNone);
}

TEST(CompileLearned, WhatIsWrittenGoesBeforeByDistance) {
  Leases b;
  b.address("192.168.1.1/24", "ether1");
  testing::add(b.tree, "/ip/route", {{"gateway", "192.168.1.254"}});
  for (LearnedRoute& one : b.learned.peers.routes) one.distance = 5;
  b.must_compile();
  EXPECT_EQ(b.hop("0.0.0.0/0").out_if, b.index("ether1"));
}

TEST(CompileLearned, AGatewayThatWasFoundLostIsNoWay) {  // C-15 check-gateway
  Leases b;
  for (LearnedRoute& one : b.learned.peers.routes) one.check = GatewayProof::kPing;
  b.learned.peers.routes[1].distance = 2;
  b.must_compile();
  ASSERT_EQ(b.now.state->checked.size(), 2u);
  EXPECT_TRUE(b.now.state->checked[0].ping);
  EXPECT_EQ(b.hop("0.0.0.0/0").out_if, b.index("m1"));
  b.learned.peers.lost_gateways.emplace(true, "m1", ip("203.0.113.1"));
  b.must_compile();
  EXPECT_EQ(b.hop("0.0.0.0/0").out_if, b.index("m2"));
  EXPECT_FALSE(b.way_by("m1").active);
  // Lost to ARP is not lost to ping.
  b.learned.peers.lost_gateways = {{false, "m1", ip("203.0.113.1")}};
  b.must_compile();
  EXPECT_EQ(b.hop("0.0.0.0/0").out_if, b.index("m1"));
}

TEST(CompileLearned, ALeasesRouteStandsInItsTables) {  // C-15 default-route-tables, F-7
  Leases b;
  testing::add(b.tree, "/routing/table", {{"name", "second"}});
  b.learned.peers.routes[1].table = "second";
  b.must_compile();
  EXPECT_TRUE(b.hop("0.0.0.0/0").alternatives.empty());
  EXPECT_EQ(b.hop("0.0.0.0/0").out_if, b.index("m1"));
  EXPECT_TRUE(b.way_by("m2").active);
  EXPECT_EQ(b.way_by("m2").table, "second");
  ASSERT_EQ(b.now.state->tables.at("second").routes.size(), 1u);
  testing::set(b.tree, "/routing/table", 1, {{"disabled", "yes"}});
  b.must_compile();
  EXPECT_FALSE(b.way_by("m2").active);
}

TEST(CompileLearned, InterfacesThatAreGoneOrDownAreNoWay) {
  Leases b;
  b.learned.peers.addresses.push_back({"nix", ip("10.0.0.1"), 24, 0, LearnedFrom::kDhcp});
  b.learned.peers.routes.push_back({0, 0, "10.0.0.2%nix", 1, 0, LearnedFrom::kDhcp});
  testing::set(b.tree, "/interface/macvlan", 1, {{"disabled", "yes"}});
  b.must_compile();
  EXPECT_EQ(b.hop("10.0.0.1/32").kind, Kind::kNone);
  EXPECT_EQ(b.hop("0.0.0.0/0").out_if, b.index("m2"));
  EXPECT_FALSE(b.way_by("m1").active);
}

TEST(CompileLearned, ADhcpClientAsksForItsReplies) {
  Leases b;
  testing::add(b.tree, "/ip/dhcp-client", {{"interface", "m1"}});
  testing::add(b.tree, "/ip/dhcp-client", {{"interface", "m2"}, {"disabled", "yes"}});
  b.must_compile();
  EXPECT_TRUE(b.interface("m1").dhcp);
  EXPECT_FALSE(b.interface("m2").dhcp);
  EXPECT_FALSE(b.interface("ether1").dhcp);
}

// PPPoE -------------------------------------------------------------------------------------------

struct Sessions : Bench {
  Sessions() {
    ethernet("ether1");
    macvlan("m1", "ether1", kMacA);
    testing::add(tree, "/interface/pppoe-client", {{"name", "out1"}, {"interface", "m1"}});
  }
  void connect() {
    learned.peers.sessions["out1"] = {be16::from(0x11), peer, 1480};
    learned.peers.addresses.push_back(
        {"out1", ip("10.64.1.7"), 32, ip("10.64.0.1"), LearnedFrom::kPpp});
    learned.peers.routes.push_back({0, 0, "out1", 1, ip("10.64.1.7"), LearnedFrom::kPpp});
  }
  MacAddr peer{{0x02, 0xac, 0, 0, 0, 1}};
};

TEST(CompilePppoe, WithoutASessionItIsThereAndDown) {
  Sessions b;
  b.must_compile();
  EXPECT_EQ(b.interface("out1").kind, IfKind::kPppoe);
  EXPECT_EQ(b.interface("out1").parent, b.index("m1"));
  EXPECT_FALSE(b.interface("out1").up);
  EXPECT_TRUE(b.interface("m1").pppoe) << "control frames go to control";
  EXPECT_FALSE(b.interface("ether1").pppoe);
}

TEST(CompilePppoe, ASessionIsAnInterface) {
  Sessions b;
  b.connect();
  b.must_compile();
  const Interface& out = b.interface("out1");
  EXPECT_TRUE(out.up);
  EXPECT_EQ(out.mtu, 1480);
  EXPECT_EQ(out.pppoe_session.host(), 0x11);
  EXPECT_EQ(out.pppoe_peer, b.peer);
  EXPECT_EQ(out.arp, ArpMode::kDisabled);
  EXPECT_EQ(out.domain, kNoDomain);
  EXPECT_EQ(out.primary_address.host(), ip("10.64.1.7"));
  EXPECT_EQ(b.now.snapshot->pppoe_sessions.find(pppoe_key(b.index("m1"), be16::from(0x11))),
            b.index("out1"));
  EXPECT_EQ(b.hop("10.64.0.1/32").kind, Kind::kConnected) << "the other end";
  EXPECT_EQ(b.hop("10.64.1.7/32").kind, Kind::kLocal);
  EXPECT_EQ(b.hop("0.0.0.0/0").out_if, b.index("out1"));
  EXPECT_EQ(b.hop("0.0.0.0/0").kind, Kind::kConnected);
  // SYNs that offer more than fits are clamped, both ways, by rules of its own.
  ASSERT_EQ(b.now.state->clamps.size(), 1u);
  EXPECT_EQ(b.now.state->clamps[0].interface, b.index("out1"));
  EXPECT_EQ(b.now.state->clamps[0].mss, 1440);
  const RuleSet& mangle = *b.now.snapshot->mangle;
  const auto rules = b.chain(mangle, "forward");
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_EQ(rules[0].out_if, b.index("out1"));
  EXPECT_EQ(rules[1].in_if, b.index("out1"));
  for (const Rule& rule : rules) {
    EXPECT_EQ(rule.action, Action::kChangeMss);
    EXPECT_EQ(mangle.more_of(rule).mss, 1440);
    EXPECT_EQ(mangle.more_of(rule).mss_first, 1441);
  }
  // The parent goes down: no session, no way.
  testing::set(b.tree, "/interface/macvlan", 1, {{"disabled", "yes"}});
  b.must_compile();
  EXPECT_FALSE(b.interface("out1").up);
  EXPECT_TRUE(b.now.state->clamps.empty());
  EXPECT_EQ(b.hop("0.0.0.0/0").kind, Kind::kNone);
  EXPECT_EQ(b.now.snapshot->pppoe_sessions.find(pppoe_key(b.index("m1"), be16::from(0x11))), kNoIf);
}

TEST(CompilePppoe, TcpIsToldOfItsMtuBothWays) {
  Sessions b;
  testing::add(b.tree, "/ip/firewall/mangle", {{"chain", "forward"}, {"action", "passthrough"}});
  b.must_compile();
  EXPECT_EQ(b.chain(*b.now.snapshot->mangle, "forward").size(), 1u);
  b.connect();
  b.must_compile();
  const RuleSet& mangle = *b.now.snapshot->mangle;
  const auto rules = b.chain(mangle, "forward");
  ASSERT_EQ(rules.size(), 3u);
  EXPECT_EQ(rules[0].out_if, b.index("out1"));
  EXPECT_EQ(rules[1].in_if, b.index("out1"));
  EXPECT_NE(rules[0].counter, rules[1].counter);
  for (const Rule& rule : {rules[0], rules[1]}) {
    const RuleMore& more = mangle.more_of(rule);
    EXPECT_EQ(rule.action, Action::kChangeMss);
    EXPECT_EQ(rule.protocol, 6);
    EXPECT_NE(rule.counter, 0u);
    EXPECT_EQ(more.mss, 1440);
    EXPECT_EQ(more.mss_first, 1441);
    EXPECT_EQ(more.tcp_set, 2);
  }
  EXPECT_EQ(rules[2].action, Action::kPassthrough) << "before what people wrote";
  const auto* before = b.now.snapshot->mangle.get();
  b.must_compile();
  EXPECT_EQ(b.now.snapshot->mangle.get(), before);
  b.learned.peers.sessions["out1"].mtu = 1492;
  b.must_compile();
  EXPECT_EQ(b.now.snapshot->mangle->more_of(b.chain(*b.now.snapshot->mangle, "forward")[0]).mss,
            1452);
  b.learned.peers = {};
  b.must_compile();
  EXPECT_EQ(b.chain(*b.now.snapshot->mangle, "forward").size(), 1u);
}

TEST(CompilePppoe, DisabledIsWithoutEffect) {
  Sessions b;
  b.connect();
  testing::set(b.tree, "/interface/pppoe-client", 1, {{"disabled", "yes"}});
  b.must_compile();
  EXPECT_FALSE(b.interface("out1").up);
  EXPECT_FALSE(b.interface("m1").pppoe);
}

TEST(CompilePppoe, AnInterfaceThatIsScannedHearsTheAnswers) {
  Bench b;
  b.ethernet("ether1");
  b.learned.peers.scanned.insert("ether1");
  b.learned.peers.scanned.insert("nix");
  b.must_compile();
  EXPECT_TRUE(b.interface("ether1").pppoe);
}

}  // namespace
}  // namespace maclane::compile
