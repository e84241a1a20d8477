// Forwarding into and out of a PPPoE session: the quick way and the ordinary one send the same
// frames, no neighbour is asked for, and a session that is not up waits with control.
#include "dataplane/stage/fast_path.h"
#include "tests/unit/l3/fixture.h"

namespace maclane::test {
namespace {

constexpr IfIndex kMacvlan = 4;  // the session, kWan, stands on it
constexpr uint16_t kId = 0x1234;
const MacAddr kPeer{{0x02, 0xac, 0, 0, 0, 1}};
const MacAddr kOwn{{0x02, 0xbb, 0, 0, 0, 1}};

class PppoeForward : public L3Test {
 protected:
  void SetUp() override {
    L3Test::SetUp();
    snap.interfaces.resize(5);
    Interface& below = snap.interfaces[kMacvlan];
    below.kind = IfKind::kMacvlan;
    below.mode = VportMode::kPrivate;
    below.up = true;
    below.mac = kOwn;
    below.pppoe = true;
    Interface& wan = snap.interfaces[kWan];
    wan.kind = IfKind::kPppoe;
    wan.parent = kMacvlan;
    wan.mtu = 1492;
    wan.pppoe_session = be16::from(kId);
    wan.pppoe_peer = kPeer;
    snap.next_hops[7] = {NextHop::Kind::kConnected, kWan, {}, {}, {}};  // default by interface
    neighbours->remove(kWan, be32::from(kGateway));
    nat({masquerade()});
  }
  /// With wires below the interfaces the fast path has ways to send; without, it has none.
  void wires(bool there) {
    snap.ports.assign(there ? 3 : 0, Port{});
    for (IfIndex i : {kLan, kWan, kMacvlan}) {
      snap.interfaces[i].port = i == kLan ? 1 : 2;
      if (!there) continue;
      snap.ports[snap.interfaces[i].port].ethdev = 1;  // never asked: less than a burst waits
    }
    publish();
  }
  std::vector<Sent> left() {
    std::vector<Sent> all = sent();
    for (TxBuffer& buffer : w->tx) {
      for (unsigned k = 0; k < buffer.count; ++k) {
        rte_mbuf* m = buffer.packets[k];
        EXPECT_EQ(buffer.bytes[k], m->pkt_len);
        const auto* data = rte_pktmbuf_mtod(m, const uint8_t*);
        all.push_back({buffer.from[k], {data, data + m->pkt_len}});
        finish(*w, m);
        ++quick;
      }
      buffer.count = 0;
    }
    return all;
  }
  /// Checks the session's head and gives the IP packet behind it.
  static std::vector<uint8_t> inside(const Sent& s) {
    if (s.frame.size() < 22) {
      ADD_FAILURE() << "short frame";
      return {};
    }
    EtherHdr eth;
    PppoeHdr pppoe;
    std::memcpy(&eth, s.frame.data(), sizeof(eth));
    std::memcpy(&pppoe, s.frame.data() + 14, sizeof(pppoe));
    EXPECT_EQ(eth.dst, kPeer);
    EXPECT_EQ(eth.src, kOwn);
    EXPECT_EQ(eth.type.host(), kEtherPppoeSession);
    EXPECT_EQ(pppoe.version_type, 0x11);
    EXPECT_EQ(pppoe.code, 0);
    EXPECT_EQ(pppoe.session.host(), kId);
    EXPECT_EQ(pppoe.length.host(), s.frame.size() - 20);
    EXPECT_EQ(pppoe.protocol.host(), kPppIp4);
    return {s.frame.begin() + 22, s.frame.end()};
  }
  unsigned quick = 0;
};

TEST_F(PppoeForward, BothWaysSendTheSame) {
  std::vector<std::vector<uint8_t>> out[2];
  std::vector<std::vector<uint8_t>> back[2];
  unsigned quick_out = 0;
  for (const bool there : {false, true}) {
    if (there) {
      TearDown();
      SetUp();
    }
    wires(there);
    for (unsigned n = 0; n < 6; ++n) {
      run({udp(kPc, 1000, kServer, 53, 18 + n), udp(kPc, 1001, kServer, 53, 1464),
           tcp(kPc, 1002, kServer, 80, n == 0 ? 0x02 : 0x10)},
          kLan);
      const unsigned before = quick;
      for (const Sent& s : left()) out[there].push_back(inside(s));
      if (there) quick_out += quick - before;
      run({udp(kServer, 53, kWanIp, 1000, 18 + n),
           tcp(kServer, 80, kWanIp, 1002, n == 0 ? 0x12 : 0x10)},
          kWan);
      for (const Sent& s : left()) {
        EXPECT_TRUE(s.checksums_ok());
        back[there].push_back(s.frame);
      }
      w->now.cs += 3;
    }
    std::sort(out[there].begin(), out[there].end());
    std::sort(back[there].begin(), back[there].end());
  }
  EXPECT_EQ(out[0].size(), 18u);
  EXPECT_EQ(out[0], out[1]);
  EXPECT_EQ(back[0].size(), 12u);
  EXPECT_EQ(back[0], back[1]);
  EXPECT_GT(quick, 12u) << "the fast path hardly ran";
  EXPECT_TRUE(punted().empty()) << "nobody is asked for on a point-to-point link";
  // The ordinary way counts here, the other when the port has sent.
  EXPECT_EQ(w->counters.interfaces[kWan].tx_packets, 18u - quick_out);
}

TEST_F(PppoeForward, TwoSessionsKeepApart) {
  // A second session beside the first, for one destination: the way of one is not the other's.
  snap.interfaces.resize(6);
  snap.interfaces[5] = snap.interfaces[kWan];
  snap.interfaces[5].pppoe_session = be16::from(kId + 1);
  snap.interfaces[5].primary_address = be32::from(ip4(203, 0, 113, 9));
  snap.next_hops.push_back({NextHop::Kind::kConnected, 5, {}, {}, {}});
  std::string error;
  snap.fib =
      Fib4::build(std::vector<Fib4Route>{{0, 0, 7}, {ip4(198, 18, 0, 0), 16, 12}}, &error, true);
  ASSERT_TRUE(snap.fib) << error;
  nat({});
  wires(true);
  for (unsigned n = 0; n < 4; ++n) {
    run({udp(kPc, 1000, kServer, 53), udp(kPc, 1000, ip4(198, 18, 0, 1), 53)}, kLan);
    const std::vector<Sent> all = left();
    ASSERT_EQ(all.size(), 2u);
    unsigned seen = 0;
    for (const Sent& s : all) {
      const unsigned id = s.frame[16] << 8 | s.frame[17];
      const bool second = s.frame[22 + 17] == 18;  // 198.18
      EXPECT_EQ(id, second ? kId + 1u : kId);
      seen |= second ? 2u : 1u;
    }
    EXPECT_EQ(seen, 3u);
    if (n == 0) run(udp(kServer, 53, kPc, 1000), kWan);
    (void)left();
  }
  EXPECT_GT(quick, 0u);
}

TEST_F(PppoeForward, RoutesWhereNothingIsTracked) {
  snap.tracking = false;
  snap.nat = nullptr;
  std::vector<std::vector<uint8_t>> frames[2];
  for (const bool there : {false, true}) {
    wires(there);
    run({udp(kPc, 1000, kServer, 53), udp(kPc, 1000, ip4(198, 51, 100, 8), 53)}, kLan);
    for (const Sent& s : left()) frames[there].push_back(inside(s));
  }
  EXPECT_EQ(quick, 2u);
  EXPECT_EQ(frames[0].size(), 2u);
  EXPECT_EQ(frames[0], frames[1]);
}

TEST_F(PppoeForward, LongPacketsAreCutOrRefused) {
  wires(true);
  std::vector<uint8_t> whole = udp(kPc, 1000, kServer, 53, 1472);  // 1500 bytes
  run(whole, kLan);
  const std::vector<Sent> all = left();
  ASSERT_EQ(all.size(), 2u);
  size_t data = 0;
  for (const Sent& s : all) {
    const std::vector<uint8_t> ip = inside(s);
    EXPECT_LE(ip.size(), 1492u);
    data += ip.size() - 20;
  }
  EXPECT_EQ(data, 1480u);
  whole[6] = 0x40;  // don't fragment
  const uint16_t zero = 0;
  std::memcpy(whole.data() + 10, &zero, 2);
  const uint16_t sum = checksum(whole.data(), 20);
  std::memcpy(whole.data() + 10, &sum, 2);
  run(whole, kLan);
  EXPECT_TRUE(left().empty());
  const auto punts = punted();
  ASSERT_EQ(punts.size(), 1u);
  EXPECT_EQ(punts[0].message.reason, PuntReason::kIcmpError);
  EXPECT_EQ(punts[0].message.mtu, 1492);
}

TEST_F(PppoeForward, WithoutASessionPacketsWaitWithControl) {  // C-28
  snap.interfaces[kWan].pppoe_session = {};
  wires(true);
  const std::vector<uint8_t> packet = udp(kPc, 1000, kServer, 53);
  run(packet, kLan);
  EXPECT_TRUE(left().empty());
  const auto punts = punted();
  ASSERT_EQ(punts.size(), 1u);
  EXPECT_EQ(punts[0].message.reason, PuntReason::kNeighbour);
  EXPECT_EQ(punts[0].message.out_if, kWan);
  EXPECT_EQ(punts[0].data, packet) << "untranslated: the address comes with the session";
  EXPECT_EQ(w->sessions.size(), 0u);
}

TEST_F(PppoeForward, ARedialWithAnotherAddressOpensConnectionsAnew) {  // B-30
  wires(true);
  for (unsigned n = 0; n < 3; ++n) {
    run(udp(kPc, 1000, kServer, 53), kLan);
    (void)left();
  }
  snap.interfaces[kWan].primary_address = be32::from(ip4(203, 0, 113, 77));
  snap.interfaces[kWan].pppoe_session = be16::from(kId);
  publish();
  run(udp(kPc, 1000, kServer, 53), kLan);
  const std::vector<Sent> all = left();
  ASSERT_EQ(all.size(), 1u);
  const std::vector<uint8_t> ip = inside(all[0]);
  ASSERT_GE(ip.size(), 20u);
  EXPECT_EQ(ip[15], 77);
  EXPECT_EQ(w->sessions.size(), 1u);
}

}  // namespace
}  // namespace maclane::test
