// Loop protect: sending, what counts as a loop, who goes down and when it comes back (A3).
#include "control/observe/log.h"
#include "tests/unit/service/fake_io.h"

namespace maclane::test {
namespace {

class LoopProtectTest : public ServiceTest {
 protected:
  void protect(const std::vector<IfIndex>& interfaces, uint64_t disable_ms = 300'000) {
    config.loop_protect.clear();
    for (const IfIndex i : interfaces) config.loop_protect[i] = {5000, disable_ms, "first"};
    publish();
    apply();
    log::clear();
  }
  /// What the router does when something changed: a new snapshot.
  void apply() {
    while (services->loop_protect().changed()) {
      for (size_t i = 1; i < io.published.interfaces.size(); ++i) {
        io.published.interfaces[i].up = !services->loop_protect().held(static_cast<IfIndex>(i));
      }
      publish();
    }
  }
  void comes_back(const MacAddr& from, IfIndex in_if, bool broadcast = true) {
    Bytes frame(60);
    write_header(frame, 0,
                 EtherHdr{broadcast ? kBroadcastMac : mac(static_cast<uint8_t>(in_if)), from,
                          be16::from(kEtherLoopProtect)});
    PacketMessage message;
    message.reason = PuntReason::kLoopProtect;
    message.in_if = in_if;
    message.broadcast = broadcast;
    punt(frame, message);
    apply();
  }
  [[nodiscard]] std::string status(IfIndex i) const {
    return std::string(services->loop_protect().status(i));
  }
};

TEST_F(LoopProtectTest, SendsFromEachProtectedInterfaceByItsInterval) {
  config.loop_protect[2] = {5000, 0, ""};
  config.loop_protect[8] = {1000, 0, ""};
  publish();
  auto sent = io.take();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].message.kind, InjectKind::kFrame);
  EXPECT_EQ(sent[0].message.out_if, 2);
  EXPECT_EQ(sent[0].at<EtherHdr>(0).src, mac(2));
  EXPECT_EQ(sent[0].at<EtherHdr>(0).dst, kBroadcastMac);
  EXPECT_EQ(sent[0].at<EtherHdr>(0).type.host(), 0x9003);
  EXPECT_EQ(sent[0].bytes.size(), 60u);
  advance(4999);
  sent = io.take();
  ASSERT_FALSE(sent.empty());
  for (const Sent& one : sent) EXPECT_EQ(one.message.out_if, 8);
  advance(1);
  EXPECT_EQ(io.take().size(), 2u);
  EXPECT_EQ(status(2), "on");
  EXPECT_EQ(status(1), "off");
}

TEST_F(LoopProtectTest, OwnFrameBackDisablesTheReceiver) {
  protect({1, 8});
  comes_back(mac(8), 1);
  EXPECT_EQ(status(1), "disabled");
  EXPECT_EQ(status(8), "on");
  ASSERT_EQ(log::recent().size(), 1u);
  EXPECT_EQ(log::recent()[0].topics, "interface,warning");
  EXPECT_EQ(log::recent()[0].message,
            "if1 received loop protect packet originated from 02:00:00:00:00:08 (if8)");
  io.take();
  advance(60'000);
  for (const Sent& one : io.take()) EXPECT_EQ(one.message.out_if, 8) << "a held one sends nothing";
}

TEST_F(LoopProtectTest, StrangersAndUnprotectedInterfacesAreNoLoop) {
  protect({1});
  comes_back(kPeerMac, 1);
  comes_back(mac(8), 1);  // ours, but without loop protect
  EXPECT_EQ(status(1), "on");
  comes_back(mac(1), 8);  // nobody there to go down
  EXPECT_EQ(status(8), "off");
  EXPECT_TRUE(log::recent().empty());
}

TEST_F(LoopProtectTest, MacvlansGoDownWhereTheirParentIsNotProtected) {
  protect({2, 3});
  comes_back(mac(3), 1);
  EXPECT_EQ(status(2), "disabled");
  EXPECT_EQ(status(3), "disabled");
  EXPECT_EQ(status(4), "off");
  protect({1, 2});
  protect({});
  protect({1, 2});
  comes_back(mac(2), 1);
  EXPECT_EQ(status(1), "disabled");
  EXPECT_EQ(status(2), "on");  // down with its parent, not by itself
}

TEST_F(LoopProtectTest, AUnicastFrameConcernsItsOwnerOnly) {
  protect({1, 2, 4});
  comes_back(mac(1), 4, false);
  EXPECT_EQ(status(4), "disabled");
  EXPECT_EQ(status(1), "on");
  EXPECT_EQ(status(2), "on");
}

TEST_F(LoopProtectTest, ComesBackAfterItsTime) {
  protect({8}, 10'000);
  comes_back(mac(8), 8);
  EXPECT_FALSE(io.published.interfaces[8].up);
  io.take();
  advance(9'999);
  apply();
  EXPECT_EQ(status(8), "disabled");
  EXPECT_TRUE(io.take().empty());
  advance(1);
  apply();
  EXPECT_EQ(status(8), "on");
  EXPECT_TRUE(io.published.interfaces[8].up);
  advance(5000);
  EXPECT_FALSE(io.take().empty());
  comes_back(mac(8), 8);  // the loop is still there
  EXPECT_EQ(status(8), "disabled");
}

TEST_F(LoopProtectTest, TimeZeroIsUntilAChange) {  // E-39
  protect({8}, 0);
  comes_back(mac(8), 8);
  advance(1'000'000'000);
  apply();
  EXPECT_EQ(status(8), "disabled");
  publish();  // a change elsewhere
  apply();
  EXPECT_EQ(status(8), "disabled");
  config.loop_protect[8].revision = "second";
  publish();
  apply();
  EXPECT_EQ(status(8), "on");
  EXPECT_TRUE(io.published.interfaces[8].up);
}

TEST_F(LoopProtectTest, SwitchedOffComesBackAtOnce) {
  protect({8}, 0);
  comes_back(mac(8), 8);
  config.loop_protect.clear();
  publish();
  apply();
  EXPECT_EQ(status(8), "off");
  EXPECT_TRUE(io.published.interfaces[8].up);
}

TEST_F(LoopProtectTest, CutFramesAndUnknownInterfacesAreNothing) {
  protect({8});
  PacketMessage message;
  message.reason = PuntReason::kLoopProtect;
  message.in_if = 8;
  message.broadcast = true;
  punt(Bytes(13, 0), message);
  message.in_if = 900;
  Bytes frame(60);
  write_header(frame, 0, EtherHdr{kBroadcastMac, mac(8), be16::from(kEtherLoopProtect)});
  punt(frame, message);
  message.in_if = kNoIf;
  punt(frame, message);
  apply();
  EXPECT_EQ(status(8), "on");
}

}  // namespace
}  // namespace maclane::test
