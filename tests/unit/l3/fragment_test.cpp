// Fragments through the L3 stages: any order, any rate, and with the flags they came with.
#include <algorithm>
#include <random>

#include "tests/unit/l3/fixture.h"

namespace maclane::test {

class Fragment : public L3Test {
 protected:
  /// One of three pieces of a UDP datagram of 8 + 1592 + 400 bytes.
  static std::vector<uint8_t> piece(unsigned which, uint16_t id) {
    static constexpr uint16_t kMore = 0x2000;
    if (which == 0) {
      std::vector<uint8_t> p(800);
      const UdpHdr u{be16::from(1000), be16::from(53), be16::from(2000), {}};
      std::memcpy(p.data(), &u, sizeof(u));
      return ip_packet(kPc, kServer, kProtoUdp, p, 64, kMore, id);
    }
    const bool last = which == 2;
    return ip_packet(kPc, kServer, kProtoUdp, std::vector<uint8_t>(last ? 400 : 800), 64,
                     static_cast<uint16_t>(which * 100 | (last ? 0 : kMore)), id);
  }
};

TEST_F(Fragment, AnyOrderGoesOutAndIsForgotten) {
  unsigned order[] = {0, 1, 2};
  uint16_t id = 1;
  do {
    run({piece(order[0], id), piece(order[1], id), piece(order[2], id)}, kLan);
    EXPECT_EQ(sent().size(), 3u);
    EXPECT_EQ(w->fragments.datagrams(), 0u);
    ++id;
  } while (std::next_permutation(order, order + 3));
  EXPECT_EQ(w->sessions.size(), 1u);
}

TEST_F(Fragment, ThousandsInAMomentAllPass) {  // N-14
  for (unsigned id = 0; id < 5000; ++id) {
    const auto n = static_cast<uint16_t>(id);
    run({piece(1, n), piece(0, n), piece(2, n)}, kLan);
    ASSERT_EQ(sent().size(), 3u) << id;
  }
  EXPECT_EQ(drops(Drop::frag_table_full), 0u);
}

TEST_F(Fragment, OneThatWaitedIsStillABroadcast) {
  run(piece(1, 9), kLan, L3Queue::kL2Broadcast);
  EXPECT_EQ(drops(Drop::bcast_forward), 0u);  // it waits
  run(piece(0, 9), kLan);
  EXPECT_EQ(sent().size(), 1u);  // the first, a unicast, alone
  EXPECT_EQ(drops(Drop::bcast_forward), 1u);
}

// Datagrams that a helper may want to read (B-24), in all sizes and orders, some of them with
// pieces that come twice or overlap: every byte goes by at most once and as it was, of a sound one
// all do, and nothing is left behind (TearDown).
TEST_F(Fragment, WhatIsWantedWholeIsOnePacketOrAllOfItsPieces) {
  snap.helper_ports.add(kProtoUdp, be16::from(53), Helper::kSip);
  publish();
  std::mt19937 random(11);
  const auto below = [&](size_t n) { return random() % n; };
  unsigned whole = 0;
  unsigned pieces = 0;
  for (unsigned round = 0; round < 3000; ++round) {
    std::vector<uint8_t> datagram(16 + below(round % 2 == 0 ? 1800 : 6000));
    for (size_t k = 8; k < datagram.size(); ++k) datagram[k] = static_cast<uint8_t>(random());
    const UdpHdr u{
        be16::from(1000), be16::from(53), be16::from(static_cast<uint16_t>(datagram.size())), {}};
    std::memcpy(datagram.data(), &u, sizeof(u));
    std::vector<std::pair<size_t, size_t>> cuts;
    for (size_t at = 0; at < datagram.size();) {
      const size_t end = std::min(datagram.size(), at + 8 * (1 + below(180)));
      cuts.emplace_back(at, end);
      at = end;
    }
    const bool sound = below(4) != 0;
    if (!sound) {
      const size_t at = 8 * below(datagram.size() / 8);
      cuts.emplace_back(at, std::min(datagram.size(), at + 8 * (1 + below(20))));
    }
    std::shuffle(cuts.begin(), cuts.end(), random);
    if (sound && cuts.size() > FragmentTable::kHeldPerDatagram) continue;  // some may not wait
    std::vector<unsigned> seen(datagram.size(), 0);
    for (size_t next = 0; next < cuts.size();) {
      std::vector<std::vector<uint8_t>> burst;
      for (size_t most = 1 + below(4); most != 0 && next < cuts.size(); --most, ++next) {
        const auto [from, to] = cuts[next];
        burst.push_back(
            ip_packet(kPc, kServer, kProtoUdp,
                      {datagram.begin() + static_cast<std::ptrdiff_t>(from),
                       datagram.begin() + static_cast<std::ptrdiff_t>(to)},
                      64, static_cast<uint16_t>(from / 8 | (to != datagram.size() ? 0x2000u : 0u)),
                      static_cast<uint16_t>(round)));
      }
      run(burst, kLan);
      whole += sent().size() == 1 && !sent()[0].ip().is_fragment() ? 1 : 0;
      pieces += static_cast<unsigned>(sent().size());
      for (const Sent& one : sent()) {
        const size_t at = one.ip().fragment_offset();
        ASSERT_LE(at + one.frame.size() - 34, datagram.size());
        ASSERT_EQ(checksum(&one.ip(), 20), 0);
        for (size_t k = 34; k < one.frame.size(); ++k) {
          ASSERT_EQ(one.frame[k], datagram[at + k - 34]) << round;
          ++seen[at + k - 34];
        }
      }
    }
    for (size_t k = 0; k < seen.size(); ++k) {
      ASSERT_TRUE(!sound || seen[k] == 1) << round << " byte " << k;
    }
    w->fragments.expire(
        {1, w->now.cs + 1000000}, 100000,
        [](void*, rte_mbuf* m, IfIndex, Drop) { rte_pktmbuf_free(m); }, nullptr);
    ASSERT_EQ(w->fragments.datagrams(), 0u);
  }
  EXPECT_GT(whole, 300u);
  EXPECT_GT(pieces, whole + 1000);
}

}  // namespace maclane::test
