// Answering, learning, conflicts, announcements and static rows of ARP.
#include <array>

#include "control/observe/log.h"
#include "tests/unit/service/fake_io.h"

namespace maclane::test {
namespace {

using ArpTest = ServiceTest;

TEST_F(ArpTest, AnswersByteForByte) {
  who_has(kPeer, addr(192, 168, 1, 3));
  ASSERT_EQ(io.sent.size(), 1u);
  EXPECT_EQ(io.sent[0].message.kind, InjectKind::kFrame);
  EXPECT_EQ(io.sent[0].message.out_if, 3);
  const Bytes expected = {0x02, 0xaa, 0, 0, 0,    1,    0x02, 0, 0, 0, 0,   3,   0x08, 0x06,
                          0,    1,    8, 0, 6,    4,    0,    2, 2, 0, 0,   0,   0,    3,
                          192,  168,  1, 3, 0x02, 0xaa, 0,    0, 0, 1, 192, 168, 1,    50};
  EXPECT_EQ(io.sent[0].bytes, expected);
  EXPECT_EQ(io.consumed, 1u);
}

// behaviour.md A-17: one reply although five interfaces share the subnet, whatever heard it.
TEST_F(ArpTest, OneReplyFromTheOwnerOnly) {
  for (const IfIndex heard_on : std::array<IfIndex, 3>{1, 2, 5}) {
    for (IfIndex owner = 1; owner <= 5; ++owner) {
      who_has(kPeer, addr(192, 168, 1, owner), heard_on);
      const auto sent = io.take();
      ASSERT_EQ(sent.size(), 1u);
      EXPECT_EQ(sent[0].message.out_if, owner);
      EXPECT_EQ(sent[0].arp().sender_mac, mac(static_cast<uint8_t>(owner)));
    }
  }
}

TEST_F(ArpTest, DoesNotAnswerForOtherSegmentsOrStrangers) {
  who_has(kPeer, addr(10, 1, 0, 1));
  who_has(kPeer, addr(192, 168, 1, 99));
  who_has(addr(10, 1, 0, 9), addr(192, 168, 1, 1), 8);
  EXPECT_TRUE(io.sent.empty());
}

TEST_F(ArpTest, AnswersProbesWithoutLearning) {
  who_has({}, addr(192, 168, 1, 1));
  ASSERT_EQ(io.sent.size(), 1u);
  EXPECT_EQ(io.sent[0].arp().target_ip, be32{});
  EXPECT_TRUE(services->arp_rows().empty());
}

TEST_F(ArpTest, SilentWhereArpIsOffOrTheInterfaceDown) {
  io.published.interfaces[3].arp = ArpMode::kDisabled;
  io.published.interfaces[4].up = false;
  publish();
  io.take();
  who_has(kPeer, addr(192, 168, 1, 3));
  who_has(kPeer, addr(192, 168, 1, 4));
  EXPECT_TRUE(io.sent.empty());
  EXPECT_EQ(io.dropped(Drop::arp_disabled), 1u);
}

// what an attached macvlan asks is heard by bridge siblings only.
TEST_F(ArpTest, AttachedSendersAreHeardByBridgeSiblingsOnly) {
  const auto ask = [&](IfIndex vport, be32 target) {
    hear(arp_frame(1, mac(static_cast<uint8_t>(vport)), addr(192, 168, 1, 60), {}, target), 1,
         vport);
    return io.take().size();
  };
  EXPECT_EQ(ask(6, addr(192, 168, 1, 2)), 1u);
  EXPECT_EQ(ask(6, addr(192, 168, 1, 1)), 0u);
  EXPECT_EQ(ask(6, addr(192, 168, 1, 3)), 0u);
  EXPECT_EQ(ask(7, addr(192, 168, 1, 2)), 0u);
  // Reflected by the switch: only the parent hears it now.
  hear(arp_frame(1, mac(6), addr(192, 168, 1, 60), {}, addr(192, 168, 1, 2)), 1);
  EXPECT_TRUE(io.take().empty());
  hear(arp_frame(1, mac(6), addr(192, 168, 1, 60), {}, addr(192, 168, 1, 1)), 1);
  EXPECT_EQ(io.take().size(), 1u);
}

TEST_F(ArpTest, MalformedIsDroppedByName) {
  const auto good = arp_frame(1, kPeerMac, kPeer, {}, addr(192, 168, 1, 1));
  for (const auto& [at, value] : std::vector<std::pair<size_t, uint8_t>>{
           {15, 2}, {16, 9}, {18, 5}, {19, 16}, {21, 3}, {22, 0x03}, {28, 224}, {28, 127}}) {
    Bytes bad = good;
    bad[at] = value;
    hear(bad, 1);
  }
  hear(Bytes(good.begin(), good.begin() + 41), 1);
  hear(arp_frame(2, kPeerMac, {}, mac(1), addr(192, 168, 1, 1)), 1);
  hear(arp_frame(1, {}, kPeer, {}, addr(192, 168, 1, 1)), 1);
  EXPECT_EQ(io.dropped(Drop::arp_malformed), 11u);
  EXPECT_TRUE(io.sent.empty());
  EXPECT_TRUE(services->arp_rows().empty());
}

TEST_F(ArpTest, LearnsRequestersOfItsSubnetAsStale) {
  who_has(kPeer, addr(192, 168, 1, 3));
  EXPECT_EQ(state(3, kPeer), NeighState::kStale);
  EXPECT_EQ(io.neighbours().find(3, kPeer).mac, kPeerMac);
  EXPECT_EQ(state(1, kPeer), NeighState::kNone);
  who_has(addr(172, 16, 0, 1), addr(192, 168, 1, 3));     // answered, not believed
  who_has(addr(192, 168, 1, 255), addr(192, 168, 1, 3));  // nobody's address
  EXPECT_EQ(services->arp_rows().size(), 1u);
}

TEST_F(ArpTest, UnsolicitedOnlyUpdatesWhatIsKnown) {
  hear(arp_frame(1, kPeerMac, kPeer, {}, kPeer), 1);
  hear(arp_frame(2, kPeerMac, kPeer, kBroadcastMac, kPeer), 1);
  EXPECT_TRUE(services->arp_rows().empty());
  who_has(kPeer, addr(192, 168, 1, 1));
  hear(arp_frame(1, kOtherMac, kPeer, {}, kPeer), 1);
  EXPECT_EQ(io.neighbours().find(1, kPeer).mac, kOtherMac);
  EXPECT_EQ(state(1, kPeer), NeighState::kStale);
}

TEST_F(ArpTest, TheFirstOfTwoAnswersStands) {
  resolve(1, kPeer);
  answer(1, kPeer);
  answer(1, kPeer, kOtherMac);
  EXPECT_EQ(io.neighbours().find(1, kPeer).mac, kPeerMac);
  advance(1500);
  answer(1, kPeer, kOtherMac);
  EXPECT_EQ(io.neighbours().find(1, kPeer).mac, kOtherMac);
}

TEST_F(ArpTest, OwnFramesAreNotNews) {
  hear(arp_frame(1, mac(2), addr(192, 168, 1, 2), {}, addr(192, 168, 1, 2)), 1);
  hear(arp_frame(1, mac(2), kPeer, {}, addr(192, 168, 1, 1)), 1);
  EXPECT_TRUE(io.sent.empty());
  EXPECT_TRUE(services->arp_rows().empty());
}

TEST_F(ArpTest, DefendsItsAddressAtMostEveryTenSeconds) {
  log::clear();
  const auto claim = arp_frame(1, kOtherMac, addr(192, 168, 1, 4), {}, addr(192, 168, 1, 4));
  for (int i = 0; i < 5; ++i) hear(claim, 1);
  auto sent = io.take();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].bytes, arp_frame(1, mac(4), addr(192, 168, 1, 4), {}, addr(192, 168, 1, 4)));
  EXPECT_EQ(sent[0].message.out_if, 4);
  ASSERT_EQ(log::recent().size(), 1u);
  EXPECT_EQ(log::recent()[0].topics, "arp,warning");
  EXPECT_EQ(log::recent()[0].message, "if4: 192.168.1.4 is also used by 02:BB:00:00:00:02");
  advance(10'000);
  hear(claim, 1);
  EXPECT_EQ(io.take().size(), 1u);
  EXPECT_EQ(log::recent().size(), 2u);
}

TEST_F(ArpTest, AnnouncesWhatIsNew) {
  publish();
  EXPECT_TRUE(io.take().empty());
  config.addresses.push_back({5, addr(172, 16, 5, 1), 24});
  publish();
  auto sent = io.take();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].bytes, arp_frame(1, mac(5), addr(172, 16, 5, 1), {}, addr(172, 16, 5, 1)));
  EXPECT_EQ(sent[0].message.out_if, 5);

  io.published.interfaces[5].up = false;
  publish();
  services->arp().announce(5);  // F-23: not before it is up
  EXPECT_TRUE(io.take().empty());
  io.published.interfaces[5].up = true;
  publish();
  EXPECT_EQ(io.take().size(), 2u);
  io.published.interfaces[2].mac = mac(0x22);
  publish();
  sent = io.take();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].arp().sender_mac, mac(0x22));
}

TEST_F(ArpTest, StaticRowsComeAndGo) {
  config.neighbours = {{1, kPeer, kOtherMac}, {6, kPeer, kOtherMac}, {900, kPeer, kOtherMac}};
  publish();
  io.take();
  EXPECT_EQ(state(1, kPeer), NeighState::kPermanent);
  ASSERT_EQ(services->arp_rows().size(), 1u);
  EXPECT_FALSE(services->arp_rows()[0].dynamic);
  EXPECT_TRUE(services->arp_rows()[0].complete);
  who_has(kPeer, addr(192, 168, 1, 1));  // cannot change it
  EXPECT_EQ(io.neighbours().find(1, kPeer).mac, kOtherMac);
  config.neighbours.clear();
  publish();
  EXPECT_EQ(state(1, kPeer), NeighState::kNone);
}

TEST_F(ArpTest, ForgetsWhatAChangeTookAway) {
  who_has(kPeer, addr(192, 168, 1, 1));
  who_has(kPeer, addr(192, 168, 1, 2));
  who_has(kPeer, addr(192, 168, 1, 3));
  who_has(addr(10, 2, 0, 2), addr(10, 2, 0, 1), 8);
  resolve(8, addr(10, 1, 0, 5));
  resolve(8, addr(100, 64, 0, 1));  // a gateway outside every subnet
  EXPECT_EQ(services->arp_rows().size(), 6u);
  io.published.interfaces[1].up = false;
  io.published.interfaces[2].mac = mac(0x22);
  io.published.interfaces[3].kind = IfKind::kNone;
  std::erase_if(config.addresses, [](const auto& a) { return a.interface == 8; });
  publish();
  ASSERT_EQ(services->arp_rows().size(), 1u);
  EXPECT_EQ(services->arp_rows()[0].address, addr(100, 64, 0, 1));
  EXPECT_EQ(io.neighbours().size(), 1u);
  EXPECT_EQ(io.dropped(Drop::neigh_failed), 1u);
}

TEST_F(ArpTest, AFloodOfRequestsEvictsNobodyWhoAnswered) {
  config.max_neighbour_entries = 100;
  publish();
  for (unsigned i = 0; i < 50; ++i) {
    const be32 host = addr(192, 168, 1, 100 + i);
    resolve(1, host);
    answer(1, host);
  }
  advance(50'000);  // all stale now
  for (unsigned i = 0; i < 2000; ++i) {
    who_has(addr(10, 1, 0, 2 + i % 250), addr(10, 1, 0, 1), 8);
  }
  EXPECT_EQ(services->arp_rows().size(), 100u);
  for (unsigned i = 0; i < 50; ++i) {
    EXPECT_EQ(state(1, addr(192, 168, 1, 100 + i)), NeighState::kStale);
  }
  // Those we want do make room among them.
  resolve(1, addr(192, 168, 1, 20));
  EXPECT_EQ(state(1, addr(192, 168, 1, 20)), NeighState::kIncomplete);
}

}  // namespace
}  // namespace maclane::test
