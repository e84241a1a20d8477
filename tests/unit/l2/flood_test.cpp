// Copies, clones and the budget of a broadcast.
#include "dataplane/stage/flood.h"

#include <rte_ethdev.h>

#include "dataplane/stage/l2.h"
#include "dataplane/worker/packet.h"
#include "tests/unit/l2/world.h"

namespace maclane {
namespace {

using Flood = World;
constexpr uint16_t kIp = kEtherIp4;

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
