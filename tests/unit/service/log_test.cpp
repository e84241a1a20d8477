// The log itself, and firewall events as its lines.
#include "control/observe/log.h"

#include "control/service/event_log.h"
#include "tests/unit/service/fake_io.h"

namespace maclane::test {
namespace {

class EventLogTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    auto filter = std::make_shared<RuleSet>();
    filter->chains = {{0, 0, "input"}, {0, 0, "forward"}};
    filter->log_prefixes = {"", "drop guests"};
    auto nat = std::make_shared<RuleSet>();
    nat->chains = {{0, 0, "srcnat"}};
    nat->log_prefixes = {""};
    io.published.filter = filter;
    io.published.nat = nat;
    publish();
    io.take();
    log::clear();
  }
  [[nodiscard]] Event event() const {
    Event e;
    e.tcp_flags = kTcpSyn;
    e.in_if = 2;
    e.out_if = 8;
    e.tuple = {addr(192, 168, 1, 50), addr(10, 1, 0, 9), be16::from(40000), be16::from(443),
               kProtoTcp};
    e.length = 60;
    e.chain = 1;
    e.log_prefix = 1;
    e.generation = io.published.generation;
    e.src_mac = kPeerMac;
    return e;
  }
  std::string line(const Event& e) {
    services->handle(e);
    return log::recent().empty() ? "" : log::recent().back().message;
  }
};

TEST_F(EventLogTest, Lines) {
  Event e = event();
  EXPECT_EQ(line(e),
            "drop guests forward: in:if2 out:if8, connection-state:new, src-mac "
            "02:AA:00:00:00:01, proto TCP (SYN), 192.168.1.50:40000->10.1.0.9:443, len 60");
  EXPECT_EQ(log::recent().back().topics, "firewall,info");
  e.tcp_flags = kTcpSyn | kTcpAck;
  e.state = ConnState::kEstablished;
  e.log_prefix = 0;
  e.chain = 0;
  e.out_if = kIfLocal;
  e.src_mac = {};
  EXPECT_EQ(line(e),
            "input: in:if2 out:(none), connection-state:established, proto TCP (SYN,ACK), "
            "192.168.1.50:40000->10.1.0.9:443, len 60");
  e.tuple.proto = kProtoIcmp;
  e.icmp_type = 8;
  e.table = RuleTable::kNat;
  EXPECT_EQ(line(e),
            "srcnat: in:if2 out:(none), connection-state:established, proto ICMP (type 8, code "
            "0), 192.168.1.50->10.1.0.9, len 60");
  e.tuple.proto = kProtoUdp;
  EXPECT_NE(line(e).find("proto UDP, 192.168.1.50:40000->"), std::string::npos);
  e.tuple.proto = 89;
  EXPECT_NE(line(e).find("proto 89, 192.168.1.50->10.1.0.9"), std::string::npos);
}

TEST_F(EventLogTest, NamesAreOfTheEventsGeneration) {
  const Event e = event();
  io.published.filter = std::make_shared<RuleSet>();
  publish();
  EXPECT_EQ(line(e).substr(0, 20), "drop guests forward:");
  for (int i = 0; i < 5; ++i) publish();
  EXPECT_EQ(line(e).substr(0, 7), "(gone):");
}

TEST_F(EventLogTest, AHundredLinesASecond) {
  for (int i = 0; i < 250; ++i) services->handle(event());
  EXPECT_EQ(log::recent().size(), 100u);
  advance(1000);
  ASSERT_EQ(log::recent().size(), 101u);
  EXPECT_EQ(log::recent().back().message, "150 more lines were suppressed (limit 100 a second)");
  services->handle(event());
  EXPECT_EQ(log::recent().size(), 102u);
  EXPECT_EQ(services->next_deadline() < io.now + 60'000, true);
}

TEST(Log, KeepsTheLastLinesOfEnabledLevels) {
  log::clear();
  log::write(log::Level::kDebug, "x,debug", "not {}", "this");
  EXPECT_TRUE(log::recent().empty());
  log::set_level(log::Level::kDebug);
  log::write(log::Level::kDebug, "x,debug", "but {}", 1);
  log::set_level(log::Level::kInfo);
  ASSERT_EQ(log::recent().size(), 1u);
  EXPECT_EQ(log::recent()[0].message, "but 1");
  const uint64_t seen = log::recent()[0].number;
  for (int i = 0; i < 1500; ++i) log::write(log::Level::kInfo, "interface,info", "line {}", i);
  const auto lines = log::recent();
  ASSERT_EQ(lines.size(), log::kLinesKept);
  EXPECT_EQ(lines.front().message, "line 500");
  EXPECT_EQ(lines.back().number, seen + 1500);
  EXPECT_EQ(log::recent(seen + 1498).size(), 2u);
}

TEST(Log, NobodyForgesALine) {
  log::clear();
  log::write(log::Level::kWarning, "dhcp,warning", "host {}", "a\nb\x1b[31m");
  EXPECT_EQ(log::recent().back().message, "host a\\0Ab\\1B[31m");
}

}  // namespace
}  // namespace maclane::test
