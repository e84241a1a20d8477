// Waiting for a MAC, failing, ageing.
#include "tests/unit/service/fake_io.h"

namespace maclane::test {
namespace {

using ResolveTest = ServiceTest;

TEST_F(ResolveTest, AsksOnceHoldsAndReleasesInOrder) {
  for (uint16_t i = 1; i <= 5; ++i) resolve(4, kPeer, i, i == 3 ? kNoIf : IfIndex{8});
  auto sent = io.take();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].message.out_if, 4);
  EXPECT_EQ(sent[0].bytes, arp_frame(1, mac(4), addr(192, 168, 1, 4), {}, kPeer));
  EXPECT_EQ(state(4, kPeer), NeighState::kIncomplete);
  EXPECT_EQ(status(4, kPeer), "incomplete");
  EXPECT_EQ(services->arp().held(), 5u);

  answer(4, kPeer);
  sent = io.take();
  ASSERT_EQ(sent.size(), 5u);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(sent[i].ip().id.host(), i + 1);
    EXPECT_EQ(sent[i].message.kind, i == 2 ? InjectKind::kIpOutput : InjectKind::kIpInput);
    EXPECT_EQ(sent[i].message.in_if, i == 2 ? kNoIf : 8);
    EXPECT_EQ(sent[i].message.worker, 3);
  }
  EXPECT_EQ(state(4, kPeer), NeighState::kReachable);
  EXPECT_EQ(io.neighbours().find(4, kPeer).mac, kPeerMac);
  resolve(4, kPeer);  // punted before the worker saw the answer
  EXPECT_EQ(io.take().size(), 1u);
}

TEST_F(ResolveTest, AsksWithTheAddressOfTheTargetsSubnet) {
  resolve(8, addr(10, 2, 0, 2));
  resolve(8, addr(100, 64, 0, 1));
  const auto sent = io.take();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].arp().sender_ip, addr(10, 2, 0, 1));
  EXPECT_EQ(sent[1].arp().sender_ip, addr(10, 1, 0, 1));
}

TEST_F(ResolveTest, QueueOfANeighbourIsBounded) {
  for (uint16_t i = 1; i <= 63; ++i) resolve(1, kPeer, i);
  EXPECT_EQ(state(1, kPeer), NeighState::kIncomplete);
  resolve(1, kPeer, 64);
  EXPECT_EQ(state(1, kPeer), NeighState::kFull);
  resolve(1, kPeer, 65);
  EXPECT_EQ(io.dropped(Drop::neigh_queue_full), 1u);
  io.take();
  answer(1, kPeer);
  EXPECT_EQ(io.take().size(), 64u);
  EXPECT_EQ(state(1, kPeer), NeighState::kReachable);
}

TEST_F(ResolveTest, AllQueuesTogetherAreBounded) {
  for (unsigned host = 100; host < 140; ++host) {
    for (uint16_t i = 1; i <= 64; ++i) resolve(1, addr(192, 168, 1, host), i);
  }
  EXPECT_EQ(services->arp().held(), 2048u);
  EXPECT_EQ(io.dropped(Drop::neigh_queue_full), 40u * 64 - 2048);
}

TEST_F(ResolveTest, FailsAfterThreeQuestionsAndTellsTheSender) {
  resolve(1, kPeer, 1);
  resolve(1, kPeer, 2, kNoIf);
  EXPECT_EQ(io.take().size(), 1u);
  advance(999);
  EXPECT_TRUE(io.take().empty());
  advance(1);
  EXPECT_EQ(io.take().size(), 1u);
  advance(1000);
  EXPECT_EQ(io.take().size(), 1u);
  advance(999);
  EXPECT_EQ(state(1, kPeer), NeighState::kIncomplete);
  advance(1);
  EXPECT_EQ(state(1, kPeer), NeighState::kFailed);
  EXPECT_EQ(status(1, kPeer), "failed");
  const auto sent = io.take();
  ASSERT_EQ(sent.size(), 1u);  // none to the router itself
  EXPECT_EQ(sent[0].ip().src, addr(10, 1, 0, 1));
  EXPECT_EQ(sent[0].ip().dst, addr(10, 1, 0, 77));
  EXPECT_EQ(sent[0].bytes[20], 3);
  EXPECT_EQ(sent[0].bytes[21], 1);
  EXPECT_EQ(io.dropped(Drop::neigh_failed), 2u);
  resolve(1, kPeer, 3);  // still failed
  EXPECT_EQ(io.dropped(Drop::neigh_failed), 3u);
  io.take();
  advance(3000);
  EXPECT_EQ(state(1, kPeer), NeighState::kNone);
  resolve(1, kPeer, 4);
  EXPECT_EQ(state(1, kPeer), NeighState::kIncomplete);
}

TEST_F(ResolveTest, NoQuestionsAboutBroadcastOrOwnAddresses) {
  for (const be32 next : {addr(192, 168, 1, 255), addr(255, 255, 255, 255), addr(224, 0, 0, 5),
                          be32{}, addr(192, 168, 1, 1)}) {
    resolve(1, next);
  }
  EXPECT_TRUE(io.sent.empty());
  EXPECT_EQ(io.dropped(Drop::neigh_failed), 5u);
}

TEST_F(ResolveTest, ArpDisabledFailsAtOnceAndStaticWorks) {
  io.published.interfaces[8].arp = ArpMode::kDisabled;
  publish();
  resolve(8, addr(10, 1, 0, 5));
  EXPECT_EQ(state(8, addr(10, 1, 0, 5)), NeighState::kFailed);
  ASSERT_EQ(io.sent.size(), 1u);
  EXPECT_EQ(io.sent[0].bytes[20], 3);  // the ICMP error, no who-has
  config.neighbours = {{8, addr(10, 1, 0, 5), kPeerMac}};
  publish();
  EXPECT_EQ(state(8, addr(10, 1, 0, 5)), NeighState::kPermanent);
}

TEST_F(ResolveTest, AStaticRowReleasesWhatWaits) {
  resolve(1, kPeer);
  io.take();
  config.neighbours = {{1, kPeer, kPeerMac}};
  publish();
  EXPECT_EQ(io.take().size(), 1u);
}

TEST_F(ResolveTest, ReachableStaleDelayProbeGone) {
  resolve(1, kPeer);
  answer(1, kPeer);
  io.take();
  advance(14'900);
  EXPECT_EQ(state(1, kPeer), NeighState::kReachable);
  advance(30'200);  // 0.5 to 1.5 times 30 s
  EXPECT_EQ(state(1, kPeer), NeighState::kStale);
  advance(300'000);
  EXPECT_EQ(state(1, kPeer), NeighState::kStale);  // nothing is used, nothing is asked
  EXPECT_TRUE(io.take().empty());

  Event used;
  used.kind = Event::Kind::kNeighbourUsed;
  used.out_if = 1;
  used.address = kPeer;
  services->handle(used);
  EXPECT_EQ(state(1, kPeer), NeighState::kProbe);
  EXPECT_EQ(status(1, kPeer), "delay");
  advance(4999);
  EXPECT_TRUE(io.take().empty());
  advance(1);
  auto sent = io.take();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].bytes, arp_frame(1, mac(1), addr(192, 168, 1, 1), {}, kPeer, kPeerMac));
  EXPECT_EQ(status(1, kPeer), "probe");
  answer(1, kPeer);
  EXPECT_EQ(state(1, kPeer), NeighState::kReachable);

  advance(46'000);
  services->handle(used);
  advance(5000);
  advance(2999);
  EXPECT_EQ(io.take().size(), 3u);
  EXPECT_EQ(state(1, kPeer), NeighState::kProbe);
  advance(1);
  EXPECT_EQ(state(1, kPeer), NeighState::kNone);
  EXPECT_TRUE(services->arp_rows().empty());
}

TEST_F(ResolveTest, AnInterfacesOwnTimeoutCounts) {
  config.interface_arp_timeout_ms[1] = 1000;
  publish();
  resolve(1, kPeer);
  answer(1, kPeer);
  resolve(8, addr(10, 1, 0, 5));
  answer(8, addr(10, 1, 0, 5));
  advance(1600);
  EXPECT_EQ(state(1, kPeer), NeighState::kStale);
  EXPECT_EQ(state(8, addr(10, 1, 0, 5)), NeighState::kReachable);
}

TEST_F(ResolveTest, UnusedStaleEntriesGoOnlyWhenThereAreMany) {
  for (unsigned i = 0; i < 200; ++i) who_has(addr(10, 1, 0, 2 + i), addr(10, 1, 0, 1), 8);
  EXPECT_EQ(services->arp_rows().size(), 200u);
  advance(299'000);
  EXPECT_EQ(services->arp_rows().size(), 200u);
  advance(2000);
  EXPECT_EQ(services->arp_rows().size(), 128u);
}

TEST_F(ResolveTest, AScanLeavesRoomForThoseWhoAnswer) {
  config.max_neighbour_entries = 100;
  publish();
  for (unsigned i = 0; i < 250; ++i) resolve(8, addr(10, 1, 0, 2 + i));
  EXPECT_EQ(services->arp_rows().size(), 50u);
  EXPECT_EQ(io.dropped(Drop::neigh_queue_full), 200u);
  EXPECT_GE(services->arp().refused(), 200u);
  who_has(kPeer, addr(192, 168, 1, 1));
  EXPECT_EQ(state(1, kPeer), NeighState::kStale);
  advance(3100);
  EXPECT_EQ(io.dropped(Drop::neigh_failed), 50u);
}

TEST_F(ResolveTest, NoBuffersIsNotFatal) {
  resolve(1, kPeer);
  io.take();
  io.no_buffers = true;
  advance(3000);
  EXPECT_EQ(state(1, kPeer), NeighState::kFailed);
  EXPECT_TRUE(io.sent.empty());
}

}  // namespace
}  // namespace maclane::test
