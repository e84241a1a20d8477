// NAT against the requirements of RFC 4787, 5382 and 7857 (N-*) and RouterOS's documents (B-*).
#include <array>
#include <map>
#include <set>

#include "tests/unit/l3/nat_fixture.h"

namespace maclane::test {

TEST_F(NatRouteros, AHostKeepsItsAddressOfARange) {  // N-2
  nat({src_nat(ip4(203, 0, 113, 16), ip4(203, 0, 113, 31))});
  std::vector<uint32_t> seen;
  for (uint32_t host = 0; host < 32; ++host) {
    run({udp(ip4(192, 168, 88, 100) + host, 3000, kServer, 53),
         udp(ip4(192, 168, 88, 100) + host, 3001, kOther, 99),
         echo(ip4(192, 168, 88, 100) + host, kOther, 3)},
        kLan);
    ASSERT_EQ(sent().size(), 3u);
    EXPECT_GE(sent()[0].ip().src.host(), ip4(203, 0, 113, 16));
    EXPECT_LE(sent()[0].ip().src.host(), ip4(203, 0, 113, 31));
    EXPECT_EQ(sent()[0].ip().src, sent()[1].ip().src);
    EXPECT_EQ(sent()[0].ip().src, sent()[2].ip().src);
    seen.push_back(sent()[0].ip().src.host());
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_GT(std::unique(seen.begin(), seen.end()) - seen.begin(), 4) << "the range is used";
}

// B-33, N-3 (3a), N-41: who has to give way gets a port of the same class, and not the next one.
TEST_F(NatRouteros, PortsStayInTheirClass) {
  nat({masquerade()});
  struct {
    uint16_t port, first, last;
  } const classes[] = {{400, 1, 511}, {700, 600, 1023}, {2000, 1024, 65535}};
  for (const auto& c : classes) {
    run(udp(kPc, c.port, kServer, 53), kLan);
    ASSERT_EQ(sent().size(), 1u);
    EXPECT_EQ(sent()[0].l4<UdpHdr>().sport.host(), c.port) << "kept, as it is free";
    unsigned neighbours_in_a_row = 0;
    uint16_t before = c.port;
    for (uint32_t host = 0; host < 16; ++host) {
      run(udp(ip4(192, 168, 88, 100) + host, c.port, kServer, 53), kLan);
      ASSERT_EQ(sent().size(), 1u);
      const uint16_t port = sent()[0].l4<UdpHdr>().sport.host();
      EXPECT_NE(port, c.port);
      EXPECT_GE(port, c.first);
      EXPECT_LE(port, c.last);
      if (port == before + 1) ++neighbours_in_a_row;
      before = port;
    }
    EXPECT_LT(neighbours_in_a_row, 4u);
  }
}

// B-34: the answer comes from where the question went, or it is nobody's. N-17: TCP as UDP.
TEST_F(NatRouteros, FiltersByAddressAndPort) {
  nat({masquerade()});
  run({udp(kPc, 1000, kServer, 53), tcp(kPc, 1000, kServer, 80, kTcpSyn)}, kLan);
  ASSERT_EQ(sent().size(), 2u);
  run({udp(kServer, 54, kWanIp, 1000), udp(kOther, 53, kWanIp, 1000),
       tcp(kServer, 81, kWanIp, 1000, kTcpSyn), tcp(kOther, 80, kWanIp, 1000, kTcpSyn)},
      kWan);
  EXPECT_TRUE(sent().empty());
  EXPECT_EQ(punted().size(), 4u) << "they are for the router itself";
  run(udp(kServer, 53, kWanIp, 1000), kWan);
  EXPECT_EQ(sent().size(), 1u);
}

TEST_F(NatRouteros, SrcnatSeesWhereAPacketCameIn) {  // B-1
  Draft of_lan = masquerade();
  of_lan.match |= Rule::kInInterface;
  of_lan.in_if = kLan;
  nat({of_lan});
  run(udp(kPc, 1000, kServer, 53), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().src.host(), kWanIp);
  run(udp(kIotHost, 1000, kServer, 53), kIot);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().src.host(), kIotHost) << "of another interface";
}

TEST_F(NatRouteros, AnUnsolicitedSynIsMetWithSilence) {  // N-18
  nat({masquerade()});
  Draft drop = of_state(Action::kDrop, ConnState::kNew, 1);
  drop.match |= Rule::kInInterface;
  drop.in_if = kWan;
  filter({}, {drop});
  run(tcp(kServer, 5000, kWanIp, 80, kTcpSyn), kWan);
  EXPECT_TRUE(sent().empty());
  EXPECT_TRUE(punted().empty());
  EXPECT_EQ(w->sessions.size(), 0u);
  // Nor is it in the way of the connection from inside that takes the same endpoints.
  run(tcp(kPc, 80, kServer, 5000, kTcpSyn), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].l4<TcpHdr>().sport.host(), 80);
}

TEST_F(NatRouteros, HairpinWithMasquerade) {  // B-35
  nat({inside_to_inside(Action::kMasquerade)}, {publish_pc()});
  run(tcp(kPc2, 4000, kWanIp, 80, kTcpSyn, 1), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].out_if, kLan);
  EXPECT_EQ(sent()[0].ip().src.host(), kLanIp) << "or the server would answer past the router";
  EXPECT_EQ(sent()[0].ip().dst.host(), kPc);
  run(tcp(kPc, 80, kLanIp, 4000, kTcpSyn | kTcpAck, 9, 2), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().src.host(), kWanIp);
  EXPECT_EQ(sent()[0].ip().dst.host(), kPc2);
  EXPECT_TRUE(sent()[0].checksums_ok());
}

// N-9, N-22: with src-nat to the outer address in the place of masquerade the server sees that.
// N-31: queries and errors take the same turn.
TEST_F(NatRouteros, HairpinShowsTheExternalSource) {
  Draft outer = inside_to_inside(Action::kSrcNat);
  outer.with.to_addresses = {kWanIp, kWanIp};
  nat({outer}, {publish_pc()});
  run({udp(kPc2, 4000, kWanIp, 53), tcp(kPc2, 4000, kWanIp, 80, kTcpSyn), echo(kPc2, kWanIp, 7)},
      kLan);
  ASSERT_EQ(sent().size(), 3u);
  for (const Sent& s : sent()) {
    EXPECT_EQ(s.ip().src.host(), kWanIp);
    EXPECT_EQ(s.ip().dst.host(), kPc);
    EXPECT_TRUE(s.checksums_ok());
  }
  const auto question = packet_of(sent()[0]);
  const uint16_t port = sent()[0].l4<UdpHdr>().sport.host();
  const uint16_t id = sent()[2].l4<IcmpHdr>().id.host();
  run({udp(kPc, 53, kWanIp, port), echo(kPc, kWanIp, id, true),
       icmp_error(kPc, kWanIp, kIcmpUnreachable, 3, question)},
      kLan);
  ASSERT_EQ(sent().size(), 3u);
  for (const Sent& s : sent()) {
    EXPECT_EQ(s.ip().src.host(), kWanIp);
    EXPECT_EQ(s.ip().dst.host(), kPc2);
    EXPECT_TRUE(s.checksums_ok());
  }
  EXPECT_EQ(sent()[1].l4<IcmpHdr>().id.host(), 7);
  EXPECT_EQ(quoted_ip(sent()[2]).src.host(), kPc2);
  EXPECT_EQ(quoted_ip(sent()[2]).dst.host(), kWanIp);
}

TEST_F(NatRouteros, WhatGoesOutRefreshes) {  // N-6
  nat({masquerade()});
  const uint32_t timeout = snap.timeouts[static_cast<unsigned>(TimeoutClass::kUdp)];
  for (int i = 0; i < 5; ++i) {
    run(udp(kPc, 2000, kServer, 53), kLan);
    w->now.cs += timeout * 9 / 10;
    expire();
    ASSERT_NE(session(kPc, 2000, kServer, 53, kProtoUdp), nullptr);
  }
  w->now.cs += timeout;
  expire();
  EXPECT_EQ(session(kPc, 2000, kServer, 53, kProtoUdp), nullptr);
}

// N-11: with hundreds of mappings, one more behaves as the first did, and the first is what it was.
TEST_F(NatRouteros, LoadChangesNothing) {
  nat({masquerade()});
  run(udp(kPc, 2000, kServer, 53), kLan);
  for (uint16_t i = 0; i < 900; ++i)
    run(udp(kPc2, static_cast<uint16_t>(10000 + i), kServer, 53), kLan);
  run(udp(kPc, 2001, kServer, 53), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].l4<UdpHdr>().sport.host(), 2001);
  run(udp(kServer, 53, kWanIp, 2000), kWan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().dst.host(), kPc);
}

// N-21, N-36: a port is shared only towards other destinations; when none is left it is counted,
// and when one is free again it works again.
TEST_F(NatRouteros, ExhaustionIsCountedAndRecovers) {
  Draft four = masquerade();
  four.with.to_port_first = 4000;
  four.with.to_port_last = 4003;
  nat({four});
  std::vector<uint16_t> ports;
  for (uint16_t i = 0; i < 6; ++i) {
    run(tcp(kPc, static_cast<uint16_t>(100 + i), kServer, 80, kTcpSyn), kLan);
    for (const Sent& s : sent()) ports.push_back(s.l4<TcpHdr>().sport.host());
  }
  std::sort(ports.begin(), ports.end());
  EXPECT_EQ(ports, (std::vector<uint16_t>{4000, 4001, 4002, 4003}));
  EXPECT_EQ(drops(Drop::nat_ports_exhausted), 2u);
  run(tcp(kPc, 104, kOther, 80, kTcpSyn), kLan);
  EXPECT_EQ(sent().size(), 1u);
  w->now.cs += 5000;
  expire();
  EXPECT_EQ(w->sessions.size(), 0u);
  run(tcp(kPc, 104, kServer, 80, kTcpSyn), kLan);
  EXPECT_EQ(sent().size(), 1u);
  EXPECT_EQ(drops(Drop::nat_ports_exhausted), 2u);
}

// B-33: a destination port of a range begins anywhere, and what already is in the range stays.
TEST_F(NatRouteros, ARangeOfDestinationPortsBeginsAnywhere) {
  Draft many = publish_pc();
  many.match |= Rule::kProtocol;
  many.protocol = kProtoUdp;
  many.with.to_port_first = 6000;
  many.with.to_port_last = 6063;
  nat({}, {many});
  std::set<uint16_t> seen;
  for (uint16_t i = 0; i < 64; ++i) {
    run(udp(kServer, static_cast<uint16_t>(2000 + i), kWanIp, 53), kWan);
    ASSERT_EQ(sent().size(), 1u);
    const uint16_t port = sent()[0].l4<UdpHdr>().dport.host();
    EXPECT_TRUE(port >= 6000 && port <= 6063) << port;
    seen.insert(port);
  }
  EXPECT_GT(seen.size(), 20u) << "of one client, from many ports";
  run(udp(kServer, 3000, kWanIp, 6005), kWan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].l4<UdpHdr>().dport.host(), 6005);
  // A port that its client has already is not taken twice: the answers could not be told apart.
  many.with.to_port_last = 6001;
  nat({}, {many});
  run({udp(kOther, 9, kWanIp, 100), udp(kOther, 9, kWanIp, 101)}, kWan);
  ASSERT_EQ(sent().size(), 2u);
  EXPECT_NE(sent()[0].l4<UdpHdr>().dport, sent()[1].l4<UdpHdr>().dport);
  EXPECT_EQ(sent()[1].l4<UdpHdr>().sport.host(), 9);
}

// N-42: who shares an address keeps the ids that its packets have, whole or in pieces.
TEST_F(NatRouteros, IdsPassAsTheirSendersWroteThem) {
  nat({masquerade()});
  const auto whole = udp(kPc, 2000, kServer, 53, 40);
  const std::vector<uint8_t> body(whole.begin() + 20, whole.end());
  const auto piece = [&](bool first) {
    const auto middle = body.begin() + 24;
    return ip_packet(kPc, kServer, kProtoUdp,
                     first ? std::vector<uint8_t>(body.begin(), middle)
                           : std::vector<uint8_t>(middle, body.end()),
                     64, first ? 0x2000 : 3, 777);
  };
  run({ip_packet(kPc, kServer, kProtoUdp, body, 64, 0, 4711),
       ip_packet(kPc, kServer, kProtoUdp, body, 64, 0x4000, 0), piece(true), piece(false)},
      kLan);
  ASSERT_EQ(sent().size(), 4u);
  const std::array<uint16_t, 4> ids{4711, 0, 777, 777};
  for (size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(sent()[i].ip().src.host(), kWanIp);
    EXPECT_EQ(sent()[i].ip().id.host(), ids[i]);
    EXPECT_TRUE(sent()[i].checksums_ok());
  }
}

// N-43 (RFC 6888): a host has one address of the pool (REQ-2) and so many connections (REQ-4); when
// the ports run out nobody loses any (REQ-11).
TEST_F(NatRouteros, ASharedPoolIsHeldFairly) {
  Draft pool = src_nat(ip4(203, 0, 113, 16), ip4(203, 0, 113, 17));
  pool.with.to_port_first = 4000;
  pool.with.to_port_last = 4003;
  nat({pool});
  Draft limit = make(Action::kDrop, 10);
  limit.match = Rule::kMore;
  limit.with.match = RuleMore::kConnectionLimit;
  limit.with.connections = 3;
  limit.with.block_length = 32;
  filter({limit});
  std::vector<std::vector<uint8_t>> first;
  for (uint32_t host = 0; host < 8; ++host) {
    for (uint16_t i = 0; i < 5; ++i)
      first.push_back(
          udp(ip4(192, 168, 88, 100) + host, static_cast<uint16_t>(100 + i), kServer, 53));
  }
  run(first, kLan);
  // Who got no port has no connection that counts, and goes on asking.
  EXPECT_GT(rule(10).packets, 0u);
  EXPECT_EQ(sent().size() + drops(Drop::nat_ports_exhausted) + rule(10).packets, first.size());
  EXPECT_GT(drops(Drop::nat_ports_exhausted), 0u);
  const std::vector<Sent> held = sent();
  std::map<uint32_t, unsigned> ports;
  for (const Sent& s : held) ++ports[s.ip().src.host()];
  EXPECT_EQ(ports.size(), 2u);
  for (const auto& [address, count] : ports) EXPECT_EQ(count, 4u) << "all its ports are used";
  for (uint32_t host = 0; host < 8; ++host) {
    const be32 inner = be32::from(ip4(192, 168, 88, 100) + host);
    unsigned connections = 0;
    for (uint32_t i = 0; i < w->sessions.capacity(); ++i) {
      const Session& one = w->sessions.at(i);
      connections += one.has(Session::kUsed) && one.original.src == inner ? 1 : 0;
    }
    EXPECT_LE(connections, 3u);
  }
  for (const Sent& s : held) {
    EXPECT_NE(session(kServer, 53, s.ip().src.host(), s.l4<UdpHdr>().sport.host(), kProtoUdp),
              nullptr)
        << "nobody lost what it had";
  }
}

// N-37: a timer for what is half open, one for what is established, one for what was reset.
TEST_F(NatRouteros, EachStageHasItsTimer) {
  nat({masquerade()});
  run(tcp(kPc, 1000, kServer, 80, kTcpSyn, 100), kLan);
  EXPECT_EQ(class_of(kPc, 1000, kServer, 80), TimeoutClass::kTcpSynSent);
  run(tcp(kServer, 80, kWanIp, 1000, kTcpSyn | kTcpAck, 500, 101), kWan);
  EXPECT_EQ(class_of(kPc, 1000, kServer, 80), TimeoutClass::kTcpSynReceived);
  run(tcp(kPc, 1000, kServer, 80, kTcpAck, 101, 501), kLan);
  EXPECT_EQ(class_of(kPc, 1000, kServer, 80), TimeoutClass::kTcpEstablished);
  run(tcp(kServer, 80, kWanIp, 1000, kTcpRst | kTcpAck, 501, 101), kWan);
  EXPECT_EQ(class_of(kPc, 1000, kServer, 80), TimeoutClass::kTcpClose);
}

// B-28, B-1: the chain output leads elsewhere what the router itself sends; answers come back as
// from whom it meant.
TEST_F(NatRouteros, WhatTheRouterSendsIsLedElsewhere) {
  Draft to_pc = make(Action::kDstNat, 62);
  to_pc.match = Rule::kDst | Rule::kOutInterface;
  to_pc.dst = {kServer, kServer};
  to_pc.out_if = kWan;
  to_pc.with.to_addresses = {kPc, kPc};
  to_pc.with.to_port_first = to_pc.with.to_port_last = 5353;
  nat({masquerade()}, {}, {}, {to_pc});
  for (unsigned round = 0; round < 2; ++round) {
    run(udp(kWanIp, 4000, kServer, 53), kNoIf, L3Queue::kFromRouter);
    ASSERT_EQ(sent().size(), 1u);
    EXPECT_EQ(sent()[0].ip().dst.host(), kPc) << "by the LAN, where the wan led to the server";
    EXPECT_EQ(sent()[0].ip().src.host(), kWanIp);
    EXPECT_EQ(sent()[0].l4<UdpHdr>().dport.host(), 5353);
    EXPECT_TRUE(sent()[0].checksums_ok());
  }
  EXPECT_EQ(rule(62).packets, 1u) << "the first packet alone";
  ASSERT_NE(session(kWanIp, 4000, kServer, 53, kProtoUdp), nullptr);
  EXPECT_TRUE(session(kWanIp, 4000, kServer, 53, kProtoUdp)->has(Session::kDstNat));
  run(udp(kPc, 5353, kWanIp, 4000), kLan);
  const auto up = punted();
  ASSERT_EQ(up.size(), 1u);
  Ip4Hdr ip;
  std::memcpy(&ip, up[0].data.data(), sizeof(ip));
  EXPECT_EQ(ip.src.host(), kServer);
  EXPECT_EQ(ip.dst.host(), kWanIp);
  run(udp(kWanIp, 4000, kOther, 53), kNoIf, L3Queue::kFromRouter);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().dst.host(), kOther);
  run(udp(kPc2, 4000, kServer, 53), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().dst.host(), kServer) << "not the router's";
}

// B-28, B-1: the chain input gives what is for the router another source.
TEST_F(NatRouteros, WhatIsForTheRouterHasAnotherSource) {
  constexpr uint32_t kKnownAs = ip4(192, 168, 88, 250);
  Draft known_as = make(Action::kSrcNat, 63);
  known_as.match = Rule::kSrc;
  known_as.src = {kPc, kPc};
  known_as.with.to_addresses = {kKnownAs, kKnownAs};
  nat({masquerade()}, {}, {known_as}, {});
  const auto source = [&](const std::vector<uint8_t>& packet) {
    run(packet, kLan);
    const auto up = punted();
    EXPECT_EQ(up.size(), 1u);
    Ip4Hdr ip{};
    if (!up.empty()) std::memcpy(&ip, up[0].data.data(), sizeof(ip));
    return ip.src.host();
  };
  EXPECT_EQ(source(udp(kPc, 4000, kLanIp, 53)), kKnownAs);
  EXPECT_EQ(source(udp(kPc, 4000, kLanIp, 53)), kKnownAs);
  EXPECT_EQ(rule(63).packets, 1u);
  EXPECT_EQ(source(udp(kPc2, 4000, kLanIp, 53)), kPc2);
  run(udp(kLanIp, 53, kKnownAs, 4000), kNoIf, L3Queue::kFromRouter);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().dst.host(), kPc) << "the answer";
  EXPECT_EQ(sent()[0].l4<UdpHdr>().dport.host(), 4000);
  EXPECT_TRUE(sent()[0].checksums_ok());
  run(udp(kPc, 4001, kServer, 53), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().src.host(), kWanIp) << "what goes through is srcnat's";
}

}  // namespace maclane::test
