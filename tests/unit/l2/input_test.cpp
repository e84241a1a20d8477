// l2_input: what the wire sends, cell by cell, with exact bytes and counters.
#include "dataplane/worker/packet.h"
#include "tests/unit/l2/world.h"

namespace maclane {
namespace {

using Input = World;

TEST_F(Input, UnicastToParentAndRoutedVports) {
  receive(kWirePort, {frame(mac_of(kEther), kStranger, kIp), frame(mac_of(kB1), kStranger, kIp),
                      frame(mac_of(kP1), kStranger, kIp)});
  const auto taken = to_l3();
  ASSERT_EQ(taken.size(), 3u);
  const IfIndex expected[] = {kEther, kB1, kP1};
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(taken[i].in_if, expected[i]);
    EXPECT_EQ(taken[i].flags, L3Queue::kNone);
    EXPECT_EQ(taken[i].bytes, payload());
  }
  EXPECT_EQ(counters(kEther).rx_packets, 3u);
  EXPECT_EQ(counters(kEther).rx_bytes, 180u);
  EXPECT_EQ(counters(kB1).rx_packets, 1u);
  EXPECT_EQ(counters(kB1).rx_bytes, 60u);
  EXPECT_EQ(all_drops(), 0u);
}

TEST_F(Input, UnicastToAttachedVport) {
  const Bytes a = frame(mac_of(kB2), kStranger, 0x86dd);
  const Bytes own = frame(mac_of(kB2), mac_of(kB2), kIp);
  const Bytes hairpin = frame(mac_of(kP2), mac_of(kP1), kIp);
  receive(kWirePort, {a, own, hairpin});
  EXPECT_EQ(sent(1), (std::vector<Bytes>{a, own}));
  EXPECT_EQ(sent(3), std::vector<Bytes>{hairpin});
  EXPECT_EQ(counters(kB2).rx_packets, 2u);
  EXPECT_EQ(counters(kB2).rx_bytes, 120u);
  EXPECT_EQ(counters(kB2).tx_packets, 0u);
  EXPECT_TRUE(sent(0).empty());
}

TEST_F(Input, UnknownAndDownMacs) {
  receive(kWirePort, {frame(kNobody, kStranger, kIp), frame(mac_of(kDown), kStranger, kIp)});
  EXPECT_EQ(drops(kEther, Drop::not_for_us), 2u);
  EXPECT_EQ(all_drops(), 2u);
}

TEST_F(Input, BroadcastReachesParentAndAllVports) {  // A-37, A-43b
  for (const MacAddr& source : {kStranger, mac_of(kEther)}) {
    const Bytes f = frame(kBroadcast, source, kIp);
    receive(kWirePort, f);
    for (uint16_t port : kAttachedPorts) EXPECT_EQ(sent(port), std::vector<Bytes>{f});
    const auto taken = to_l3();
    ASSERT_EQ(taken.size(), 3u);
    EXPECT_EQ(taken[0].in_if, kB1);
    EXPECT_EQ(taken[1].in_if, kP1);
    EXPECT_EQ(taken[2].in_if, kEther);  // the original goes last
    for (const auto& t : taken) {
      EXPECT_EQ(t.flags, L3Queue::kL2Broadcast);
      EXPECT_EQ(t.bytes, payload());
    }
  }
  for (IfIndex i : {kEther, kB1, kB2, kB3, kP1, kP2}) EXPECT_EQ(counters(i).rx_packets, 2u);
  EXPECT_EQ(counters(kDown).rx_packets, 0u);
  EXPECT_EQ(all_drops(), 0u);
}

TEST_F(Input, MulticastIsFilteredPerVport) {
  filters->set(kB2, std::vector<uint64_t>{kGroup.key()});
  snapshot.interfaces[kP1].multicast_all = true;
  const Bytes f = frame(kGroup, kStranger, kIp);
  receive(kWirePort, f);
  EXPECT_EQ(sent(1), std::vector<Bytes>{f});
  EXPECT_TRUE(sent(2).empty());
  EXPECT_TRUE(sent(3).empty());
  const auto taken = to_l3();
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_EQ(taken[0].in_if, kP1);
  EXPECT_EQ(taken[1].in_if, kEther);
  filters->set(kP2, std::vector<uint64_t>{kLldp.key()});
  snapshot.interfaces[kP1].multicast_all = false;
  filters->clear(kB2);
  const Bytes lldp = frame(kLldp, kStranger, 0x88cc);
  receive(kWirePort, lldp);
  EXPECT_EQ(sent(3), std::vector<Bytes>{lldp});
  EXPECT_TRUE(sent(1).empty());
  EXPECT_EQ(drops(kEther, Drop::unknown_ethertype), 1u);
}

TEST_F(Input, OwnBridgeBroadcastComesBack) {
  receive(kWirePort, frame(kBroadcast, mac_of(kB2), kIp));
  const auto taken = to_l3();
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].in_if, kEther);
  for (uint16_t port : kAttachedPorts) EXPECT_TRUE(sent(port).empty());
  for (IfIndex i : {kB1, kB2, kB3, kP1, kP2}) EXPECT_EQ(drops(i, Drop::reflected), 1u);
  // An ARP request is told to control as heard by the parent alone.
  receive(kWirePort, frame(kBroadcast, mac_of(kB2), kEtherArp));
  const auto punted = punts();
  ASSERT_EQ(punted.size(), 1u);
  EXPECT_EQ(punted[0].message.in_if, kEther);
  EXPECT_FALSE(punted[0].message.broadcast);
}

TEST_F(Input, OwnPrivateBroadcastComesBack) {
  const Bytes f = frame(kBroadcast, mac_of(kP2), kIp);
  receive(kWirePort, {f, frame(kBroadcast, mac_of(kP1), kIp)});
  EXPECT_EQ(sent(3), std::vector<Bytes>{f});
  EXPECT_EQ(drops(kP1, Drop::reflected), 1u);
  EXPECT_EQ(all_drops(), 1u);
  EXPECT_TRUE(to_l3().empty());
  EXPECT_TRUE(sent(1).empty());
}

TEST_F(Input, PauseGoesNowhere) {
  receive(kWirePort,
          {frame(kBroadcast, kStranger, kEtherPause), frame(mac_of(kB2), kStranger, kEtherPause)});
  EXPECT_EQ(drops(kEther, Drop::pause_frame), 2u);
  EXPECT_TRUE(sent(1).empty());
}

TEST_F(Input, ArpIsPuntedOnce) {
  const Bytes request = frame(kBroadcast, kStranger, kEtherArp);
  const Bytes reply = frame(mac_of(kB1), kStranger, kEtherArp);
  receive(kWirePort, {request, reply});
  const auto punted = punts();
  ASSERT_EQ(punted.size(), 2u);
  EXPECT_EQ(punted[0].message.reason, PuntReason::kArp);
  EXPECT_EQ(punted[0].message.in_if, kEther);
  EXPECT_EQ(punted[0].message.out_if, kNoIf);
  EXPECT_TRUE(punted[0].message.broadcast);
  EXPECT_EQ(punted[0].bytes, request);
  EXPECT_EQ(punted[1].message.in_if, kB1);
  EXPECT_FALSE(punted[1].message.broadcast);
  for (uint16_t port : kAttachedPorts) EXPECT_EQ(sent(port), std::vector<Bytes>{request});
}

TEST_F(Input, LoopProtectFromTheWireIsPuntedOnce) {
  const MacAddr to_all = kBroadcast;
  receive(kWirePort, {frame(to_all, kStranger, kEtherLoopProtect),
                      frame(to_all, mac_of(kB1), kEtherLoopProtect),  // a bridge macvlan's, back
                      frame(to_all, mac_of(kP1), kEtherLoopProtect),  // a private one's
                      frame(mac_of(kB1), kStranger, kEtherLoopProtect)});
  const auto punted = punts();
  ASSERT_EQ(punted.size(), 4u);
  const IfIndex heard_on[] = {kEther, kEther, kP1, kB1};
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(punted[i].message.reason, PuntReason::kLoopProtect);
    EXPECT_EQ(punted[i].message.in_if, heard_on[i]) << i;
    EXPECT_EQ(punted[i].message.broadcast, i != 3) << i;
  }
  EXPECT_EQ(drops(kEther, Drop::unknown_ethertype), 0u);
}

TEST_F(Input, LoopProtectOfASiblingIsNotPunted) {
  send(kB1, frame(kBroadcast, mac_of(kB1), kEtherLoopProtect));
  receive(kAttachedPorts[0], frame(mac_of(kB1), mac_of(kB2), kEtherLoopProtect));
  EXPECT_TRUE(punts().empty());
  EXPECT_EQ(sent(kWirePort).size(), 1u);
}

TEST_F(Input, OtherProtocolsEndByName) {
  receive(kWirePort, {frame(mac_of(kB1), kStranger, 0x86dd), frame(kBroadcast, kStranger, 0x1234)});
  EXPECT_EQ(drops(kB1, Drop::unknown_ethertype), 1u);
  EXPECT_EQ(drops(kEther, Drop::unknown_ethertype), 1u);
  EXPECT_EQ(sent(1).size(), 1u);  // an attached vport speaks what it likes
}

TEST_F(Input, VlanTagsByteExact) {  // A-50, QinQ
  const MacAddr parent = mac_of(kEther);
  receive(kWirePort, {frame(parent, kStranger, kIp, 46, {{0x8100, 0xa00a}}),
                      frame(parent, kStranger, kIp, 46, {{0x8100, 10}, {0x8100, 20}}),
                      frame(mac_of(kV1), kStranger, kIp, 46, {{0x8100, 10}}),
                      frame(parent, kStranger, kIp, 46, {{0x88a8, 30}})});
  const auto taken = to_l3();
  ASSERT_EQ(taken.size(), 4u);
  const IfIndex expected[] = {kVlan10, kVlan20, kV1, kStag};
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(taken[i].in_if, expected[i]);
    EXPECT_EQ(taken[i].bytes, payload());
    const Bytes clean = frame(i == 2 ? mac_of(kV1) : parent, kStranger, kIp);
    EXPECT_EQ(taken[i].header, Bytes(clean.begin(), clean.begin() + 14));
  }
  EXPECT_EQ(counters(kEther).rx_bytes, 64u + 68 + 64 + 64);
  EXPECT_EQ(counters(kVlan10).rx_packets, 3u);
  EXPECT_EQ(counters(kVlan10).rx_bytes, 60u + 64 + 60);
  EXPECT_EQ(counters(kVlan20).rx_bytes, 60u);
  EXPECT_EQ(counters(kV1).rx_bytes, 60u);
}

TEST_F(Input, ConfiguredVlanNeverReachesMacvlansOfTheWire) {
  receive(kWirePort, {frame(mac_of(kB2), kStranger, kIp, 46, {{0x8100, 10}}),
                      frame(kBroadcast, kStranger, kIp, 46, {{0x8100, 10}})});
  EXPECT_TRUE(sent(1).empty());
  EXPECT_EQ(drops(kVlan10, Drop::not_for_us), 1u);
  EXPECT_EQ(to_l3().size(), 2u);  // v1 and the vlan interface
}

TEST_F(Input, UnknownVlanReachesKernelDevicesOnly) {
  const Bytes unicast = frame(mac_of(kB2), kStranger, kIp, 46, {{0x8100, 99}});
  const Bytes all = frame(kBroadcast, kStranger, kIp, 46, {{0x88a8, 10}});
  receive(kWirePort, {unicast, all, frame(mac_of(kB1), kStranger, kIp, 46, {{0x8100, 99}}),
                      frame(mac_of(kEther), kStranger, kIp, 46, {{0x8100, 99}}),
                      frame(kNobody, kStranger, kIp, 46, {{0x8100, 99}})});
  EXPECT_EQ(sent(1), (std::vector<Bytes>{unicast, all}));
  EXPECT_EQ(sent(3), std::vector<Bytes>{all});
  EXPECT_EQ(drops(kB1, Drop::vlan_unknown), 2u);
  EXPECT_EQ(drops(kP1, Drop::vlan_unknown), 1u);
  EXPECT_EQ(drops(kEther, Drop::vlan_unknown), 2u);
  EXPECT_EQ(drops(kEther, Drop::not_for_us), 1u);
  EXPECT_TRUE(to_l3().empty());
}

TEST_F(Input, PriorityTagsAreUntagged) {
  const MacAddr b1 = mac_of(kB1);
  receive(kWirePort, {frame(b1, kStranger, kIp, 46, {{0x8100, 0xe000}}),
                      frame(b1, kStranger, kIp, 46, {{0x88a8, 0}}),
                      frame(b1, kStranger, kIp, 46, {{0x8100, 0}, {0x8100, 0}}),
                      frame(b1, kStranger, kIp, 46, {{0x8100, 0}, {0x8100, 99}}),
                      frame(mac_of(kB2), kStranger, kIp, 46, {{0x8100, 0}})});
  const auto taken = to_l3();
  ASSERT_EQ(taken.size(), 3u);
  for (const auto& t : taken) {
    EXPECT_EQ(t.in_if, kB1);
    EXPECT_EQ(t.bytes, payload());
  }
  EXPECT_EQ(drops(kB1, Drop::vlan_unknown), 1u);
  EXPECT_EQ(sent(1), std::vector<Bytes>{frame(mac_of(kB2), kStranger, kIp)});
}

TEST_F(Input, DownInterfacesHearNothing) {
  snapshot.interfaces[kVlan10].up = false;
  receive(kWirePort, frame(mac_of(kEther), kStranger, kIp, 46, {{0x8100, 10}}));
  EXPECT_EQ(drops(kVlan10, Drop::vport_down), 1u);
  snapshot.interfaces[kEther].up = false;
  receive(kWirePort, frame(kBroadcast, kStranger, kIp));
  EXPECT_EQ(drops(kEther, Drop::vport_down), 1u);
  EXPECT_EQ(all_drops(), 2u);
}

TEST_F(Input, TruncatedAtEveryByte) {
  const Bytes whole = frame(mac_of(kB1), kStranger, kIp, 46, {{0x8100, 10}, {0x8100, 20}});
  for (size_t size = 0; size < 22; ++size) {
    const uint64_t before = all_drops();
    receive(kWirePort, Bytes(whole.begin(), whole.begin() + static_cast<long>(size)));
    EXPECT_EQ(all_drops(), before + 1) << size;
  }
  EXPECT_EQ(drops(kEther, Drop::short_frame), 18u);  // 0 to 17 bytes
  EXPECT_EQ(drops(kVlan10, Drop::short_frame), 4u);  // 18 to 21
}

TEST_F(Input, RandomFramesEndSomewhere) {
  uint64_t seed = 12345;
  const auto next = [&seed] {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<uint32_t>(seed >> 33);
  };
  const MacAddr macs[] = {mac_of(kEther), mac_of(kB1), mac_of(kB2), mac_of(kP1), mac_of(kP2),
                          kBroadcast,     kGroup,      kLldp,       kNobody,     mac_of(kB3)};
  const uint16_t types[] = {0x0800, 0x0806, 0x86dd, 0x8100, 0x88a8, 0x8808, 0x1234};
  snapshot.interfaces[kB2].multicast_all = true;
  for (unsigned i = 0; i < 10000; ++i) {
    Bytes f(next() % 128);
    for (uint8_t& b : f) b = static_cast<uint8_t>(next() % 4 == 0 ? 0 : next());
    if (next() % 4 != 0 && f.size() >= 14) {
      const MacAddr& dst = macs[next() % std::size(macs)];
      const MacAddr& src = macs[next() % std::size(macs)];
      std::copy(dst.bytes.begin(), dst.bytes.end(), f.begin());
      std::copy(src.bytes.begin(), src.bytes.end(), f.begin() + 6);
      for (size_t at = 12; at + 2 <= f.size() && at <= 24; at += 4) {
        const uint16_t type = types[next() % std::size(types)];
        f[at] = static_cast<uint8_t>(type >> 8);
        f[at + 1] = static_cast<uint8_t>(type);
        if (at + 4 <= f.size() && next() % 2 == 0) {
          f[at + 2] = 0;
          f[at + 3] = static_cast<uint8_t>(next() % 3 * 10);
        }
      }
    }
    receive(static_cast<uint16_t>(next() % 4), f);
    if (i % 16 != 0) continue;
    for (uint16_t p = 0; p < 4; ++p) (void)sent(p);
    (void)to_l3();
    (void)looped();
    (void)punts();
  }
  EXPECT_GT(all_drops(), 0u);
}

}  // namespace
}  // namespace maclane
