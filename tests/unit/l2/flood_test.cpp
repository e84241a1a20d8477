// Copies, clones and the budget of a broadcast.
#include "dataplane/stage/flood.h"

#include <rte_ethdev.h>

#include <map>

#include "dataplane/net/checksum.h"
#include "dataplane/stage/l2.h"
#include "dataplane/stage/l3.h"
#include "dataplane/worker/packet.h"
#include "tests/unit/l2/world.h"

namespace maclane {
namespace {

using Flood = World;

/// Whether what waits for a port is a clone.
bool first_is_clone(const Worker& w, uint16_t port) {
  return w.tx[port].count != 0 && !RTE_MBUF_DIRECT(w.tx[port].packets[0]);
}

TEST_F(Flood, SmallIsCopiedLargeIsCloned) {
  for (const size_t size : {size_t{498}, size_t{499}}) {  // 512 and 513 bytes with the header
    const Bytes f = frame(kBroadcast, kStranger, kIp, size);
    rte_mbuf* m = packet(f);
    l2_input(*worker, kWirePort, {&m, 1}, l3);
    const bool large = size == 499;
    EXPECT_EQ(first_is_clone(*worker, 1), large);
    EXPECT_FALSE(first_is_clone(*worker, 2));  // a port without multi-segment gets a copy
    EXPECT_EQ(first_is_clone(*worker, 3), large);
    // L3 writes to what it gets; to_l3() asserts that it is its own.
    for (unsigned i = 0; i < l3.count; ++i) {
      std::memset(rte_pktmbuf_mtod(l3.packets[i], void*), 0xff, 20);
    }
    EXPECT_EQ(to_l3().size(), 3u);
    tx_flush(*worker);
    for (uint16_t port : kAttachedPorts) EXPECT_EQ(sent(port), std::vector<Bytes>{f});
  }
}

TEST_F(Flood, TagsPushedOnTheOriginalDoNotReachClones) {
  Interface& attached = snapshot.interfaces[kB2];  // moved to the VLAN for this test
  attached.domain = 1;
  attached.parent = kVlan10;
  snapshot.domains[1].vports.push_back(kB2);
  snapshot.domains[1].bridge_vports.push_back(kB2);
  const Bytes f = frame(kBroadcast, mac_of(kV1), kIp, 1000);
  send(kV1, f);
  EXPECT_EQ(sent(1), std::vector<Bytes>{f});
  EXPECT_EQ(sent(0), std::vector<Bytes>{frame(kBroadcast, mac_of(kV1), kIp, 1000, {{0x8100, 10}})});
}

TEST_F(Flood, BudgetBoundsABurst) {
  const Bytes f = frame(kBroadcast, mac_of(kB2), kIp);
  worker->flood_budget = 1;
  l2_send(*worker, packet(f), kB2);  // b1 and b3 listen, one may
  tx_flush(*worker);
  EXPECT_EQ(sent(0).size(), 1u);  // the original needs no budget
  EXPECT_EQ(looped().size() + sent(2).size(), 1u);
  EXPECT_EQ(drops(kB3, Drop::flood_budget), 1u);
}

TEST_F(Flood, AStormLeavesRoomForUnicast) {
  std::vector<Bytes> burst(kBurst - 1, frame(kBroadcast, kStranger, kIp));
  burst.push_back(frame(mac_of(kB1), kStranger, kIp, 50));
  receive(kWirePort, burst);
  const auto taken = to_l3();
  // Every original and the last frame, and as many copies as fit beside them.
  uint64_t dropped = drops(kB1, Drop::flood_budget) + drops(kP1, Drop::flood_budget);
  EXPECT_EQ(taken.size() + dropped, 63u * 3 + 1);
  EXPECT_EQ(taken.back().bytes, payload(50));
  EXPECT_EQ(drops(kEther, Drop::flood_budget), 0u);
}

/// A wire with 600 routed vports more.
class LargeFlood : public World {
 protected:
  static constexpr IfIndex kFirst = 20;
  static constexpr unsigned kVports = 600;

  LargeFlood() {
    std::string error;
    snapshot.next_hops.resize(1);
    snapshot.fib = Fib4::build(std::vector<Fib4Route>{}, &error, false);
    EXPECT_NE(snapshot.fib, nullptr) << error;
    snapshot.interfaces.resize(kFirst + kVports);
    for (unsigned i = 0; i < kVports; ++i) {
      const auto vport = static_cast<IfIndex>(kFirst + i);
      snapshot.interfaces[vport] = snapshot.interfaces[kB1];
      snapshot.domains[0].vports.push_back(vport);
      snapshot.domains[0].bridge_vports.push_back(vport);
    }
  }
  /// A UDP datagram of a host without an address, to all.
  static Bytes broadcast(const MacAddr& from) {
    Bytes f = frame(kBroadcast, from, kIp, 46);
    Ip4Hdr ip{};
    ip.version_ihl = 0x45;
    ip.total_length = be16::from(46);
    ip.ttl = 64;
    ip.proto = kProtoUdp;
    ip.dst = be32::from(0xffffffff);
    ip.checksum.raw = checksum(&ip, sizeof(ip));
    const UdpHdr udp{be16::from(68), be16::from(67), be16::from(26), {}};
    std::memcpy(f.data() + 14, &ip, sizeof(ip));
    std::memcpy(f.data() + 34, &udp, sizeof(udp));
    return f;
  }
  /// Adds up who was given a packet, by interface.
  void heard(std::map<IfIndex, unsigned>& by) {
    for (const Punt& p : punts()) by[p.message.in_if] += p.message.broadcast;
  }
};

TEST_F(LargeFlood, OneBroadcastReachesAllRoutedVports) {
  receive(kWirePort, broadcast(kStranger));
  l3_input(*worker, l3);  // as the loop does after a burst
  std::map<IfIndex, unsigned> by;
  heard(by);
  EXPECT_EQ(by.size(), kVports + 3);  // and b1, p1, the parent
  for (const auto& [vport, times] : by) EXPECT_EQ(times, 1u) << vport;
  EXPECT_EQ(all_drops(), 0u);
}

TEST_F(LargeFlood, WhoGoesWithoutChanges) {
  std::map<IfIndex, unsigned> by;
  constexpr unsigned kRounds = 100;
  for (unsigned i = 0; i < kRounds; ++i) {  // each burst: budget for one frame and two thirds
    receive(kWirePort, {broadcast(kStranger), broadcast(kStranger)});
    l3_input(*worker, l3);
    heard(by);
  }
  EXPECT_EQ(by.size(), kVports + 3);
  for (const auto& [vport, times] : by) {
    EXPECT_GT(times, kRounds * 4 / 3) << vport;
    EXPECT_TRUE(times < kRounds * 2 || vport == kEther) << vport;  // it gets the originals
  }
}

TEST_F(LargeFlood, SiblingsOfOurOwnTakeTurnsInTheLoopback) {
  // From within L3 the queue cannot be run: each frame reaches as many as it has places for.
  std::map<IfIndex, unsigned> by;
  for (unsigned i = 0; i < 50; ++i) {
    worker->flood_budget = kFloodBudget;
    send(kB1, broadcast(mac_of(kB1)));
    EXPECT_EQ(worker->loopback.count, L3Queue::kCapacity - kBurst);
    for (const Taken& t : looped()) ++by[t.in_if];
  }
  EXPECT_EQ(by.size(), kVports);
}

TEST_F(Flood, NoBufferLeft) {
  std::vector<rte_mbuf*> hoard;
  rte_mbuf* m = packet(frame(kBroadcast, kStranger, kIp));
  while (rte_mbuf* taken = alloc(*worker)) hoard.push_back(taken);
  l2_input(*worker, kWirePort, {&m, 1}, l3);
  for (IfIndex i : {kB1, kB2, kB3, kP1, kP2}) EXPECT_EQ(drops(i, Drop::flood_no_mbuf), 1u);
  EXPECT_EQ(to_l3().size(), 1u);  // the original
  for (rte_mbuf* taken : hoard) finish(taken);
}

}  // namespace
}  // namespace maclane
