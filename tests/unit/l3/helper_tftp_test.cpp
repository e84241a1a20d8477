// TFTP through the router (behaviour.md B-24; RFC 1350).
#include "tests/unit/l3/helper_fixture.h"

namespace maclane::test {

class TftpHelper : public HelperTest {
 protected:
  void SetUp() override {
    HelperTest::SetUp();
    turn_on(Helper::kTftp, kProtoUdp, 69);
    nat({masquerade()});
  }
  void ask(std::string_view message) {
    run(with_text(udp(kPc, 4000, kServer, 69, 0), message), kLan);
    ASSERT_EQ(sent().size(), 1u);
    EXPECT_TRUE(sent()[0].checksums_ok());
  }
};

TEST_F(TftpHelper, TheAnswerComesFromAnotherPort) {
  using namespace std::literals;
  ask("\0\1file\0octet\0"sv);
  run(udp(kServer, 50000, kWanIp, 4000), kWan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().dst.host(), kPc);
  EXPECT_EQ(sent()[0].l4<UdpHdr>().dport.host(), 4000);
  const Session* s = session(kServer, 50000, kWanIp, 4000, kProtoUdp);
  ASSERT_NE(s, nullptr);
  EXPECT_TRUE(s->has(Session::kExpected));
  run(udp(kPc, 4000, kServer, 50000), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().src.host(), kWanIp);
  run(udp(kOther, 50000, kWanIp, 4000), kWan);  // another server is not answered for
  EXPECT_EQ(session(kOther, 50000, kWanIp, 4000, kProtoUdp)->has(Session::kExpected), false);
}

TEST_F(TftpHelper, OnlyRequestsAnnounce) {
  using namespace std::literals;
  for (const std::string_view message : {"\0\3xx"sv, "\0\5error\0"sv, "\1\1x"sv, "\0"sv})
    ask(message);
  EXPECT_TRUE(w->shared->expectations.empty());
  ask("\0\2file\0octet\0"sv);
  EXPECT_EQ(w->shared->expectations.size(), 1u);
}

}  // namespace maclane::test
