// The ring to control: who may fill it, and who is counted when it is full.
#include <rte_ring.h>

#include "dataplane/stage/refuse.h"
#include "dataplane/worker/packet.h"
#include "tests/unit/l2/world.h"

namespace maclane {
namespace {

class PuntRing : public World {
 protected:
  PuntRing() : big_(worker->punt) {
    worker->punt = rte_ring_create("punt_test", 64, SOCKET_ID_ANY,
                                   RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
  }
  ~PuntRing() override {
    void* m = nullptr;
    while (rte_ring_dequeue(worker->punt, &m) == 0) finish(static_cast<rte_mbuf*>(m));
    rte_ring_free(worker->punt);
    worker->punt = big_;
  }
  void flood_with(PuntReason reason, unsigned packets) {
    PacketMessage message;
    message.reason = reason;
    message.in_if = kB1;
    for (unsigned i = 0; i < packets; ++i) punt(*worker, packet(payload()), message);
  }
  [[nodiscard]] unsigned waiting() const { return rte_ring_count(worker->punt); }

 private:
  rte_ring* const big_;
};

TEST_F(PuntRing, AFloodLeavesAQuarterToWhatIsVital) {
  flood_with(PuntReason::kLocal, 100);
  const unsigned taken = waiting();
  EXPECT_GE(taken, 48u);
  EXPECT_LE(taken, 50u);  // three quarters of 64
  EXPECT_EQ(drops(kB1, Drop::punt_full), 100u - taken);
  for (PuntReason reason : {PuntReason::kIcmpError, PuntReason::kTcpReset}) flood_with(reason, 1);
  EXPECT_EQ(waiting(), taken);
  // Half of it is shared with those who keep an uplink.
  for (PuntReason reason : {PuntReason::kDhcp, PuntReason::kPppoe}) flood_with(reason, 1);
  EXPECT_EQ(waiting(), taken + 2);
  flood_with(PuntReason::kPppoe, 100);
  const unsigned with_services = waiting();
  EXPECT_GE(with_services, 56u);
  EXPECT_LE(with_services, 57u);
  for (PuntReason reason : {PuntReason::kArp, PuntReason::kNeighbour, PuntReason::kMembership})
    flood_with(reason, 1);
  EXPECT_EQ(waiting(), with_services + 3);
  flood_with(PuntReason::kArp, 100);  // to the last place
  EXPECT_EQ(waiting(), 64u);
  EXPECT_EQ(drops(kB1, Drop::punt_full), 307u - 64u);
}

TEST_F(PuntRing, ARefusedPacketCountsOnce) {
  flood_with(PuntReason::kArp, 64);
  ASSERT_EQ(all_drops(), 0u);
  Burst b;
  b.count = 2;
  for (unsigned i = 0; i < 2; ++i) {
    b.mbuf[i] = packet(payload());
    b.in_if[i] = kB1;
  }
  refuse_with_icmp(*worker, b, 0, Drop::ttl_expired, kIcmpTimeExceeded, 0);
  EXPECT_EQ(b.mbuf[0], nullptr);
  EXPECT_EQ(drops(kB1, Drop::ttl_expired), 1u);
  EXPECT_EQ(all_drops(), 1u);
  reject(*worker, b, 1, RejectWith::kTcpReset);
  EXPECT_EQ(drops(kB1, Drop::filter_reject), 1u);
  EXPECT_EQ(all_drops(), 2u);
}

}  // namespace
}  // namespace maclane
