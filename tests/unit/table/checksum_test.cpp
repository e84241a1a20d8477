#include "dataplane/net/checksum.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <vector>

#include "dataplane/net/wire.h"

namespace maclane {
namespace {

/// RFC 1071 in its plainest form, in host order.
uint16_t slow_checksum(const std::vector<uint8_t>& data) {
  uint64_t sum = 0;
  for (size_t i = 0; i < data.size(); ++i)
    sum += i % 2 == 0 ? static_cast<uint64_t>(data[i]) << 8 : data[i];
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

std::vector<uint8_t> random_bytes(std::mt19937& random, size_t n) {
  std::vector<uint8_t> data(n);
  const bool extreme = random() % 3 == 0;  // runs of 00 and ff are where carries go wrong
  for (uint8_t& b : data)
    b = static_cast<uint8_t>(extreme ? (random() % 2 == 0 ? 0xff : 0) : random());
  return data;
}

TEST(Checksum, AgreesWithThePlainForm) {
  std::mt19937 random(1);
  for (unsigned i = 0; i < 2000; ++i) {
    const auto data = random_bytes(random, random() % 300);
    EXPECT_EQ(be16{checksum(data.data(), data.size())}.host(), slow_checksum(data));
    const size_t cut = random() % (data.size() / 2 + 1) * 2;  // in two parts, the first even
    const uint32_t head = sum_partial(data.data(), cut);
    EXPECT_EQ(checksum(data.data() + cut, data.size() - cut, head),
              checksum(data.data(), data.size()));
  }
  const std::vector<uint8_t> big(65535, 0xff);
  EXPECT_EQ(be16{checksum(big.data(), big.size())}.host(), slow_checksum(big));
}

TEST(Checksum, KnownHeader) {
  const std::array<uint8_t, 20> header{0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
                                       0x00, 0x00, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};
  EXPECT_EQ(be16{checksum(header.data(), header.size())}, be16::from(0xb861));
}

struct Datagram {
  be32 src, dst;
  std::vector<uint8_t> l4;  // UDP header and payload
  [[nodiscard]] UdpHdr& udp() { return *reinterpret_cast<UdpHdr*>(l4.data()); }
  [[nodiscard]] be16 full() {
    udp().checksum = {};
    const auto length = static_cast<uint16_t>(l4.size());
    const be16 sum{checksum(l4.data(), l4.size(), pseudo_sum(src, dst, kProtoUdp, length))};
    return sum.raw == 0 ? be16{0xffff} : sum;
  }
};

TEST(Checksum, DeltasAgreeWithFullRecomputation) {
  std::mt19937 random(2);
  const auto word = [&]() -> uint32_t {
    return random() % 8 == 0 ? (random() % 2 == 0 ? 0u : ~0u) : static_cast<uint32_t>(random());
  };
  for (unsigned i = 0; i < 200000; ++i) {
    Datagram d{{word()}, {word()}, random_bytes(random, 8 + random() % 40)};
    const be16 before = d.full();
    const be32 src{word()};
    const be32 dst{word()};
    const be16 sport{static_cast<uint16_t>(word())};
    const be16 dport{static_cast<uint16_t>(word())};
    const uint16_t addresses = delta_add(delta32(d.src, src), delta32(d.dst, dst));
    const uint16_t ports = delta_add(delta16(d.udp().sport, sport), delta16(d.udp().dport, dport));
    const uint16_t delta = delta_add(addresses, ports);
    d.src = src;
    d.dst = dst;
    d.udp().sport = sport;
    d.udp().dport = dport;
    ASSERT_EQ(udp_apply_delta(before, delta), d.full());
  }
}

TEST(Checksum, HeaderRewriteWithTtl) {
  std::mt19937 random(3);
  for (unsigned i = 0; i < 50000; ++i) {
    const auto bytes = random_bytes(random, sizeof(Ip4Hdr));
    Ip4Hdr ip;
    std::memcpy(&ip, bytes.data(), sizeof ip);
    ip.version_ihl = 0x45;  // never all zero, so 0xffff cannot be a checksum
    ip.checksum = {};
    ip.checksum = {checksum(&ip, sizeof ip)};
    const be32 src{static_cast<uint32_t>(random())};
    uint16_t delta = delta32(ip.src, src);
    be16 old_ttl;
    be16 new_ttl;
    std::memcpy(&old_ttl, &ip.ttl, 2);
    --ip.ttl;
    std::memcpy(&new_ttl, &ip.ttl, 2);
    delta = delta_add(delta, delta16(old_ttl, new_ttl));
    ip.src = src;
    const be16 updated = apply_delta(ip.checksum, delta);
    ip.checksum = {};
    ASSERT_EQ(updated.raw, checksum(&ip, sizeof ip));
  }
}

TEST(Checksum, NothingAndZero) {
  for (uint32_t v : {0u, 1u, 0xffffu, 0x10000u, 0xffffffffu, 0x12345678u}) {
    EXPECT_EQ(delta32({v}, {v}), 0);
    EXPECT_EQ(delta16({static_cast<uint16_t>(v)}, {static_cast<uint16_t>(v)}), 0);
    EXPECT_EQ(delta_add(delta32({v}, {7}), delta32({7}, {v})), 0);  // there and back
  }
  for (uint32_t c = 0; c <= 0xffff; ++c) {
    const be16 sum{static_cast<uint16_t>(c)};
    ASSERT_EQ(apply_delta(sum, 0), sum);
    ASSERT_EQ(udp_apply_delta({}, static_cast<uint16_t>(c)), be16{});  // no checksum stays none
    ASSERT_NE(udp_apply_delta({0x1234}, static_cast<uint16_t>(c)), be16{});
  }
}

}  // namespace
}  // namespace maclane
