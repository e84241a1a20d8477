// One round of the loop: what it owes beside the packets.
#include "dataplane/worker/loop.h"

#include <rte_ethdev.h>

#include "tests/unit/l2/world.h"

namespace maclane {
namespace {

TEST_F(World, ExpiryKeepsUpWithAFloodOfSessions) {
  constexpr unsigned kOld = 512;
  for (uint16_t n = 0; n < kOld; ++n) {
    const Tuple t{be32::from(0x0a000001), be32::from(0x0a000002), be16::from(n), be16::from(53),
                  17};
    ASSERT_NE(worker->sessions.create(t, t.reversed(), TimeoutClass::kUdp, 0), SessionTable::kNone);
  }
  snapshot.timeouts.fill(100);
  snapshot.rx[0] = {{kWirePort, 0}};
  worker->now = {0, 1000};
  // net_ring gives back what it is sent.
  std::array<rte_mbuf*, kBurst> frames;
  for (rte_mbuf*& m : frames) m = packet(frame(kNobody, kStranger, 0x88b5));
  ASSERT_EQ(rte_eth_tx_burst(snapshot.ports[kWirePort].ethdev, 0, frames.data(), frames.size()),
            kBurst);

  LoopState state;
  ASSERT_EQ(loop_once(*worker, state), kBurst);
  // Each of those packets could have made a session.
  EXPECT_LE(worker->sessions.size(), kOld - kBurst);
}

}  // namespace
}  // namespace maclane
