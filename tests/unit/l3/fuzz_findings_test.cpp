// What the fuzzing of the whole firewall (firewall_fuzz_test.cpp) found, each by itself.
#include "tests/unit/l3/nat_fixture.h"

namespace maclane::test {

class FuzzFindings : public NatRouteros {};

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

TEST_F(FuzzFindings, StreamsDoNotHideWhatCanBeGivenUp) {  // B-22
  // Streams stay in the queue of short connections until it is their turn to be looked at.
  for (uint16_t port = 1; port <= 6; ++port) {
    run(udp(kPc, port, kServer, 53), kLan);
    run(udp(kServer, 53, kPc, port), kWan);
    run(udp(kPc, port, kServer, 53), kLan);
  }
  w->now.cs += 300;
  for (uint16_t port = 1; port <= 6; ++port) run(udp(kPc, port, kServer, 53), kLan);
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
