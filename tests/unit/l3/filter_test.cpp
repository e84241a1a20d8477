// Raw, mangle and filter on whole packets: what actions do, once each packet (behaviour.md B-1,
// B-5, B-11, B-12, B-25 to B-27).
#include "tests/unit/l3/filter_fixture.h"

namespace maclane::test {

TEST_F(FilterRules, NoRuleSeesAFragmentWhereConnectionsAreTracked) {  // B-12
  std::vector<uint8_t> beginning(800);
  const UdpHdr header{be16::from(1000), be16::from(53), be16::from(880), {}};
  std::memcpy(beginning.data(), &header, sizeof(header));
  const auto first = ip_packet(kPc, kServer, kProtoUdp, beginning, 64, 0x2000, 7);
  const auto last = ip_packet(kPc, kServer, kProtoUdp, std::vector<uint8_t>(80), 64, 100, 7);
  for (const bool tracking : {true, false}) {
    snap.tracking = tracking;
    const uint32_t n = tracking ? 0 : 10;
    raw({asking(Action::kPassthrough, n + 1, RuleMore::kFragment), make(Action::kNotrack, n + 2)});
    filter({asking(Action::kPassthrough, n + 3, RuleMore::kFragment)});
    run({first, last}, kLan);
    EXPECT_EQ(sent().size(), 2u);
  }
  EXPECT_EQ(rule(1).packets, 0u);
  EXPECT_EQ(rule(2).packets, 2u);
  EXPECT_EQ(rule(3).packets, 0u) << "nor of what raw rules leave untracked";
  EXPECT_EQ(rule(11).packets, 2u);
  EXPECT_EQ(rule(13).packets, 2u);
}

TEST_F(FilterRules, RawAndPreroutingSeeSourceRoutesBeforeTheyAreDropped) {  // B-1
  const auto routed = [](uint8_t type) {
    auto p = udp(kPc, 1000, kServer, 53);
    const uint8_t options[] = {type, 7, 4, 10, 0, 0, 1, 0};
    p.insert(p.begin() + 20, std::begin(options), std::end(options));
    p[0] = 0x47;
    p[3] = static_cast<uint8_t>(p[3] + sizeof(options));
    p[10] = p[11] = 0;
    const uint16_t sum = checksum(p.data(), 28);
    std::memcpy(p.data() + 10, &sum, 2);
    return p;
  };
  const auto with = [](Action action, uint32_t counter, IpOption option) {
    Draft r = asking(action, counter, RuleMore::kOptions);
    r.with.options = static_cast<uint8_t>(option);
    return r;
  };
  raw({with(Action::kPassthrough, 1, IpOption::kLooseSourceRouting),
       with(Action::kPassthrough, 2, IpOption::kStrictSourceRouting),
       with(Action::kPassthrough, 3, IpOption::kAny)});
  mangle({with(Action::kPassthrough, 4, IpOption::kAny)});
  filter({make(Action::kPassthrough, 5)});
  run({routed(131), routed(137)}, kLan);
  EXPECT_TRUE(sent().empty());
  EXPECT_EQ(drops(Drop::ip_options), 2u);
  EXPECT_EQ(w->sessions.size(), 0u);
  EXPECT_EQ(rule(1).packets, 1u);
  EXPECT_EQ(rule(2).packets, 1u);
  EXPECT_EQ(rule(3).packets, 2u);
  EXPECT_EQ(rule(4).packets, 2u);
  EXPECT_EQ(rule(5).packets, 0u);
  // Nor does a connection take one along.
  there_and_back();
  there_and_back();
  run({udp(kPc, 1000, kServer, 53), routed(131)}, kLan);
  EXPECT_EQ(sent().size(), 1u);
  EXPECT_EQ(drops(Drop::ip_options), 3u);
  EXPECT_EQ(rule(1).packets, 2u);
  // What raw drops is raw's.
  raw({with(Action::kDrop, 6, IpOption::kAny)});
  run(routed(137), kLan);
  EXPECT_EQ(drops(Drop::raw_drop), 1u);
  EXPECT_EQ(drops(Drop::ip_options), 3u);
  // Where nothing is tracked and no rule is asked it is dropped all the same.
  raw({});
  mangle({});
  filter({});
  snap.tracking = false;
  publish();
  run({routed(131), udp(kPc, 1000, kServer, 53)}, kLan);
  EXPECT_EQ(sent().size(), 1u);
  EXPECT_EQ(drops(Drop::ip_options), 4u);
  // Mangle can take the options out.
  mangle({make(Action::kStripOptions, 7)});
  run(routed(131), kLan);
  EXPECT_EQ(sent().size(), 1u);
}

// RFC 791 3.1, RFC 1812 5.2.4.1: where source routes are accepted, a packet at one of our addresses
// goes to the next that it names, and the address that it leaves by takes its place.
TEST_F(FilterRules, SourceRoutesAreFollowedWhereTheyAreAccepted) {
  const auto routed = [](uint8_t type, uint32_t dst, std::vector<uint32_t> hops, uint8_t at = 4) {
    auto p = udp(kPc, 1000, dst, 53);
    std::vector<uint8_t> options{type, static_cast<uint8_t>(3 + 4 * hops.size()), at};
    for (const uint32_t hop : hops)
      for (const int shift : {24, 16, 8, 0}) options.push_back(static_cast<uint8_t>(hop >> shift));
    while (options.size() % 4 != 0) options.push_back(0);
    p.insert(p.begin() + 20, options.begin(), options.end());
    p[0] = static_cast<uint8_t>(0x45 + options.size() / 4);
    p[3] = static_cast<uint8_t>(p[3] + options.size());
    p[10] = p[11] = 0;
    const uint16_t sum = checksum(p.data(), 20 + options.size());
    std::memcpy(p.data() + 10, &sum, 2);
    return p;
  };
  const auto slot = [](const Sent& one, size_t n) {
    be32 address;
    std::memcpy(&address, one.frame.data() + 14 + 20 + 3 + 4 * n, 4);
    return address.host();
  };
  snap.accept_source_route = true;
  publish();
  for (const uint8_t type : {uint8_t{131}, uint8_t{137}}) {
    run(routed(type, kLanIp, {kGateway, kServer}), kLan);
    ASSERT_EQ(sent().size(), 1u) << unsigned{type};
    EXPECT_EQ(sent()[0].ip().dst.host(), kGateway);
    EXPECT_EQ(sent()[0].out_if, kWan);
    EXPECT_EQ(sent()[0].frame[14 + 22], 8) << "the next one";
    EXPECT_EQ(slot(sent()[0], 0), kWanIp) << "where it left";
    EXPECT_EQ(slot(sent()[0], 1), kServer);
    EXPECT_EQ(checksum(&sent()[0].ip(), sent()[0].ip().header_length()), 0);
  }
  // By two of our addresses in a row.
  run(routed(131, kLanIp, {kWanIp, kServer}), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().dst.host(), kServer);
  EXPECT_EQ(sent()[0].frame[14 + 22], 12);
  // At the end of its way it is ours, and one that is at none of our addresses is like any other.
  run(routed(131, kLanIp, {kGateway}, 8), kLan);
  EXPECT_TRUE(sent().empty());
  EXPECT_EQ(punted().size(), 1u);
  run(routed(131, kServer, {kGateway}), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(slot(sent()[0], 0), kGateway);
  // A strict one goes by no gateway (RFC 1812 5.2.4.1: source route failed).
  for (const auto& strict : {routed(137, kLanIp, {kServer}), routed(137, kServer, {kGateway})}) {
    run(strict, kLan);
    EXPECT_TRUE(sent().empty());
    const auto told = punted();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].message.reason, PuntReason::kIcmpError);
    EXPECT_EQ(told[0].message.icmp_code, 5);
  }
  // Rules see where it goes next.
  Draft drop = make(Action::kDrop, 7);
  drop.match = Rule::kDst;
  drop.dst = {kGateway, kGateway};
  filter({drop});
  run(routed(131, kLanIp, {kGateway, kServer}), kLan);
  EXPECT_TRUE(sent().empty());
  EXPECT_EQ(rule(7).packets, 1u);
  // What cannot be is refused.
  const uint64_t before = drops(Drop::ip_options);
  run({routed(131, kLanIp, {kGateway}, 3), routed(131, kLanIp, {kGateway}, 5)}, kLan);
  EXPECT_TRUE(sent().empty());
  EXPECT_EQ(drops(Drop::ip_options), before + 2);
}

TEST_F(FilterRules, FastTrackPassesTheRulesBy) {  // B-25, B-26
  snap.fast_track.counter = 90;
  mangle({make(Action::kPassthrough, 12)});
  filter({in_state(Action::kFastTrack, 10, ConnState::kEstablished), make(Action::kAccept, 11)});
  there_and_back();
  EXPECT_EQ(rule(10).packets, 1u);
  EXPECT_EQ(rule(90).packets, 0u) << "the packet that made it one still passed the rules";
  for (int i = 0; i < 3; ++i) there_and_back();
  EXPECT_EQ(rule(10).packets, 1u);
  EXPECT_EQ(rule(11).packets, 2u);
  EXPECT_EQ(rule(12).packets, 2u);
  EXPECT_EQ(rule(90).packets, 6u);
}

TEST_F(FilterRules, FastTrackIsForTcpAndUdp) {  // B-25
  snap.fast_track.counter = 90;
  filter({make(Action::kFastTrack, 10)});
  for (int i = 0; i < 3; ++i) run(echo(kPc, kServer, 8), kLan);
  EXPECT_EQ(rule(10).packets, 3u);
  EXPECT_EQ(rule(90).packets, 0u);
}

TEST_F(FilterRules, FastTrackedConnectionsAreStillTrackedAndTranslated) {  // B-27
  nat({masquerade()});
  filter({in_state(Action::kFastTrack, 10, ConnState::kEstablished)});
  for (int i = 0; i < 5; ++i) {
    run(udp(kPc, 1000, kServer, 53), kLan);
    ASSERT_EQ(sent().size(), 1u);
    EXPECT_EQ(sent()[0].ip().src.host(), kWanIp);
    const uint16_t port = sent()[0].l4<UdpHdr>().sport.host();
    run(udp(kServer, 53, kWanIp, port), kWan);
    ASSERT_EQ(sent().size(), 1u);
    EXPECT_EQ(sent()[0].ip().dst.host(), kPc);
    EXPECT_TRUE(sent()[0].checksums_ok());
  }
  ASSERT_EQ(w->sessions.size(), 1u);
  const Session& s = w->sessions.at(0);
  EXPECT_TRUE(s.has(Session::kFastTracked));
  EXPECT_EQ(s.original.packets, 5u);
  EXPECT_EQ(s.reply.packets, 5u);
  EXPECT_EQ(rule(10).packets, 1u);
  // A packet of nobody's connection is not let in by it.
  run(udp(kServer, 54, kWanIp, 1000), kWan);
  EXPECT_TRUE(sent().empty());
}

TEST_F(FilterRules, ForwardSeesTheNewDestinationAndTheOldSource) {  // B-2
  Draft to_pc = make(Action::kDstNat, 20);
  to_pc.match = Rule::kDst;
  to_pc.dst = {kWanIp, kWanIp};
  to_pc.with.to_addresses = {kPc, kPc};
  nat({masquerade()}, {to_pc});
  const auto seen = [](uint32_t counter, uint32_t match, uint32_t address) {
    Draft r = make(Action::kPassthrough, counter);
    r.match = match;
    r.src = r.dst = {address, address};
    return r;
  };
  filter({seen(10, Rule::kDst, kPc), seen(11, Rule::kDst, kWanIp), seen(12, Rule::kSrc, kPc),
          seen(13, Rule::kSrc, kWanIp)});
  run(udp(kServer, 1000, kWanIp, 53), kWan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(rule(10).packets, 1u) << "after dst-nat";
  EXPECT_EQ(rule(11).packets, 0u);
  run(udp(kPc, 2000, kServer, 53), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().src.host(), kWanIp);
  EXPECT_EQ(rule(12).packets, 1u) << "before src-nat";
  EXPECT_EQ(rule(13).packets, 0u);
}

TEST_F(FilterRules, RawComesBeforeTracking) {  // B-1
  raw({make(Action::kNotrack, 10)});
  filter({in_state(Action::kAccept, 11, ConnState::kUntracked), make(Action::kDrop, 12)});
  there_and_back();
  EXPECT_EQ(sent().size(), 1u);
  EXPECT_EQ(rule(11).packets, 2u);
  EXPECT_EQ(w->sessions.size(), 0u);
  raw({make(Action::kDrop, 13)});
  there_and_back();
  EXPECT_EQ(sent().size(), 0u);
  EXPECT_EQ(drops(Drop::raw_drop), 2u);
}

TEST_F(FilterRules, ConnectionMarksAreTheConnections) {  // B-5, B-11
  Draft mark = make(Action::kMarkConnection, 10);
  mark.match = Rule::kInInterface;
  mark.in_if = kLan;
  mark.with.mark = 7;
  mangle({mark});
  Draft marked = asking(Action::kPassthrough, 11, RuleMore::kConnectionMark);
  marked.with.connection_mark = 7;
  filter({marked});
  there_and_back();
  EXPECT_EQ(rule(10).packets, 1u);
  EXPECT_EQ(rule(11).packets, 2u) << "the reply has the mark of its connection";
}

TEST_F(FilterRules, PassthroughNoEndsTheChain) {  // B-5
  Draft first = make(Action::kMarkPacket, 10);
  first.with.mark = 1;
  first.with.passthrough = false;
  Draft second = make(Action::kMarkPacket, 11);
  second.with.mark = 2;
  mangle({first, second});
  Draft marked = asking(Action::kPassthrough, 12, RuleMore::kPacketMark);
  marked.with.packet_mark = 1;
  filter({marked});
  run(udp(kPc, 1000, kServer, 53), kLan);
  EXPECT_EQ(rule(11).packets, 0u);
  EXPECT_EQ(rule(12).packets, 1u);
}

TEST_F(FilterRules, TtlAndDscpAreChanged) {  // B-1
  Draft ttl = make(Action::kChangeTtl, 10);
  ttl.with.ttl = 10;
  Draft dscp = make(Action::kChangeDscp, 11);
  dscp.with.new_dscp = 46;
  mangle({}, {}, {ttl, dscp});
  for (int i = 0; i < 3; ++i) {
    run(udp(kPc, 1000, kServer, 53), kLan);
    ASSERT_EQ(sent().size(), 1u);
    EXPECT_EQ(sent()[0].ip().ttl, 10);
    EXPECT_EQ(sent()[0].ip().tos, 46 << 2);
    EXPECT_TRUE(sent()[0].checksums_ok());
  }
  EXPECT_EQ(rule(11).packets, 3u);
}

TEST_F(FilterRules, SegmentsFitTheWayTheyCameToo) {  // B-1
  snap.interfaces[kLan].mtu = 1400;
  mangle({}, {}, {make(Action::kChangeMss, 10)});  // clamp-to-pmtu, where only the way out is asked
  auto syn = tcp(kPc, 1000, kServer, 80, kTcpSyn);
  syn.insert(syn.end(), {2, 4, 0x05, 0xb4});  // an MSS of 1460
  auto& ip = *reinterpret_cast<Ip4Hdr*>(syn.data());
  ip.total_length = be16::from(static_cast<uint16_t>(syn.size()));
  ip.checksum = {};
  ip.checksum.raw = checksum(&ip, 20);
  auto& header = *reinterpret_cast<TcpHdr*>(syn.data() + 20);
  header.data_offset = 0x60;
  header.checksum = {};
  header.checksum.raw = checksum(&header, 24, pseudo_sum(ip.src, ip.dst, kProtoTcp, 24));
  run(syn, kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].frame[14 + 40 + 2] << 8 | sent()[0].frame[14 + 40 + 3], 1360);
  EXPECT_TRUE(sent()[0].checksums_ok());
}

TEST_F(FilterRules, PriorityIsSetAndSeenByLaterRules) {  // B-11
  Draft voice = make(Action::kSetPriority, 10);
  voice.with.from = RuleMore::Priority::kDscpHigh;
  Draft is_5 = asking(Action::kPassthrough, 11, RuleMore::kPriority);
  is_5.with.priority = 5;
  Draft was_0 = asking(Action::kPassthrough, 12, RuleMore::kIngressPriority);
  Draft to_3 = make(Action::kSetPriority, 13);
  to_3.with.new_priority = 3;
  mangle({}, {voice, is_5, was_0}, {to_3});
  auto packet = udp(kPc, 1000, kServer, 53);
  auto& ip = *reinterpret_cast<Ip4Hdr*>(packet.data());
  ip.tos = 46 << 2;
  ip.checksum = {};
  ip.checksum.raw = checksum(&ip, 20);
  for (int i = 0; i < 3; ++i) run(packet, kLan);
  EXPECT_EQ(rule(11).packets, 3u);
  EXPECT_EQ(rule(12).packets, 3u);
  EXPECT_EQ(w->walk.priority, 3);
  EXPECT_EQ(w->tag_priority, 0) << "of this packet only";
}

TEST_F(FilterRules, OptionsAreTakenAway) {  // B-11
  mangle({}, {}, {make(Action::kStripOptions, 10)});
  auto packet = udp(kPc, 1000, kServer, 53);
  packet.insert(packet.begin() + 20, {148, 4, 0, 0});  // router alert
  auto& ip = *reinterpret_cast<Ip4Hdr*>(packet.data());
  ip.version_ihl = 0x46;
  ip.total_length = be16::from(static_cast<uint16_t>(packet.size()));
  ip.checksum = {};
  ip.checksum.raw = checksum(&ip, 24);
  for (int i = 0; i < 3; ++i) {
    run(packet, kLan);
    ASSERT_EQ(sent().size(), 1u);
    EXPECT_EQ(sent()[0].ip().header_length(), 24u);
    for (unsigned k = 34; k < 38; ++k) EXPECT_EQ(sent()[0].frame[k], 1) << "no operation";
    EXPECT_TRUE(sent()[0].checksums_ok());
  }
  EXPECT_EQ(rule(10).packets, 3u);
}

}  // namespace maclane::test
