// The DHCP servers: leases, what is said to which message, and two servers on a wire (C-2..C-13).
#include "tests/unit/service/dhcp_server_fixture.h"

namespace maclane::test {
namespace {

TEST_F(DhcpServerTest, TestsOffersAndBinds) {  // C-3, C-4, C-6, C-9, C-11b, C-13
  hear(message(Type::kDiscover, 1));
  EXPECT_TRUE(said().empty());
  EXPECT_EQ(probed_, (std::vector{be32::from(kTop)}));
  ASSERT_NE(lease(kTop), nullptr);
  EXPECT_EQ(lease(kTop)->status, Status::kTesting);
  advance(499);
  EXPECT_TRUE(said().empty());
  advance(1);
  Said s = one();
  EXPECT_EQ(lease(kTop)->status, Status::kOffered);
  EXPECT_EQ(s.out_if, kLan);
  EXPECT_EQ(s.ether.src, mac(kLan));
  EXPECT_EQ(s.ether.dst, client_mac(1)) << "to who has no address yet, without ARP";
  EXPECT_EQ(s.ip.dst, be32::from(kTop));
  EXPECT_EQ(s.message.xid, 0x1001u);
  EXPECT_EQ(s.message.number(Option::kServerId), ip4(192, 168, 1, 1));
  EXPECT_EQ(s.message.number(Option::kMask), 0xffffff00u);
  EXPECT_EQ(s.message.number(Option::kRouter), ip4(192, 168, 1, 1));
  EXPECT_EQ(s.message.number(Option::kDns), ip4(192, 168, 1, 53));
  EXPECT_EQ(s.message.text(Option::kDomain), "lan.example");
  EXPECT_EQ(s.message.number(Option::kLeaseTime), 600u);
  EXPECT_FALSE(s.message.options.contains(Option::kRenewalTime)) << "not asked for";

  Message request = message(Type::kRequest, 1, kTop, ip4(192, 168, 1, 1));
  request.set(Option::kHostName, dhcp::Bytes{'p', 'c'});
  request.set(Option::kParameterList, dhcp::Bytes{58, 59});
  hear(request);
  s = one();
  EXPECT_EQ(s.message.type(), Type::kAck);
  EXPECT_EQ(s.message.number(Option::kRenewalTime), 300u);
  EXPECT_EQ(s.message.number(Option::kRebindingTime), 525u);
  EXPECT_FALSE(s.message.options.contains(Option::kRouter)) << "not asked for";
  EXPECT_EQ(lease(kTop)->status, Status::kBound);
  EXPECT_EQ(log::recent().back().topics, "dhcp,info");
  EXPECT_EQ(log::recent().back().message, "dhcp1 assigned 192.168.1.110 for 02:CC:00:00:00:01 pc");
  advance(600 * kSecond);
  EXPECT_EQ(lease(kTop), nullptr);
  EXPECT_EQ(log::recent().back().message,
            "dhcp1 deassigned 192.168.1.110 for 02:CC:00:00:00:01 pc");
}

TEST_F(DhcpServerTest, AnAddressInUseIsNotGiven) {  // C-6
  hear(message(Type::kDiscover, 1));
  said();
  answer_probe(kTop);
  said();
  EXPECT_EQ(lease(kTop)->status, Status::kConflict);
  EXPECT_EQ(lease(kTop)->mac, kOtherMac);
  advance(kSecond);
  EXPECT_EQ(one().message.yiaddr, be32::from(kTop - 1));
  advance(600 * kSecond);
  EXPECT_EQ(lease(kTop), nullptr) << "after the lease time it is tried again";
}

TEST_F(DhcpServerTest, ADeclinedAddressRests) {  // C-6
  const uint32_t address = bind(1);
  hear(message(Type::kDecline, 1, address, ip4(192, 168, 1, 1)));
  EXPECT_EQ(lease(address)->status, Status::kDeclined);
  EXPECT_NE(bind(1), address);
}

TEST_F(DhcpServerTest, TheSameClientGetsTheSameAddress) {  // C-2
  const uint32_t a = bind(1), b = bind(2);
  EXPECT_NE(a, b);
  Message release = message(Type::kRelease, 1, 0, ip4(192, 168, 1, 1));
  release.ciaddr = be32::from(a);
  hear(release);
  EXPECT_EQ(lease(a), nullptr);
  EXPECT_NE(bind(3), a) << "an address rests before it is another's";
  EXPECT_EQ(bind(1), a);
}

TEST_F(DhcpServerTest, RenewsAndKnowsWhoRebootsAndRefusesTheRest) {  // C-8
  const uint32_t address = bind(1);
  Message renew = message(Type::kRequest, 1);
  renew.ciaddr = be32::from(address);
  hear(renew);
  Said s = one();
  EXPECT_EQ(s.message.type(), Type::kAck);
  EXPECT_EQ(s.ip.dst, be32::from(address));
  hear(message(Type::kRequest, 1, address));
  EXPECT_EQ(one().message.type(), Type::kAck);

  hear(message(Type::kRequest, 7, ip4(10, 9, 9, 9)));
  s = one();
  EXPECT_EQ(s.message.type(), Type::kNak);
  EXPECT_EQ(s.ether.dst, kBroadcastMac);
  first().authoritative = DhcpServerConfig::Authoritative::kNo;
  publish();
  hear(message(Type::kRequest, 7, ip4(10, 9, 9, 9)));
  EXPECT_TRUE(said().empty());
  first().authoritative = DhcpServerConfig::Authoritative::kAfter2s;
  publish();
  Message late = message(Type::kRequest, 7, ip4(10, 9, 9, 9));
  hear(late);
  EXPECT_TRUE(said().empty());
  late.secs = 2;
  hear(late);
  EXPECT_EQ(one().message.type(), Type::kNak);
}

TEST_F(DhcpServerTest, StaticRowsGoFirst) {  // C-6, C-7, C-11
  config.dhcp_server.leases = {{.id = 5, .address = ip4(192, 168, 1, 50), .mac = client_mac(1)}};
  publish();
  ASSERT_NE(lease(ip4(192, 168, 1, 50)), nullptr);
  EXPECT_EQ(lease(ip4(192, 168, 1, 50))->status, Status::kWaiting);
  hear(message(Type::kDiscover, 1));
  EXPECT_EQ(one().message.yiaddr, addr(192, 168, 1, 50)) << "static ones are not tested";
  EXPECT_TRUE(probed_.empty());
  EXPECT_EQ(bind(1), ip4(192, 168, 1, 50));
  EXPECT_EQ(lease(ip4(192, 168, 1, 50))->status, Status::kBound);
  Message release = message(Type::kRelease, 1, 0, ip4(192, 168, 1, 1));
  release.ciaddr = addr(192, 168, 1, 50);
  hear(release);
  EXPECT_EQ(lease(ip4(192, 168, 1, 50))->status, Status::kWaiting);

  // One for the client-id goes before one for the MAC.
  config.dhcp_server.leases.push_back(
      {.id = 6, .address = ip4(192, 168, 1, 51), .client_id = {1, 2, 3}});
  publish();
  Message m = message(Type::kDiscover, 1);
  m.set(Option::kClientId, dhcp::Bytes{1, 2, 3});
  hear(m);
  EXPECT_EQ(one().message.yiaddr, addr(192, 168, 1, 51));
}

TEST_F(DhcpServerTest, ADynamicLeaseBecomesStatic) {
  const uint32_t address = bind(1);
  config.dhcp_server.leases = {{.id = 9, .address = address, .mac = client_mac(1)}};
  publish();
  ASSERT_NE(lease(address), nullptr);
  EXPECT_EQ(lease(address)->static_id, 9u);
  EXPECT_EQ(lease(address)->status, Status::kBound);
  Message renew = message(Type::kRequest, 1);
  renew.ciaddr = be32::from(address);
  hear(renew);
  EXPECT_EQ(one().message.type(), Type::kAck);
}

TEST_F(DhcpServerTest, StaticOnlyAndBlocked) {  // E-9
  first().ranges.clear();
  config.dhcp_server.leases = {
      {.id = 5, .address = ip4(192, 168, 1, 50), .mac = client_mac(1)},
      {.id = 6, .address = ip4(192, 168, 1, 51), .mac = client_mac(2), .block = true}};
  publish();
  hear(message(Type::kDiscover, 3));
  hear(message(Type::kDiscover, 2));
  advance(kSecond);
  EXPECT_TRUE(said().empty());
  hear(message(Type::kDiscover, 1));
  EXPECT_EQ(one().message.yiaddr, addr(192, 168, 1, 50));
}

TEST_F(DhcpServerTest, TwoServersOnOneWireBothOffer) {  // C-10, E-9
  config.dhcp_server.servers.push_back(server("dhcp2", kIot));
  config.dhcp_server.servers[1].ranges = {{"iot", ip4(192, 168, 1, 201), ip4(192, 168, 1, 210)}};
  config.dhcp_server.servers[1].conflict_detection = false;
  first().conflict_detection = false;
  publish();
  hear(message(Type::kDiscover, 1));
  auto all = said();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].out_if, kLan);
  EXPECT_EQ(all[1].out_if, kIot);
  EXPECT_EQ(all[1].ether.src, mac(kIot));
  EXPECT_EQ(all[1].message.number(Option::kServerId), ip4(192, 168, 1, 2));
  // The client takes the second's: the first says nothing, and its offer is free again.
  hear(message(Type::kRequest, 1, ip4(192, 168, 1, 210), ip4(192, 168, 1, 2)));
  EXPECT_EQ(one().message.type(), Type::kAck);
  EXPECT_EQ(lease(kTop), nullptr);
  // When it comes back, only the one whose client it is answers.
  hear(message(Type::kRequest, 1, ip4(192, 168, 1, 210)));
  all = said();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].message.type(), Type::kAck);

  first().delay_threshold_s = 3;
  publish();
  Message m = message(Type::kDiscover, 2);
  hear(m);
  EXPECT_EQ(one().out_if, kIot) << "delay-threshold lets the other go first";
  m.secs = 3;
  hear(m);
  EXPECT_EQ(said().size(), 2u);
}

TEST_F(DhcpServerTest, ABridgeSiblingsBroadcastIsHeardByItsSiblingsAlone) {  // A-31, E-44
  config.dhcp_server.servers = {server("lan", kLan), server("m4", 4), server("m3", 3)};
  for (DhcpServerConfig& one : config.dhcp_server.servers) one.conflict_detection = false;
  publish();
  hear(message(Type::kDiscover, 1), kLan, kIot);
  EXPECT_EQ(one().out_if, 4);
}

TEST_F(DhcpServerTest, LeasesAreRestored) {  // C-12
  DhcpBinding kept;
  kept.address = kTop;
  kept.server = "dhcp1";
  kept.mac = client_mac(1);
  kept.identity = DhcpLeases::identity(kept.mac, {});
  kept.status = Status::kBound;
  kept.until_ms = io.now + 300 * kSecond;
  kept.seen_ms = -60'000;
  DhcpBinding elsewhere = kept;
  elsewhere.address = ip4(192, 168, 1, 77);
  elsewhere.mac = client_mac(3);
  elsewhere.identity = DhcpLeases::identity(elsewhere.mac, {});
  DhcpBinding strange = kept;
  strange.address = ip4(10, 0, 0, 1);
  strange.server = "nobody";
  servers().restore({kept, elsewhere, strange});
  EXPECT_EQ(servers().leases().size(), 2u) << "the third is of no server any more";
  EXPECT_EQ(lease(kTop)->seen_ms, -60'000);
  EXPECT_NE(bind(2), kTop);
  EXPECT_EQ(bind(1), kTop);
  EXPECT_EQ(bind(3), ip4(192, 168, 1, 77)) << "though the pool has others now";
}

TEST_F(DhcpServerTest, LeasesOutliveTheirServersNameAndPauses) {  // C-6, C-12
  first().id = 1;
  config.dhcp_server.names = {{1, "dhcp1"}};
  publish();
  const uint32_t address = bind(1);
  std::vector<std::string> told;
  servers().on_lease([&](const DhcpBinding& b) { told.push_back(b.server); });
  first().name = "lan";
  config.dhcp_server.names = {{1, "lan"}};
  publish();
  ASSERT_NE(lease(address), nullptr);
  EXPECT_EQ(lease(address)->server, "lan");
  EXPECT_EQ(told, (std::vector<std::string>{"lan"})) << "the file learns it";
  const std::vector<DhcpServerConfig> enabled = config.dhcp_server.servers;
  config.dhcp_server.servers.clear();
  publish();
  ASSERT_NE(lease(address), nullptr) << "disabled";
  Message renew = message(Type::kRequest, 1);
  renew.ciaddr = be32::from(address);
  hear(renew);
  EXPECT_TRUE(said().empty());
  config.dhcp_server.servers = enabled;
  publish();
  hear(renew);
  EXPECT_EQ(one().message.type(), Type::kAck);
  // A name changed in a file: the row is another one, in the same place.
  first().id = 2;
  first().name = "dhcp7";
  config.dhcp_server.names = {{2, "dhcp7"}};
  publish();
  ASSERT_NE(lease(address), nullptr);
  EXPECT_EQ(lease(address)->server, "dhcp7");
  config.dhcp_server.servers.clear();
  publish();
  advance(600 * kSecond);
  EXPECT_EQ(lease(address), nullptr) << "it ends in its time";
  config.dhcp_server.servers = {first_of(enabled, 2, "dhcp7")};
  publish();
  const uint32_t again = bind(1);
  EXPECT_EQ(again, address);
  config.dhcp_server.servers.clear();
  config.dhcp_server.names.clear();
  publish();
  EXPECT_EQ(lease(address), nullptr) << "it goes with its server";
}

TEST_F(DhcpServerTest, AServerThatMovedRefusesAddressesOfTheOldNetwork) {  // C-8, RFC 2131 4.3.2
  first().interface_name = "lan";
  first().ranges = {{"pool", ip4(10, 9, 0, 10), ip4(10, 9, 0, 20)}};
  first().conflict_detection = false;
  publish();
  const uint32_t off = bind(1);  // no network of the interface: as its pool says
  Message renew = message(Type::kRequest, 1);
  renew.ciaddr = be32::from(off);
  hear(renew);
  EXPECT_EQ(one().message.type(), Type::kAck);
  first().interface_name = "other";
  first().ranges = {{"pool", ip4(192, 168, 1, 101), kTop}};
  publish();
  ASSERT_NE(lease(off), nullptr);
  hear(renew);
  EXPECT_EQ(one().message.type(), Type::kNak);
  EXPECT_EQ(lease(off), nullptr);
  EXPECT_EQ(bind(1), kTop);
}

TEST_F(DhcpServerTest, ARowTakesAnAddressFromWhoHasIt) {  // C-6, C-14
  const uint32_t address = bind(1);
  config.dhcp_server.leases = {{.id = 5, .address = address, .mac = client_mac(2)}};
  publish();
  bool warned = false;
  for (const auto& line : log::recent())
    warned |= line.message.find("is another client's by a row of lease now") != std::string::npos;
  EXPECT_TRUE(warned);
  Message renew = message(Type::kRequest, 1);
  renew.ciaddr = be32::from(address);
  hear(renew);
  EXPECT_EQ(one().message.type(), Type::kNak);
  EXPECT_EQ(bind(2), address);
  EXPECT_NE(bind(1), address);
  // The router's own address is nobody's, though a row may stand from before it was.
  config.dhcp_server.leases = {{.id = 6, .address = ip4(192, 168, 1, 1), .mac = client_mac(3)}};
  publish();
  hear(message(Type::kDiscover, 3));
  hear(message(Type::kRequest, 3, ip4(192, 168, 1, 1)));
  EXPECT_EQ(one().message.type(), Type::kNak);
}

TEST_F(DhcpServerTest, GarbageFromTheWireIsBounded) {
  uint32_t random = 1;
  const auto next = [&random] { return random = random * 1664525u + 1013904223u; };
  for (int i = 0; i < 3000; ++i) {
    Message m = message(Type{static_cast<uint8_t>(next() % 9)}, static_cast<uint8_t>(next() >> 24),
                        next(), next() % 3 == 0 ? ip4(192, 168, 1, 1) : next());
    for (unsigned k = next() % 4; k != 0; --k) {
      m.set(static_cast<uint8_t>(next() >> 16), dhcp::Bytes((next() >> 16) % 64, uint8_t{0xa5}));
    }
    dhcp::FrameFields fields;
    fields.src = m.chaddr;
    fields.dst = kBroadcastMac;
    fields.ip_dst = addr(255, 255, 255, 255);
    Bytes frame = dhcp::build_frame(fields, m);
    frame[40] = frame[41] = 0;  // no UDP checksum: it is to be read
    for (unsigned k = next() % 3; k != 0; --k) {
      frame[42 + next() % (frame.size() - 42)] = static_cast<uint8_t>(next() >> 24);
    }
    if (next() % 8 == 0) frame.resize(42 + next() % (frame.size() - 42));
    PacketMessage punt_message;
    punt_message.reason = PuntReason::kDhcp;
    punt_message.in_if = kLan;
    punt_message.broadcast = true;
    punt(frame, punt_message);
    advance(next() % 50);
    io.take();
  }
  EXPECT_LE(servers().leases().size(), 10u) << "as many as the pool has";
}

TEST_F(DhcpServerTest, AFullPoolGoesOnWithTheNextAndThenSaysSo) {  // C-2
  first().conflict_detection = false;
  first().ranges = {{"a", kTop, kTop}, {"b", kTop - 1, kTop - 1}};
  publish();
  EXPECT_EQ(bind(1), kTop);
  EXPECT_EQ(bind(2), kTop - 1);
  hear(message(Type::kDiscover, 3));
  EXPECT_TRUE(said().empty());
  EXPECT_EQ(log::recent().back().message,
            "dhcp1: no address is left in its pool for 02:CC:00:00:00:03");
}

}  // namespace
}  // namespace maclane::test
