// l2_send and frames of attached vports: siblings, wire, tags, and what is refused.
#include "dataplane/stage/l2.h"
#include "dataplane/worker/packet.h"
#include "tests/unit/l2/world.h"

namespace maclane {
namespace {

using Send = World;

TEST_F(Send, BridgeToBridgeSibling) {
  const Bytes f = frame(mac_of(kB2), mac_of(kB1), kIp);
  send(kB1, f);
  EXPECT_EQ(sent(1), std::vector<Bytes>{f});
  EXPECT_TRUE(sent(0).empty());
  EXPECT_EQ(counters(kB1).tx_packets, 1u);
  EXPECT_EQ(counters(kB1).tx_bytes, 60u);
  EXPECT_EQ(counters(kB2).rx_packets, 1u);
  EXPECT_EQ(counters(kEther).tx_packets, 0u);

  receive(1, frame(mac_of(kB1), mac_of(kB2), kIp));  // attached to routed
  const auto taken = to_l3();
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].in_if, kB1);
  EXPECT_EQ(counters(kB2).tx_packets, 1u);
  EXPECT_EQ(counters(kB1).rx_packets, 1u);

  receive(1, frame(mac_of(kB1), mac_of(kB2), kEtherArp));
  const auto punted = punts();
  ASSERT_EQ(punted.size(), 1u);
  EXPECT_EQ(punted[0].message.in_if, kB1);
  EXPECT_EQ(punted[0].message.out_if, kB2);
}

TEST_F(Send, RoutedSiblingLoopsBack) {
  snapshot.interfaces[kB3].attached = false;
  send(kB1, frame(mac_of(kB3), mac_of(kB1), kIp));
  const auto taken = looped();
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].in_if, kB3);
  EXPECT_EQ(taken[0].bytes, payload());
}

TEST_F(Send, EverythingElseUnicastLeavesByTheWire) {
  const std::pair<IfIndex, MacAddr> cases[] = {
      {kB1, mac_of(kDown)}, {kB1, mac_of(kP1)},    {kB1, mac_of(kEther)}, {kB1, kNobody},
      {kP1, mac_of(kB1)},   {kP1, mac_of(kP2)},    {kP1, mac_of(kEther)}, {kEther, mac_of(kB1)},
      {kB2, mac_of(kP2)},   {kB2, mac_of(kEther)}, {kP2, mac_of(kB1)},    {kP2, kNobody}};
  uint64_t bytes = 0;
  for (const auto& [from, to] : cases) {
    const Bytes f = frame(to, mac_of(from), kIp);
    send(from, f);
    EXPECT_EQ(sent(0), std::vector<Bytes>{f});
    bytes += f.size();
  }
  for (uint16_t port : kAttachedPorts) EXPECT_TRUE(sent(port).empty());
  EXPECT_EQ(counters(kEther).tx_packets, std::size(cases));
  EXPECT_EQ(counters(kEther).tx_bytes, bytes);
  EXPECT_EQ(counters(kP1).tx_packets, 3u);
  EXPECT_EQ(all_drops(), 0u);
}

TEST_F(Send, GroupFrames) {
  const Bytes bridge = frame(kBroadcast, mac_of(kB2), kIp);
  receive(1, bridge);
  EXPECT_EQ(sent(0), std::vector<Bytes>{bridge});
  EXPECT_EQ(sent(2), std::vector<Bytes>{bridge});
  EXPECT_TRUE(sent(1).empty());
  EXPECT_TRUE(sent(3).empty());
  const auto taken = to_l3();
  ASSERT_EQ(taken.size(), 1u);  // not the parent, not the private ones
  EXPECT_EQ(taken[0].in_if, kB1);
  EXPECT_EQ(taken[0].flags, L3Queue::kL2Broadcast);
  EXPECT_EQ(counters(kB2).tx_packets, 1u);
  EXPECT_EQ(counters(kEther).tx_packets, 1u);

  for (IfIndex from : {kP2, kEther}) {
    const Bytes f = frame(kBroadcast, mac_of(from), kIp);
    send(from, f);
    EXPECT_EQ(sent(0), std::vector<Bytes>{f});
  }
  for (uint16_t port : kAttachedPorts) EXPECT_TRUE(sent(port).empty());
  EXPECT_TRUE(looped().empty());
}

TEST_F(Send, ArpOfASiblingIsHeardOnceAndSent) {
  const Bytes f = frame(kBroadcast, mac_of(kB2), kEtherArp);
  receive(1, f);
  EXPECT_EQ(sent(0), std::vector<Bytes>{f});
  const auto punted = punts();
  ASSERT_EQ(punted.size(), 1u);
  EXPECT_EQ(punted[0].message.in_if, kEther);
  EXPECT_EQ(punted[0].message.out_if, kB2);
  EXPECT_TRUE(punted[0].message.broadcast);
  EXPECT_EQ(punted[0].bytes, f);
  EXPECT_EQ(counters(kB1).rx_packets, 1u);
}

TEST_F(Send, LinkLocalAndPauseStay) {
  send(kB1, frame(kLldp, mac_of(kB1), 0x88cc));
  send(kP2, frame(kLldp, mac_of(kP2), 0x88cc));
  send(kB2, frame(kNobody, mac_of(kB2), kEtherPause));
  EXPECT_EQ(drops(kB1, Drop::link_local_group), 1u);
  EXPECT_EQ(drops(kP2, Drop::link_local_group), 1u);
  EXPECT_EQ(drops(kB2, Drop::pause_frame), 1u);
  EXPECT_TRUE(sent(0).empty());
  const Bytes lldp = frame(kLldp, mac_of(kEther), 0x88cc);
  send(kEther, lldp);
  EXPECT_EQ(sent(0), std::vector<Bytes>{lldp});
}

TEST_F(Send, TagsArePushedByteExact) {
  const MacAddr mac = mac_of(kVlan10);
  send(kVlan10, frame(kNobody, mac, kIp));
  EXPECT_EQ(sent(0), std::vector<Bytes>{frame(kNobody, mac, kIp, 46, {{0x8100, 10}})});
  send(kVlan20, frame(kNobody, mac, kIp));
  EXPECT_EQ(sent(0),
            std::vector<Bytes>{frame(kNobody, mac, kIp, 46, {{0x8100, 10}, {0x8100, 20}})});
  send(kV1, frame(kBroadcast, mac_of(kV1), kIp));
  EXPECT_EQ(sent(0), std::vector<Bytes>{frame(kBroadcast, mac_of(kV1), kIp, 46, {{0x8100, 10}})});
  EXPECT_EQ(counters(kVlan20).tx_bytes, 60u);
  EXPECT_EQ(counters(kV1).tx_bytes, 60u);
  EXPECT_EQ(counters(kVlan10).tx_packets, 3u);
  EXPECT_EQ(counters(kVlan10).tx_bytes, 60u + 64 + 60);
  EXPECT_EQ(counters(kEther).tx_bytes, 64u + 68 + 64);
}

TEST_F(Send, ATaggedFrameOfAContainerStaysTagged) {
  const Bytes tagged = frame(kBroadcast, mac_of(kB2), kIp, 46, {{0x8100, 77}});
  const Bytes priority = frame(mac_of(kB1), mac_of(kB2), kIp, 46, {{0x8100, 0xe000}});
  receive(1, {tagged, priority});
  EXPECT_EQ(sent(0), std::vector<Bytes>{tagged});
  EXPECT_EQ(sent(2), std::vector<Bytes>{tagged});
  EXPECT_EQ(drops(kB1, Drop::vlan_unknown), 1u);
  const auto taken = to_l3();
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].bytes, payload());
}

TEST_F(Send, RefusedByName) {
  send(kDown, frame(kNobody, mac_of(kDown), kIp));
  send(kB1, Bytes(13));
  send(kB1, frame(kNobody, mac_of(kB1), kIp, 1501));
  EXPECT_EQ(drops(kDown, Drop::vport_down), 1u);
  EXPECT_EQ(drops(kB1, Drop::short_frame), 1u);
  EXPECT_EQ(drops(kB1, Drop::oversize), 1u);
  snapshot.ports[0].ethdev = 0xffff;
  send(kB1, frame(kNobody, mac_of(kB1), kIp));
  EXPECT_EQ(drops(kB1, Drop::tx_down), 1u);
  EXPECT_EQ(counters(kB1).tx_packets, 0u);
  EXPECT_EQ(all_drops(), 4u);
}

TEST_F(Send, MembershipReportsAreCopiedToControl) {
  Bytes igmp = frame(kGroup, mac_of(kB2), kIp);
  igmp[14 + 9] = kProtoIgmp;
  Bytes mld = frame(MacAddr{{0x33, 0x33, 0, 0, 0, 0x16}}, mac_of(kB2), kEtherIp6, 60);
  mld[14 + 6] = 0;     // hop-by-hop
  mld[14 + 40] = 58;   // then ICMPv6
  mld[14 + 41] = 0;    // eight bytes long
  mld[14 + 48] = 143;  // MLDv2 report
  Bytes other = mld;
  other[14 + 48] = 135;  // neighbour solicitation
  receive(1, {igmp, mld, other});
  const auto punted = punts();
  ASSERT_EQ(punted.size(), 2u);
  EXPECT_EQ(punted[0].message.reason, PuntReason::kMembership);
  EXPECT_EQ(punted[0].message.in_if, kB2);
  EXPECT_EQ(punted[0].bytes, igmp);
  EXPECT_EQ(punted[1].bytes, mld);
  EXPECT_EQ(sent(0), (std::vector<Bytes>{igmp, mld, other}));
}

TEST_F(Send, FullRingIsCounted) {
  const Bytes f = frame(kNobody, mac_of(kB1), kIp);
  unsigned offered = 0;
  while (drops(kB1, Drop::tx_full) == 0 && offered < 3000) {
    send(kB1, f);
    ++offered;
  }
  EXPECT_EQ(drops(kB1, Drop::tx_full), 1u);
  EXPECT_EQ(counters(kB1).tx_packets, offered - 1);
}

TEST_F(Send, ChainsAreFlattenedForPortsThatNeedIt) {
  snapshot.ports[0].multi_segment = false;
  rte_mbuf* head = packet(frame(kNobody, mac_of(kB1), kIp, 10));
  rte_mbuf* tail = packet(payload(30));
  ASSERT_EQ(rte_pktmbuf_chain(head, tail), 0);
  l2_send(*worker, head, kB1);
  tx_flush(*worker);
  const auto frames = sent(0);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].size(), 54u);
}

}  // namespace
}  // namespace maclane
