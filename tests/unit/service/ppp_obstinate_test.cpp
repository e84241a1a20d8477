// PPP peers that answer for ever and agree to nothing: each ends with a sentence, after a bounded
// number of packets (RFC 1661 4.6, C-24).
#include "tests/unit/service/ppp_link_fixture.h"

namespace maclane::ppp {
namespace {

class ObstinatePeer : public LinkTest {
 protected:
  /// Answers each new request of this protocol with `code` and `options` until the link ends or no
  /// other request comes; the number of answers.
  unsigned refuse(uint16_t protocol, uint8_t code, const std::vector<Option>& options) {
    unsigned answers = 0;
    for (; ended.empty() && answers < 1000; ++answers) {
      const auto asked = std::ranges::find_if(sent, [&](const SentPacket& one) {
        return one.protocol == protocol && one.code == kConfigureRequest;
      });
      if (asked == sent.end()) break;
      const uint8_t id = asked->id;
      sent.clear();
      say(protocol, code, id, build_options(options));
    }
    return answers;
  }
};

TEST_F(ObstinatePeer, LcpThatIsNeverAgreedTo) {
  for (const uint8_t code : {kConfigureNak, kConfigureReject}) {
    ended.clear();
    begin();
    EXPECT_LT(refuse(kLcp, code, {option16(kMru, 1400), option32(kMagic, 7)}), 30u);
    EXPECT_EQ(ended, "no LCP could be agreed on");
    EXPECT_EQ(link->next_deadline(), kNever);
  }
}

TEST_F(ObstinatePeer, WhatIsNakedAgainAndAgainIsNotAskedForAnyMore) {
  begin();
  for (unsigned i = 0; i < 12; ++i) {
    const SentPacket request = last(kLcp, kConfigureRequest);
    const auto asked = *read_options(request.data);
    if (asked.empty()) break;
    say(kLcp, kConfigureNak, request.id, build_options(asked));
  }
  EXPECT_TRUE(last(kLcp, kConfigureRequest).data.empty());
  open_lcp();
  EXPECT_EQ(link->phase(), Link::Phase::kNetwork);
}

TEST_F(ObstinatePeer, AnAddressThatIsNeverGiven) {
  for (const std::vector<Option>& options :
       {std::vector<Option>{option32(kAddress, 0)}, std::vector<Option>{{kAddress, {1, 2}}},
        std::vector<Option>{option32(kAddress, 0x7f000001)}}) {
    ended.clear();
    begin();
    open_lcp();
    EXPECT_LT(refuse(kIpcp, kConfigureNak, options), 30u);
    EXPECT_EQ(ended, "the peer gives no address");
  }
}

TEST_F(ObstinatePeer, WhoAcknowledgesAndNeverAsksIsGivenUp) {
  begin();
  for (unsigned i = 0; i < 200 && ended.empty(); ++i) {
    acknowledge(kLcp);
    advance(1000);
  }
  EXPECT_EQ(ended, "no LCP could be agreed on");
  ended.clear();
  begin();
  open_lcp();
  for (unsigned i = 0; i < 200 && ended.empty(); ++i) {
    if (!take().empty()) say(kLcp, kEchoReply, 1, Bytes(1488));
    ask(kIpcp, {option32(kAddress, 0)}, static_cast<uint8_t>(i));
    advance(1000);
  }
  EXPECT_EQ(ended, "the peer does not answer IPCP");
}

TEST_F(ObstinatePeer, WhoBeginsAgainAndAgainIsHungUpOn) {
  begin();
  open_lcp();
  open_ipcp();
  unsigned rounds = 0;
  for (; rounds < 100 && ended.empty(); ++rounds) {
    take();
    ask(kLcp, {option32(kMagic, 0x77)}, static_cast<uint8_t>(50 + rounds));
    if (!ended.empty()) break;
    acknowledge(kLcp);
    open_ipcp();
  }
  EXPECT_EQ(ended, "the peer negotiates again and again");
  EXPECT_EQ(rounds, 5u);
}

TEST_F(ObstinatePeer, WhoBeginsAgainNowAndThenIsNot) {
  settings.keepalive_ms = 0;
  begin();
  open_lcp();
  open_ipcp();
  for (unsigned round = 0; round < 20; ++round) {
    advance(31'000);
    take();
    ask(kIpcp, {option32(kAddress, 0x0a400001)}, static_cast<uint8_t>(50 + round));
    acknowledge(kIpcp);
    ASSERT_EQ(link->phase(), Link::Phase::kUp) << ended;
  }
  EXPECT_EQ(interruptions, 20u);
}

}  // namespace
}  // namespace maclane::ppp
