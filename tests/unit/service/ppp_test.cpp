// PPP: packets and options, what proves a password, and a link against a peer made by the test
// (RFC 1661, 1332, 1334, 1994, 2759).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/service/ppp_auth.h"
#include "control/service/ppp_link.h"

namespace maclane::ppp {
namespace {

using ::testing::HasSubstr;

TEST(PppPacket, LengthsAreChecked) {
  const Bytes good = build(kEchoRequest, 7, Bytes{1, 2, 3});
  EXPECT_EQ(good, (Bytes{9, 7, 0, 7, 1, 2, 3}));
  Bytes padded = good;
  padded.resize(40);
  const auto packet = read(padded);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->data.size(), 3u) << "padding is not of the packet";
  EXPECT_FALSE(read(std::span(good).first(3)));
  EXPECT_FALSE(read(std::span(good).first(6)));
  EXPECT_FALSE(read(Bytes{9, 7, 0, 3}));
}

TEST(PppPacket, Options) {
  const std::vector<Option> all{option16(kMru, 1492), option32(kMagic, 0x01020304), {7, {}}};
  const Bytes bytes = build_options(all);
  EXPECT_EQ(bytes, (Bytes{1, 4, 5, 0xd4, 5, 6, 1, 2, 3, 4, 7, 2}));
  EXPECT_EQ(read_options(bytes), all);
  EXPECT_FALSE(read_options(Bytes{1}));
  EXPECT_FALSE(read_options(Bytes{1, 1}));
  EXPECT_FALSE(read_options(Bytes{1, 0}));
  EXPECT_FALSE(read_options(Bytes{1, 5, 0, 0}));
  EXPECT_FALSE(all[2].number16());
}

TEST(PppPacket, WordsArePrintable) {
  const std::string said = "no\x1b[31m way\n" + std::string(300, 'x');
  const auto* bytes = reinterpret_cast<const uint8_t*>(said.data());
  const std::string shown = words({bytes, said.size()});
  EXPECT_EQ(shown.substr(0, 10), "no[31m way");
  EXPECT_EQ(shown.size(), 200u);
}

// Passwords ---------------------------------------------------------------------------------------

TEST(PppAuth, MsChapV2AsInRfc2759) {
  const std::array<uint8_t, 16> authenticator{0x5B, 0x5D, 0x7C, 0x7D, 0x7B, 0x3F, 0x2F, 0x3E,
                                              0x3C, 0x2C, 0x60, 0x21, 0x32, 0x26, 0x26, 0x28};
  const std::array<uint8_t, 16> peer{0x21, 0x40, 0x23, 0x24, 0x25, 0x5E, 0x26, 0x2A,
                                     0x28, 0x29, 0x5F, 0x2B, 0x3A, 0x33, 0x7C, 0x7E};
  const Response24 expected{0x82, 0x30, 0x9E, 0xCD, 0x8D, 0x70, 0x8B, 0x5E, 0xA0, 0x8F, 0xAA, 0x39,
                            0x81, 0xCD, 0x83, 0x54, 0x42, 0x33, 0x11, 0x4A, 0x3D, 0x85, 0xD6, 0xDF};
  const Response24 response = nt_response_v2(authenticator, peer, "User", "clientPass");
  EXPECT_EQ(response, expected);
  EXPECT_EQ(nt_response_v2(authenticator, peer, "DOMAIN\\User", "clientPass"), expected);
  EXPECT_EQ(authenticator_response("clientPass", response, authenticator, peer, "User"),
            "S=407A5589115FD0D6209F510FE9C04566932CDA56");
  EXPECT_EQ(nt_hash("clientPass"), (Digest16{0x44, 0xEB, 0xBA, 0x8D, 0x53, 0x12, 0xB8, 0xD6, 0x11,
                                             0x47, 0x44, 0x11, 0xF5, 0x69, 0x89, 0xAE}));
}

TEST(PppAuth, MsChapAsInRfc2433) {
  const std::array<uint8_t, 8> challenge{0x10, 0x2D, 0xB5, 0xDF, 0x08, 0x5D, 0x30, 0x41};
  EXPECT_EQ(nt_response(challenge, "MyPw"),
            (Response24{0x4E, 0x9D, 0x3C, 0x8F, 0x9C, 0xFD, 0x38, 0x5D, 0x5B, 0xF4, 0xD3, 0x24,
                        0x67, 0x91, 0x95, 0x6C, 0xA4, 0xC3, 0x51, 0xAB, 0x40, 0x9A, 0x3D, 0x61}));
}

TEST(PppAuth, PasswordsAreUtf8) {
  EXPECT_NE(nt_hash("\xc3\xa4"), nt_hash("\xe4\xe4"));
  EXPECT_EQ(nt_hash("\xc3\xa4"), nt_hash("\xe4")) << "what is no UTF-8 counts as Latin-1";
  EXPECT_NE(nt_hash("\xf0\x9f\x98\x80"), nt_hash("\xf0\x9f"));
}

TEST(PppAuth, ChapIsMd5OverIdSecretAndChallenge) {
  // printf '\001secretabc' | md5sum
  EXPECT_EQ(chap_md5(1, "secret", Bytes{'a', 'b', 'c'}),
            (Digest16{0xea, 0x64, 0x46, 0x9e, 0x3d, 0x69, 0x9c, 0xe7, 0x88, 0x4d, 0x07, 0xb0, 0xe6,
                      0xb1, 0xed, 0xb3}));
}

// A link ------------------------------------------------------------------------------------------

struct SentPacket {
  uint16_t protocol = 0;
  uint8_t code = 0, id = 0;
  Bytes data;
};

/// The peer: keeps what was sent, answers as the test says.
class LinkTest : public ::testing::Test, public Link::Port {
 protected:
  void send(uint16_t protocol, const Bytes& packet) override {
    const auto one = read(packet);
    ASSERT_TRUE(one);
    sent.push_back({protocol, one->code, one->id, Bytes(one->data.begin(), one->data.end())});
  }
  void up() override { ++ups; }
  void interrupted() override { ++interruptions; }
  void down(std::string_view why) override { ended = why; }

  void begin() {
    link = std::make_unique<Link>(*this, settings, 1);
    link->start(now);
  }
  std::vector<SentPacket> take() { return std::exchange(sent, {}); }
  /// The last packet of a protocol with this code; it must be there.
  SentPacket last(uint16_t protocol, uint8_t code) {
    for (auto it = sent.rbegin(); it != sent.rend(); ++it) {
      if (it->protocol == protocol && it->code == code) return *it;
    }
    ADD_FAILURE() << "nothing of " << std::hex << protocol << " code " << int{code};
    return {};
  }
  void say(uint16_t protocol, uint8_t code, uint8_t id, const Bytes& data = {}) {
    link->receive(protocol, build(code, id, data), now);
  }
  void acknowledge(uint16_t protocol) {
    const SentPacket request = last(protocol, kConfigureRequest);
    say(protocol, kConfigureAck, request.id, request.data);
  }
  void ask(uint16_t protocol, const std::vector<Option>& options, uint8_t id = 1) {
    say(protocol, kConfigureRequest, id, build_options(options));
  }
  /// LCP with this way to authenticate; {}: none.
  void open_lcp(const Bytes& authentication = {}) {
    std::vector<Option> options{option16(kMru, 1492), option32(kMagic, 0x99)};
    if (!authentication.empty()) options.push_back({kAuthentication, authentication});
    ask(kLcp, options);
    acknowledge(kLcp);
  }
  void open_ipcp() {
    ask(kIpcp, {option32(kAddress, 0x0a400001)});
    const SentPacket request = last(kIpcp, kConfigureRequest);
    auto options = *read_options(request.data);
    for (Option& one : options) {
      if (one.type == kAddress) one = option32(kAddress, 0x0a400107);
      if (one.type == kPrimaryDns) one = option32(kPrimaryDns, 0xcb007135);
      if (one.type == kSecondaryDns) one = option32(kSecondaryDns, 0xcb007136);
    }
    say(kIpcp, kConfigureNak, request.id, build_options(options));
    acknowledge(kIpcp);
  }
  void advance(uint64_t ms) {
    const uint64_t end = now + ms;
    while (link->next_deadline() <= end) {
      now = std::max(now, link->next_deadline());
      link->tick(now);
    }
    now = end;
  }

  Settings settings{.user = "user1", .password = "pass1", .dns = true};
  std::unique_ptr<Link> link;
  std::vector<SentPacket> sent;
  std::string ended;
  unsigned ups = 0, interruptions = 0;
  uint64_t now = 1'000'000;
};

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
