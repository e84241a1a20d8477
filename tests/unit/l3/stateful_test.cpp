// Sessions, filter and NAT: states (B-16), verdict caching, exact counters, translation and back.
#include "dataplane/stage/conntrack.h"
#include "tests/unit/l3/fixture.h"

namespace maclane::test {

class Stateful : public L3Test {
 protected:
  static Draft accept_state(uint8_t mask, uint32_t counter) {
    Draft r = make(Action::kAccept, counter);
    r.match = Rule::kState;
    r.state_mask = mask;
    return r;
  }
  static constexpr uint8_t kEstRel = 1u << 1 | 1u << 2;
};

TEST_F(Stateful, MasqueradeAndBack) {
  nat({masquerade()});
  run(udp(kPc, 1000, kServer, 53), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().src.host(), kWanIp);
  EXPECT_EQ(sent()[0].l4<UdpHdr>().sport.host(), 1000) << "B-33: the port stays if it is free";
  EXPECT_TRUE(sent()[0].checksums_ok());
  run(udp(kServer, 53, kWanIp, 1000), kWan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].out_if, kLan);
  EXPECT_EQ(sent()[0].ip().dst.host(), kPc);
  EXPECT_TRUE(sent()[0].checksums_ok());
}

TEST_F(Stateful, TwoHostsWithOnePortGetTwo) {  // N-3
  nat({masquerade()});
  run(udp(kPc, 10000, kServer, 53), kLan);
  run(udp(kIotHost, 10000, kServer, 53), kIot);
  ASSERT_EQ(sent().size(), 1u);
  const uint16_t port = sent()[0].l4<UdpHdr>().sport.host();
  EXPECT_NE(port, 10000);
  EXPECT_GE(port, 1024);  // B-33: the class is kept
  run(udp(kServer, 53, kWanIp, port), kWan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].out_if, kIot);
  EXPECT_EQ(sent()[0].ip().dst.host(), kIotHost);
  EXPECT_EQ(sent()[0].l4<UdpHdr>().dport.host(), 10000);
}

TEST_F(Stateful, UdpWithoutChecksumStaysWithout) {
  nat({masquerade()});
  run(udp(kPc, 1000, kServer, 53, 18, 64, false), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].l4<UdpHdr>().checksum.raw, 0);
}

TEST_F(Stateful, EchoIdsAreTranslated) {  // N-25
  nat({masquerade()});
  run(echo(kPc, kServer, 8), kLan);
  run(echo(kIotHost, kServer, 8), kIot);
  ASSERT_EQ(sent().size(), 1u);
  const uint16_t id = sent()[0].l4<IcmpHdr>().id.host();
  EXPECT_NE(id, 8);
  EXPECT_TRUE(sent()[0].checksums_ok());
  run(echo(kServer, kWanIp, id, true), kWan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().dst.host(), kIotHost);
  EXPECT_EQ(sent()[0].l4<IcmpHdr>().id.host(), 8);
  EXPECT_TRUE(sent()[0].checksums_ok());
}

TEST_F(Stateful, UnsolicitedEchoReplyIsInvalid) {  // B-17
  Draft r = make(Action::kDrop, 1);
  r.match = Rule::kState;
  r.state_mask = 1u << 3;
  filter({r});
  run(echo(kServer, kPc, 5, true), kWan);
  EXPECT_EQ(rule(1).packets, 1u);
  EXPECT_EQ(w->sessions.size(), 0u);
}

TEST_F(Stateful, StateRulesLetRepliesThroughOnly) {
  Draft out = make(Action::kAccept, 2);
  out.match = Rule::kInInterface;
  out.in_if = kLan;
  filter({accept_state(kEstRel, 1), out, make(Action::kDrop, 3)});
  run(udp(kServer, 53, kPc, 1000), kWan);
  EXPECT_TRUE(sent().empty());
  EXPECT_EQ(drops(Drop::filter_drop), 1u);
  run(udp(kPc, 1000, kServer, 53), kLan);
  EXPECT_EQ(sent().size(), 1u);
  for (int i = 0; i < 5; ++i) {
    run(udp(kServer, 53, kPc, 1000), kWan);
    EXPECT_EQ(sent().size(), 1u);
    run(udp(kPc, 1000, kServer, 53), kLan);
    EXPECT_EQ(sent().size(), 1u);
  }
  EXPECT_EQ(rule(1).packets, 10u) << "five replies and five further questions, all established";
  EXPECT_EQ(rule(2).packets, 1u);
  EXPECT_EQ(rule(3).packets, 1u);
}

TEST_F(Stateful, NewRulesJudgeOldSessionsAgain) {
  run(tcp(kPc, 1000, kServer, 80, kTcpSyn), kLan);
  run(tcp(kServer, 80, kPc, 1000, kTcpSyn | kTcpAck), kWan);
  run(tcp(kPc, 1000, kServer, 80, kTcpAck), kLan);
  ASSERT_EQ(sent().size(), 1u);
  filter({make(Action::kDrop, 1)});
  run(tcp(kPc, 1000, kServer, 80, kTcpAck), kLan);
  EXPECT_TRUE(sent().empty());
  EXPECT_EQ(w->sessions.size(), 1u) << "the session itself survives";
  filter({make(Action::kAccept, 2)});
  run(tcp(kPc, 1000, kServer, 80, kTcpAck), kLan);
  EXPECT_EQ(sent().size(), 1u);
}

TEST_F(Stateful, CountersSurviveAFold) {
  filter({make(Action::kAccept, 4)});
  for (int i = 0; i < 4; ++i) run(udp(kPc, 1000, kServer, 53), kLan);
  publish();
  for (int i = 0; i < 3; ++i) run(udp(kPc, 1000, kServer, 53), kLan);
  EXPECT_EQ(rule(4).packets, 7u);
  EXPECT_EQ(rule(4).bytes, 7u * 46u);
}

TEST_F(Stateful, TcpStatesFollowTheReference) {
  const auto state = [&] {
    const auto hit = w->sessions.find(
        {be32::from(kPc), be32::from(kServer), be16::from(1000), be16::from(80), kProtoTcp});
    return hit ? w->sessions.at(hit.session).tcp_state : TcpState::kNone;
  };
  run(tcp(kPc, 1000, kServer, 80, kTcpSyn), kLan);
  EXPECT_EQ(state(), TcpState::kSynSent);
  run(tcp(kServer, 80, kPc, 1000, kTcpSyn | kTcpAck), kWan);
  EXPECT_EQ(state(), TcpState::kSynRecv);
  run(tcp(kPc, 1000, kServer, 80, kTcpAck), kLan);
  EXPECT_EQ(state(), TcpState::kEstablished);
  run(tcp(kPc, 1000, kServer, 80, kTcpFin | kTcpAck), kLan);
  EXPECT_EQ(state(), TcpState::kFinWait);
  run(tcp(kServer, 80, kPc, 1000, kTcpAck), kWan);
  EXPECT_EQ(state(), TcpState::kCloseWait);
  run(tcp(kServer, 80, kPc, 1000, kTcpFin | kTcpAck), kWan);
  EXPECT_EQ(state(), TcpState::kLastAck);
  run(tcp(kPc, 1000, kServer, 80, kTcpAck), kLan);
  EXPECT_EQ(state(), TcpState::kTimeWait);
  run(tcp(kPc, 1000, kServer, 80, kTcpSyn), kLan);
  EXPECT_EQ(state(), TcpState::kSynSent) << "a SYN opens a finished connection anew";
  EXPECT_EQ(w->sessions.size(), 1u);
}

TEST_F(Stateful, NullAndXmasScansAreInvalid) {
  run(tcp(kPc, 1, kServer, 80, 0), kLan);
  run(tcp(kPc, 2, kServer, 80, kTcpFin | 0x28), kLan);
  run(tcp(kPc, 3, kServer, 80, kTcpSyn | kTcpFin), kLan);
  EXPECT_EQ(w->sessions.size(), 0u);
}

TEST_F(Stateful, DnatReachesTheInsideAndAnswersFromOutside) {
  Draft r = make(Action::kDstNat, 9);
  r.match = Rule::kInInterface | Rule::kProtocol | Rule::kDstPort;
  r.in_if = kWan;
  r.protocol = kProtoTcp;
  r.dst_ports = 0;
  r.dst_port_count = 1;
  r.with.to_addresses = {kPc, kPc};
  r.with.to_port_first = r.with.to_port_last = 8080;
  nat({}, {r});
  auto set = std::make_shared<RuleSet>(*snap.nat);
  set->ports = {{80, 80}};
  snap.nat = set;
  publish();
  run(tcp(kServer, 5000, kWanIp, 80, kTcpSyn), kWan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].out_if, kLan);
  EXPECT_EQ(sent()[0].ip().dst.host(), kPc);
  EXPECT_EQ(sent()[0].l4<TcpHdr>().dport.host(), 8080);
  EXPECT_TRUE(sent()[0].checksums_ok());
  run(tcp(kPc, 8080, kServer, 5000, kTcpSyn | kTcpAck), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().src.host(), kWanIp);
  EXPECT_EQ(sent()[0].l4<TcpHdr>().sport.host(), 80);
  EXPECT_EQ(rule(9).packets, 1u);
}

TEST_F(Stateful, IcmpErrorIsTranslatedInsideAndOut) {  // N-28
  nat({masquerade()});
  run(udp(kPc, 1000, kServer, 53), kLan);
  ASSERT_EQ(sent().size(), 1u);
  const std::vector<uint8_t> on_wire(sent()[0].frame.begin() + 14, sent()[0].frame.end());
  run(icmp_error(ip4(198, 51, 100, 1), kWanIp, kIcmpTimeExceeded, 0, on_wire), kWan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().dst.host(), kPc);
  EXPECT_EQ(sent()[0].ip().src.host(), ip4(198, 51, 100, 1));
  EXPECT_TRUE(sent()[0].checksums_ok());
  const auto* inner = reinterpret_cast<const Ip4Hdr*>(sent()[0].frame.data() + 14 + 28);
  EXPECT_EQ(inner->src.host(), kPc);
  EXPECT_EQ(checksum(inner, 20), 0);
  const auto* u = reinterpret_cast<const UdpHdr*>(inner + 1);
  EXPECT_EQ(u->sport.host(), 1000);
  EXPECT_EQ(checksum(u, u->length.host(),
                     pseudo_sum(inner->src, inner->dst, kProtoUdp, u->length.host())),
            0);
}

TEST_F(Stateful, ForgedIcmpErrorIsInvalid) {
  Draft r = make(Action::kDrop, 1);
  r.match = Rule::kState;
  r.state_mask = 1u << 3;
  filter({}, {r});
  run(icmp_error(kServer, kWanIp, kIcmpUnreachable, 3, udp(kWanIp, 5, kServer, 6)), kWan);
  EXPECT_EQ(rule(1).packets, 1u);
}

TEST_F(Stateful, RejectAsksForTheRightAnswer) {
  Draft r = make(Action::kReject, 1);
  r.with.reject = RejectWith::kTcpReset;
  r.match = Rule::kProtocol;
  r.protocol = kProtoTcp;
  Draft admin = make(Action::kReject, 2);
  admin.with.reject = RejectWith::kAdminProhibited;
  filter({r, admin});
  run({tcp(kPc, 1, kServer, 80, kTcpSyn), udp(kPc, 1, kServer, 80)}, kLan);
  const auto p = punted();
  ASSERT_EQ(p.size(), 2u);
  EXPECT_EQ(p[0].message.reason, PuntReason::kTcpReset);
  EXPECT_EQ(p[1].message.icmp_code, 13);
  EXPECT_EQ(drops(Drop::filter_reject), 2u);
}

TEST_F(Stateful, InputChainAndLocalDelivery) {  // N-34
  Draft drop_new = make(Action::kDrop, 1);
  drop_new.match = Rule::kInInterface | Rule::kState;
  drop_new.in_if = kIot;
  drop_new.state_mask = 1;
  filter({}, {drop_new});
  run(echo(kIotHost, ip4(192, 168, 99, 1), 3), kIot);
  EXPECT_TRUE(punted().empty());
  run(echo(kPc, kLanIp, 3), kLan);
  const auto p = punted();
  ASSERT_EQ(p.size(), 1u);
  EXPECT_EQ(p[0].message.reason, PuntReason::kLocal);
  run(echo(kLanIp, kPc, 3, true), kNoIf, L3Queue::kFromRouter);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().ttl, 64) << "the router's own packets keep their TTL";
}

TEST_F(Stateful, LogRuleMakesOneEventAPacket) {
  Draft r = make(Action::kLog, 1);
  filter({r});
  for (int i = 0; i < 3; ++i) run(udp(kPc, 1000, kServer, 53), kLan);
  EXPECT_EQ(rte_ring_count(w->events), 3u);
  EXPECT_EQ(rule(1).packets, 3u);
}

TEST_F(Stateful, JumpAndReturn) {  // B-5
  Draft jump = make(Action::kJump, 1);
  jump.with.jump_chain = 1;
  filter({jump, make(Action::kDrop, 2)});
  auto set = std::make_shared<RuleSet>(*snap.filter);
  Draft tcp_only = make(Action::kReturn, 3);
  tcp_only.match = Rule::kProtocol;
  tcp_only.protocol = kProtoTcp;
  set->chains.push_back({static_cast<uint32_t>(set->rules.size()), 2, "custom"});
  set->rules.push_back(tcp_only);
  set->rules.push_back(make(Action::kAccept, 4));
  snap.filter = set;
  publish();
  run(tcp(kPc, 1, kServer, 80, kTcpSyn), kLan);
  EXPECT_TRUE(sent().empty());
  run(udp(kPc, 1, kServer, 80), kLan);
  EXPECT_EQ(sent().size(), 1u);
  EXPECT_EQ(rule(1).packets, 2u);
  EXPECT_EQ(rule(2).packets, 1u);
  EXPECT_EQ(rule(3).packets, 1u);
  EXPECT_EQ(rule(4).packets, 1u);
}

// B-22: what nobody answered makes room; what was answered does not, and the new one is refused.
TEST_F(Stateful, FullTableGivesUpWhatIsNotAssured) {
  const auto port = [](unsigned i) { return static_cast<uint16_t>(2000 + i); };
  for (unsigned i = 0; i < 1200; ++i) run(udp(kPc, port(i), kServer, 53), kLan);
  EXPECT_EQ(drops(Drop::session_table_full), 0u);
  EXPECT_EQ(w->sessions.size(), w->sessions.capacity());
  EXPECT_EQ(w->counters.evicted, 1200u - w->sessions.capacity());
  w->now.cs += 5000;
  for (int i = 0; i < 200; ++i) (void)w->sessions.expire(w->now.cs, snap.timeouts, 32);
  ASSERT_EQ(w->sessions.size(), 0u);
  for (unsigned i = 0; i < 1200; ++i) {
    run(udp(kPc, port(i), kServer, 53), kLan);
    if (sent().empty()) continue;
    run(udp(kServer, 53, kPc, port(i)), kWan);
    w->now.cs += 300;
    run(udp(kPc, port(i), kServer, 53), kLan);
    w->now.cs -= 300;
  }
  EXPECT_GT(drops(Drop::session_table_full), 100u);
  const auto full = static_cast<unsigned>(Drop::session_table_full);
  EXPECT_EQ(w->counters.drops[kLan][full], drops(Drop::session_table_full)) << "where they came in";
  w->now.cs += 5000;
  unsigned released = 0;
  for (int i = 0; i < 200; ++i) released += w->sessions.expire(w->now.cs, snap.timeouts, 32);
  EXPECT_GT(released, 1000u);
  EXPECT_EQ(w->sessions.size(), 0u);
  run(udp(kPc, 9999, kServer, 53), kLan);
  EXPECT_EQ(sent().size(), 1u);
}

TEST_F(Stateful, MasqueradeWithoutAddressIsNamed) {
  nat({masquerade()});
  snap.interfaces[kWan].primary_address = {};
  publish();
  run(udp(kPc, 1, kServer, 1), kLan);
  EXPECT_EQ(drops(Drop::nat_no_address), 1u);
  EXPECT_EQ(w->sessions.size(), 0u);
}

TEST_F(Stateful, PortRangeOfOneIsExhausted) {  // N-36
  Draft r = masquerade();
  r.with.to_port_first = r.with.to_port_last = 4000;
  nat({r});
  run(udp(kPc, 1, kServer, 1), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].l4<UdpHdr>().sport.host(), 4000);
  run(udp(kPc, 2, kServer, 1), kLan);
  EXPECT_EQ(drops(Drop::nat_ports_exhausted), 1u);
  run(udp(kPc, 2, kServer, 2), kLan);  // another destination may share the port
  EXPECT_EQ(sent().size(), 1u);
}

TEST_F(Stateful, ReopeningSynLeavesEarlierPacketsOfTheBurstAlone) {
  nat({masquerade()});
  run(tcp(kPc, 1000, kServer, 80, kTcpSyn), kLan);
  run(tcp(kServer, 80, kWanIp, 1000, kTcpRst | kTcpAck), kWan);
  run({udp(kPc, 2000, kServer, 53), tcp(kPc, 1000, kServer, 80, kTcpAck),
       tcp(kPc, 1000, kServer, 80, kTcpSyn)},
      kLan);
  ASSERT_EQ(sent().size(), 3u);
  for (const Sent& s : sent()) {
    EXPECT_EQ(s.ip().src.host(), kWanIp);
    EXPECT_TRUE(s.checksums_ok());
  }
  EXPECT_EQ(sent()[1].l4<TcpHdr>().sport.host(), 1000);
  EXPECT_EQ(w->sessions.size(), 2u);
}

TEST_F(Stateful, SynWithWrongChecksumEndsNothing) {
  run(tcp(kPc, 1000, kServer, 80, kTcpSyn), kLan);
  run(tcp(kServer, 80, kPc, 1000, kTcpSyn | kTcpAck, 0, 1), kWan);
  run(tcp(kServer, 80, kPc, 1000, kTcpRst | kTcpAck, 1, 1), kWan);
  auto bad = tcp(kPc, 1000, kServer, 80, kTcpSyn);
  bad[36] = static_cast<uint8_t>(bad[36] ^ 0xff);
  run(bad, kLan);
  const auto hit = w->sessions.find(
      {be32::from(kPc), be32::from(kServer), be16::from(1000), be16::from(80), kProtoTcp});
  ASSERT_TRUE(hit);
  EXPECT_EQ(w->sessions.at(hit.session).tcp_state, TcpState::kClose);
}

TEST_F(Stateful, StrayAcksGoSoonIfNobodyAnswers) {  // B-20
  run(tcp(kPc, 1000, kServer, 80, kTcpAck), kLan);
  const Tuple t{be32::from(kPc), be32::from(kServer), be16::from(1000), be16::from(80), kProtoTcp};
  EXPECT_EQ(w->sessions.side(w->sessions.find(t).session).timeout_class, TimeoutClass::kTcpUnacked);
  run(tcp(kServer, 80, kPc, 1000, kTcpAck), kWan);
  EXPECT_EQ(w->sessions.side(w->sessions.find(t).session).timeout_class,
            TimeoutClass::kTcpEstablished);
}

TEST_F(Stateful, MasqueradeFollowsTheInterfacesAddress) {  // B-30
  nat({masquerade()});
  run(udp(kPc, 1000, kServer, 53), kLan);
  snap.interfaces[kWan].primary_address = be32::from(ip4(203, 0, 113, 9));
  publish();
  run(udp(kPc, 1000, kServer, 53), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().src.host(), ip4(203, 0, 113, 9));
  EXPECT_EQ(w->sessions.size(), 1u);
}

TEST_F(Stateful, StaleNeighbourIsReportedAgainLater) {
  for (int round = 0; round < 3; ++round) {
    neighbours->set(kWan, be32::from(kGateway), {{2, 0, 0, 0, 0, 0x11}}, NeighState::kStale);
    run(udp(kPc, 1000, kServer, 53), kLan);
    run(udp(kPc, 1000, kServer, 53), kLan);
    w->now.cs += 3000;
  }
  EXPECT_EQ(rte_ring_count(w->events), 3u);
}

TEST_F(Stateful, PacketThatWaitedForArpTakesItsStepOnce) {
  run(tcp(kPc, 1000, kServer, 80, kTcpSyn), kLan);
  run(tcp(kServer, 80, kPc, 1000, kTcpSyn | kTcpAck), kWan);
  run(tcp(kPc, 1000, kServer, 80, kTcpAck), kLan);
  neighbours->remove(kLan, be32::from(kPc));
  const auto fin = tcp(kServer, 80, kPc, 1000, kTcpFin | kTcpAck);
  run(fin, kWan);
  ASSERT_EQ(punted().size(), 1u);
  neighbours->set(kLan, be32::from(kPc), {{2, 0, 0, 0, 0, 0x10}}, NeighState::kReachable);
  run(fin, kWan, L3Queue::kHeldBefore);
  const Tuple t{be32::from(kPc), be32::from(kServer), be16::from(1000), be16::from(80), kProtoTcp};
  EXPECT_EQ(w->sessions.at(w->sessions.find(t).session).tcp_state, TcpState::kFinWait);
}

}  // namespace maclane::test
