// Routing by more than the destination: marks, rules, several uplinks of equal cost, the way back,
// the check of sources, redirects (RFC 1812 5.2.7.2, RFC 3704).
#include <map>
#include <set>

#include "tests/unit/l3/fixture.h"

namespace maclane::test {

class RoutingTest : public L3Test {
 protected:
  static constexpr uint32_t kGateway2 = ip4(192, 168, 99, 254);
  static constexpr uint32_t kGateway3 = ip4(203, 0, 113, 3);

  void SetUp() override {
    L3Test::SetUp();
    using Kind = NextHop::Kind;
    second = static_cast<uint16_t>(snap.next_hops.size());
    snap.next_hops.push_back({Kind::kGateway, kIot, be32::from(kGateway2), {}, {}});
    third = static_cast<uint16_t>(snap.next_hops.size());
    snap.next_hops.push_back({Kind::kGateway, kWan, be32::from(kGateway3), {}, {}});
    neighbours->set(kIot, be32::from(kGateway2), {{2, 0, 0, 0, 0, 0x22}}, NeighState::kReachable);
    neighbours->set(kWan, be32::from(kGateway3), {{2, 0, 0, 0, 0, 0x33}}, NeighState::kReachable);
    snap.drop_hop = 9;
    snap.unreachable_hop = 11;
    snap.tables.resize(kMark + 1);
    snap.tables[kMark] = table({{0, 0, second}});
    publish();
  }
  static std::shared_ptr<const Fib4> table(const std::vector<Fib4Route>& routes) {
    std::string error;
    auto fib = Fib4::build(routes, &error, true);
    EXPECT_TRUE(fib) << error;
    return fib;
  }
  static Draft mark_routing(uint32_t mark) {
    Draft r = make(Action::kMarkRouting, 80);
    r.with.mark = mark;
    return r;
  }
  /// Where the one packet went.
  static IfIndex out() { return sent().size() == 1 ? sent()[0].out_if : kNoIf; }
  static uint8_t gateway() { return sent().size() == 1 ? sent()[0].frame[5] : 0; }
  /// The default route of main goes to both gateways.
  void equal_ways(const std::vector<uint16_t>& ways) {
    NextHop leader = snap.next_hops[ways[0]];
    const auto number = static_cast<uint16_t>(snap.next_hops.size());
    leader.alternatives = ways;
    leader.alternatives[0] = number;
    snap.next_hops.push_back(leader);
    snap.fib = table({{kLanIp, 32, 1},
                      {kWanIp, 32, 2},
                      {ip4(192, 168, 99, 1), 32, 3},
                      {ip4(192, 168, 88, 0), 24, 4},
                      {ip4(203, 0, 113, 0), 24, 5},
                      {ip4(192, 168, 99, 0), 24, 6},
                      {0, 0, number}});
    publish();
  }

  static constexpr uint32_t kMark = 5;
  uint16_t second = 0;  // the next hop by iot
  uint16_t third = 0;   // another by wan
};

TEST_F(RoutingTest, AMarkChoosesTheTable) {
  Draft rule = mark_routing(kMark);
  rule.match = Rule::kSrc;
  rule.src = {kPc, kPc};
  mangle({rule});
  run(udp(kPc, 1000, kServer, 53), kLan);
  EXPECT_EQ(out(), kIot);
  EXPECT_EQ(gateway(), 0x22);
  run(udp(kPc, 1000, kServer, 53), kLan);
  EXPECT_EQ(out(), kIot) << "and so does the fast path";
  run(udp(kPc + 5, 1000, kServer, 53), kLan);
  EXPECT_EQ(out(), kWan);
}

TEST_F(RoutingTest, WhatTheTableHasNotMainHas) {
  snap.tables[kMark] = table({{ip4(198, 18, 0, 0), 15, second}});
  mangle({mark_routing(kMark)});
  run(udp(kPc, 1000, kServer, 53), kLan);
  EXPECT_EQ(out(), kWan);
  run(udp(kPc, 1000, ip4(198, 18, 0, 9), 53), kLan);
  EXPECT_EQ(out(), kIot);
  run(udp(kPc, 1000, kLanIp, 53), kLan);
  EXPECT_EQ(sent().size(), 0u);
  EXPECT_EQ(punted().size(), 1u) << "the router's own addresses come first";
}

TEST_F(RoutingTest, RulesDecideInTheirOrder) {
  RoutingRule drop, only, lookup;
  drop.action = RoutingRule::Action::kDrop;
  drop.dst = {kServer, kServer};
  drop.src = {kPc + 1, kPc + 1};
  only.action = RoutingRule::Action::kLookupOnly;
  only.src = {kPc + 2, kPc + 2};
  only.table = table({{ip4(198, 18, 0, 0), 15, second}});
  lookup.src = {kPc, kPc + 9};
  lookup.in_if = kLan;
  lookup.table = table({{0, 0, third}});
  snap.routing_rules = {drop, only, lookup};
  publish();
  run(udp(kPc + 1, 1000, kServer, 53), kLan);
  EXPECT_EQ(drops(Drop::route_blackhole), 1u);
  run(udp(kPc + 2, 1000, kServer, 53), kLan);
  EXPECT_EQ(drops(Drop::no_route), 1u) << "lookup-only-in-table asks no other";
  run(udp(kPc + 2, 1000, ip4(198, 18, 0, 9), 53), kLan);
  EXPECT_EQ(out(), kIot);
  run(udp(kPc + 3, 1000, kServer, 53), kLan);
  EXPECT_EQ(gateway(), 0x33);
  run(udp(kPc + 20, 1000, kServer, 53), kLan);
  EXPECT_EQ(gateway(), 0x11);
  run(udp(kPc + 3, 1001, kServer, 53), kIot);
  EXPECT_EQ(gateway(), 0x11) << "it came in elsewhere";
}

TEST_F(RoutingTest, ARuleAsksForTheMark) {
  RoutingRule rule;
  rule.any_mark = false;
  rule.mark = 7;
  rule.action = RoutingRule::Action::kUnreachable;
  snap.routing_rules = {rule};
  Draft marks = mark_routing(7);
  marks.match = Rule::kSrc;
  marks.src = {kPc, kPc};
  mangle({marks});
  run(udp(kPc, 1000, kServer, 53), kLan);
  EXPECT_EQ(drops(Drop::route_unreachable), 1u);
  run(udp(kPc + 1, 1000, kServer, 53), kLan);
  EXPECT_EQ(out(), kWan);
}

TEST_F(RoutingTest, AConnectionKeepsItsWayAmongEqualOnes) {
  equal_ways({7, second, third});
  std::map<uint8_t, unsigned> used;
  for (uint32_t k = 0; k < 60; ++k) {
    const uint32_t server = kServer + k;
    run(udp(kPc, 1000, server, 53), kLan);
    const uint8_t way = gateway();
    ++used[way];
    run(udp(kPc, 1000, server, 53), kLan);
    EXPECT_EQ(gateway(), way);
    publish();  // everything is judged again
    run(udp(kPc, 1000, server, 53), kLan);
    EXPECT_EQ(gateway(), way);
  }
  EXPECT_EQ(used.size(), 3u) << "every way has its share";
  // A way more does not move the connections there are.
  run(udp(kPc, 1000, kServer, 53), kLan);
  const uint8_t before = gateway();
  equal_ways({second, third, 7});
  run(udp(kPc, 1000, kServer, 53), kLan);
  EXPECT_EQ(gateway(), before);
}

TEST_F(RoutingTest, EveryBitOfBothAddressesChoosesAmongEqualWays) {
  const auto fourth = static_cast<uint16_t>(snap.next_hops.size());
  const be32 gateway4 = be32::from(ip4(203, 0, 113, 4));
  snap.next_hops.push_back({NextHop::Kind::kGateway, kWan, gateway4, {}, {}});
  neighbours->set(kWan, gateway4, {{2, 0, 0, 0, 0, 0x44}}, NeighState::kReachable);
  for (const std::vector<uint16_t>& ways :
       {std::vector<uint16_t>{7, second}, std::vector<uint16_t>{7, second, third, fourth}}) {
    equal_ways(ways);
    const auto port = static_cast<uint16_t>(1000 + ways.size());  // no connection of before
    const auto spread = [&](uint32_t source_step, uint32_t server_step) {
      std::map<uint8_t, unsigned> used;
      for (uint32_t k = 0; k < 200; ++k) {
        run(udp(kPc + k * source_step, port, kServer + k * server_step, 53), kLan);
        ++used[gateway()];
      }
      unsigned least = 200;
      for (const auto& [way, count] : used) least = std::min(least, count);
      return used.size() == ways.size() ? least : 0;
    };
    const auto fair = static_cast<unsigned>(100 / ways.size());  // half of its share
    EXPECT_GT(spread(1, 0), fair) << "many hosts, one server";
    EXPECT_GT(spread(0, 1), fair) << "one host, neighbouring servers";
    EXPECT_GT(spread(0, 256), fair);
  }
}

TEST_F(RoutingTest, AddressesChooseAmongEqualWaysUnlessPortsDoToo) {
  equal_ways({7, second});
  std::set<uint8_t> used;
  for (uint16_t port = 1000; port < 1040; ++port) {
    run(udp(kPc, port, kServer, 53), kLan);
    used.insert(gateway());
  }
  EXPECT_EQ(used.size(), 1u);
  snap.hash_ports = true;
  publish();
  for (uint16_t port = 2000; port < 2040; ++port) {
    run(udp(kPc, port, kServer, 53), kLan);
    used.insert(gateway());
  }
  EXPECT_EQ(used.size(), 2u);
}

TEST_F(RoutingTest, AnswersLeaveWhereTheQuestionCameIn) {
  Draft publish_pc = make(Action::kDstNat, 61);
  publish_pc.match = Rule::kDst;
  publish_pc.dst = {ip4(192, 168, 99, 1), ip4(192, 168, 99, 1)};
  publish_pc.with.to_addresses = {kPc, kPc};
  nat({}, {publish_pc});
  snap.return_ways = {0, 0, 7, second};
  publish();
  run(udp(kServer, 5000, ip4(192, 168, 99, 1), 80), kIot);
  ASSERT_EQ(out(), kLan);
  run(udp(kPc, 80, kServer, 5000), kLan);
  EXPECT_EQ(out(), kIot) << "main's default route leads to wan";
  EXPECT_EQ(sent()[0].ip().src.host(), ip4(192, 168, 99, 1));
  run(udp(kPc, 80, kServer, 5000), kLan);
  EXPECT_EQ(out(), kIot);
  run(udp(kPc, 81, kServer, 5000), kLan);
  EXPECT_EQ(out(), kWan) << "what the PC begins is routed as ever";
}

TEST_F(RoutingTest, TheRoutersOwnLeavesByTheOwnerOfItsSource) {  // E-27, F-7
  const uint32_t iot_ip = ip4(192, 168, 99, 1);
  snap.return_ways = {0, 0, 7, second};
  for (const bool tracking : {true, false}) {
    snap.tracking = tracking;
    publish();
    run(echo(iot_ip, kServer, tracking ? 3 : 4, !tracking), kNoIf, L3Queue::kFromRouter);
    EXPECT_EQ(out(), kIot) << "main's default route leads to wan";
    run(echo(kWanIp, kServer, tracking ? 5 : 6, !tracking), kNoIf, L3Queue::kFromRouter);
    EXPECT_EQ(out(), kWan);
  }
}

TEST_F(RoutingTest, AQuestionToAFarGatewayTakesItsWay) {
  snap.probe_ways = {{kWan, be32::from(kServer), second}};
  publish();
  run(echo(kWanIp, kServer, 3, false), kNoIf, L3Queue::kFromRouter);
  EXPECT_EQ(out(), kIot) << "main's route leads to wan";
  run(echo(kWanIp, ip4(198, 51, 100, 99), 4, false), kNoIf, L3Queue::kFromRouter);
  EXPECT_EQ(out(), kWan) << "another target";
  run(echo(kPc, kServer, 5, false), kLan);
  EXPECT_EQ(out(), kWan) << "not the router's";
}

TEST_F(RoutingTest, SourcesAreCheckedByTheRouteBack) {  // RFC 3704
  snap.rp_filter = RpFilter::kStrict;
  publish();
  run(udp(kPc, 1, kServer, 53), kIot);
  EXPECT_EQ(drops(Drop::rp_filter), 1u);
  run(udp(kPc, 1, kServer, 53), kLan);
  EXPECT_EQ(out(), kWan);
  run(udp(kServer, 53, kPc, 1), kWan);
  EXPECT_EQ(out(), kLan);
  run(udp(ip4(10, 1, 0, 1), 1, kPc, 9), kWan);
  EXPECT_EQ(drops(Drop::rp_filter), 2u) << "the way back is a blackhole";
  snap.rp_filter = RpFilter::kLoose;
  publish();
  run(udp(kPc + 1, 1, kServer, 53), kIot);
  EXPECT_EQ(out(), kWan);
  run(udp(ip4(10, 1, 0, 1), 1, kPc, 9), kWan);
  EXPECT_EQ(drops(Drop::rp_filter), 3u);
}

TEST_F(RoutingTest, AHostIsToldOfTheNearerGateway) {
  snap.send_redirects = true;
  publish();
  const uint32_t host = ip4(203, 0, 113, 77);
  run(udp(host, 1, kServer, 53), kWan);
  EXPECT_EQ(out(), kWan) << "and the packet goes its way";
  auto told = punted();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].message.icmp_type, kIcmpRedirect);
  EXPECT_EQ(told[0].message.next_hop.host(), kGateway);
  run(udp(kPc, 1, kServer, 53), kLan);
  EXPECT_EQ(punted().size(), 0u);
  // Where nothing is tracked too.
  snap.tracking = false;
  w->now.cs += 100;
  publish();
  run(udp(host, 1, kServer, 53), kWan);
  EXPECT_EQ(out(), kWan);
  EXPECT_EQ(punted().size(), 1u);
  snap.send_redirects = false;
  w->now.cs += 100;
  publish();
  run(udp(host, 1, kServer, 53), kWan);
  EXPECT_EQ(out(), kWan);
  EXPECT_EQ(punted().size(), 0u);
}

TEST_F(RoutingTest, NobodyIsToldOfAWayThatATranslationMade) {
  snap.send_redirects = true;
  Draft to_pc = make(Action::kDstNat, 61);  // hairpin: kWan's address is the PC's
  to_pc.match = Rule::kDst;
  to_pc.dst = {kWanIp, kWanIp};
  to_pc.with.to_addresses = {kPc, kPc};
  nat({}, {to_pc});
  const uint32_t host = kPc + 1;
  run(tcp(host, 1, kWanIp, 80, kTcpSyn), kLan);
  EXPECT_EQ(out(), kLan);
  EXPECT_EQ(punted().size(), 0u);
}

}  // namespace maclane::test
