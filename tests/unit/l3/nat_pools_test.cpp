// Pools of NAT: netmap, same, and ports that are drawn (B-29, B-31).
#include <set>

#include "tests/unit/l3/fixture.h"

namespace maclane::test {

class NatPools : public L3Test {
 protected:
  static Draft to(Action action, uint32_t first, uint32_t last) {
    Draft r = make(action, 60);
    r.with.to_addresses = {first, last};
    return r;
  }
  /// The source address and port a packet leaves with.
  std::pair<uint32_t, uint16_t> source_of(uint32_t host, uint16_t port, uint32_t server) {
    run(udp(host, port, server, 53), kLan);
    if (sent().size() != 1) return {};
    EXPECT_TRUE(sent()[0].checksums_ok());
    return {sent()[0].ip().src.host(), sent()[0].l4<UdpHdr>().sport.host()};
  }
  static constexpr uint32_t kPool = ip4(203, 0, 113, 0);
};

TEST_F(NatPools, NetmapKeepsTheHostsPart) {  // B-31
  nat({to(Action::kNetmap, ip4(198, 51, 101, 0), ip4(198, 51, 101, 255))});
  EXPECT_EQ(source_of(kPc, 1000, kServer).first, ip4(198, 51, 101, 0) | (kPc & 0xff));
  EXPECT_EQ(source_of(kPc + 1, 1000, kServer).first, (ip4(198, 51, 101, 0) | (kPc & 0xff)) + 1);
  EXPECT_EQ(source_of(kPc + 1, 1000, kServer).second, 1000);
  // And back.
  run(udp(kServer, 53, ip4(198, 51, 101, 0) | (kPc & 0xff), 1000), kWan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().dst.host(), kPc);
}

TEST_F(NatPools, NetmapOfDestinations) {  // B-31: in both chains
  nat({}, {to(Action::kNetmap, kPc & ~0xffU, kPc | 0xffU)});
  run(udp(kServer, 53, ip4(203, 0, 113, kPc & 0xff), 1000), kWan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().dst.host(), kPc);
  EXPECT_TRUE(sent()[0].checksums_ok());
}

TEST_F(NatPools, SameGivesAHostOneAddressForADestination) {  // B-31
  nat({to(Action::kSame, kPool, kPool + 127)});
  std::set<uint32_t> seen;
  for (uint32_t i = 0; i < 32; ++i) {
    const uint32_t first = source_of(kPc, static_cast<uint16_t>(2000 + i), kServer + i).first;
    EXPECT_EQ(source_of(kPc, static_cast<uint16_t>(3000 + i), kServer + i).first, first);
    seen.insert(first);
  }
  EXPECT_GT(seen.size(), 8u);  // destinations differ
}

TEST_F(NatPools, SameNotByDstGivesItOneForAll) {
  Draft rule = to(Action::kSame, kPool, kPool + 127);
  rule.with.same_not_by_dst = true;
  nat({rule});
  std::set<uint32_t> seen;
  for (uint32_t i = 0; i < 32; ++i)
    seen.insert(source_of(kPc, static_cast<uint16_t>(2000 + i), kServer + i).first);
  EXPECT_EQ(seen.size(), 1u);
}

TEST_F(NatPools, RandomPortsAreDrawnInTheirClass) {  // B-29, B-33
  Draft rule = masquerade();
  rule.with.randomise_ports = true;
  nat({rule});
  unsigned kept = 0;
  for (uint16_t i = 0; i < 32; ++i) {
    const uint16_t port = source_of(kPc, static_cast<uint16_t>(2000 + i), kServer).second;
    EXPECT_GE(port, 1024);
    kept += port == 2000 + i ? 1 : 0;
  }
  EXPECT_LT(kept, 3u);
  EXPECT_LT(source_of(kPc, 300, kServer).second, 512);
}

}  // namespace maclane::test
