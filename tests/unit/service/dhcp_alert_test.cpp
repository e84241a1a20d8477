// Servers that nobody knows of (C-13).
#include "control/service/dhcp_alert.h"

#include "tests/unit/service/dhcp_server_fixture.h"

namespace maclane::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr uint64_t kHour = 3600 * kSecond;

class DhcpAlertTest : public DhcpServerTest {
 protected:
  void SetUp() override {
    DhcpServerTest::SetUp();
    config.dhcp_server = {};
    DhcpAlertConfig row;
    row.id = 5;
    row.interface_name = "ether1";
    row.interface = kLan;
    row.valid = {rogue(9)};
    row.timeout_ms = kHour;
    config.dhcp_alerts = {row};
    services->dhcp_alert().on_alert([this](const DhcpAlertConfig&) { ++alerts; });
    publish();
    log::clear();
  }
  static MacAddr rogue(uint8_t who) { return {{0x02, 0xdd, 0, 0, 0, who}}; }
  void offer(uint8_t who, Type type = Type::kOffer, IfIndex in_if = kLan, bool broadcast = true,
             IfIndex sender = kNoIf) {
    Message m = message(type, 77);
    m.op = 2;
    m.yiaddr = addr(192, 168, 1, 200);
    m.set(Option::kServerId, ip4(192, 168, 1, who));
    dhcp::FrameFields fields;
    fields.src = rogue(who);
    fields.dst = broadcast ? kBroadcastMac : mac(static_cast<uint8_t>(in_if));
    fields.ip_src = addr(192, 168, 1, who);
    fields.ip_dst = addr(255, 255, 255, 255);
    fields.sport = dhcp::kServerPort;
    fields.dport = dhcp::kClientPort;
    PacketMessage punted;
    punted.reason = PuntReason::kDhcp;
    punted.in_if = in_if;
    punted.out_if = sender;
    punted.broadcast = broadcast;
    punt(dhcp::build_frame(fields, m), punted);
  }
  std::vector<MacAddr> unknown() { return services->dhcp_alert().unknown(5); }

  int alerts = 0;
};

TEST_F(DhcpAlertTest, AsksOnceAMinute) {
  auto sent = io.take();
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(sent[0].message.out_if, kLan);
  const auto asked = dhcp::read_frame(sent[0].bytes, dhcp::kServerPort);
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->message.type(), Type::kDiscover);
  EXPECT_EQ(asked->message.chaddr, mac(kLan));
  EXPECT_EQ(asked->ip_dst, addr(255, 255, 255, 255));
  publish();
  EXPECT_THAT(io.take(), IsEmpty()) << "a change is no reason to ask";
  advance(DhcpAlert::kProbeMs - 1);
  EXPECT_THAT(io.take(), IsEmpty());
  advance(1);
  sent = io.take();
  ASSERT_THAT(sent, SizeIs(1));
  const auto again = dhcp::read_frame(sent[0].bytes, dhcp::kServerPort);
  ASSERT_TRUE(again);
  EXPECT_NE(again->message.xid, asked->message.xid);
  io.published.interfaces[kLan].up = false;
  advance(DhcpAlert::kProbeMs);
  EXPECT_THAT(io.take(), IsEmpty());
  EXPECT_FALSE(services->dhcp_alert().is_watching(5));
}

TEST_F(DhcpAlertTest, TellsOnceUntilItsTimeIsOver) {
  offer(1);
  EXPECT_THAT(unknown(), ElementsAre(rogue(1)));
  EXPECT_EQ(log::recent().back().message,
            "dhcp alert on ether1: discovered unknown dhcp server, mac 02:DD:00:00:00:01, ip "
            "192.168.1.1");
  EXPECT_EQ(log::recent().back().topics, "dhcp,critical,error");
  offer(1, Type::kAck);
  advance(kHour - 1);
  offer(1, Type::kNak);
  EXPECT_EQ(alerts, 1);
  advance(1);
  EXPECT_THAT(unknown(), IsEmpty());
  offer(1, Type::kNak, kLan, false);
  EXPECT_EQ(alerts, 2);
  services->dhcp_alert().reset(5);
  EXPECT_THAT(unknown(), IsEmpty());
  offer(1);
  EXPECT_EQ(alerts, 3);
  config.dhcp_alerts[0].timeout_ms = 0;
  publish();
  services->dhcp_alert().reset(5);
  offer(1);
  advance(1000 * kHour);
  offer(1);
  EXPECT_EQ(alerts, 4);
}

TEST_F(DhcpAlertTest, IsNotAboutWhoIsKnownOrNotHeard) {
  offer(9);
  EXPECT_EQ(alerts, 0) << "valid-server";
  offer(1, Type::kDiscover);
  EXPECT_EQ(alerts, 0) << "no word of a server";
  offer(1, Type::kOffer, kAlone);
  offer(1, Type::kOffer, kIot, false);
  EXPECT_EQ(alerts, 0) << "another interface";
  offer(1, Type::kOffer, kLan, true, kIot);
  EXPECT_EQ(alerts, 0) << "a macvlan's broadcast is not its parent's to hear";
  offer(1);
  offer(2);
  EXPECT_EQ(alerts, 2);
  config.dhcp_alerts[0].valid = {rogue(1)};
  publish();
  EXPECT_THAT(unknown(), ElementsAre(rogue(2)));
  io.published.interfaces[kIot].mac = rogue(3);
  offer(3);
  EXPECT_EQ(alerts, 2) << "a MAC address of ours";
  config.dhcp_alerts[0].interface = kAlone;
  config.dhcp_alerts[0].interface_name = "ether2";
  publish();
  EXPECT_THAT(unknown(), IsEmpty());
}

TEST_F(DhcpAlertTest, IsBounded) {
  for (unsigned i = 10; i < 10 + DhcpAlert::kMostServers + 20; ++i) offer(static_cast<uint8_t>(i));
  EXPECT_THAT(unknown(), SizeIs(DhcpAlert::kMostServers));
  EXPECT_EQ(alerts, static_cast<int>(DhcpAlert::kMostServers));
  unsigned told = 0;
  for (const auto& line : log::recent())
    told += line.message.find("no others are told of") != std::string::npos ? 1u : 0u;
  EXPECT_EQ(told, 1u);
}

}  // namespace
}  // namespace maclane::test
