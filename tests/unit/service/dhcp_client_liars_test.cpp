// Servers that say what no client can use (C-18): they do not keep a client from a good one.
#include "tests/unit/service/dhcp_client_fixture.h"

namespace maclane::test {
namespace {

constexpr uint32_t kGood = ip4(203, 0, 113, 50), kBad = ip4(203, 0, 113, 200);
constexpr uint32_t kHonest = ip4(203, 0, 113, 1), kLiar = ip4(203, 0, 113, 66);

class DhcpLiarsTest : public DhcpClientTest {
 protected:
  void SetUp() override {
    DhcpClientTest::SetUp();
    start({client(kWan)});
  }
  static Message lie(const Message& to, Type type, uint32_t address = kBad) {
    Message m = reply(to, type, address);
    m.set(Option::kServerId, kLiar);
    return m;
  }
  void hear_liar(const Message& m) {
    dhcp::FrameFields fields;
    fields.src = {{0x02, 0xee, 0, 0, 0, 1}};
    fields.dst = kBroadcastMac;
    fields.ip_src = be32::from(kLiar);
    fields.ip_dst = addr(255, 255, 255, 255);
    fields.sport = dhcp::kServerPort;
    fields.dport = dhcp::kClientPort;
    PacketMessage message;
    message.reason = PuntReason::kDhcp;
    message.in_if = kWan;
    message.broadcast = true;
    punt(dhcp::build_frame(fields, m), message);
  }
  [[nodiscard]] static uint32_t asks(const Said& said) {
    return said.message.number(Option::kServerId).value_or(0);
  }
  /// The liar's offer is taken first; then it says `ack`, and goes before the honest one again.
  void lose_to_the_honest(const Message& discover, const std::function<void(const Message&)>& ack) {
    hear_liar(lie(discover, Type::kOffer));
    const Said request = next();
    ASSERT_EQ(asks(request), kLiar);
    ack(request.message);
    Said again = next();
    while (again.message.type() != Type::kDiscover) again = next();
    hear_liar(lie(again.message, Type::kOffer));
    EXPECT_TRUE(said().empty()) << "it is not asked while others may answer";
    hear(reply(again.message, Type::kOffer, kGood));
    const Said chosen = next();
    EXPECT_EQ(asks(chosen), kHonest);
    hear(reply(chosen.message, Type::kAck, kGood));
    advance(kSecond);
    EXPECT_EQ(status(), "bound");
    said();
  }
};

TEST_F(DhcpLiarsTest, OffersOfNonsenseAreNotHeard) {
  const Message discover = next().message;
  Message no_time = lie(discover, Type::kOffer);
  no_time.options.erase(Option::kLeaseTime);
  Message holes = lie(discover, Type::kOffer);
  holes.set(Option::kMask, 0xff00ff00);
  Message itself = lie(discover, Type::kOffer);
  itself.set(Option::kServerId, kBad);
  Message nobody = lie(discover, Type::kOffer);
  nobody.options.erase(Option::kServerId);
  for (const Message& m : {no_time, holes, itself, nobody, lie(discover, Type::kOffer, 0),
                           lie(discover, Type::kOffer, ip4(224, 0, 0, 5)),
                           lie(discover, Type::kOffer, 0xffffffff), lie(discover, Type::kAck)})
    hear_liar(m);
  EXPECT_TRUE(said().empty());
  unsigned told = 0;
  for (const auto& line : log::recent())
    told += line.message.find("is of no use") != std::string::npos ? 1u : 0u;
  EXPECT_EQ(told, 1u) << "once for each exchange";
  hear(reply(discover, Type::kOffer, kGood));
  EXPECT_EQ(asks(next()), kHonest);
}

TEST_F(DhcpLiarsTest, AnAckOfNonsenseGivesWay) {
  lose_to_the_honest(next().message, [&](const Message& request) {
    Message ack = lie(request, Type::kAck);
    ack.set(Option::kMask, 0);
    hear_liar(ack);
  });
}

TEST_F(DhcpLiarsTest, AnAddressThatNobodyCanHaveGivesWay) {
  lose_to_the_honest(next().message, [&](const Message& request) {
    hear_liar(lie(request, Type::kAck, ip4(203, 0, 113, 255)));
  });
}

TEST_F(DhcpLiarsTest, ARefusalAndSilenceGiveWay) {
  lose_to_the_honest(next().message,
                     [&](const Message& request) { hear_liar(lie(request, Type::kNak)); });
  EXPECT_TRUE(services->dhcp_client().release("if2"));
  Said release = next();
  while (release.message.type() != Type::kDiscover) release = next();
  lose_to_the_honest(release.message, [](const Message&) {});
}

TEST_F(DhcpLiarsTest, WhoIsAloneIsTakenAgain) {
  hear_liar(lie(next().message, Type::kOffer));
  hear_liar(lie(next().message, Type::kNak));
  const Said again = next();
  ASSERT_EQ(again.message.type(), Type::kDiscover);
  hear_liar(lie(again.message, Type::kOffer));
  EXPECT_TRUE(said().empty());
  const Said request = next();
  EXPECT_EQ(request.message.type(), Type::kRequest) << "nobody else offers anything";
  hear_liar(lie(request.message, Type::kAck));
  advance(kSecond);
  EXPECT_EQ(status(), "bound");
}

TEST_F(DhcpLiarsTest, OneRefusalCostsLittleAndMoreOfThemAPause) {
  // A server that keeps no address for whom it offered it to refuses all but the first.
  Message offered = next().message;
  hear(reply(offered, Type::kOffer, kGood));
  hear(reply(next().message, Type::kNak, 0, 0));
  uint64_t refused_at = io.now;
  Said again = next();
  EXPECT_EQ(again.message.type(), Type::kDiscover);
  EXPECT_LE(io.now - refused_at, kSecond);
  hear(reply(again.message, Type::kOffer, kGood));
  const uint64_t offered_at = io.now;
  again = next();
  EXPECT_EQ(again.message.type(), Type::kRequest) << "nobody else offers anything";
  EXPECT_LE(io.now - offered_at, 2 * kSecond + 100);
  hear(reply(again.message, Type::kNak, 0, 0));
  refused_at = io.now;
  EXPECT_EQ(next().message.type(), Type::kDiscover);
  EXPECT_GE(io.now - refused_at, kSecond);
}

TEST_F(DhcpLiarsTest, WhoFailedTakeTurns) {
  hear_liar(lie(next().message, Type::kOffer));
  hear_liar(lie(next().message, Type::kNak));
  hear(reply(next().message, Type::kOffer, kGood));
  hear(reply(next().message, Type::kNak, 0, 0));  // it, too: somebody else was quicker
  const Said again = next();
  hear_liar(lie(again.message, Type::kOffer));
  hear(reply(again.message, Type::kOffer, kGood));
  const Said first = next();
  EXPECT_EQ(asks(first), kLiar) << "whose failure is longer ago";
  hear_liar(lie(first.message, Type::kNak));
  const Said last = next();
  hear_liar(lie(last.message, Type::kOffer));
  hear(reply(last.message, Type::kOffer, kGood));
  EXPECT_EQ(asks(next()), kHonest);
}

TEST_F(DhcpLiarsTest, ARenewalIsRefusedByItsServerAlone) {
  bind(kGood);
  advance(301 * kSecond);
  const Said renewal = next();
  ASSERT_EQ(renewal.message.ciaddr.host(), kGood);
  hear_liar(lie(renewal.message, Type::kNak));
  EXPECT_NE(services->dhcp_client().find("if2")->lease(), nullptr);
  hear(reply(renewal.message, Type::kNak, 0, 0));
  EXPECT_EQ(services->dhcp_client().find("if2")->lease(), nullptr);
}

TEST_F(DhcpLiarsTest, WhatIsNonsenseBesideAnAddressIsLeftOut) {
  hear(reply(next().message, Type::kOffer, kGood));
  Message ack = reply(next().message, Type::kAck, kGood);
  dhcp::Bytes gateways, routes;
  const auto put = [](dhcp::Bytes& to, uint32_t a) {
    for (const int shift : {24, 16, 8, 0}) to.push_back(static_cast<uint8_t>(a >> shift));
  };
  for (const uint32_t one :
       {kGood, uint32_t{0}, ip4(203, 0, 113, 255), ip4(203, 0, 113, 0), ip4(224, 0, 0, 1), kHonest})
    put(gateways, one);
  ack.set(Option::kRouter, gateways);
  const auto route = [&](uint8_t length, dhcp::Bytes to, uint32_t gateway) {
    routes.push_back(length);
    routes.insert(routes.end(), to.begin(), to.end());
    put(routes, gateway);
  };
  route(24, {198, 51, 100}, kHonest);
  route(1, {128}, kHonest);
  route(1, {0}, 0);  // on the link
  route(24, {192, 0, 2}, kGood);
  route(24, {192, 0, 2}, 0xffffffff);
  route(8, {127}, kHonest);
  route(4, {224}, kHonest);
  route(16, {0, 1}, kHonest);
  ack.set(Option::kClasslessRoutes, routes);
  hear(ack);
  advance(kSecond);
  const DhcpLease* lease = services->dhcp_client().find("if2")->lease();
  ASSERT_NE(lease, nullptr);
  EXPECT_THAT(lease->gateways, ::testing::ElementsAre(be32::from(kHonest)));
  EXPECT_THAT(lease->routes,
              ::testing::ElementsAre(dhcp::Route{ip4(198, 51, 100, 0), 24, be32::from(kHonest)},
                                     dhcp::Route{ip4(128, 0, 0, 0), 1, be32::from(kHonest)},
                                     dhcp::Route{0, 1, {}}));
}

}  // namespace
}  // namespace maclane::test
