// ICMP errors and resets: bytes, who must not get one, and how many.
#include "dataplane/net/checksum.h"
#include "tests/unit/service/fake_io.h"

namespace maclane::test {
namespace {

class IcmpTest : public ServiceTest {
 protected:
  void error(const Bytes& packet, uint8_t type, uint8_t code, uint16_t mtu = 0,
             bool broadcast = false, IfIndex in_if = 8) {
    PacketMessage m;
    m.reason = PuntReason::kIcmpError;
    m.icmp_type = type;
    m.icmp_code = code;
    m.mtu = mtu;
    m.in_if = in_if;
    m.broadcast = broadcast;
    m.worker = 2;
    punt(packet, m);
  }
  void reset(const Bytes& packet, bool broadcast = false) {
    PacketMessage m;
    m.reason = PuntReason::kTcpReset;
    m.in_if = 8;
    m.broadcast = broadcast;
    punt(packet, m);
  }
};

const be32 kFar = addr(198, 51, 100, 1);

TEST_F(IcmpTest, QuotesThePacketFromTheInboundAddress) {
  const Bytes original = udp(kHost, kFar, 100);
  error(original, 11, 0);
  ASSERT_EQ(io.sent.size(), 1u);
  const Sent& s = io.sent[0];
  EXPECT_EQ(s.message.kind, InjectKind::kIpOutput);
  EXPECT_TRUE(s.message.related);
  EXPECT_EQ(s.message.worker, 2);
  EXPECT_EQ(s.ip().src, addr(10, 1, 0, 1));
  EXPECT_EQ(s.ip().dst, kHost);
  EXPECT_EQ(s.ip().tos, 0xc0);
  EXPECT_EQ(s.ip().ttl, 64);
  EXPECT_EQ(s.ip().proto, kProtoIcmp);
  EXPECT_EQ(s.ip().total_length.host(), s.bytes.size());
  EXPECT_TRUE(l4_checksum_ok(s.bytes));
  EXPECT_EQ(s.bytes[20], 11);
  EXPECT_EQ(s.bytes[21], 0);
  EXPECT_EQ(Bytes(s.bytes.begin() + 24, s.bytes.begin() + 28), Bytes(4));
  EXPECT_EQ(Bytes(s.bytes.begin() + 28, s.bytes.end()), original);
  EXPECT_EQ(io.consumed, 1u);
}

TEST_F(IcmpTest, QuotesNoMoreThan576Bytes) {
  error(udp(kHost, kFar, 5000), 3, 4, 1400);
  ASSERT_EQ(io.sent.size(), 1u);
  EXPECT_EQ(io.sent[0].bytes.size(), 576u);
  EXPECT_EQ(io.sent[0].at<be16>(26).host(), 1400);
  EXPECT_TRUE(l4_checksum_ok(io.sent[0].bytes));
}

TEST_F(IcmpTest, PaddingIsNotQuoted) {
  Bytes padded = udp(kHost, kFar, 2);
  const size_t size = padded.size();
  padded.resize(46);
  error(padded, 3, 0);
  ASSERT_EQ(io.sent.size(), 1u);
  EXPECT_EQ(io.sent[0].bytes.size(), 28 + size);
}

TEST_F(IcmpTest, AnAddressOfOursThatWasAskedAnswers) {
  error(udp(kHost, addr(192, 168, 1, 3)), 3, 3);
  ASSERT_EQ(io.sent.size(), 1u);
  EXPECT_EQ(io.sent[0].ip().src, addr(192, 168, 1, 3));
}

TEST_F(IcmpTest, AnInterfaceWithoutAddressBorrowsOne) {
  io.published.interfaces[8].primary_address = {};
  std::erase_if(config.addresses, [](const auto& a) { return a.interface == 8; });
  publish();
  io.take();
  error(udp(kHost, kFar), 11, 0);
  ASSERT_EQ(io.sent.size(), 1u);
  EXPECT_EQ(io.sent[0].ip().src, addr(192, 168, 1, 1));
}

TEST_F(IcmpTest, NobodyToTell) {
  for (const be32 src : {be32{}, addr(127, 0, 0, 1), addr(224, 0, 0, 1), addr(240, 0, 0, 1),
                         addr(255, 255, 255, 255), addr(10, 1, 0, 255), addr(0, 0, 0, 7)}) {
    error(udp(src, kFar), 3, 0);
  }
  for (const be32 dst : {addr(224, 0, 0, 1), addr(255, 255, 255, 255), addr(10, 1, 0, 255)}) {
    error(udp(kHost, dst), 3, 0);
  }
  error(udp(kHost, kFar), 3, 0, 0, true);
  error(udp(kHost, kFar), 3, 0, 0, false, kNoIf);
  error(ip_packet(kHost, kFar, kProtoUdp, Bytes(16), 0x2001), 11, 0);
  for (const uint8_t type : Bytes{3, 4, 5, 11, 12, 40}) error(echo(kHost, kFar, 8, type), 3, 0);
  error(ip_packet(kHost, kFar, kProtoIcmp, {}), 3, 0);
  EXPECT_TRUE(io.sent.empty());
  error(echo(kHost, kFar, 8), 3, 0);
  error(ip_packet(kHost, kFar, kProtoUdp, Bytes(16), 0x2000), 3, 0);  // a first fragment
  EXPECT_EQ(io.sent.size(), 2u);
}

TEST_F(IcmpTest, GapPerTargetWithABurstOfSix) {
  config.icmp_rate_limit_ms = 100;
  publish();
  for (int i = 0; i < 10; ++i) error(udp(kHost, kFar), 3, 0);
  EXPECT_EQ(io.take().size(), 6u);
  EXPECT_EQ(io.dropped(Drop::icmp_rate_limited), 4u);
  EXPECT_EQ(services->icmp().rate_limited(), 4u);
  error(udp(addr(10, 1, 0, 10), kFar), 3, 0);  // another target
  EXPECT_EQ(io.take().size(), 1u);
  for (int i = 0; i < 10; ++i) error(udp(kHost, kFar), 3, 4, 1400);  // path MTU: always
  EXPECT_EQ(io.take().size(), 10u);
  advance(100);
  for (int i = 0; i < 10; ++i) error(udp(kHost, kFar), 3, 0);
  EXPECT_EQ(io.take().size(), 1u);
}

TEST_F(IcmpTest, OnlyTypesOfTheMaskAreLimited) {
  config.icmp_rate_limit_ms = 100;
  config.icmp_rate_mask = 1u << kIcmpTimeExceeded;
  publish();
  for (int i = 0; i < 10; ++i) error(udp(kHost, kFar), kIcmpUnreachable, 0);
  EXPECT_EQ(io.take().size(), 10u);
  for (int i = 0; i < 10; ++i) error(udp(kHost, kFar), kIcmpTimeExceeded, 0);
  EXPECT_EQ(io.take().size(), 6u);
  EXPECT_EQ(io.dropped(Drop::icmp_rate_limited), 4u);
  config.icmp_rate_mask = 0;
  publish();
  for (unsigned i = 0; i < 200; ++i) error(udp(addr(10, 9, 0, i), kFar), kIcmpTimeExceeded, 0);
  EXPECT_EQ(io.take().size(), 200u) << "the limit of all is one of these types as well";
}

TEST_F(IcmpTest, FiftyAtOnceAThousandASecond) {
  for (unsigned i = 0; i < 200; ++i) error(udp(addr(10, 9, 0, i), kFar), 3, 0);
  EXPECT_EQ(io.take().size(), 50u);
  advance(10);
  for (unsigned i = 0; i < 200; ++i) error(udp(addr(10, 9, 0, i), kFar), 3, 0);
  EXPECT_EQ(io.take().size(), 10u);
}

TEST_F(IcmpTest, ResetNumbers) {
  struct Case {
    uint8_t flags;
    uint32_t seq, ack;
    size_t data;
    uint8_t want_flags;
    uint32_t want_seq, want_ack;
  };
  const Case cases[] = {
      {kTcpSyn, 1000, 0, 0, kTcpRst | kTcpAck, 0, 1001},
      {kTcpSyn | kTcpFin, 0xffffffff, 0, 10, kTcpRst | kTcpAck, 0, 11},
      {0, 5, 0, 7, kTcpRst | kTcpAck, 0, 12},
      {kTcpAck, 1000, 777, 30, kTcpRst, 777, 0},
      {kTcpSyn | kTcpAck, 1000, 888, 0, kTcpRst, 888, 0},
      {kTcpFin | kTcpAck, 1000, 999, 0, kTcpRst, 999, 0},
  };
  for (const Case& c : cases) {
    reset(tcp(kHost, kFar, c.flags, c.seq, c.ack, c.data));
    const auto sent = io.take();
    ASSERT_EQ(sent.size(), 1u);
    ASSERT_EQ(sent[0].bytes.size(), 40u);
    EXPECT_TRUE(sent[0].message.related);
    EXPECT_EQ(sent[0].message.kind, InjectKind::kIpOutput);
    EXPECT_EQ(sent[0].ip().src, kFar);
    EXPECT_EQ(sent[0].ip().dst, kHost);
    const auto h = sent[0].at<TcpHdr>(20);
    EXPECT_EQ(h.sport.host(), 80);
    EXPECT_EQ(h.dport.host(), 1000);
    EXPECT_EQ(h.flags, c.want_flags);
    EXPECT_EQ(h.seq.host(), c.want_seq);
    EXPECT_EQ(h.ack.host(), c.want_ack);
    EXPECT_TRUE(l4_checksum_ok(sent[0].bytes));
  }
}

TEST_F(IcmpTest, NoResetTo) {
  reset(tcp(kHost, kFar, kTcpRst, 1, 0));
  reset(tcp(kHost, kFar, kTcpRst | kTcpAck, 1, 1));
  reset(tcp(kHost, addr(10, 1, 0, 255), kTcpSyn, 1, 0));
  reset(tcp(kHost, kFar, kTcpSyn, 1, 0), true);
  reset(udp(kHost, kFar));
  Bytes fragment = tcp(kHost, kFar, kTcpSyn, 1, 0);
  fragment[7] = 8;
  reset(fragment);
  Bytes offset = tcp(kHost, kFar, kTcpSyn, 1, 0);
  offset[32] = 0x40;
  reset(offset);
  offset[32] = 0xf0;
  reset(offset);
  EXPECT_TRUE(io.sent.empty());
}

}  // namespace
}  // namespace maclane::test
