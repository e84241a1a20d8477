// What the fuzzing of the whole firewall (firewall_fuzz_test.cpp) found, each by itself.
#include "dataplane/worker/packet.h"
#include "tests/unit/l3/nat_fixture.h"

namespace maclane::test {

class FuzzFindings : public NatRouteros {
 protected:
  /// Wires below the interfaces, so that the established path has ways to send.
  void wires() {
    snap.ports.assign(4, Port{});
    for (const IfIndex i : {kLan, kWan}) {
      snap.interfaces[i].port = i;
      snap.ports[i].ethdev = i;  // never asked: less than a burst waits for it
      snap.ports[i].interface = i;
    }
    publish();
  }
  static std::vector<uint8_t> data(uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport,
                                   uint32_t seq, uint32_t ack, size_t bytes) {
    auto header = tcp(src, sport, dst, dport, kTcpAck, seq, ack);
    std::vector<uint8_t> p(header.begin() + 20, header.end());
    p.resize(p.size() + bytes);
    p[16] = p[17] = 0;
    const uint16_t sum = checksum(
        p.data(), p.size(),
        pseudo_sum(be32::from(src), be32::from(dst), kProtoTcp, static_cast<uint16_t>(p.size())));
    std::memcpy(p.data() + 16, &sum, sizeof(sum));
    return ip_packet(src, dst, kProtoTcp, p);
  }
  /// How many packets wait for the wires; they are gone then.
  unsigned take_quick() {
    unsigned n = 0;
    for (const IfIndex i : {kLan, kWan}) {
      TxBuffer& buffer = w->tx[i];
      for (; buffer.count != 0; ++n) finish(*w, buffer.packets[--buffer.count]);
    }
    return n;
  }
};

TEST_F(FuzzFindings, ResetThatTheFilterDropsEndsWhatNobodyAnswered) {  // B-19
  Draft replies = make(Action::kDrop, 2);
  replies.match = Rule::kInInterface;
  replies.in_if = kWan;
  filter({replies});
  run(tcp(kPc, 1000, kServer, 80, kTcpSyn, 100), kLan);
  ASSERT_EQ(w->sessions.size(), 1u);
  run(tcp(kServer, 80, kPc, 1000, kTcpRst | kTcpAck, 0, 101), kWan);
  EXPECT_TRUE(sent().empty());
  EXPECT_EQ(w->sessions.size(), 0u) << "as if the reset had passed";
}

TEST_F(FuzzFindings, SynBehindAFastTrackedConnectionIsAskedByRaw) {  // B-25, B-29
  filter({of_state(Action::kFastTrack, ConnState::kEstablished, 10)});
  run(tcp(kPc, 1000, kServer, 80, kTcpSyn, 100), kLan);
  run(tcp(kServer, 80, kPc, 1000, kTcpSyn | kTcpAck, 500, 101), kWan);
  run(tcp(kPc, 1000, kServer, 80, kTcpAck, 101, 501), kLan);
  run(tcp(kPc, 1000, kServer, 80, kTcpFin | kTcpAck, 101, 501), kLan);
  run(tcp(kServer, 80, kPc, 1000, kTcpFin | kTcpAck, 501, 102), kWan);
  run(tcp(kPc, 1000, kServer, 80, kTcpAck, 102, 502), kLan);
  ASSERT_EQ(w->sessions.at(0).tcp_state, TcpState::kTimeWait);
  ASSERT_TRUE(w->sessions.at(0).has(Session::kFastTracked));
  raw({make(Action::kDrop, 20)});
  run(tcp(kPc, 1000, kServer, 80, kTcpSyn, 100000), kLan);
  EXPECT_TRUE(sent().empty());
  EXPECT_EQ(rule(20).packets, 1u);
}

TEST_F(FuzzFindings, ResetThatIsNotTheOneDueIsNotBelievedWhenItComesAgain) {  // B-19, RFC 5961
  wires();
  nat({masquerade()});
  open_tcp();
  const Session* s = session(kPc, 1000, kServer, 80, kProtoTcp);
  ASSERT_NE(s, nullptr);
  uint32_t at = 101;
  for (int round = 0; round < 3; ++round) {
    unsigned quick = 0;
    for (int i = 0; i < 4; ++i) {
      run(data(kPc, 1000, kServer, 80, at, 501, 10), kLan);
      at += 10;
      quick += take_quick();
    }
    EXPECT_GT(quick, 0u);
    run(tcp(kServer, 80, kWanIp, 1000, kTcpRst, 700), kWan);  // inside the window
    EXPECT_EQ(sent().size(), 1u) << "its end knows what to make of it";
    EXPECT_EQ(s->tcp_state, TcpState::kEstablished);
  }
}

TEST_F(FuzzFindings, StreamsDoNotHideWhatCanBeGivenUp) {  // B-22
  wires();
  // Streams stay in the queue of short connections until it is their turn to be looked at.
  for (uint16_t port = 1; port <= 6; ++port) {
    run(udp(kPc, port, kServer, 53), kLan);
    run(udp(kServer, 53, kPc, port), kWan);
    run(udp(kPc, port, kServer, 53), kLan);
  }
  w->now.cs += 300;
  for (uint16_t port = 1; port <= 6; ++port) run(udp(kPc, port, kServer, 53), kLan);
  EXPECT_EQ(take_quick(), 6u);
  run(udp(kPc, 7, kServer, 53), kLan);
  w->sessions.set_limit(7);
  run(udp(kPc, 8, kServer, 53), kLan);
  EXPECT_EQ(sent().size(), 1u) << "in the place of what nobody answered";
  EXPECT_EQ(session(kPc, 7, kServer, 53, kProtoUdp), nullptr);
  run(udp(kServer, 53, kPc, 8), kWan);
  w->now.cs += 300;
  run(udp(kPc, 8, kServer, 53), kLan);
  run(udp(kPc, 9, kServer, 53), kLan);
  EXPECT_TRUE(sent().empty()) << "streams are given up for nothing";
  EXPECT_EQ(drops(Drop::session_table_full), 1u);
}

}  // namespace maclane::test
