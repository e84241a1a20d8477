// Packets find the worker that has their connection, whichever queue they came by.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/unit/workers/world.h"

namespace maclane::test {
namespace {

TEST(Handoff, PortsAreKeptAndRepliesComeHome) {
  World world(4);
  for (uint16_t i = 0; i < 64; ++i) {
    const auto port = static_cast<uint16_t>(30000 + i);
    const auto out = world.pass(kLan, i % 4, udp(kPc, port, kServer, 53), kWan);
    ASSERT_EQ(out.size(), 1u);
    EXPECT_EQ(ip_of(out[0]).src.host(), kWanIp);
    EXPECT_EQ(ports_of(out[0]).sport, port);
    for (unsigned queue = 0; queue < 4; ++queue) {
      const auto in = world.pass(kWan, queue, udp(kServer, 53, kWanIp, port), kLan);
      ASSERT_EQ(in.size(), 1u);
      EXPECT_EQ(ip_of(in[0]).dst.host(), kPc);
      EXPECT_EQ(ports_of(in[0]).dport, port);
    }
    EXPECT_EQ(world.at(world.home(port, 53)).sessions.size() > 0, true);
  }
  EXPECT_EQ(world.sessions(), 64u);
  for (unsigned i = 0; i < 4; ++i) EXPECT_GT(world.at(i).sessions.size(), 4u);
  EXPECT_EQ(world.claims(), 0u);
}

// Queues as a NIC with the symmetric key and the table of fill_rss_table() would choose them.
TEST(Handoff, NothingIsHandedOverWhereTheNicSpreads) {
  World world(4, 4096, 1, Spread::kRss);
  const auto queue_of = [&](const Bytes& packet) {
    const Ip4Hdr& ip = ip_of(packet);
    return rss_hash({ip.src, ip.dst, be16::from(ports_of(packet).sport),
                     be16::from(ports_of(packet).dport), ip.proto}) %
           kRssTable % 4;
  };
  std::array<unsigned, 4> used{};
  for (uint16_t port = 4000; port < 4064; ++port) {
    const Bytes out = udp(kPc, port, kServer, 53);
    ++used[queue_of(out)];
    const auto left = world.pass(kLan, queue_of(out), out, kWan);
    ASSERT_EQ(left.size(), 1u);
    const Bytes answer = udp(kServer, 53, kWanIp, ports_of(left[0]).sport);
    const auto back = world.pass(kWan, queue_of(answer), answer, kLan);
    ASSERT_EQ(back.size(), 1u);
    EXPECT_EQ(ports_of(back[0]).dport, port);
  }
  EXPECT_EQ(world.handed(), 0u);
  EXPECT_EQ(world.claims(), 0u);
  for (const unsigned n : used) EXPECT_GT(n, 4u);
}

TEST(Handoff, EchoRepliesComeHome) {
  World world(2);
  for (uint16_t id = 1; id <= 16; ++id) {
    ASSERT_EQ(world.pass(kLan, id % 2, echo(kPc, kServer, id), kWan).size(), 1u);
    ASSERT_EQ(world.pass(kWan, id / 2 % 2, echo(kServer, kWanIp, id, true), kLan).size(), 1u);
  }
  EXPECT_EQ(world.sessions(), 16u);
  EXPECT_GT(world.at(0).sessions.size(), 0u);
  EXPECT_GT(world.at(1).sessions.size(), 0u);
}

TEST(Handoff, OneConnectionFromBothSidesIsOneSession) {
  World world(2);
  const uint16_t port = world.port_with_home(5000, 6000, 1);
  world.receive(kLan, 0, udp(kPc, port, kIotHost, 6000));
  world.receive(kIot, 0, udp(kIotHost, 6000, kPc, port));
  world.receive(kLan, 1, udp(kPc, port, kIotHost, 6000));
  world.run();
  EXPECT_EQ(world.sessions(), 1u);
  EXPECT_EQ(world.at(1).sessions.size(), 1u);
  EXPECT_EQ(world.sent(kIot).size(), 2u);
  EXPECT_EQ(world.sent(kLan).size(), 1u);
}

TEST(Handoff, AFullRingDropsByName) {
  World world(2);
  const uint16_t port = world.port_with_home(5000, 6000, 1);
  constexpr unsigned kMany = 1200;
  for (unsigned i = 0; i < kMany; ++i) world.receive(kLan, 0, udp(kPc, port, kServer, 6000));
  world.run_one(0, kMany / kBurst + 1);
  constexpr unsigned kRoom = HandoffMesh::kPacketRing - 1;
  EXPECT_EQ(world.drops(Drop::handoff_full), kMany - kRoom);
  EXPECT_EQ(world.mesh.depth(1), kRoom);
  EXPECT_EQ(world.mesh.depth(0), 0u);
  world.run();
  EXPECT_EQ(world.mesh.depth(1), 0u);
  EXPECT_EQ(world.sent(kWan).size(), kRoom);
}

TEST(Handoff, AWorkerWithoutATransmitQueueHandsItsFramesOver) {
  World world(2);
  const uint16_t port = world.port_with_home(5000, 6000, 1);
  world.receive(kLan, 1, udp(kPc, port, kIotHost, 6000));
  world.run();
  const auto out = world.sent(kIot);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(ip_of(out[0].packet).dst.host(), kIotHost);
  EXPECT_EQ(world.at(1).sessions.size(), 1u);
  // Counted once, by the worker that sent it.
  EXPECT_EQ(world.at(0).counters.interfaces[kIot].tx_packets, 1u);
  EXPECT_EQ(world.at(1).counters.interfaces[kIot].tx_packets, 0u);
  EXPECT_EQ(world.handed(), 1u);
}

TEST(Handoff, AFrameWhoseInterfaceIsGoneIsDropped) {
  World world(2);
  const uint16_t port = world.port_with_home(5000, 6000, 1);
  world.receive(kLan, 1, udp(kPc, port, kIotHost, 6000));
  world.run_one(1);
  Snapshot next = world.snapshot;
  next.interfaces[kIot].port = kNoPort;
  world.at(0).snapshot = &next;
  world.run_one(0);
  world.at(0).snapshot = &world.snapshot;
  EXPECT_EQ(world.drops(Drop::tx_down), 1u);
  EXPECT_TRUE(world.sent(kIot).empty());
}

TEST(Handoff, FragmentsMeetInAnyOrderByAnyQueue) {
  uint16_t id = 1;
  for (const uint64_t seed : {1u, 2u, 3u}) {
    World world(4, 4096, seed);
    std::array<unsigned, 3> order = {0, 1, 2};
    do {
      for (unsigned queues = 0; queues < 64; queues += 5) {
        const auto port = static_cast<uint16_t>(20000 + id);
        const auto pieces = fragments(kPc, port, kServer, 4000, 3, id);
        const uint64_t before = world.handed();
        for (unsigned k = 0; k < 3; ++k) {
          world.receive(kLan, queues >> (2 * k) & 3, pieces[order[k]]);
          if ((queues & 1) != 0) world.run(1);
        }
        world.run();
        std::set<unsigned> offsets;
        for (const auto& s : world.sent(kWan)) {
          EXPECT_EQ(ip_of(s.packet).src.host(), kWanIp);
          EXPECT_EQ(ip_of(s.packet).id.host(), id);
          offsets.insert(ip_of(s.packet).fragment_offset());
        }
        EXPECT_EQ(offsets, (std::set<unsigned>{0, 64, 128}));
        EXPECT_LE(world.handed() - before, 2u * 3u);
        ++id;
      }
    } while (std::next_permutation(order.begin(), order.end()));
    EXPECT_EQ(world.drops(Drop::frag_table_full) + world.drops(Drop::frag_malformed), 0u);
    for (unsigned i = 0; i < 4; ++i) EXPECT_EQ(world.at(i).fragments.datagrams(), 0u);
  }
}

// Every datagram after the first finds a session that holds everything about it.
TEST(Handoff, AStreamOfFragmentsIsTranslated) {
  for (const unsigned workers : {1u, 2u}) {
    World world(workers);
    for (uint16_t id = 1; id <= 6; ++id) {
      for (const Bytes& piece : fragments(kPc, 5001, kServer, 4000, 3, id)) {
        const auto out = world.pass(kLan, id % workers, piece, kWan);
        ASSERT_EQ(out.size(), 1u);
        EXPECT_EQ(ip_of(out[0]).src.host(), kWanIp);
        EXPECT_EQ(out[0].size(), piece.size());
      }
      ASSERT_EQ(world.pass(kWan, id % workers, udp(kServer, 4000, kWanIp, 5001), kLan).size(), 1u);
    }
    EXPECT_EQ(world.sessions(), 1u);
  }
}

TEST(Handoff, AnErrorGoesToTheHomeOfWhatItQuotes) {
  World world(4);
  for (uint16_t i = 0; i < 32; ++i) {
    const auto port = static_cast<uint16_t>(7000 + i);
    const auto out = world.pass(kLan, i % 4, udp(kPc, port, kServer, 53), kWan);
    ASSERT_EQ(out.size(), 1u);
    const auto in =
        world.pass(kWan, (i + 1) % 4, icmp_error(ip4(203, 0, 113, 99), kWanIp, out[0]), kLan);
    ASSERT_EQ(in.size(), 1u);
    EXPECT_EQ(ip_of(in[0]).dst.host(), kPc);
    const Bytes quoted(in[0].begin() + 28, in[0].end());
    EXPECT_EQ(ip_of(quoted).src.host(), kPc);
    EXPECT_EQ(ports_of(quoted).sport, port);
  }
}

TEST(Handoff, WithoutTrackingNothingIsHandedOver) {
  World world(2);
  world.snapshot.tracking = false;
  const uint16_t port = world.port_with_home(5000, 6000, 1);
  EXPECT_EQ(world.pass(kLan, 0, udp(kPc, port, kServer, 6000), kWan).size(), 1u);
  EXPECT_EQ(world.handed(), 0u);
}

// An injected packet comes to whichever worker control knows, and goes home like any other.
TEST(Handoff, TheRoutersOwnPacketsGoHome) {
  World world(2);
  const uint16_t port = world.port_with_home(5000, 6000, 1);
  rte_mbuf* m = World::frame(kWan, udp(kWanIp, port, kServer, 6000));
  rte_pktmbuf_adj(m, sizeof(EtherHdr));
  message_of(m) = {};
  message_of(m).kind = InjectKind::kIpOutput;
  ASSERT_EQ(rte_ring_enqueue(world.at(0).inject, m), 0);
  world.run();
  EXPECT_EQ(world.sent(kWan).size(), 1u);
  EXPECT_EQ(world.at(0).sessions.size(), 0u);
  EXPECT_EQ(world.at(1).sessions.size(), 1u);
  // The reply is for the router: it is punted by the worker that has the session.
  world.receive(kWan, 0, udp(kServer, 6000, kWanIp, port));
  world.run();
  void* p = nullptr;
  ASSERT_EQ(rte_ring_dequeue(world.at(1).punt, &p), 0);
  EXPECT_EQ(message_of(static_cast<rte_mbuf*>(p)).reason, PuntReason::kLocal);
  EXPECT_EQ(message_of(static_cast<rte_mbuf*>(p)).worker, 1);
  rte_ring_enqueue(world.at(1).punt, p);
}

// A group has no route and no connection: what the router says to one stays where it was injected,
// and leaves by the interface it was said on, with the TTL it was said with (RFC 1112 6.1, 6.4).
TEST(Handoff, WhatTheRouterSaysToAGroupLeavesWhereItWasSaid) {
  World world(2);
  const uint16_t port = world.port_with_home(5353, 5353, 1);
  struct Case {
    uint32_t group;
    uint64_t mac;  // as bytes in memory
  };
  for (const auto& [group, mac] :
       {Case{ip4(224, 0, 0, 251), 0xfb00005e0001ULL}, Case{ip4(239, 255, 0, 5), 0x05007f5e0001ULL},
        Case{0xffffffffu, 0xffffffffffffULL}, Case{ip4(192, 168, 88, 255), 0xffffffffffffULL}}) {
    for (const IfIndex out : {kWan, kLan, IfIndex{99}}) {
      rte_mbuf* m = World::frame(kWan, udp(kWanIp, port, group, 5353));
      rte_pktmbuf_adj(m, sizeof(EtherHdr));
      message_of(m) = {};
      message_of(m).kind = InjectKind::kIpGroup;
      message_of(m).out_if = out;
      ASSERT_EQ(rte_ring_enqueue(world.at(0).inject, m), 0);
      world.run();
      if (out == 99) {  // it is gone
        EXPECT_EQ(world.at(0).counters.drops[kNoIf][static_cast<unsigned>(Drop::no_route)], 1u);
        world.at(0).counters.drops[kNoIf][static_cast<unsigned>(Drop::no_route)] = 0;
        continue;
      }
      const auto sent = world.sent(out);
      ASSERT_EQ(sent.size(), 1u);
      EXPECT_EQ(sent[0].packet, udp(kWanIp, port, group, 5353)) << "the TTL is the program's";
      EXPECT_EQ(sent[0].to.key(), mac);
    }
  }
  EXPECT_EQ(world.handed(), 0u);
  EXPECT_EQ(world.at(0).sessions.size(), 0u);
}

TEST(Handoff, AMeshOfOneHasNoRings) {
  HandoffMesh mesh;
  ASSERT_TRUE(mesh.create(1, 5));
  EXPECT_EQ(mesh.depth(0), 0u);
  EXPECT_EQ(HandoffMesh::memory_bytes(1), 0u);
  EXPECT_EQ(mesh.end_of(0).home.of({{}, {}, be16::from(1), be16::from(2), kProtoUdp}), 0u);
}

}  // namespace
}  // namespace maclane::test
