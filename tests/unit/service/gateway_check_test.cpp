// check-gateway: two questions without an answer, and the way back.
#include "dataplane/net/checksum.h"
#include "tests/unit/service/fake_io.h"

namespace maclane::test {
namespace {

class GatewayCheckTest : public ServiceTest {
 protected:
  static constexpr IfIndex kEther2 = 8;
  const be32 kGateway = addr(10, 1, 0, 9);

  void check(bool ping) {
    config.gateways = {{ping, kEther2, "ether2", kGateway}};
    publish();
    (void)io.take();
    advance(0);
    const auto asked = io.take();
    ASSERT_EQ(asked.size(), 1u) << "at once";
    if (ping)
      reply(asked[0]);
    else
      answer(kEther2, kGateway);
  }
  /// Ten seconds pass; what was sent to the gateway meanwhile.
  std::vector<Sent> ten_seconds() {
    (void)io.take();
    advance(10'000);
    return io.take();
  }
  void reply(const Sent& asked) {
    auto icmp = asked.at<IcmpHdr>(20);
    icmp.type = kIcmpEchoReply;
    icmp.checksum = {};
    icmp.checksum.raw = checksum(&icmp, sizeof(icmp));
    Bytes bytes(sizeof(icmp));
    std::memcpy(bytes.data(), &icmp, sizeof(icmp));
    local(ip_packet(asked.ip().dst, asked.ip().src, kProtoIcmp, bytes));
  }
  [[nodiscard]] size_t lost() const { return services->learned().lost_gateways.size(); }
};

TEST_F(GatewayCheckTest, TwoPingsUnansweredAndItIsLost) {
  check(true);
  auto asked = ten_seconds();
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].ip().src, addr(10, 1, 0, 1));
  EXPECT_EQ(asked[0].ip().dst, kGateway);
  EXPECT_EQ(asked[0].at<IcmpHdr>(20).type, kIcmpEcho);
  reply(asked[0]);
  EXPECT_EQ(io.dropped(Drop::no_service), 0u) << "it was for us";
  asked = ten_seconds();
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(lost(), 0u);
  (void)ten_seconds();
  EXPECT_EQ(lost(), 0u) << "one question";
  asked = ten_seconds();
  EXPECT_EQ(lost(), 1u);
  EXPECT_TRUE(services->changed());
  EXPECT_FALSE(services->changed());
  EXPECT_TRUE(services->learned().lost_gateways.contains({true, "ether2", kGateway.host()}));
  ASSERT_EQ(asked.size(), 1u) << "it is still asked";
  publish();
  EXPECT_EQ(lost(), 1u) << "a new configuration does not forget it";
  reply(asked[0]);
  EXPECT_EQ(lost(), 0u);
  EXPECT_TRUE(services->changed());
}

TEST_F(GatewayCheckTest, OtherAnswersAreNot) {
  check(true);
  for (int i = 0; i < 4; ++i) {
    auto asked = ten_seconds();
    ASSERT_EQ(asked.size(), 1u);
    Sent other = asked[0];
    other.bytes[24] ^= 1;  // the id
    reply(other);
    Sent late = asked[0];
    late.bytes[27] ^= 1;  // the sequence
    reply(late);
  }
  EXPECT_EQ(lost(), 1u);
  EXPECT_GT(io.dropped(Drop::no_service), 0u);
}

TEST_F(GatewayCheckTest, ByArp) {
  check(false);
  for (int i = 0; i < 3; ++i) {
    const auto asked = ten_seconds();
    ASSERT_EQ(asked.size(), 1u);
    EXPECT_EQ(asked[0].message.out_if, kEther2);
    EXPECT_EQ(asked[0].arp().target_ip, kGateway);
    answer(kEther2, kGateway);
  }
  EXPECT_EQ(lost(), 0u);
  (void)ten_seconds();
  (void)ten_seconds();
  (void)ten_seconds();
  EXPECT_EQ(lost(), 1u);
  answer(kEther2, kGateway);
  EXPECT_EQ(lost(), 0u);
  config.gateways.clear();
  publish();
  EXPECT_TRUE(ten_seconds().empty());
}

}  // namespace
}  // namespace maclane::test
