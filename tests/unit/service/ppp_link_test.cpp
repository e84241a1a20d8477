// A PPP link against a peer made by the test (RFC 1661, 1332, 1334, 1994, 2759; C-24..C-26).
#include "control/service/ppp_auth.h"
#include "tests/unit/service/ppp_link_fixture.h"

namespace maclane::ppp {
namespace {

using ::testing::HasSubstr;

TEST_F(LinkTest, FromLcpToAnAddress) {  // C-24
  begin();
  const SentPacket request = last(kLcp, kConfigureRequest);
  const auto asked = *read_options(request.data);
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0], option16(kMru, 1492));
  EXPECT_EQ(asked[1].type, kMagic);
  open_lcp();
  EXPECT_EQ(link->phase(), Link::Phase::kNetwork);
  const auto wanted = *read_options(last(kIpcp, kConfigureRequest).data);
  EXPECT_EQ(wanted, (std::vector<Option>{option32(kAddress, 0), option32(kPrimaryDns, 0),
                                         option32(kSecondaryDns, 0)}));
  open_ipcp();
  EXPECT_EQ(link->phase(), Link::Phase::kUp);
  EXPECT_EQ(ups, 1u);
  EXPECT_EQ(link->local(), be32::from(0x0a400107));
  EXPECT_EQ(link->remote(), be32::from(0x0a400001));
  EXPECT_EQ(link->dns(), (std::vector<be32>{be32::from(0xcb007135), be32::from(0xcb007136)}));
  EXPECT_EQ(link->mtu(), 1492);
  EXPECT_EQ(link->authentication(), "none");
}

TEST_F(LinkTest, HeaderCompressionIsRejected) {  // C-24
  begin();
  ask(kLcp, {option32(kMagic, 5), {7, {}}, {8, {}}, {17, {5, 0}}});
  const SentPacket reject = last(kLcp, kConfigureReject);
  EXPECT_EQ(reject.id, 1);
  EXPECT_EQ(reject.data, (Bytes{7, 2, 8, 2, 17, 4, 5, 0}));
  EXPECT_EQ(link->phase(), Link::Phase::kEstablish);
}

TEST_F(LinkTest, ItsOwnMagicIsALoop) {
  begin();
  const auto mine = (*read_options(last(kLcp, kConfigureRequest).data))[1];
  ask(kLcp, {mine});
  EXPECT_NE(last(kLcp, kConfigureNak).data, build_options({mine}));
}

TEST_F(LinkTest, RetriesAndGivesUp) {
  begin();
  advance(29'000);
  EXPECT_EQ(take().size(), 10u);
  EXPECT_TRUE(ended.empty());
  advance(2'000);
  EXPECT_EQ(ended, "the peer does not answer LCP");
}

TEST_F(LinkTest, Pap) {
  begin();
  open_lcp({0xc0, 0x23});
  EXPECT_EQ(link->phase(), Link::Phase::kAuthenticate);
  const SentPacket request = last(kPap, 1);
  EXPECT_EQ(request.data, (Bytes{5, 'u', 's', 'e', 'r', '1', 5, 'p', 'a', 's', 's', '1'}));
  advance(3'000);
  EXPECT_EQ(last(kPap, 1).id, request.id);
  say(kPap, 2, request.id, Bytes{0});
  EXPECT_EQ(link->phase(), Link::Phase::kNetwork);
  EXPECT_EQ(link->authentication(), "pap");
}

TEST_F(LinkTest, ARefusedPasswordEndsItWithThePeersWords) {
  begin();
  open_lcp({0xc0, 0x23});
  say(kPap, 3, last(kPap, 1).id, Bytes{4, 'o', 'v', 'e', 'r'});
  EXPECT_EQ(ended, "authentication failed: over");
}

TEST_F(LinkTest, Chap) {
  begin();
  open_lcp({0xc2, 0x23, 5});
  say(kChap, 1, 9, Bytes{3, 'a', 'b', 'c', 'a', 'c'});
  const SentPacket response = last(kChap, 2);
  const Digest16 digest = chap_md5(9, "pass1", Bytes{'a', 'b', 'c'});
  Bytes expected{16};
  expected.insert(expected.end(), digest.begin(), digest.end());
  expected.insert(expected.end(), {'u', 's', 'e', 'r', '1'});
  EXPECT_EQ(response.id, 9);
  EXPECT_EQ(response.data, expected);
  say(kChap, 3, 9);
  EXPECT_EQ(link->phase(), Link::Phase::kNetwork);
  open_ipcp();
  take();
  say(kChap, 1, 10, Bytes{1, 'x'});
  EXPECT_EQ(last(kChap, 2).id, 10) << "asked again while it is up";
  say(kChap, 4, 10);
  EXPECT_EQ(ended, "authentication failed");
}

TEST_F(LinkTest, MsChapV2AndAServerThatKnowsThePassword) {
  begin();
  open_lcp({0xc2, 0x23, 0x81});
  Bytes challenge{16};
  challenge.resize(17, 0x5a);
  say(kChap, 1, 3, challenge);
  const SentPacket response = last(kChap, 2);
  ASSERT_EQ(response.data.size(), 1u + 49 + 5);
  std::array<uint8_t, 16> authenticator;
  authenticator.fill(0x5a);
  std::array<uint8_t, 16> peer;
  std::copy_n(response.data.begin() + 1, 16, peer.begin());
  const Response24 nt = nt_response_v2(authenticator, peer, "user1", "pass1");
  EXPECT_TRUE(std::equal(nt.begin(), nt.end(), response.data.begin() + 25));
  const std::string good = authenticator_response("pass1", nt, authenticator, peer, "user1");
  say(kChap, 3, 3, Bytes(good.begin(), good.end()));
  EXPECT_EQ(link->phase(), Link::Phase::kNetwork);
  EXPECT_EQ(link->authentication(), "mschap2");
}

TEST_F(LinkTest, MsChapV2AndAServerThatDoesNot) {
  begin();
  open_lcp({0xc2, 0x23, 0x81});
  Bytes challenge{16};
  challenge.resize(17, 0x5a);
  say(kChap, 1, 3, challenge);
  const std::string wrong = "S=" + std::string(40, '0');
  say(kChap, 3, 3, Bytes(wrong.begin(), wrong.end()));
  EXPECT_THAT(ended, HasSubstr("does not know the password"));
}

TEST_F(LinkTest, OnlyWhatIsAllowedIsAccepted) {  // C-21: allow
  settings.pap = settings.mschap1 = settings.mschap2 = false;
  begin();
  ask(kLcp, {{kAuthentication, {0xc0, 0x23}}});
  EXPECT_EQ(last(kLcp, kConfigureNak).data, (Bytes{3, 5, 0xc2, 0x23, 5}));
  ask(kLcp, {{kAuthentication, {0xc2, 0x23, 5}}}, 2);
  EXPECT_EQ(last(kLcp, kConfigureAck).id, 2);
  // A peer that insists gets a reject in the end.
  for (uint8_t id = 3; id < 12; ++id) ask(kLcp, {{kAuthentication, {0xc0, 0x23}}}, id);
  EXPECT_EQ(last(kLcp, kConfigureReject).data, (Bytes{3, 4, 0xc0, 0x23}));
}

TEST_F(LinkTest, AuthenticationThatNeverComesEnds) {
  begin();
  open_lcp({0xc2, 0x23, 5});
  for (unsigned i = 0; i < 40 && ended.empty(); ++i) {
    say(kLcp, kEchoReply, 1, Bytes{0, 0, 0, 9});
    advance(1000);
  }
  EXPECT_EQ(ended, "authentication failed: no answer");
}

TEST_F(LinkTest, KeepaliveFindsADeadPeer) {  // C-26
  begin();
  open_lcp();
  open_ipcp();
  const size_t size = 1492 - 4;  // the MTU probe is answered
  say(kLcp, kEchoReply, last(kLcp, kEchoRequest).id, Bytes(size));
  take();
  advance(9'900);
  EXPECT_TRUE(take().empty()) << "not within keepalive-timeout of a word";
  advance(200);
  EXPECT_EQ(take().size(), 1u);
  say(kLcp, kEchoReply, 1, Bytes{0, 0, 0, 9});
  advance(9'900);
  EXPECT_TRUE(take().empty());
  advance(9'000);
  EXPECT_GE(take().size(), 8u) << "once a second";
  EXPECT_TRUE(ended.empty());
  advance(2'000);
  EXPECT_EQ(ended, "the peer does not answer any more");
}

TEST_F(LinkTest, WithoutKeepaliveNothingIsAskedOrProbed) {  // C-25
  settings.keepalive_ms = 0;
  begin();
  open_lcp();
  open_ipcp();
  take();
  advance(3'600'000);
  EXPECT_TRUE(take().empty());
  EXPECT_TRUE(ended.empty());
}

TEST_F(LinkTest, TheMtuIsProbed) {  // C-25
  begin();
  open_lcp();
  const SentPacket probe = last(kLcp, kEchoRequest);
  EXPECT_EQ(probe.data.size() + kHeader, 1492u);
  open_ipcp();
  EXPECT_EQ(link->mtu(), 1492);
  say(kLcp, kEchoReply, probe.id, Bytes(20));  // cut: no proof
  advance(3'000);
  EXPECT_EQ(link->mtu(), 1480);
  EXPECT_EQ(ups, 2u) << "the new MTU is told";
}

TEST_F(LinkTest, AnswersEchoesWithItsOwnMagic) {
  begin();
  open_lcp();
  const auto mine = (*read_options(last(kLcp, kConfigureRequest).data))[1].value;
  say(kLcp, kEchoRequest, 77, Bytes{0, 0, 0, 0x99, 1, 2});
  const SentPacket reply = last(kLcp, kEchoReply);
  EXPECT_EQ(reply.id, 77);
  Bytes expected = mine;
  expected.insert(expected.end(), {1, 2});
  EXPECT_EQ(reply.data, expected);
}

TEST_F(LinkTest, OtherProtocolsAndCodesAreRejected) {
  begin();
  open_lcp();
  link->receive(0x8057, Bytes{1, 1, 0, 4}, now);  // IPv6
  EXPECT_EQ(last(kLcp, kProtocolReject).data, (Bytes{0x80, 0x57, 1, 1, 0, 4}));
  say(kLcp, 99, 5);
  EXPECT_EQ(last(kLcp, kCodeReject).data, (Bytes{99, 5, 0, 4}));
  say(kLcp, kProtocolReject, 6, Bytes{0x80, 0x21});
  EXPECT_EQ(ended, "the peer carries no IPv4");
}

TEST_F(LinkTest, ThePeerHangsUp) {
  begin();
  open_lcp();
  say(kLcp, kTerminateRequest, 42, Bytes{'b', 'y', 'e'});
  EXPECT_EQ(last(kLcp, kTerminateAck).id, 42);
  EXPECT_EQ(ended, "the peer hung up: bye");
  EXPECT_EQ(link->next_deadline(), kNever);
}

TEST_F(LinkTest, APeerThatBeginsAgainInterrupts) {
  begin();
  open_lcp();
  open_ipcp();
  take();
  ask(kLcp, {option32(kMagic, 0x77)}, 50);
  EXPECT_EQ(interruptions, 1u);
  EXPECT_EQ(link->phase(), Link::Phase::kEstablish);
  acknowledge(kLcp);
  EXPECT_EQ(link->phase(), Link::Phase::kNetwork);
  open_ipcp();
  EXPECT_EQ(ups, 2u);
  EXPECT_TRUE(ended.empty());
}

TEST_F(LinkTest, NoAddressIsNoLink) {
  begin();
  open_lcp();
  ask(kIpcp, {option32(kAddress, 0x0a400001)});
  acknowledge(kIpcp);  // of 0.0.0.0
  EXPECT_EQ(ended, "the peer gave no usable address");
}

TEST_F(LinkTest, ServersThatAreRefusedAreLeftOut) {
  begin();
  open_lcp();
  ask(kIpcp, {option32(kAddress, 0x0a400001)});
  say(kIpcp, kConfigureReject, last(kIpcp, kConfigureRequest).id,
      build_options({option32(kPrimaryDns, 0), option32(kSecondaryDns, 0)}));
  say(kIpcp, kConfigureNak, last(kIpcp, kConfigureRequest).id,
      build_options({option32(kAddress, 0x0a400107)}));
  acknowledge(kIpcp);
  EXPECT_EQ(ups, 1u);
  EXPECT_TRUE(link->dns().empty());
}

TEST_F(LinkTest, StrayAnswersCountForNothing) {
  begin();
  const SentPacket request = last(kLcp, kConfigureRequest);
  say(kLcp, kConfigureAck, static_cast<uint8_t>(request.id + 1), request.data);
  say(kLcp, kConfigureAck, request.id, Bytes{1, 4, 0, 0});
  say(kIpcp, kConfigureRequest, 1);
  say(kPap, 2, 0);
  ask(kLcp, {option32(kMagic, 0x99)});
  EXPECT_EQ(link->phase(), Link::Phase::kEstablish);
}

}  // namespace
}  // namespace maclane::ppp
