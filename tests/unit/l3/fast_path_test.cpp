// The fast path against the ordinary one: the same packets, the same frames, counters and states.
#include "dataplane/stage/fast_path.h"

#include <algorithm>
#include <random>

#include "tests/unit/l3/fixture.h"

namespace maclane::test {

class FastPathTest : public L3Test {
 protected:
  static constexpr uint32_t kAcceptSlot = 21;

  /// With wires below the interfaces the fast path has ways to send; without, it has none.
  void wires(bool there) {
    snap.ports.assign(there ? 4 : 0, Port{});
    for (IfIndex i : {kLan, kWan, kIot}) {
      snap.interfaces[i].port = i;
      if (!there) continue;
      snap.ports[i].ethdev = i;  // never asked: less than a burst waits for it
      snap.ports[i].interface = i;
    }
    publish();
  }
  void rules() {
    Draft accept = make(Action::kAccept, kAcceptSlot);
    filter({make(Action::kPassthrough, 20), accept});
    Draft to_pc = make(Action::kDstNat, 61);
    to_pc.match = Rule::kDst | Rule::kProtocol | Rule::kDstPort;
    to_pc.dst = {kWanIp, kWanIp};
    to_pc.protocol = kProtoTcp;
    to_pc.dst_ports = 0;
    to_pc.dst_port_count = 1;
    to_pc.with.to_addresses = {kPc, kPc};
    to_pc.with.to_port_first = to_pc.with.to_port_last = 8080;
    nat({masquerade()}, {to_pc});
    auto set = std::make_shared<RuleSet>(*snap.nat);
    set->ports = {{80, 80}};
    snap.nat = set;
    publish();
  }
  /// What left for the last run(), by whichever way; `quick` counts those that took the fast one.
  std::vector<Sent> left() {
    std::vector<Sent> all = sent();
    for (IfIndex i : {kLan, kWan, kIot}) {
      TxBuffer& buffer = w->tx[i];
      for (unsigned k = 0; k < buffer.count; ++k) {
        rte_mbuf* m = buffer.packets[k];
        EXPECT_EQ(buffer.bytes[k], m->pkt_len);
        EXPECT_EQ(m->data_len, m->pkt_len);
        Sent s{buffer.from[k], {}};
        const auto* data = rte_pktmbuf_mtod(m, const uint8_t*);
        s.frame.assign(data, data + m->pkt_len);
        all.push_back(std::move(s));
        finish(*w, m);
        ++quick;
      }
      buffer.count = 0;
    }
    return all;
  }
  unsigned quick = 0;
};

struct Step {
  std::vector<uint8_t> packet;
  IfIndex in_if;
};

TEST_F(FastPathTest, SendsWhatTheOrdinaryPathSends) {
  std::mt19937 random(20261122);
  const auto pick = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  std::vector<Step> steps;
  unsigned kind = 0;
  for (unsigned n = 0; n < 6000; ++n) {
    if (pick(6) == 0) kind = pick(8);
    const auto port = static_cast<uint16_t>(1000 + pick(4));
    const auto ttl = static_cast<uint8_t>(pick(12) == 0 ? pick(3) : 64);
    const size_t size = pick(20) == 0 ? 1600 : 18 + pick(40);
    static constexpr uint8_t kFlags[] = {0x02, 0x12, 0x10, 0x18, 0x10,
                                         0x18, 0x10, 0x11, 0x04, 0x14};
    const uint8_t flags = kFlags[pick(10)];
    switch ((kind & 4) | pick(4)) {
      case 0:
      case 1:
        steps.push_back({udp(kPc, port, kServer, 53, size, ttl, pick(4) != 0), kLan});
        break;
      case 2:
        steps.push_back({udp(kServer, 53, kWanIp, port, size, ttl, pick(4) != 0), kWan});
        break;
      case 3:
      case 4:
        steps.push_back({tcp(kPc, port, kServer, 80, flags), kLan});
        break;
      case 5:
        steps.push_back({tcp(kServer, 80, kWanIp, port, flags), kWan});
        break;
      case 6:
        steps.push_back({tcp(kServer, port, kWanIp, 80, flags), kWan});
        break;
      default:
        steps.push_back({tcp(kPc, 8080, kServer, port, flags), kLan});
    }
    if (pick(30) == 0) steps.back().packet.resize(steps.back().packet.size() + 6);  // padding
  }

  std::vector<std::vector<uint8_t>> frames[2];
  RuleCounter counted[2];
  std::vector<std::tuple<uint16_t, uint16_t, uint64_t, uint64_t, int, int>> sessions[2];
  for (const bool there : {false, true}) {
    if (there) {
      TearDown();
      SetUp();
    }
    rules();
    wires(there);
    for (size_t n = 0; n < steps.size();) {
      if (n % 500 > 480) publish();  // another generation: all is judged again
      // Bursts of one and of many, as far as they come in by one interface.
      std::vector<std::vector<uint8_t>> burst;
      const size_t most = n % 3 == 0 ? 1 : 24;
      const IfIndex in_if = steps[n].in_if;
      while (n < steps.size() && burst.size() < most && steps[n].in_if == in_if)
        burst.push_back(steps[n++].packet);
      run(burst, in_if);
      // Which of two ways a packet took decides only where this test finds it.
      std::vector<std::vector<uint8_t>> out;
      for (Sent& s : left()) {
        EXPECT_TRUE(s.checksums_ok()) << "step " << n;
        out.push_back(std::move(s.frame));
      }
      std::sort(out.begin(), out.end());
      frames[there].insert(frames[there].end(), out.begin(), out.end());
      frames[there].push_back({static_cast<uint8_t>(n)});  // nothing moves between bursts
      w->now.cs += 3;
      (void)punted();
    }
    counted[there] = rule(kAcceptSlot);
    for (uint32_t i = 0; i < w->sessions.capacity(); ++i) {
      const Session& s = w->sessions.at(i);
      if (!s.has(Session::kUsed)) continue;
      for (const Leg* leg : {&s.original, &s.reply}) {
        sessions[there].emplace_back(leg->sport.host(), leg->dport.host(), leg->packets, leg->bytes,
                                     static_cast<int>(s.tcp_state), s.flags);
      }
    }
  }
  EXPECT_GT(quick, steps.size() / 6) << "the fast path hardly ran";
  ASSERT_EQ(frames[0].size(), frames[1].size());
  for (size_t i = 0; i < frames[0].size(); ++i) ASSERT_EQ(frames[0][i], frames[1][i]) << i;
  EXPECT_EQ(counted[0].packets, counted[1].packets);
  EXPECT_EQ(counted[0].bytes, counted[1].bytes);
  EXPECT_EQ(sessions[0], sessions[1]);
}

TEST_F(FastPathTest, LaterFragmentsHaveNoPortsToTranslate) {
  rules();
  wires(true);
  run(udp(kPc, 1000, kServer, 53), kLan);
  run(udp(kServer, 53, kWanIp, 1000), kWan);
  run(udp(kPc, 1000, kServer, 53), kLan);
  (void)left();
  std::vector<uint8_t> whole = udp(kPc, 1000, kServer, 53, 64);
  const std::vector<uint8_t> payload(whole.begin() + 20, whole.end());
  const auto middle = payload.begin() + 32;
  run({ip_packet(kPc, kServer, kProtoUdp, {payload.begin(), middle}, 64, 0x2000, 9),
       ip_packet(kPc, kServer, kProtoUdp, {middle, payload.end()}, 64, 4, 9)},
      kLan);
  const std::vector<Sent> all = left();
  ASSERT_EQ(all.size(), 2u);
  for (const Sent& s : all) EXPECT_EQ(s.ip().src.host(), kWanIp);
}

TEST_F(FastPathTest, RoutesWhereNothingIsTracked) {
  snap.tracking = false;
  std::vector<std::vector<uint8_t>> frames[2];
  for (const bool there : {false, true}) {
    wires(there);
    for (const uint32_t dst : {kServer, kIotHost, ip4(10, 1, 2, 3), ip4(224, 0, 0, 9), kServer}) {
      for (const uint8_t ttl : {uint8_t{64}, uint8_t{1}}) {
        run(udp(kPc, 1000, dst, 53, 18, ttl), kLan);
        for (Sent& s : left()) {
          EXPECT_TRUE(s.checksums_ok());
          frames[there].push_back(std::move(s.frame));
        }
        (void)punted();
      }
    }
  }
  EXPECT_EQ(quick, 3u);
  EXPECT_EQ(frames[0], frames[1]);
}

TEST_F(FastPathTest, APacketWithoutARouteTakesNobodysWay) {
  snap.tracking = false;
  const std::vector<Fib4Route> routes = {{ip4(192, 168, 99, 0), 24, 6}};
  std::string error;
  snap.fib = Fib4::build(routes, &error, true);
  ASSERT_TRUE(snap.fib) << error;
  wires(true);
  run({udp(kPc, 1000, kIotHost, 53), udp(kPc, 1000, ip4(10, 9, 9, 9), 53),
       udp(kPc, 1000, kIotHost, 53)},
      kLan);
  const std::vector<Sent> all = left();
  ASSERT_EQ(all.size(), 2u);
  for (const Sent& s : all) EXPECT_EQ(s.ip().dst.host(), kIotHost);
  EXPECT_EQ(drops(Drop::no_route), 1u);
}

TEST_F(FastPathTest, SegmentsBehindThePacketAreNoPadding) {
  rules();
  wires(true);
  run(udp(kPc, 1000, kServer, 53), kLan);
  (void)left();
  const std::vector<uint8_t> bytes = udp(kPc, 1000, kServer, 53);
  rte_mbuf* m = alloc(*w);
  std::memset(rte_pktmbuf_append(m, 14), 0x77, 14);
  std::memcpy(rte_pktmbuf_append(m, static_cast<uint16_t>(bytes.size())), bytes.data(),
              bytes.size());
  rte_pktmbuf_adj(m, 14);
  for (unsigned i = 0; i < 2; ++i) {
    rte_mbuf* more = alloc(*w);
    std::memset(rte_pktmbuf_append(more, 500), 0, 500);
    ASSERT_EQ(rte_pktmbuf_chain(m, more), 0);
  }
  L3Queue q;
  ASSERT_TRUE(q.push(m, kLan, L3Queue::kNone));
  quick = 0;
  l3_input(*w, q);
  (void)left();
  EXPECT_EQ(quick, 0u);
  EXPECT_EQ(drops(Drop::ip_malformed), 1u);
}

TEST_F(FastPathTest, AnyProtocolsNewPacketsGiveWayUnderOverload) {
  rules();
  wires(true);
  for (uint16_t n = 0; n < 3; ++n) {
    run(udp(kPc, static_cast<uint16_t>(2000 + n), kServer, 53), kLan);
    (void)left();
  }
  std::vector<std::vector<uint8_t>> burst;
  for (uint16_t n = 0; n < 30; ++n) burst.push_back(echo(kPc, kServer, static_cast<uint16_t>(n)));
  for (uint16_t n = 0; n < 3; ++n)
    burst.push_back(udp(kPc, static_cast<uint16_t>(2000 + n), kServer, 53));
  const uint32_t before = w->sessions.size();
  w->overloaded = true;
  quick = 0;
  run(burst, kLan);
  (void)left();
  EXPECT_EQ(quick, 3u);
  EXPECT_EQ(w->sessions.size() - before, 8u);
  EXPECT_EQ(drops(Drop::new_flow_limit), 22u);
  // Without tracking there are no connections to prefer.
  snap.tracking = false;
  publish();
  run(burst, kLan);
  (void)left();
  EXPECT_EQ(drops(Drop::new_flow_limit), 22u);
  w->overloaded = false;
}

TEST_F(FastPathTest, EstablishedGoBeforeNewUnderOverload) {
  rules();
  wires(true);
  for (uint16_t n = 0; n < 6; ++n) {
    run(udp(kPc, static_cast<uint16_t>(2000 + n), kServer, 53), kLan);
    (void)left();
  }
  std::vector<std::vector<uint8_t>> burst;
  for (uint16_t n = 0; n < 60; ++n) {
    const bool known = n % 10 == 0;
    burst.push_back(
        udp(kPc, static_cast<uint16_t>(known ? 2000 + n / 10 : 30000 + n), kServer, 53));
  }
  const uint32_t before = w->sessions.size();
  w->overloaded = true;
  quick = 0;
  run(burst, kLan);
  (void)left();
  EXPECT_EQ(quick, 6u) << "an established connection was kept waiting";
  EXPECT_EQ(w->sessions.size() - before, 8u);
  EXPECT_EQ(drops(Drop::new_flow_limit), 46u);
  w->overloaded = false;
  run(burst, kLan);
  (void)left();
  EXPECT_EQ(w->sessions.size() - before, 54u) << "without overload all may open";
}

}  // namespace maclane::test
