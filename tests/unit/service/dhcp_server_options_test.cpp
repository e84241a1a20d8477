// The DHCP servers: what clients are told, and who gets what (C-4, C-5, C-9, C-14).
#include "tests/unit/service/dhcp_server_fixture.h"

namespace maclane::test {
namespace {

TEST_F(DhcpServerTest, OptionsOfNetworkServerAndLease) {  // C-4, C-5
  using Kind = DhcpOptionPart::Kind;
  const auto text = [](const char* t) {
    return DhcpOptionPart{Kind::kBytes, {t, t + std::string_view(t).size()}};
  };
  config.dhcp_server.networks[0].options = {{43, false, {text("n")}}, {200, true, {text("net")}}};
  first().options = {{43, false, {text("s")}}};
  first().conflict_detection = false;
  config.dhcp_server.leases = {{.id = 5,
                                .address = ip4(192, 168, 1, 50),
                                .mac = client_mac(1),
                                .options = {{43, true, {text("hi "), {Kind::kHostName}}}}}};
  publish();
  Message m = message(Type::kDiscover, 1);
  m.set(Option::kHostName, dhcp::Bytes{'p', 'c'});
  hear(m);
  Message offer = one().message;
  EXPECT_EQ(offer.text(43), "hi pc");
  EXPECT_EQ(offer.text(200), "net") << "force";
  hear(message(Type::kDiscover, 2));
  EXPECT_FALSE(one().message.options.contains(43)) << "not asked for";
}

TEST_F(DhcpServerTest, WhatAClientSaysPicksItsPool) {  // C-14, E-9
  constexpr uint32_t kPhone = ip4(192, 168, 1, 201), kRow = ip4(192, 168, 1, 50);
  const auto text = [](std::string_view t) { return dhcp::Bytes(t.begin(), t.end()); };
  first().conflict_detection = false;
  DhcpMatcher phones;
  phones.code = Option::kClassId;
  phones.substring = true;
  phones.value = text("phone");
  phones.has_pool = true;
  phones.ranges = {{"phones", kPhone, kPhone}};
  phones.options = {{200, true, {DhcpOptionPart{DhcpOptionPart::Kind::kBytes, text("voice")}}}};
  DhcpMatcher others;  // exact, and nothing for them
  others.code = Option::kClassId;
  others.value = text("tv");
  others.has_pool = true;
  first().matchers = {phones, others};
  config.dhcp_server.leases = {{.id = 5, .address = kRow, .mac = client_mac(9)}};
  publish();
  const auto ask = [&](uint8_t who, std::string_view kind) {
    Message m = message(Type::kDiscover, who);
    m.set(Option::kClassId, text(kind));
    hear(m);
  };
  ask(1, "acme phone 7");
  Message offer = one().message;
  EXPECT_EQ(offer.yiaddr.host(), kPhone);
  EXPECT_EQ(offer.text(200), "voice");
  ask(2, "tv");
  EXPECT_TRUE(said().empty()) << "static-only";
  ask(3, "tv set");
  offer = one().message;
  EXPECT_EQ(offer.yiaddr.host(), kTop) << "not exactly that: as all others";
  EXPECT_FALSE(offer.options.contains(200));
  ask(9, "acme phone 8");
  EXPECT_EQ(one().message.yiaddr.host(), kRow) << "rows go first";
  log::clear();
  ask(4, "another phone");
  EXPECT_TRUE(said().empty()) << "the pool has one address";
  bool told = false;
  for (const auto& line : log::recent())
    told |= line.message.find("no address is left") != std::string::npos;
  EXPECT_TRUE(told);
}

// C-3: what was learned is passed on where a network names nothing, unless it says none.
TEST_F(DhcpServerTest, LearnedServersArePassedOn) {
  servers().on_dns([] { return std::vector<be32>{addr(203, 0, 113, 53)}; });
  servers().on_ntp([] { return std::vector<be32>{addr(203, 0, 113, 12)}; });
  first().conflict_detection = false;
  DhcpNetworkConfig& network = config.dhcp_server.networks.front();
  network.dns.clear();
  Message m = message(Type::kDiscover, 1);
  m.set(Option::kParameterList, dhcp::Bytes{6, 42});
  const auto offered = [&] {
    publish();
    io.take();
    hear(m);
    return one().message;
  };
  Message offer = offered();
  EXPECT_EQ(offer.number(Option::kDns), ip4(203, 0, 113, 53));
  EXPECT_EQ(offer.number(Option::kNtp), ip4(203, 0, 113, 12));
  network.dns_none = network.ntp_none = true;
  offer = offered();
  EXPECT_FALSE(offer.options.contains(Option::kDns) || offer.options.contains(Option::kNtp));
  network.ntp = {addr(192, 168, 1, 12)};
  EXPECT_EQ(offered().number(Option::kNtp), ip4(192, 168, 1, 12));
}

TEST_F(DhcpServerTest, AServersOwnAddressAndLimit) {  // C2: server-address, client-mac-limit
  first().conflict_detection = false;
  first().client_mac_limit = 2;
  publish();
  for (uint8_t id = 1; id <= 3; ++id) {
    Message m = message(Type::kDiscover, 1);
    m.set(Option::kClientId, dhcp::Bytes{id});
    hear(m);
    EXPECT_EQ(said().size(), id <= 2 ? 1u : 0u);
  }
  first().server_address = addr(192, 168, 1, 9);
  publish();
  EXPECT_FALSE(servers().serves(first())) << "no address of the interface";
  config.addresses.push_back({kLan, addr(192, 168, 1, 9), 24});
  publish();
  io.take();
  EXPECT_TRUE(servers().serves(first()));
  hear(message(Type::kDiscover, 2));
  const Said s = one();
  EXPECT_EQ(s.message.number(Option::kServerId), ip4(192, 168, 1, 9));
  EXPECT_EQ(s.ip.src, addr(192, 168, 1, 9));
}

TEST_F(DhcpServerTest, OffersThatNobodyTakesGoToEverybody) {  // C-9
  first().conflict_detection = false;
  publish();
  const auto is_broadcast = [&](uint8_t who) {
    hear(message(Type::kDiscover, who));
    const Said s = one();
    EXPECT_EQ(s.message.type(), Type::kOffer);
    EXPECT_EQ(s.ether.dst == kBroadcastMac, s.ip.dst == be32::from(0xffffffff));
    return s.ether.dst == kBroadcastMac;
  };
  for (const bool broadcast : {false, false, true, true, false, false, true})
    EXPECT_EQ(is_broadcast(1), broadcast);
  EXPECT_FALSE(is_broadcast(2)) << "another client's own";
  // Who takes one begins anew, and so does who comes later.
  hear(message(Type::kRequest, 1, kTop, ip4(192, 168, 1, 1)));
  EXPECT_EQ(one().message.type(), Type::kAck);
  for (const bool broadcast : {false, false, true}) EXPECT_EQ(is_broadcast(1), broadcast);
  EXPECT_FALSE(is_broadcast(2));
  advance(DhcpServer::kOfferMs);
  EXPECT_FALSE(is_broadcast(2));
}

TEST_F(DhcpServerTest, ThroughARelay) {  // C-9
  first().relay = be32::from(0xffffffff);
  publish();
  Message m = message(Type::kDiscover, 1);
  hear(m);
  advance(kSecond);
  EXPECT_TRUE(said().empty()) << "clients on the wire are another server's";
  m.giaddr = addr(10, 9, 0, 1);
  m.set(Option::kRelayAgent, dhcp::Bytes{1, 2, 'p', '1'});
  hear(m);
  const Said s = one();
  EXPECT_EQ(s.ip.dst, addr(10, 9, 0, 1));
  EXPECT_EQ(s.message.giaddr, addr(10, 9, 0, 1));
  EXPECT_EQ(s.message.options.at(Option::kRelayAgent), (dhcp::Bytes{1, 2, 'p', '1'}));
}

TEST_F(DhcpServerTest, AddArpMakesReplyOnlyReachLeasedClients) {
  first().add_arp = true;
  publish();
  const uint32_t address = bind(1);
  EXPECT_EQ(status(kLan, be32::from(address)), "permanent");
  advance(600 * kSecond);
  EXPECT_EQ(status(kLan, be32::from(address)), "");
}

// RFC 951, 1542: a BOOTP client asks once and has the address, for ever unless it is said
// otherwise.
TEST_F(DhcpServerTest, AnswersBootpClientsWithARowOrAll) {
  Message m = message(Type::kDiscover, 1);
  m.options.clear();
  hear(m);
  advance(kSecond);
  EXPECT_TRUE(said().empty()) << "static: it has no row";
  config.dhcp_server.leases = {{.id = 5, .address = ip4(192, 168, 1, 50), .mac = client_mac(1)}};
  publish();
  hear(m);
  Said s = one();
  EXPECT_EQ(s.message.yiaddr, addr(192, 168, 1, 50));
  EXPECT_EQ(s.message.xid, m.xid);
  EXPECT_EQ(s.message.number(Option::kMask), 0xffffff00u);
  EXPECT_EQ(s.message.number(Option::kRouter), ip4(192, 168, 1, 1));
  for (const uint8_t none : {Option::kMessageType, Option::kServerId, Option::kLeaseTime})
    EXPECT_FALSE(s.message.options.contains(none));
  ASSERT_NE(lease(ip4(192, 168, 1, 50)), nullptr);
  EXPECT_EQ(lease(ip4(192, 168, 1, 50))->status, Status::kBound);
  EXPECT_EQ(lease(ip4(192, 168, 1, 50))->until_ms, kNever);
  first().bootp = DhcpServerConfig::Bootp::kDynamic;
  first().bootp_lease_s = 600;
  publish();
  m.chaddr = client_mac(2);
  hear(m);
  EXPECT_TRUE(said().empty());
  advance(kSecond);
  EXPECT_EQ(one().message.yiaddr, be32::from(kTop)) << "once it was tested";
  EXPECT_EQ(lease(kTop)->status, Status::kBound);
  advance(600 * kSecond);
  EXPECT_EQ(lease(kTop), nullptr);
  first().bootp = DhcpServerConfig::Bootp::kNone;
  publish();
  m.chaddr = client_mac(1);
  hear(m);
  EXPECT_TRUE(said().empty());
}

}  // namespace
}  // namespace maclane::test
