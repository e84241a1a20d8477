// What the router answers as a host, and reassembly for it.
#include <algorithm>

#include "tests/unit/service/fake_io.h"

namespace maclane::test {
namespace {

class LocalTest : public ServiceTest {
 protected:
  /// The fragments of a packet, each with `size` bytes of data but the last.
  static std::vector<Bytes> fragments(const Bytes& packet, size_t size) {
    std::vector<Bytes> out;
    Ip4Hdr ip;
    EXPECT_TRUE(read_ip4(packet, ip));
    for (size_t at = 20; at < packet.size(); at += size) {
      const size_t end = std::min(packet.size(), at + size);
      const auto field = static_cast<uint16_t>((at - 20) / 8 | (end < packet.size() ? 0x2000 : 0));
      const auto from = packet.begin() + static_cast<ptrdiff_t>(at);
      out.push_back(ip_packet(ip.src, ip.dst, ip.proto,
                              Bytes(from, packet.begin() + static_cast<ptrdiff_t>(end)), field,
                              ip.id.host()));
    }
    return out;
  }
  static Bytes payload(const Bytes& packet) { return {packet.begin() + 28, packet.end()}; }
};

const be32 kUs = addr(10, 1, 0, 1);

TEST_F(LocalTest, EchoOfAnySize) {
  for (const size_t size : {0u, 1u, 56u, 1472u, 3000u, 60000u, 65507u}) {
    const Bytes request = echo(kHost, addr(192, 168, 1, 3), size);
    local(request);
    const auto sent = io.take();
    ASSERT_EQ(sent.size(), 1u) << size;
    EXPECT_EQ(sent[0].message.kind, InjectKind::kIpOutput);
    EXPECT_FALSE(sent[0].message.related);
    EXPECT_EQ(sent[0].message.worker, 3);
    EXPECT_EQ(sent[0].ip().src, addr(192, 168, 1, 3));
    EXPECT_EQ(sent[0].ip().dst, kHost);
    EXPECT_EQ(sent[0].ip().total_length.host(), request.size());
    const auto icmp = sent[0].at<IcmpHdr>(20);
    EXPECT_EQ(icmp.type, kIcmpEchoReply);
    EXPECT_EQ(icmp.id.host(), 0x1234);
    EXPECT_EQ(icmp.sequence.host(), 9);
    EXPECT_EQ(payload(sent[0].bytes), payload(request));
    EXPECT_TRUE(l4_checksum_ok(sent[0].bytes));
  }
}

TEST_F(LocalTest, EchoIsLimitedIfTheMaskHasIt) {
  config.icmp_rate_limit_ms = 100;
  publish();
  for (int i = 0; i < 20; ++i) local(echo(kHost, kUs, 8));
  EXPECT_EQ(io.take().size(), 20u) << "by default it is not";
  config.icmp_rate_mask |= 1u << kIcmpEchoReply;
  publish();
  for (int i = 0; i < 20; ++i) local(echo(kHost, kUs, 8));
  EXPECT_EQ(io.take().size(), 6u);
  EXPECT_EQ(io.dropped(Drop::icmp_rate_limited), 14u);
  advance(100);
  local(echo(kHost, kUs, 8));
  EXPECT_EQ(io.take().size(), 1u);
}

TEST_F(LocalTest, NoEchoTo) {
  local(echo(kHost, addr(10, 1, 0, 255), 8));
  local(echo(kHost, kUs, 8), 8, true);
  local(echo(kHost, addr(224, 0, 0, 1), 8), 8, true);
  Bytes bad = echo(kHost, kUs, 8);
  bad[30] ^= 1;
  local(bad);
  EXPECT_TRUE(io.sent.empty());
  EXPECT_EQ(io.dropped(Drop::no_service), 3u);
  EXPECT_EQ(io.dropped(Drop::l4_malformed), 1u);
}

TEST_F(LocalTest, RefusesByProtocol) {
  local(udp(kHost, kUs));
  local(tcp(kHost, kUs, kTcpSyn, 41, 0));
  local(ip_packet(kHost, kUs, 99, Bytes(8)));
  local(ip_packet(kHost, kUs, kProtoIgmp, Bytes(8)));
  local(echo(kHost, kUs, 8, kIcmpEchoReply));
  local(echo(kHost, kUs, 28, kIcmpUnreachable));
  const auto sent = io.take();
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_EQ(sent[0].bytes[20], 3);
  EXPECT_EQ(sent[0].bytes[21], 3);
  EXPECT_EQ(sent[0].ip().src, kUs);
  EXPECT_EQ(sent[1].ip().proto, kProtoTcp);
  EXPECT_EQ(sent[1].at<TcpHdr>(20).ack.host(), 42u);
  EXPECT_EQ(sent[2].bytes[20], 3);
  EXPECT_EQ(sent[2].bytes[21], 2);
  EXPECT_EQ(io.dropped(Drop::no_service), 6u);
}

TEST_F(LocalTest, SilentAboutBroadcasts) {
  local(udp(kHost, addr(10, 1, 0, 255)), 8, true);
  local(udp(kHost, kUs), 8, true);
  local(tcp(kHost, addr(10, 1, 0, 255), kTcpSyn, 1, 0), 8);
  EXPECT_TRUE(io.sent.empty());
  EXPECT_EQ(io.dropped(Drop::no_service), 3u);
}

TEST_F(LocalTest, MalformedByName) {
  local(ip_packet(kHost, kUs, kProtoTcp, Bytes(19)));
  local(ip_packet(kHost, kUs, kProtoUdp, Bytes(7)));
  local(ip_packet(kHost, kUs, kProtoUdp, Bytes(8)));  // its length field says 0
  local(ip_packet(kHost, kUs, kProtoIcmp, Bytes(7)));
  EXPECT_EQ(io.dropped(Drop::l4_malformed), 4u);
  Bytes cut = udp(kHost, kUs, 40);
  cut.resize(50);
  local(cut);
  local(Bytes(10, 0x45));
  EXPECT_EQ(io.dropped(Drop::ip_malformed), 2u);
  EXPECT_TRUE(io.sent.empty());
}

TEST_F(LocalTest, FragmentsInAnyOrder) {
  const Bytes request = echo(kHost, kUs, 60000);
  auto parts = fragments(request, 1480);
  for (int round = 0; round < 3; ++round) {
    if (round == 1) std::reverse(parts.begin(), parts.end());
    if (round == 2) std::swap(parts[3], parts[20]);
    for (const Bytes& part : parts) local(part);
    const auto sent = io.take();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(payload(sent[0].bytes), payload(request));
    EXPECT_TRUE(l4_checksum_ok(sent[0].bytes));
    EXPECT_EQ(io.in_use(), 0u);
  }
}

TEST_F(LocalTest, RepeatsAreIgnored) {
  const Bytes request = echo(kHost, kUs, 3000);
  const auto parts = fragments(request, 1480);
  local(parts[0]);
  local(parts[0]);
  local(parts[2]);
  local(parts[2]);
  local(parts[1]);
  EXPECT_EQ(io.take().size(), 1u);
  EXPECT_TRUE(io.drops.empty());
}

TEST_F(LocalTest, OverlapsSpoilTheDatagram) {
  const Bytes request = echo(kHost, kUs, 3000);
  const auto parts = fragments(request, 1480);
  Bytes lie = parts[0];
  lie[100] ^= 0xff;
  const Bytes straddles = ip_packet(kHost, kUs, kProtoIcmp, Bytes(1480), 0x2000 | 100);
  for (const Bytes& bad : {lie, straddles}) {
    io.drops.clear();
    local(parts[0]);
    local(bad);
    EXPECT_EQ(io.dropped(Drop::frag_malformed), 2u);
    for (const Bytes& part : parts) local(part);  // too late: not made whole any more
    EXPECT_EQ(io.dropped(Drop::frag_malformed), 5u);
    EXPECT_TRUE(io.take().empty());
    advance(30'000);
    EXPECT_TRUE(io.take().empty());
  }
  for (const Bytes& part : parts) local(part);
  EXPECT_EQ(io.take().size(), 1u);
}

TEST_F(LocalTest, ImpossibleFragments) {
  local(ip_packet(kHost, kUs, kProtoIcmp, Bytes(100), 0x1fff));  // past 65535
  local(ip_packet(kHost, kUs, kProtoIcmp, Bytes(13), 0x2000));   // not in eights
  local(ip_packet(kHost, kUs, kProtoIcmp, {}, 0x2000));          // empty
  EXPECT_EQ(io.dropped(Drop::frag_malformed), 3u);
  local(ip_packet(kHost, kUs, kProtoIcmp, Bytes(800), 0x2000 | 10));
  local(ip_packet(kHost, kUs, kProtoIcmp, Bytes(8), 0x0002));  // ends before that
  EXPECT_EQ(io.dropped(Drop::frag_malformed), 5u);
  EXPECT_TRUE(io.sent.empty());
}

TEST_F(LocalTest, LateFragmentsAreToldIfTheFirstCame) {
  const auto parts = fragments(echo(kHost, kUs, 3000), 1480);
  local(parts[0]);
  advance(29'999);
  EXPECT_TRUE(io.take().empty());
  advance(1);
  const auto sent = io.take();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].bytes[20], kIcmpTimeExceeded);
  EXPECT_EQ(sent[0].bytes[21], 1);
  EXPECT_EQ(Bytes(sent[0].bytes.begin() + 28, sent[0].bytes.begin() + 100),
            Bytes(parts[0].begin(), parts[0].begin() + 72));
  EXPECT_EQ(io.dropped(Drop::frag_timeout), 1u);
  local(parts[1]);
  advance(30'000);
  EXPECT_TRUE(io.take().empty());
  EXPECT_EQ(io.dropped(Drop::frag_timeout), 2u);
}

TEST_F(LocalTest, TheTableIsBounded) {
  for (uint16_t id = 0; id < 100; ++id) {
    local(ip_packet(kHost, kUs, kProtoUdp, Bytes(64), 0x2000, id));
  }
  EXPECT_EQ(io.dropped(Drop::frag_table_full), 36u);
  EXPECT_EQ(io.in_use(), 64u);
  for (unsigned piece = 0; piece < 70; ++piece) {  // holes everywhere: given up
    local(ip_packet(kHost, kUs, kProtoUdp, Bytes(8),
                    static_cast<uint16_t>(0x2000 | (20 + piece * 2)), 5));
  }
  EXPECT_GT(io.dropped(Drop::frag_malformed), 0u);
  EXPECT_EQ(io.in_use(), 63u);
}

TEST_F(LocalTest, ShutdownReturnsWhatWaits) {
  local(ip_packet(kHost, kUs, kProtoUdp, Bytes(64), 0x2000));
  resolve(1, addr(192, 168, 1, 50));
  services.reset();
  EXPECT_EQ(io.dropped(Drop::shutdown), 2u);
}

}  // namespace
}  // namespace maclane::test
