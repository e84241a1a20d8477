// ICMP and NAT against RFC 5508 (N-*), and the states of packets (B-16).
#include "tests/unit/l3/nat_fixture.h"

namespace maclane::test {

TEST_F(NatRouteros, ErrorsFromInsideAreTranslatedOut) {  // N-29
  nat({masquerade()}, {publish_pc()});
  run(udp(kServer, 5000, kWanIp, 53), kWan);
  ASSERT_EQ(sent().size(), 1u);
  run(icmp_error(kPc, kServer, kIcmpUnreachable, 3, packet_of(sent()[0])), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].out_if, kWan);
  EXPECT_EQ(sent()[0].ip().src.host(), kWanIp);
  EXPECT_EQ(sent()[0].ip().dst.host(), kServer);
  EXPECT_EQ(quoted_ip(sent()[0]).dst.host(), kWanIp);
  EXPECT_TRUE(sent()[0].checksums_ok());
}

// N-12, N-24, N-30: no ICMP error ends a connection or keeps it alive. N-23: it comes through all
// the same. N-38: nor does it refresh.
TEST_F(NatRouteros, ErrorsChangeNothing) {
  nat({masquerade()});
  open_tcp();
  ASSERT_EQ(sent().size(), 1u);
  const auto segment = packet_of(sent()[0]);
  run(udp(kPc, 2000, kServer, 53), kLan);
  ASSERT_EQ(sent().size(), 1u);
  const auto datagram = packet_of(sent()[0]);
  const Session* stream = session(kPc, 1000, kServer, 80, kProtoTcp);
  const Session* question = session(kPc, 2000, kServer, 53, kProtoUdp);
  ASSERT_TRUE(stream != nullptr && question != nullptr);
  const uint32_t seen = w->now.cs;
  w->now.cs += 500;
  constexpr uint8_t kKinds[][2] = {{3, 0}, {3, 1}, {3, 3}, {3, 4}, {3, 13}, {11, 0}, {12, 0}};
  for (const auto& kind : kKinds) {
    run({icmp_error(kOnTheWay, kWanIp, kind[0], kind[1], segment),
         icmp_error(kOnTheWay, kWanIp, kind[0], kind[1], datagram)},
        kWan);
    ASSERT_EQ(sent().size(), 2u) << unsigned{kind[0]} << "/" << unsigned{kind[1]};
    EXPECT_EQ(sent()[0].ip().dst.host(), kPc);
    EXPECT_EQ(sent()[0].ip().src.host(), kOnTheWay);
    EXPECT_EQ(sent()[0].l4<IcmpHdr>().type, kind[0]);
    EXPECT_EQ(sent()[0].l4<IcmpHdr>().code, kind[1]);
    EXPECT_EQ(quoted_ip(sent()[0]).src.host(), kPc);
    EXPECT_EQ(quoted<TcpHdr>(sent()[0]).sport.host(), 1000);
    EXPECT_EQ(quoted<UdpHdr>(sent()[1]).sport.host(), 2000);
    EXPECT_TRUE(sent()[0].checksums_ok() && sent()[1].checksums_ok());
  }
  EXPECT_EQ(stream->last_seen_cs, seen);
  EXPECT_EQ(question->last_seen_cs, seen);
  EXPECT_EQ(stream->tcp_state, TcpState::kEstablished);
  EXPECT_EQ(w->sessions.size(), 2u);
}

TEST_F(NatRouteros, ARedirectIsForWhoIsNotTranslated) {
  nat({masquerade()});
  run(udp(kPc, 2000, kServer, 53), kLan);
  ASSERT_EQ(sent().size(), 1u);
  (void)punted();
  run(icmp_error(kGateway, kWanIp, kIcmpRedirect, 1, packet_of(sent()[0])), kWan);
  EXPECT_TRUE(sent().empty()) << "the gateway is of another network than the PC's";
  EXPECT_TRUE(punted().empty());
  EXPECT_EQ(drops(Drop::nat_filtered), 1u);

  // One about what the router says itself is the router's.
  run(udp(kServer, 5000, kWanIp, 53), kWan);
  EXPECT_EQ(punted().size(), 1u);
  for (const uint16_t port : {uint16_t{5000}, uint16_t{5001}}) {
    run(icmp_error(kGateway, kWanIp, kIcmpRedirect, 1, udp(kWanIp, 53, kServer, port)), kWan);
    const auto told = punted();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].message.reason, PuntReason::kLocal);
    EXPECT_EQ(told[0].message.related, port == 5000) << "of a connection that is there";
  }
}

TEST_F(NatRouteros, ErrorsAreHeldAgainstTheirChecksums) {  // N-27
  nat({masquerade()});
  run(udp(kPc, 2000, kServer, 53), kLan);
  ASSERT_EQ(sent().size(), 1u);
  const auto on_wire = packet_of(sent()[0]);
  const auto about = [&](const std::vector<uint8_t>& quoted_packet) {
    return icmp_error(kOnTheWay, kWanIp, kIcmpUnreachable, 1, quoted_packet);
  };
  auto outer = about(on_wire);
  outer[23] = static_cast<uint8_t>(outer[23] ^ 1);
  auto header = on_wire;
  header[10] = static_cast<uint8_t>(header[10] ^ 1);
  run({outer, about(header)}, kWan);
  EXPECT_TRUE(sent().empty());

  auto data = on_wire;
  data[27] = static_cast<uint8_t>(data[27] ^ 1);  // of the UDP checksum
  run(about(data), kWan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().dst.host(), kPc);
  EXPECT_TRUE(sent()[0].checksums_ok());

  auto options = on_wire;  // four bytes of them in the quoted header
  options.insert(options.begin() + 20, {1, 1, 1, 0});
  options[0] = 0x46;
  options[3] = static_cast<uint8_t>(options[3] + 4);
  set_ip_checksum(options);
  run(about(options), kWan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(quoted_ip(sent()[0]).src.host(), kPc);
  EXPECT_EQ(quoted<UdpHdr>(sent()[0]).sport.host(), 2000);
  EXPECT_EQ(checksum(&quoted_ip(sent()[0]), 24), 0);
}

TEST_F(NatRouteros, RulesMayFilterIcmp) {  // N-33
  nat({masquerade()});
  run(udp(kPc, 2000, kServer, 53), kLan);
  ASSERT_EQ(sent().size(), 1u);
  const auto error = icmp_error(kOnTheWay, kWanIp, kIcmpUnreachable, 1, packet_of(sent()[0]));
  filter({of_state(Action::kDrop, ConnState::kRelated, 1)});
  run(error, kWan);
  EXPECT_TRUE(sent().empty());
  EXPECT_EQ(rule(1).packets, 1u);
  filter({});
  run(error, kWan);
  EXPECT_EQ(sent().size(), 1u);
}

// N-35: what is neither query, reply nor error is invalid: it is not translated, and a rule
// decides.
TEST_F(NatRouteros, OtherIcmpIsUpToTheRules) {
  nat({masquerade()});
  auto other = echo(kPc, kServer, 9);
  other[20] = 40;  // Photuris
  other[22] = other[23] = 0;
  const uint16_t sum = checksum(other.data() + 20, other.size() - 20);
  std::memcpy(other.data() + 22, &sum, 2);
  run(other, kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().src.host(), kPc);
  filter({of_state(Action::kDrop, ConnState::kInvalid, 1)});
  run(other, kLan);
  EXPECT_TRUE(sent().empty());
  EXPECT_EQ(w->sessions.size(), 0u);
}

TEST_F(NatRouteros, StatesAreToldApart) {  // B-16
  const auto counting = [](ConnState s) {
    return of_state(Action::kPassthrough, s, static_cast<uint32_t>(s) + 1);
  };
  filter({counting(ConnState::kNew), counting(ConnState::kEstablished),
          counting(ConnState::kRelated), counting(ConnState::kInvalid),
          counting(ConnState::kUntracked)});
  run({udp(kPc, 2000, kServer, 53), udp(kPc, 2000, kServer, 53)}, kLan);
  EXPECT_EQ(rule(1).packets, 2u) << "new until it is answered";
  run(udp(kServer, 53, kPc, 2000), kWan);
  run(udp(kPc, 2000, kServer, 53), kLan);
  EXPECT_EQ(rule(2).packets, 2u);
  run(icmp_error(kOnTheWay, kPc, kIcmpUnreachable, 1, udp(kPc, 2000, kServer, 53)), kWan);
  EXPECT_EQ(rule(3).packets, 1u);
  run({icmp_error(kOnTheWay, kPc, kIcmpUnreachable, 1, udp(kPc, 2001, kServer, 53)),
       tcp(kServer, 80, kPc, 1, kTcpFin | kTcpSyn), echo(kServer, kPc, 4, true)},
      kWan);
  EXPECT_EQ(rule(4).packets, 3u);
  snap.tracking = false;
  publish();
  run(udp(kPc, 2002, kServer, 53), kLan);
  EXPECT_EQ(rule(5).packets, 1u);
}

}  // namespace maclane::test
