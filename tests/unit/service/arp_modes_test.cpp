// The ARP modes of behaviour.md A2 and the rows that stand in for others.
#include "control/observe/log.h"
#include "tests/unit/service/fake_io.h"

namespace maclane::test {
namespace {

const be32 kAsker = addr(10, 1, 0, 50);
const be32 kFar = addr(172, 16, 0, 9);      // behind another interface
const be32 kNear = addr(10, 1, 0, 60);      // behind the interface that is asked
const be32 kNowhere = addr(172, 31, 0, 1);  // no route

class ArpModesTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    io.ways[kFar.host()] = {1};
    io.ways[kNear.host()] = {8};
    io.ways[kAsker.host()] = {8};
  }
  void mode(ArpMode arp, IfIndex interface = 8) {
    io.published.interfaces[interface].arp = arp;
    publish();
    io.take();
  }
  size_t answers(be32 sender, be32 target, IfIndex in_if = 8) {
    who_has(sender, target, in_if);
    return io.take().size();
  }
};

// Table of A2, second and third column.
TEST_F(ArpModesTest, WhoIsAnsweredFor) {
  const be32 own = addr(10, 1, 0, 1);
  struct Row {
    ArpMode mode;
    size_t own, far, near;
  };
  for (const Row& row : {Row{ArpMode::kEnabled, 1, 0, 0}, Row{ArpMode::kDisabled, 0, 0, 0},
                         Row{ArpMode::kReplyOnly, 0, 0, 0}, Row{ArpMode::kProxy, 1, 1, 0},
                         Row{ArpMode::kLocalProxy, 1, 1, 1}}) {
    mode(row.mode);
    EXPECT_EQ(answers(kAsker, own), row.own) << static_cast<int>(row.mode);
    EXPECT_EQ(answers(kAsker, kFar), row.far) << static_cast<int>(row.mode);
    EXPECT_EQ(answers(kAsker, kNear), row.near) << static_cast<int>(row.mode);
    EXPECT_EQ(answers(kAsker, kNowhere), 0u) << static_cast<int>(row.mode);
  }
}

TEST_F(ArpModesTest, ProxyAnswersWithItsOwnMac) {
  mode(ArpMode::kProxy);
  who_has(kAsker, kFar, 8);
  const auto sent = io.take();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].message.out_if, 8);
  EXPECT_EQ(sent[0].arp().sender_mac, mac(8));
  EXPECT_EQ(sent[0].arp().sender_ip, kFar);
  EXPECT_EQ(sent[0].arp().target_ip, kAsker);
  EXPECT_EQ(state(8, kAsker), NeighState::kStale);  // an answer means that packets will come
}

TEST_F(ArpModesTest, EqualWaysOfWhichOneIsTheAskersAreNoProxy) {
  io.ways[kFar.host()] = {1, 8};
  mode(ArpMode::kProxy);
  EXPECT_EQ(answers(kAsker, kFar), 0u);
  mode(ArpMode::kLocalProxy);
  EXPECT_EQ(answers(kAsker, kFar), 1u);
}

// a host that looks whether its address is free must not find the router there.
TEST_F(ArpModesTest, ProxiesLeaveProbesAndOwnAddressesAlone) {
  mode(ArpMode::kLocalProxy);
  EXPECT_EQ(answers({}, kNear), 0u);
  EXPECT_EQ(answers(kNear, kNear), 0u);
  EXPECT_EQ(answers(kAsker, addr(10, 1, 0, 255)), 0u);
  EXPECT_EQ(answers(kAsker, be32{}), 0u);
  // It keeps its own addresses all the same.
  EXPECT_EQ(answers({}, addr(10, 1, 0, 1)), 1u);
}

// A-17 goes first: what one of ours owns on the segment, nobody stands in for.
TEST_F(ArpModesTest, AnOwnedAddressIsAnsweredByItsOwnerAlone) {
  io.ways[addr(192, 168, 1, 3).host()] = {3};
  mode(ArpMode::kLocalProxy, 1);
  mode(ArpMode::kLocalProxy, 2);
  who_has(addr(192, 168, 1, 50), addr(192, 168, 1, 3), 1);
  const auto sent = io.take();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].arp().sender_mac, mac(3));
}

TEST_F(ArpModesTest, EachProxyOfASegmentAnswersForItself) {
  io.ways[kFar.host()] = {8};
  mode(ArpMode::kProxy, 1);
  mode(ArpMode::kProxy, 4);
  who_has(addr(192, 168, 1, 50), kFar, 1);
  const auto sent = io.take();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].arp().sender_mac, mac(1));
  EXPECT_EQ(sent[1].arp().sender_mac, mac(4));
}

// a row for the pair opens the door; a wrong MAC does not.
TEST_F(ArpModesTest, ReplyOnlyAnswersThoseWithARow) {
  mode(ArpMode::kReplyOnly);
  const be32 own = addr(10, 1, 0, 1);
  config.neighbours = {{8, kAsker, kPeerMac}};
  publish();
  io.take();
  EXPECT_EQ(answers(kAsker, own), 1u);
  EXPECT_EQ(answers(kNear, own), 0u);
  hear(arp_frame(1, kOtherMac, kAsker, {}, own), 8);
  EXPECT_TRUE(io.take().empty());
  EXPECT_EQ(state(8, kAsker), NeighState::kPermanent);
  EXPECT_EQ(services->arp_rows().size(), 1u) << "reply-only learns nobody";
}

TEST_F(ArpModesTest, ReplyOnlyAsksNobodyAndAnnouncesNothing) {
  mode(ArpMode::kReplyOnly);
  resolve(8, kNear);
  const auto sent = io.take();
  ASSERT_EQ(sent.size(), 1u);  // host unreachable, at once
  EXPECT_EQ(sent[0].message.kind, InjectKind::kIpOutput);
  EXPECT_EQ(state(8, kNear), NeighState::kFailed);
  config.addresses.push_back({8, addr(10, 3, 0, 1), 24});
  publish();
  EXPECT_TRUE(io.take().empty());
}

TEST_F(ArpModesTest, LearnedNeighboursGoWhenAModeStopsLearning) {
  who_has(kAsker, addr(10, 1, 0, 1), 8);
  EXPECT_EQ(state(8, kAsker), NeighState::kStale);
  mode(ArpMode::kReplyOnly);
  EXPECT_EQ(state(8, kAsker), NeighState::kNone);
}

// what add-arp of the DHCP server does.
TEST_F(ArpModesTest, LeasesAreRowsWithoutGoingBeforeThoseOfPeople) {
  mode(ArpMode::kReplyOnly);
  services->arp().set_lease(8, kAsker, kPeerMac);
  EXPECT_EQ(answers(kAsker, addr(10, 1, 0, 1)), 1u);
  ASSERT_EQ(services->arp_rows().size(), 1u);
  EXPECT_TRUE(services->arp_rows()[0].dhcp);
  EXPECT_TRUE(services->arp_rows()[0].dynamic);
  EXPECT_EQ(services->arp_rows()[0].status, "permanent");
  publish();  // outlives a change of configuration
  EXPECT_EQ(state(8, kAsker), NeighState::kPermanent);

  config.neighbours = {{8, kAsker, kOtherMac}};
  publish();
  EXPECT_EQ(io.neighbours().find(8, kAsker).mac, kOtherMac);
  EXPECT_FALSE(services->arp_rows()[0].dhcp);
  config.neighbours.clear();
  publish();
  EXPECT_EQ(io.neighbours().find(8, kAsker).mac, kPeerMac);
  services->arp().remove_lease(8, kAsker);
  EXPECT_EQ(state(8, kAsker), NeighState::kNone);
}

// only while there is a route to the address.
TEST_F(ArpModesTest, PublishedRows) {
  config.neighbours = {{8, kFar, {}, true}, {8, kNowhere, {}, true}};
  publish();
  io.take();
  EXPECT_TRUE(services->arp_rows().empty()) << "a published row without a MAC is no neighbour";
  who_has(kAsker, kFar, 8);
  const auto sent = io.take();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].arp().sender_mac, mac(8));
  EXPECT_EQ(answers(kAsker, kNowhere), 0u);
  EXPECT_EQ(answers(addr(192, 168, 1, 50), kFar, 1), 0u) << "on its own interface only";
  mode(ArpMode::kDisabled);
  EXPECT_EQ(answers(kAsker, kFar), 0u);
  mode(ArpMode::kReplyOnly);
  EXPECT_EQ(answers(kAsker, kFar), 0u);
  services->arp().set_lease(8, kAsker, kPeerMac);
  EXPECT_EQ(answers(kAsker, kFar), 1u);
}

// F-14, E-45.
TEST_F(ArpModesTest, AnOwnMacOnTheWireIsLogged) {
  log::clear();
  hear(arp_frame(1, mac(8), kAsker, {}, addr(10, 1, 0, 1)), 8);
  hear(arp_frame(1, mac(8), kAsker, {}, addr(10, 1, 0, 1)), 8);
  hear(arp_frame(1, mac(8), addr(10, 1, 0, 1), {}, kAsker), 8);  // our own question, sent back
  ASSERT_EQ(log::recent().size(), 1u);
  EXPECT_EQ(log::recent()[0].message,
            "if8: the router's MAC address 02:00:00:00:00:08 is also used by the host with the "
            "address 10.1.0.50; one of the two needs another");
  EXPECT_TRUE(io.take().empty());
}

}  // namespace
}  // namespace maclane::test
