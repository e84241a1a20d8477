// Translations that move the reply to another home: claims, clashes, and forgetting.
#include "dataplane/worker/claim.h"

#include <gtest/gtest.h>

#include "dataplane/stage/l3.h"
#include "tests/unit/workers/world.h"

namespace maclane::test {
namespace {

/// A client port for which a connection to 8080 is worker 0's and its reply, from 80, worker 1's.
uint16_t split_port(const World& world, uint16_t from = 40000) {
  while (world.home(from, 8080) != 0 || world.home(from, 80) != 1) ++from;
  return from;
}

Tuple reply_of(uint16_t port) {
  return {be32::from(kPc), be32::from(kServer), be16::from(80), be16::from(port), kProtoUdp};
}

TEST(Claim, ATakenPortIsReplacedByOneThatComesHome) {
  World world(4);
  for (uint16_t i = 0; i < 32; ++i) {
    const auto port = static_cast<uint16_t>(30000 + i);
    ASSERT_EQ(world.pass(kLan, 0, udp(kPc, port, kServer, 53), kWan).size(), 1u);
    const auto out = world.pass(kLan, 1, udp(kPc2, port, kServer, 53), kWan);
    ASSERT_EQ(out.size(), 1u);
    const uint16_t other = ports_of(out[0]).sport;
    EXPECT_NE(other, port);
    EXPECT_EQ(world.home(other, 53), world.home(port, 53));
    const auto in = world.pass(kWan, 2, udp(kServer, 53, kWanIp, other), kLan);
    ASSERT_EQ(in.size(), 1u);
    EXPECT_EQ(ip_of(in[0]).dst.host(), kPc2);
    EXPECT_EQ(ports_of(in[0]).dport, port);
  }
  EXPECT_EQ(world.claims(), 0u);
}

TEST(Claim, RepliesOfAChangedDestinationPortFindTheirSession) {
  World world(2);
  const uint16_t port = split_port(world);
  for (const unsigned queue : {0u, 1u}) {
    const auto in = world.pass(kWan, queue, udp(kServer, port, kWanIp, 8080), kLan);
    ASSERT_EQ(in.size(), 1u);
    EXPECT_EQ(ip_of(in[0]).dst.host(), kPc);
    EXPECT_EQ(ports_of(in[0]).dport, 80);
  }
  EXPECT_EQ(world.at(0).sessions.size(), 1u);
  EXPECT_EQ(world.at(1).sessions.size(), 0u);
  EXPECT_EQ(world.at(1).claims.size(), 1u);
  uint64_t before = world.handed();
  for (const unsigned queue : {0u, 1u}) {
    const auto out = world.pass(kLan, queue, udp(kPc, 80, kServer, port), kWan);
    ASSERT_EQ(out.size(), 1u);
    EXPECT_EQ(ip_of(out[0]).src.host(), kWanIp);
    EXPECT_EQ(ports_of(out[0]).sport, 8080);
    EXPECT_EQ(world.handed() - before, 2u - queue);  // by the home to the session
    before = world.handed();
  }
  EXPECT_EQ(world.sessions(), 1u);
}

// The reply is at the home before the home looked at its rings.
TEST(Claim, ReplyDoesNotOvertakeTheClaim) {
  World world(2);
  const uint16_t port = split_port(world);
  world.receive(kWan, 0, udp(kServer, port, kWanIp, 8080));
  world.run_one(0);
  ASSERT_EQ(world.sent(kLan).size(), 1u);
  EXPECT_EQ(world.at(1).claims.size(), 0u);
  world.receive(kLan, 1, udp(kPc, 80, kServer, port));
  // As if the claim had come after worker 1 read its rings in this round.
  L3Queue queue;
  rte_mbuf* m = nullptr;
  ASSERT_EQ(rte_ring_dequeue(machine().ports[kLan].rx[1], reinterpret_cast<void**>(&m)), 0);
  rte_pktmbuf_adj(m, sizeof(EtherHdr));
  ASSERT_TRUE(queue.push(m, kLan, L3Queue::kNone));
  l3_input(world.at(1), queue);
  world.run();
  const auto out = world.sent(kWan);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(ports_of(out[0].packet).sport, 8080);
  EXPECT_EQ(world.sessions(), 1u);
}

TEST(Claim, TranslatedProtocolsWithoutPortsWorkWithAnyHomes) {
  World world(4);
  for (unsigned i = 0; i < 16; ++i) {
    const uint32_t server = kServer + i;
    ASSERT_EQ(world.pass(kLan, i % 4, gre(kPc, server), kWan).size(), 1u);
    const auto in = world.pass(kWan, i / 4, gre(server, kWanIp), kLan);
    ASSERT_EQ(in.size(), 1u);
    EXPECT_EQ(ip_of(in[0]).dst.host(), kPc);
  }
  EXPECT_EQ(world.sessions(), 16u);
  EXPECT_GT(world.claims(), 4u);
}

TEST(Claim, TheFirstOneKeepsTheTuple) {
  World world(2);
  const uint16_t port = split_port(world);
  // The PC speaks first, from port 80: out and masqueraded, but its tuple is the reply's of the
  // connection that comes next.
  ASSERT_EQ(world.pass(kLan, 0, udp(kPc, 80, kServer, port), kWan).size(), 1u);
  ASSERT_EQ(world.at(1).sessions.size(), 1u);
  (void)world.pass(kWan, 0, udp(kServer, port, kWanIp, 8080), kLan);
  EXPECT_EQ(world.drops(Drop::reply_clash), 1u);
  EXPECT_EQ(world.at(0).sessions.size(), 0u);
  EXPECT_EQ(world.at(1).sessions.size(), 1u);
  EXPECT_EQ(world.claims(), 0u);
  EXPECT_EQ(world.at(0).sessions.parked(), SessionTable::kNone);
}

TEST(Claim, BothSidesAtOnceLeaveOneSession) {
  for (const bool lan_first : {false, true}) {
    World world(2);
    const uint16_t port = split_port(world);
    const Bytes from_wan = udp(kServer, port, kWanIp, 8080);
    const Bytes from_lan = udp(kPc, 80, kServer, port);
    world.receive(kWan, 0, from_wan);
    world.receive(kLan, 1, from_lan);
    world.run_one(lan_first ? 1 : 0);
    world.run_one(lan_first ? 0 : 1);
    world.run();
    EXPECT_EQ(world.sessions(), 1u);
    // The tuple is known once: to its home's sessions or to its home's claims.
    EXPECT_EQ(world.at(1).sessions.exists(reply_of(port)), lan_first);
    EXPECT_EQ(is_claimed(world.at(1), reply_of(port)), !lan_first);
    EXPECT_EQ(world.drops(Drop::reply_clash), lan_first ? 1u : 0u);
  }
}

TEST(Claim, ANewConnectionDoesNotTakeAClaimedReply) {
  World world(2);
  const uint16_t port = split_port(world);
  ASSERT_EQ(world.pass(kWan, 0, udp(kServer, port, kWanIp, 8080), kLan).size(), 1u);
  // Toward the PC's own port 80 the reply would be the same: it gets another source port.
  const auto in = world.pass(kWan, 0, udp(kServer, port, kPc, 80), kLan);
  ASSERT_EQ(in.size(), 1u);
  const uint16_t other = ports_of(in[0]).sport;
  EXPECT_NE(other, port);
  EXPECT_EQ(world.sessions(), 2u);
  const auto out = world.pass(kLan, 0, udp(kPc, 80, kServer, other), kWan);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(ip_of(out[0]).src.host(), kPc);
  EXPECT_EQ(ports_of(out[0]).dport, port);
}

TEST(Claim, IsForgottenWithItsSessionAndTheSlotIsUsedAgain) {
  World world(2, 1024);
  const uint16_t port = split_port(world);
  for (unsigned round = 0; round < 5; ++round) {
    ASSERT_EQ(world.pass(kWan, 0, udp(kServer, port, kWanIp, 8080), kLan).size(), 1u);
    EXPECT_EQ(world.at(1).claims.size(), 1u);
    world.later(1001);
    world.run();
    EXPECT_EQ(world.sessions(), 0u);
    EXPECT_EQ(world.claims(), 0u);
    EXPECT_EQ(world.at(0).sessions.parked(), SessionTable::kNone);
  }
  // The PC's own packet is a connection of its own now.
  EXPECT_EQ(world.pass(kLan, 0, udp(kPc, 80, kServer, port), kWan).size(), 1u);
  EXPECT_EQ(world.at(1).sessions.size(), 1u);
}

TEST(Claim, AFullRingLosesNothing) {
  World world(2);
  const uint16_t port = split_port(world);
  ASSERT_EQ(world.pass(kWan, 0, udp(kServer, port, kWanIp, 8080), kLan).size(), 1u);
  ClaimMessage nothing;
  nothing.kind = ClaimMessage::Kind::kForget;
  rte_ring* const ring = world.at(0).handoff.peers[1].claims_out;
  while (rte_ring_sp_enqueue_elem(ring, &nothing, sizeof(nothing)) == 0) {
  }
  // A new claim cannot be made: no session, and the packet is dropped by name.
  world.receive(kWan, 0,
                udp(kServer, split_port(world, static_cast<uint16_t>(port + 1)), kWanIp, 8080));
  world.run_one(0);
  EXPECT_EQ(world.drops(Drop::handoff_full), 1u);
  EXPECT_EQ(world.at(0).sessions.size(), 1u);
  EXPECT_EQ(world.at(0).sessions.parked(), SessionTable::kNone);
  // An old one waits to be taken back.
  world.later(1001);
  world.run_one(0);
  EXPECT_EQ(world.at(0).sessions.size(), 0u);
  EXPECT_NE(world.at(0).sessions.parked(), SessionTable::kNone);
  EXPECT_EQ(world.claims(), 1u);
  world.run();
  EXPECT_EQ(world.at(0).sessions.parked(), SessionTable::kNone);
  EXPECT_EQ(world.claims(), 0u);
}

TEST(Claim, AnAnswerIsNeverLost) {
  World world(2);
  const uint16_t port = split_port(world);
  ASSERT_EQ(world.pass(kLan, 0, udp(kPc, 80, kServer, port), kWan).size(), 1u);
  ClaimMessage nothing;
  nothing.kind = ClaimMessage::Kind::kClash;
  nothing.session = 77;
  rte_ring* const ring = world.at(1).handoff.peers[0].answers_out;
  while (rte_ring_sp_enqueue_elem(ring, &nothing, sizeof(nothing)) == 0) {
  }
  world.receive(kWan, 0, udp(kServer, port, kWanIp, 8080));
  L3Queue queue;
  rte_mbuf* m = nullptr;
  ASSERT_EQ(rte_ring_dequeue(machine().ports[kWan].rx[0], reinterpret_cast<void**>(&m)), 0);
  rte_pktmbuf_adj(m, sizeof(EtherHdr));
  ASSERT_TRUE(queue.push(m, kWan, L3Queue::kNone));
  l3_input(world.at(0), queue);
  world.run();
  EXPECT_EQ(world.drops(Drop::reply_clash), 1u);
  EXPECT_EQ(world.sessions(), 1u);
}

TEST(Claim, AReplyToAConnectionThatHasJustEndedIsDropped) {
  World world(2);
  const uint16_t port = split_port(world);
  ASSERT_EQ(world.pass(kWan, 0, udp(kServer, port, kWanIp, 8080), kLan).size(), 1u);
  world.receive(kLan, 1, udp(kPc, 80, kServer, port));
  world.run_one(1);  // handed to worker 0
  world.at(0).sessions.release(0);
  world.run_one(0);
  EXPECT_EQ(world.drops(Drop::claim_over), 1u);
  world.run();
  EXPECT_EQ(world.sessions() + world.claims(), 0u);
}

TEST(Claim, ReopenedConnectionsKeepTheirClaim) {
  World world(2);
  const uint16_t port = split_port(world);
  ASSERT_EQ(world.pass(kWan, 0, tcp(kServer, port, kWanIp, 8080, kTcpSyn), kLan).size(), 1u);
  ASSERT_EQ(world.pass(kLan, 0, tcp(kPc, 80, kServer, port, kTcpRst | kTcpAck), kWan).size(), 1u);
  ASSERT_EQ(world.pass(kWan, 1, tcp(kServer, port, kWanIp, 8080, kTcpSyn), kLan).size(), 1u);
  EXPECT_EQ(world.sessions(), 1u);
  EXPECT_EQ(world.claims(), 1u);
  ASSERT_EQ(world.pass(kLan, 1, tcp(kPc, 80, kServer, port, kTcpSyn | kTcpAck), kWan).size(), 1u);
  EXPECT_EQ(world.drops(Drop::claim_over), 0u);
}

TEST(Claim, AnErrorAboutATranslatedPacketFindsTheSession) {
  World world(4);
  for (uint16_t i = 0; i < 32; ++i) {
    const auto port = static_cast<uint16_t>(9000 + i);
    const auto in = world.pass(kWan, i % 4, udp(kServer, port, kWanIp, 8080), kLan);
    ASSERT_EQ(in.size(), 1u);
    const auto out = world.pass(kLan, (i + 1) % 4, icmp_error(kPc, kServer, in[0]), kWan);
    ASSERT_EQ(out.size(), 1u);
    EXPECT_EQ(ip_of(out[0]).src.host(), kWanIp);
    const Bytes quoted(out[0].begin() + 28, out[0].end());
    EXPECT_EQ(ports_of(quoted).dport, 8080);
  }
  EXPECT_GT(world.claims(), 0u);
}

// Reassembler, home and session may be three workers: each hands on once, whatever the queue.
TEST(Claim, FragmentsOfClaimedRepliesAreHandedOnThreeTimesAtMost) {
  World world(4);
  uint16_t id = 1;
  for (uint16_t i = 0; i < 32; ++i) {
    const auto port = static_cast<uint16_t>(9000 + i);
    ASSERT_EQ(world.pass(kWan, i % 4, udp(kServer, port, kWanIp, 8080), kLan).size(), 1u);
    for (unsigned queue = 0; queue < 4; ++queue) {
      for (const Bytes& piece : fragments(kPc, 80, kServer, port, 3, id++)) {
        const uint64_t before = world.handed();
        const auto out = world.pass(kLan, queue, piece, kWan);
        ASSERT_EQ(out.size(), 1u);
        EXPECT_EQ(ip_of(out[0]).src.host(), kWanIp);
        EXPECT_LE(world.handed() - before, 3u);
      }
    }
  }
  EXPECT_EQ(world.sessions(), 32u);
}

TEST(Claim, FlushedSessionsAreForgottenToo) {
  World world(2);
  for (uint16_t i = 0; i < 64; ++i) {
    world.receive(kWan, i % 2, udp(kServer, static_cast<uint16_t>(9000 + i), kWanIp, 8080));
  }
  world.run();
  EXPECT_EQ(world.sessions(), 64u);
  EXPECT_GT(world.claims(), 16u);
  for (unsigned i = 0; i < 2; ++i) {
    Request flush;
    flush.kind = Request::Kind::kFlushSessions;
    ASSERT_EQ(rte_ring_enqueue_elem(world.at(i).requests, &flush, sizeof(flush)), 0);
  }
  world.run();
  EXPECT_EQ(world.sessions() + world.claims(), 0u);
  (void)world.sent(kLan);
}

TEST(Claim, MasqueradedConnectionsEndWithTheirInterface) {  // B-30
  World world(2);
  for (uint16_t i = 0; i < 10; ++i) {
    (void)world.pass(kLan, i % 2, udp(kPc, static_cast<uint16_t>(4000 + i), kServer, 53), kWan);
    (void)world.pass(kLan, i % 2, udp(kPc, static_cast<uint16_t>(4000 + i), kIotHost, 53), kIot);
  }
  ASSERT_EQ(world.sessions(), 20u);
  const auto purge = [&] {
    for (unsigned i = 0; i < 2; ++i) {
      Request request;
      request.kind = Request::Kind::kPurgeMasquerade;
      ASSERT_EQ(rte_ring_enqueue_elem(world.at(i).requests, &request, sizeof(request)), 0);
    }
    world.run();
  };
  purge();
  EXPECT_EQ(world.sessions(), 20u) << "nothing happened to their addresses";
  world.snapshot.interfaces[kWan].up = false;
  purge();
  EXPECT_EQ(world.sessions(), 10u) << "those that are not masqueraded stay";
}

// A rule that leaves one port: its reply's home is what it is.
TEST(Claim, ANarrowPortSpanIsClaimed) {
  World world(4);
  auto nat = std::make_shared<RuleSet>(*world.snapshot.nat);
  RuleMore narrow;
  narrow.to_port_first = narrow.to_port_last = 6666;
  nat->add_more(nat->rules[0], narrow);
  world.snapshot.nat = nat;
  for (uint16_t i = 0; i < 16; ++i) {
    const auto out =
        world.pass(kLan, i % 4, udp(kPc, 5000, kServer, static_cast<uint16_t>(100 + i)), kWan);
    ASSERT_EQ(out.size(), 1u);
    EXPECT_EQ(ports_of(out[0]).sport, 6666);
    const auto in =
        world.pass(kWan, i / 4, udp(kServer, static_cast<uint16_t>(100 + i), kWanIp, 6666), kLan);
    ASSERT_EQ(in.size(), 1u);
    EXPECT_EQ(ports_of(in[0]).dport, 5000);
  }
  EXPECT_GT(world.claims(), 4u);
}

}  // namespace
}  // namespace maclane::test
