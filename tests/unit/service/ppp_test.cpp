// PPP: packets and options, and what proves a password (RFC 1661, 1994, 2433, 2759).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/service/ppp_auth.h"
#include "control/service/ppp_packet.h"

namespace maclane::ppp {
namespace {

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

}  // namespace
}  // namespace maclane::ppp
