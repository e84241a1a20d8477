// The DHCP servers: leases, what is said to which message, and two servers on a wire (C-2..C-13).
#include "control/service/dhcp_server.h"

#include "control/observe/log.h"
#include "dataplane/net/checksum.h"
#include "tests/unit/service/fake_io.h"

namespace maclane::test {
namespace {

using dhcp::Message;
using dhcp::Option;
using dhcp::Type;
using Status = DhcpBinding::Status;

constexpr IfIndex kLan = 1, kIot = 2, kAlone = 8;
constexpr uint64_t kSecond = 1000;
constexpr uint32_t kTop = ip4(192, 168, 1, 110);

class DhcpServerTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    DhcpNetworkConfig network;
    network.network = ip4(192, 168, 1, 0);
    network.length = 24;
    network.gateways = {addr(192, 168, 1, 1)};
    network.dns = {addr(192, 168, 1, 53)};
    network.domain = "lan.example";
    config.dhcp_server.networks = {network};
    config.dhcp_server.servers = {server("dhcp1", kLan)};
    publish();
    io.take();
    log::clear();
  }

  static DhcpServerConfig server(const std::string& name, IfIndex interface) {
    DhcpServerConfig one;
    one.name = name;
    one.interface = interface;
    one.ranges = {{"pool", ip4(192, 168, 1, 101), kTop}};
    one.lease_s = 600;
    return one;
  }
  DhcpServerConfig& first() { return config.dhcp_server.servers.front(); }
  [[nodiscard]] DhcpServer& servers() { return services->dhcp_server(); }

  static Message message(Type type, uint8_t who, uint32_t requested = 0, uint32_t server_id = 0) {
    Message m;
    m.xid = 0x1000u + who;
    m.chaddr = client_mac(who);
    m.set(Option::kMessageType, dhcp::Bytes{static_cast<uint8_t>(type)});
    m.set(Option::kParameterList, dhcp::Bytes{1, 3, 6, 15});
    if (requested != 0) m.set(Option::kRequestedAddress, requested);
    if (server_id != 0) m.set(Option::kServerId, server_id);
    return m;
  }
  static MacAddr client_mac(uint8_t who) { return {{0x02, 0xcc, 0, 0, 0, who}}; }

  void hear(const Message& m, IfIndex in_if = kLan, IfIndex sender = kNoIf) {
    const bool unicast = m.ciaddr != be32{} && m.giaddr == be32{};
    dhcp::FrameFields fields;
    fields.src = m.chaddr;
    fields.dst = unicast ? mac(static_cast<uint8_t>(in_if)) : kBroadcastMac;
    fields.ip_src = m.ciaddr;
    fields.ip_dst = unicast ? addr(192, 168, 1, 1) : addr(255, 255, 255, 255);
    PacketMessage punt_message;
    punt_message.reason = PuntReason::kDhcp;
    punt_message.in_if = in_if;
    punt_message.out_if = sender;
    punt_message.broadcast = !unicast;
    punt(dhcp::build_frame(fields, m), punt_message);
  }
  struct Said {
    IfIndex out_if;
    EtherHdr ether;
    Ip4Hdr ip;
    Message message;
  };
  std::vector<Said> said() {
    std::vector<Said> out;
    for (const Sent& one : io.take()) {
      const size_t at = one.message.kind == InjectKind::kFrame ? 14 : 0;
      const auto ether = at == 0 ? EtherHdr{} : one.at<EtherHdr>(0);
      if (at != 0 && ether.type.host() == kEtherArp) {
        probed_.push_back(one.arp().target_ip);
        continue;
      }
      const Bytes packet(one.bytes.begin() + static_cast<ptrdiff_t>(at), one.bytes.end());
      EXPECT_TRUE(l4_checksum_ok(packet));
      const auto m = dhcp::parse(std::span(packet).subspan(28));
      EXPECT_TRUE(m && m->op == 2);
      if (m) out.push_back({one.message.out_if, ether, one.at<Ip4Hdr>(at), *m});
    }
    return out;
  }
  Said one() {
    const auto all = said();
    EXPECT_EQ(all.size(), 1u);
    return all.empty() ? Said{} : all.back();
  }
  /// DISCOVER to ACK; the address.
  uint32_t bind(uint8_t who, IfIndex in_if = kLan) {
    hear(message(Type::kDiscover, who), in_if);
    advance(kSecond);
    const Said offer = one();
    EXPECT_EQ(offer.message.type(), Type::kOffer);
    const uint32_t address = offer.message.yiaddr.host();
    hear(message(Type::kRequest, who, address, *offer.message.number(Option::kServerId)), in_if);
    EXPECT_EQ(one().message.type(), Type::kAck);
    return address;
  }
  [[nodiscard]] const DhcpBinding* lease(uint32_t address) {
    const auto found = servers().leases().find(address);
    return found == servers().leases().end() ? nullptr : &found->second;
  }
  void answer_probe(uint32_t address) {
    ServiceTest::hear(arp_frame(2, kOtherMac, be32::from(address), mac(kLan), be32{}, mac(kLan)),
                      kLan);
  }

  std::vector<be32> probed_;
};

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

TEST_F(DhcpServerTest, LeasesAreRestored) {  // C-12
  DhcpBinding kept;
  kept.address = kTop;
  kept.server = "dhcp1";
  kept.mac = client_mac(1);
  kept.identity = DhcpLeases::identity(kept.mac, {});
  kept.status = Status::kBound;
  kept.until_ms = io.now + 300 * kSecond;
  DhcpBinding elsewhere = kept;
  elsewhere.address = ip4(10, 0, 0, 1);
  servers().restore({kept, elsewhere});
  EXPECT_EQ(servers().leases().size(), 1u) << "the other is of no pool any more";
  EXPECT_NE(bind(2), kTop);
  EXPECT_EQ(bind(1), kTop);
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
