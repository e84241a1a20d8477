// Random bytes and mutated packets at every service: nothing crashes, nothing leaks.
#include <random>

#include "tests/unit/service/fake_io.h"

namespace maclane::test {
namespace {

class GarbageTest : public ServiceTest {
 protected:
  static constexpr int kRounds = 20'000;

  Bytes mutated(Bytes bytes) {
    const unsigned changes = random_() % 4;
    for (unsigned i = 0; i < changes && !bytes.empty(); ++i) {
      bytes[random_() % bytes.size()] = static_cast<uint8_t>(random_());
    }
    if (random_() % 4 == 0) bytes.resize(random_() % (bytes.size() + 1));
    return bytes;
  }
  Bytes noise() {
    Bytes bytes(random_() % 200);
    for (uint8_t& b : bytes) b = static_cast<uint8_t>(random_());
    return bytes;
  }
  PacketMessage message(PuntReason reason) {
    PacketMessage m;
    m.reason = reason;
    m.in_if = static_cast<IfIndex>(random_() % 10);
    m.out_if = static_cast<IfIndex>(random_() % 10);
    m.broadcast = random_() % 8 == 0;
    m.icmp_type = 3;
    m.related = random_() % 2 == 0;
    m.next_hop = addr(10, 1, 0, random_() % 256);
    return m;
  }
  void run(PuntReason reason, const std::vector<Bytes>& seeds) {
    for (int i = 0; i < kRounds; ++i) {
      const Bytes bytes = random_() % 4 == 0 ? noise() : mutated(seeds[random_() % seeds.size()]);
      punt(bytes, message(reason));
      io.take();
      io.now += random_() % 100;
      services->tick();
    }
    services.reset();
    EXPECT_EQ(io.in_use(), 0u);
  }
  std::mt19937 random_{20240};
};

TEST_F(GarbageTest, Arp) {
  run(PuntReason::kArp,
      {arp_frame(1, kPeerMac, addr(192, 168, 1, 50), {}, addr(192, 168, 1, 1)),
       arp_frame(2, kPeerMac, addr(10, 1, 0, 5), mac(8), addr(10, 1, 0, 1), mac(8)),
       arp_frame(1, mac(6), addr(192, 168, 1, 60), {}, addr(192, 168, 1, 2))});
}

TEST_F(GarbageTest, Neighbour) {
  run(PuntReason::kNeighbour, {udp(addr(10, 1, 0, 9), addr(192, 168, 1, 50))});
}

TEST_F(GarbageTest, Local) {
  const be32 host = addr(10, 1, 0, 9), us = addr(10, 1, 0, 1);
  run(PuntReason::kLocal,
      {echo(host, us, 64), udp(host, us, 64), tcp(host, us, kTcpSyn, 1, 2, 9),
       echo(host, us, 28, kIcmpRedirect), ip_packet(host, us, kProtoUdp, Bytes(64), 0x2000),
       ip_packet(host, us, kProtoUdp, Bytes(64), 8),
       ip_packet(host, us, kProtoUdp, Bytes(64), 0x2004)});
}

TEST_F(GarbageTest, IcmpErrorAndReset) {
  const be32 host = addr(10, 1, 0, 9), far = addr(198, 51, 100, 1);
  const std::vector<Bytes> seeds = {echo(host, far, 64), udp(host, far, 900),
                                    tcp(host, far, kTcpAck, 1, 2, 9)};
  run(PuntReason::kIcmpError, seeds);
  SetUp();
  run(PuntReason::kTcpReset, seeds);
}

TEST_F(GarbageTest, Membership) {
  Bytes igmp(14 + 20 + 16);
  write_header(igmp, 0, EtherHdr{{{1, 0, 0x5e, 0, 0, 22}}, mac(6), be16::from(kEtherIp4)});
  write_header(igmp, 14, make_ip4({addr(192, 168, 1, 60), addr(224, 0, 0, 22), kProtoIgmp}, 36));
  igmp[34] = 0x22;
  igmp[36] = 0xdd;
  Bytes mld(14 + 40 + 28);
  write_header(mld, 0, EtherHdr{{{0x33, 0x33, 0, 0, 0, 0x16}}, mac(6), be16::from(kEtherIp6)});
  mld[14] = 0x60;
  mld[19] = 28;
  mld[20] = 58;
  mld[54] = 143;
  run(PuntReason::kMembership, {igmp, mld});
}

}  // namespace
}  // namespace maclane::test
