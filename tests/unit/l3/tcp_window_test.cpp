// TCP window tracking by itself (B-21): check_window and window_follows against segments made by
// hand.
#include "dataplane/stage/tcp_window.h"

#include <gtest/gtest.h>

#include "dataplane/stage/tcp_track.h"

namespace maclane::test {

class TcpWindowTest : public ::testing::Test {
 protected:
  /// A connection from 1000 and from 5000, both offering `window`, as its SYNs left it.
  void open(uint16_t window = 1000) {
    s.proto = kProtoTcp;
    s.tcp_state = TcpState::kSynSent;
    open_window(s, memory, segment(kTcpSyn, 999, 1000, 0, window));
    EXPECT_EQ(check(kReply, segment(kTcpSyn | kTcpAck, 4999, 5000, 1000, window)),
              WindowVerdict::kAccept);
    s.tcp_state = TcpState::kEstablished;
    EXPECT_EQ(check(kOriginal, segment(kTcpAck, 1000, 1000, 5000, window)), WindowVerdict::kAccept);
  }
  static Segment segment(uint8_t flags, uint32_t seq, uint32_t end, uint32_t ack,
                         uint16_t window = 1000) {
    Segment p;
    p.flags = flags;
    p.seq = seq;
    p.end = end;
    p.ack = p.sack = ack;
    p.window = window;
    return p;
  }
  WindowVerdict check(uint8_t direction, const Segment& p, bool liberal = false) {
    return check_window(s, memory, direction, p, liberal);
  }
  bool follows(uint8_t direction, uint32_t seq, unsigned data, uint32_t ack, uint16_t window) {
    TcpHdr h{};
    h.seq = be32::from(seq);
    h.ack = be32::from(ack);
    h.data_offset = 0x50;
    h.flags = kTcpAck;
    h.window = be16::from(window);
    return window_follows(s.leg(direction), s.leg(opposite(direction)), h,
                          static_cast<unsigned>(sizeof(TcpHdr)) + data);
  }
  Session s;
  TcpMemory memory;
};

TEST_F(TcpWindowTest, DataInsideTheWindowPasses) {  // B-21
  open();
  EXPECT_EQ(check(kOriginal, segment(kTcpAck, 1000, 1500, 5000)), WindowVerdict::kAccept);
  EXPECT_EQ(check(kOriginal, segment(kTcpAck, 1500, 2000, 5000)), WindowVerdict::kAccept);
  EXPECT_EQ(s.original.window.end, 2000u);
  EXPECT_EQ(check(kReply, segment(kTcpAck, 5000, 5000, 2000)), WindowVerdict::kAccept);
  EXPECT_EQ(s.original.window.max_end, 3000u);
}

TEST_F(TcpWindowTest, FarBeyondTheWindowIsInvalid) {  // B-21 I
  open();
  EXPECT_EQ(check(kOriginal, segment(kTcpAck, 100000, 100100, 5000)), WindowVerdict::kInvalid);
  EXPECT_EQ(s.original.window.end, 1000u) << "and leaves no trace";
}

TEST_F(TcpWindowTest, AcknowledgingWhatWasNeverSentIsInvalid) {  // B-21 III
  open();
  EXPECT_EQ(check(kOriginal, segment(kTcpAck, 1000, 1000, 5001)), WindowVerdict::kInvalid);
  EXPECT_EQ(check(kReply, segment(kTcpAck, 5000, 5100, 1000)), WindowVerdict::kAccept);
  EXPECT_EQ(check(kOriginal, segment(kTcpAck, 1000, 1000, 5100)), WindowVerdict::kAccept);
}

TEST_F(TcpWindowTest, LiberalJudgesNothing) {  // B-20
  open();
  EXPECT_EQ(check(kOriginal, segment(kTcpAck, 100000, 100100, 5000), true), WindowVerdict::kAccept);
  EXPECT_EQ(check(kOriginal, segment(kTcpAck, 1000, 1000, 9000), true), WindowVerdict::kAccept);
}

TEST_F(TcpWindowTest, RepetitionsFromLongAgoAreLetThroughUnbelieved) {  // B-21 II
  open();
  for (uint32_t at = 1000; at < 9000; at += 500) {
    ASSERT_EQ(check(kOriginal, segment(kTcpAck, at, at + 500, 5000)), WindowVerdict::kAccept);
    ASSERT_EQ(check(kReply, segment(kTcpAck, 5000, 5000, at + 500)), WindowVerdict::kAccept);
  }
  EXPECT_EQ(check(kOriginal, segment(kTcpAck, 1000, 1500, 5000)), WindowVerdict::kIgnore);
  EXPECT_EQ(s.original.window.end, 9000u);
}

TEST_F(TcpWindowTest, ScalingCountsOnlyIfBothOfferIt) {  // B-21, RFC 7323
  s.tcp_state = TcpState::kSynSent;
  Segment syn = segment(kTcpSyn, 999, 1000, 0);
  syn.scale_offered = true;
  syn.scale = 7;
  open_window(s, memory, syn);
  EXPECT_EQ(check(kReply, segment(kTcpSyn | kTcpAck, 4999, 5000, 1000)), WindowVerdict::kAccept);
  EXPECT_EQ(s.original.scale, 0);
}

TEST_F(TcpWindowTest, ScalingCountsIfBothOfferIt) {  // B-21, RFC 7323
  s.tcp_state = TcpState::kSynSent;
  Segment syn = segment(kTcpSyn, 999, 1000, 0);
  syn.scale_offered = true;
  syn.scale = 7;
  open_window(s, memory, syn);
  Segment both = segment(kTcpSyn | kTcpAck, 4999, 5000, 1000);
  both.scale_offered = true;
  both.scale = 2;
  EXPECT_EQ(check(kReply, both), WindowVerdict::kAccept);
  EXPECT_EQ(s.original.scale, 7);
  EXPECT_EQ(s.reply.scale, 2);
  s.tcp_state = TcpState::kEstablished;
  EXPECT_EQ(check(kOriginal, segment(kTcpAck, 1000, 1000, 5000, 100)), WindowVerdict::kAccept);
  EXPECT_EQ(s.reply.window.max_end, 5000u + (100u << 7));
}

TEST_F(TcpWindowTest, NumbersWrapRound) {  // B-21
  s.tcp_state = TcpState::kSynSent;
  const uint32_t last = 0xffffff00;
  open_window(s, memory, segment(kTcpSyn, last - 1, last, 0));
  ASSERT_EQ(check(kReply, segment(kTcpSyn | kTcpAck, 4999, 5000, last)), WindowVerdict::kAccept);
  s.tcp_state = TcpState::kEstablished;
  EXPECT_EQ(check(kOriginal, segment(kTcpAck, last, last + 500, 5000)), WindowVerdict::kAccept);
  EXPECT_EQ(s.original.window.end, last + 500);
  EXPECT_EQ(check(kReply, segment(kTcpAck, 5000, 5000, last + 500)), WindowVerdict::kAccept);
  EXPECT_TRUE(follows(kOriginal, last + 500, 100, 5000, 1000));
}

TEST_F(TcpWindowTest, TheShortWayTakesWhatGoesOnInOrder) {  // B-21
  open();
  EXPECT_TRUE(follows(kOriginal, 1000, 400, 5000, 1000));
  EXPECT_EQ(s.original.window.end, 1400u);
  EXPECT_TRUE(follows(kReply, 5000, 300, 1400, 1000));
  EXPECT_EQ(s.reply.window.end, 5300u);
  EXPECT_EQ(s.original.window.max_end, 2400u);
}

TEST_F(TcpWindowTest, TheShortWayLeavesTheRestAlone) {  // B-21
  open();
  const TcpWindow sender = s.original.window;
  const TcpWindow receiver = s.reply.window;
  EXPECT_FALSE(follows(kOriginal, 1000, 0, 5000, 1000)) << "nothing new";
  EXPECT_FALSE(follows(kOriginal, 500, 100, 5000, 1000)) << "before what was sent";
  EXPECT_FALSE(follows(kOriginal, 1000, 1400, 5000, 1000)) << "beyond the window";
  EXPECT_FALSE(follows(kOriginal, 1000, 10, 4000, 1000)) << "an older ACK";
  EXPECT_FALSE(follows(kOriginal, 1000, 10, 5001, 1000)) << "an ACK of what was never sent";
  EXPECT_FALSE(follows(kOriginal, 1000, 10, 5000, 0)) << "a window that closes";
  EXPECT_EQ(std::memcmp(&sender, &s.original.window, sizeof(sender)), 0);
  EXPECT_EQ(std::memcmp(&receiver, &s.reply.window, sizeof(receiver)), 0);
}

TEST(TcpStep, SimultaneousOpen) {  // N-16
  TcpStep s = tcp_step(TcpState::kSynSent, kReply, kTcpSyn);
  EXPECT_EQ(s.next, TcpState::kSynSent2);
  s = tcp_step(s.next, kReply, kTcpSyn | kTcpAck);
  EXPECT_EQ(s.next, TcpState::kSynRecv);
}

}  // namespace maclane::test
