// Fragments through the L3 stages: any order, any rate, and with the flags they came with.
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

}  // namespace maclane::test
