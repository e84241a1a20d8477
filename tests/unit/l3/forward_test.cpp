// Validation, routing, TTL, MTU, fragments, neighbours: what happens to a packet without any rules.
#include <random>

#include "tests/unit/l3/fixture.h"

namespace maclane::test {

class Forward : public L3Test {};

TEST_F(Forward, GoesToTheGatewayOneHopLess) {
  run(udp(kPc, 1000, kServer, 53), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].out_if, kWan);
  EXPECT_EQ(sent()[0].ip().ttl, 63);
  EXPECT_EQ(sent()[0].ip().src.host(), kPc);
  EXPECT_TRUE(sent()[0].checksums_ok());
  EXPECT_EQ(sent()[0].frame[5], 0x11);  // the gateway's MAC
  EXPECT_EQ(w->sessions.size(), 1u);
}

TEST_F(Forward, SecondPacketTakesTheCachedLeg) {
  for (int i = 0; i < 3; ++i) run(udp(kPc, 1000, kServer, 53), kLan);
  ASSERT_EQ(sent().size(), 1u);
  const auto hit = w->sessions.find(
      {be32::from(kPc), be32::from(kServer), be16::from(1000), be16::from(53), kProtoUdp});
  ASSERT_TRUE(hit);
  EXPECT_EQ(w->sessions.at(hit.session).original.packets, 3u);
  EXPECT_EQ(w->sessions.at(hit.session).original.generation, w->generation);
}

TEST_F(Forward, TtlOneEndsWithTimeExceeded) {  // N-34
  run(udp(kPc, 1000, kServer, 53, 18, 1), kLan);
  EXPECT_TRUE(sent().empty());
  EXPECT_EQ(drops(Drop::ttl_expired), 1u);
  const auto p = punted();
  ASSERT_EQ(p.size(), 1u);
  EXPECT_EQ(p[0].message.reason, PuntReason::kIcmpError);
  EXPECT_EQ(p[0].message.icmp_type, kIcmpTimeExceeded);
  EXPECT_EQ(w->sessions.size(), 0u);
}

TEST_F(Forward, RoutesThatRefuse) {
  run(udp(kPc, 1, ip4(10, 1, 0, 1), 1), kLan);
  EXPECT_EQ(drops(Drop::route_blackhole), 1u);
  EXPECT_TRUE(punted().empty());
  run(udp(kPc, 1, ip4(10, 2, 0, 1), 1), kLan);
  EXPECT_EQ(drops(Drop::route_prohibit), 1u);
  EXPECT_EQ(punted().at(0).message.icmp_code, 13);
  run(udp(kPc, 1, ip4(10, 3, 0, 1), 1), kLan);
  EXPECT_EQ(drops(Drop::route_unreachable), 1u);
  EXPECT_EQ(punted().at(0).message.icmp_code, 1);
}

TEST_F(Forward, TooBigWithDfAsksForFragNeeded) {  // N-13
  auto p = udp(kPc, 1000, kServer, 53, 1400);
  auto* ip = reinterpret_cast<Ip4Hdr*>(p.data());
  ip->fragment = be16::from(0x4000);
  ip->checksum = {};
  ip->checksum.raw = checksum(ip, 20);
  snap.interfaces[kWan].mtu = 1000;
  publish();
  run(p, kLan);
  EXPECT_EQ(drops(Drop::frag_needed), 1u);
  const auto out = punted();
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].message.mtu, 1000);
}

TEST_F(Forward, TooBigWithoutDfIsFragmented) {  // N-13
  snap.interfaces[kWan].mtu = 600;
  publish();
  run(udp(kPc, 1000, kServer, 53, 1400), kLan);
  ASSERT_EQ(sent().size(), 3u);
  std::vector<uint8_t> whole(1408);
  for (const auto& s : sent()) {
    EXPECT_LE(s.frame.size(), 614u);
    EXPECT_TRUE(s.checksums_ok());
    std::memcpy(whole.data() + s.ip().fragment_offset(), s.frame.data() + 34, s.frame.size() - 34);
  }
  EXPECT_TRUE(sent()[0].ip().more_fragments());
  EXPECT_FALSE(sent()[2].ip().more_fragments());
  EXPECT_EQ(whole[8 + 200], 200);
}

TEST_F(Forward, UnknownNeighbourIsPuntedUntouched) {
  neighbours->remove(kWan, be32::from(kGateway));
  nat({masquerade()});
  const auto p = udp(kPc, 1000, kServer, 53);
  run(p, kLan);
  const auto out = punted();
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].message.reason, PuntReason::kNeighbour);
  EXPECT_EQ(out[0].message.next_hop.host(), kGateway);
  EXPECT_EQ(out[0].data, p) << "a packet that waits for ARP waits untranslated";
  EXPECT_EQ(w->sessions.size(), 0u);
  EXPECT_EQ(rule(60).packets, 0u);
}

TEST_F(Forward, FailedAndFullNeighboursCostNothing) {
  neighbours->set(kWan, be32::from(kGateway), {}, NeighState::kFailed);
  run(udp(kPc, 1000, kServer, 53), kLan);
  EXPECT_EQ(drops(Drop::neigh_failed), 1u);
  neighbours->set(kWan, be32::from(kGateway), {}, NeighState::kFull);
  run(udp(kPc, 1000, kServer, 53), kLan);
  EXPECT_EQ(drops(Drop::neigh_queue_full), 1u);
  EXPECT_TRUE(punted().empty());
}

TEST_F(Forward, MartiansAndBadHeadersAreNamed) {
  run(udp(ip4(127, 0, 0, 1), 1, kServer, 1), kLan);
  run(udp(ip4(224, 0, 0, 1), 1, kServer, 1), kLan);
  run(udp(kServer, 1, ip4(127, 0, 0, 1), 1), kWan);
  EXPECT_EQ(drops(Drop::ip_martian), 3u);
  run(udp(kLanIp, 1, kLanIp, 1), kLan);  // land
  EXPECT_EQ(drops(Drop::ip_martian), 4u);
  auto bad = udp(kPc, 1, kServer, 1);
  bad[10] = static_cast<uint8_t>(bad[10] + 1);
  run(bad, kLan);
  EXPECT_EQ(drops(Drop::ip_checksum), 1u);
  auto version = udp(kPc, 1, kServer, 1);
  version[0] = 0x65;
  run(version, kLan);
  EXPECT_EQ(drops(Drop::ip_malformed), 1u);
  EXPECT_EQ(w->sessions.size(), 0u);
}

TEST_F(Forward, FragmentsInAnyOrderFollowTheFirst) {  // N-14
  const auto whole = udp(kPc, 1000, kServer, 53, 64);
  const std::vector<uint8_t> payload(whole.begin() + 20, whole.end());
  const auto piece = [&](size_t from, size_t to, bool more) {
    return ip_packet(
        kPc, kServer, kProtoUdp,
        {payload.begin() + static_cast<long>(from), payload.begin() + static_cast<long>(to)}, 64,
        static_cast<uint16_t>(from / 8 | (more ? 0x2000u : 0u)), 77);
  };
  nat({masquerade()});
  std::vector<std::vector<uint8_t>> p = {piece(0, 24, true), piece(24, 48, true),
                                         piece(48, 72, false)};
  const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  for (const auto& order : orders) {
    // a different id per order, so that each starts unknown
    static uint16_t id = 100;
    ++id;
    size_t out = 0;
    for (int k : order) {
      auto f = p[static_cast<size_t>(k)];
      auto* ip = reinterpret_cast<Ip4Hdr*>(f.data());
      ip->id = be16::from(id);
      ip->checksum = {};
      ip->checksum.raw = checksum(ip, 20);
      run(f, kLan);
      for (const auto& s : sent()) {
        EXPECT_EQ(s.ip().src.host(), kWanIp);
        EXPECT_TRUE(s.checksums_ok());
      }
      out += sent().size();
    }
    EXPECT_EQ(out, 3u);
  }
  EXPECT_EQ(w->sessions.size(), 1u);
}

TEST_F(Forward, RandomBytesEndInNamedDropsOrPass) {
  std::mt19937 random(5);
  uint64_t before = 0;
  for (const auto& row : w->counters.drops)
    for (uint64_t n : row) before += n;
  for (int k = 0; k < 20000; ++k) {
    std::vector<uint8_t> p(random() % 120);
    for (auto& c : p) c = static_cast<uint8_t>(random());
    if (p.size() > 20 && k % 2 == 0) {  // half of them get past the first checks
      p[0] = static_cast<uint8_t>(0x40 | (5 + random() % 3));
      p[2] = 0;
      p[3] = static_cast<uint8_t>(p.size());
      p[9] = static_cast<uint8_t>(std::array{1, 6, 17, 47}[random() % 4]);
      const size_t header = static_cast<size_t>(p[0] & 15) * 4;
      if (header <= p.size()) {
        p[10] = p[11] = 0;
        const uint16_t sum = checksum(p.data(), header);
        std::memcpy(p.data() + 10, &sum, 2);
      }
    }
    run(p, k % 3 == 0 ? kWan : kLan);
    if (k % 64 == 0) (void)punted();
  }
  uint64_t after = 0;
  for (const auto& row : w->counters.drops)
    for (uint64_t n : row) after += n;
  EXPECT_GT(after, before + 9000);
}

}  // namespace maclane::test
