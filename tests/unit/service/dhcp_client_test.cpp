// The DHCP client: each state with its timers, what it sends and what it learned (C-15..C-20).
#include "control/service/dhcp_client.h"

#include "control/observe/log.h"
#include "dataplane/net/checksum.h"
#include "tests/unit/service/fake_io.h"

namespace maclane::test {
namespace {

using dhcp::Message;
using dhcp::Option;
using dhcp::Type;
using ::testing::HasSubstr;

constexpr IfIndex kWan = 2, kWan2 = 3, kAlone = 8;
const MacAddr kServerMac{{0x02, 0xd0, 0, 0, 0, 1}};
constexpr uint64_t kSecond = 1000;

class DhcpClientTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    config.addresses.clear();
    publish();
    io.take();
    log::clear();
  }

  DhcpClientConfig client(IfIndex interface) {
    DhcpClientConfig one;
    one.interface = interface;
    one.interface_name = "if" + std::to_string(interface);
    one.host_name = "edge1";
    return one;
  }
  void start(std::vector<DhcpClientConfig> clients) {
    config.dhcp_clients = std::move(clients);
    publish();
  }
  [[nodiscard]] std::string status(IfIndex i = kWan) {
    const DhcpMachine* one = services->dhcp_client().find("if" + std::to_string(i));
    return one == nullptr ? "" : std::string(one->status());
  }
  [[nodiscard]] Learned learned() { return services->learned(); }

  struct Said {
    IfIndex out_if;
    EtherHdr ether;
    Ip4Hdr ip;
    Message message;
    uint8_t priority;
  };
  /// The DHCP messages sent since, their frames checked; ARP probes are counted.
  std::vector<Said> said() {
    std::vector<Said> out;
    for (const Sent& one : io.take()) {
      const auto ether = one.at<EtherHdr>(0);
      if (ether.type.host() == kEtherArp) {
        ++probes_;
        continue;
      }
      EXPECT_EQ(one.message.kind, InjectKind::kFrame);
      const Bytes packet(one.bytes.begin() + 14, one.bytes.end());
      EXPECT_TRUE(l4_checksum_ok(packet));
      const auto m = dhcp::parse(std::span(packet).subspan(28));
      EXPECT_TRUE(m);
      if (!m) continue;
      out.push_back({one.message.out_if, ether, one.at<Ip4Hdr>(14), *m, one.message.priority});
    }
    return out;
  }
  /// Lets time go on until something is said.
  Said next(uint64_t most_ms = 100 * kSecond) {
    for (uint64_t t = 0; t <= most_ms; t += 50) {
      const auto all = said();
      if (!all.empty()) return all.back();
      advance(50);
    }
    ADD_FAILURE() << "nothing was said";
    return {};
  }

  static Message reply(const Message& to, Type type, uint32_t address, uint32_t lease = 600) {
    Message m;
    m.op = 2;
    m.xid = to.xid;
    m.chaddr = to.chaddr;
    m.yiaddr = be32::from(address);
    m.set(Option::kMessageType, dhcp::Bytes{static_cast<uint8_t>(type)});
    m.set(Option::kServerId, ip4(203, 0, 113, 1));
    m.set(Option::kMask, 0xffffff00);
    m.set(Option::kRouter, ip4(203, 0, 113, 1));
    m.set(Option::kDns, ip4(203, 0, 113, 53));
    m.set(Option::kNtp, ip4(203, 0, 113, 12));
    if (lease != 0) m.set(Option::kLeaseTime, lease);
    return m;
  }
  void hear(const Message& m, IfIndex in_if = kWan, bool broadcast = false) {
    dhcp::FrameFields fields;
    fields.src = kServerMac;
    fields.dst = broadcast ? kBroadcastMac : m.chaddr;
    fields.ip_src = addr(203, 0, 113, 1);
    fields.ip_dst = broadcast ? addr(255, 255, 255, 255) : m.yiaddr;
    Bytes frame = dhcp::build_frame(fields, m);
    std::swap(frame[35], frame[37]);
    PacketMessage message;
    message.reason = PuntReason::kDhcp;
    message.in_if = in_if;
    message.broadcast = broadcast;
    punt(frame, message);
  }
  void arp(be32 sender, be32 target, const MacAddr& from, uint16_t operation = 2) {
    ServiceTest::hear(arp_frame(operation, from, sender, {}, target), 1);
  }
  /// All the way to an address.
  void bind(uint32_t address = ip4(203, 0, 113, 50), uint32_t lease = 600, IfIndex i = kWan) {
    hear(reply(next().message, Type::kOffer, address, lease), i);
    hear(reply(next().message, Type::kAck, address, lease), i);
    advance(kSecond);
    said();
    ASSERT_EQ(status(i), "bound");
    (void)services->changed();
  }

  unsigned probes_ = 0;
};

TEST_F(DhcpClientTest, DiscoverOfferRequestAckProbeBound) {
  start({client(kWan)});
  EXPECT_EQ(status(), "searching...");
  Said one = next(2 * kSecond);
  EXPECT_EQ(one.out_if, kWan);
  EXPECT_EQ(one.ether.src, mac(kWan)) << "F-13";
  EXPECT_EQ(one.ether.dst, kBroadcastMac);
  EXPECT_EQ(one.ip.src, be32{});
  EXPECT_EQ(one.ip.dst, addr(255, 255, 255, 255));
  EXPECT_EQ(one.message.type(), Type::kDiscover);
  EXPECT_EQ(one.message.chaddr, mac(kWan));
  EXPECT_EQ(one.message.text(Option::kHostName), "edge1");
  EXPECT_EQ(one.message.options.at(Option::kClientId), (dhcp::Bytes{1, 2, 0, 0, 0, 0, kWan}));
  for (const int code : {1, 3, 6, 15, 33, 42, 43, 121, 138}) {  // C-17
    EXPECT_THAT(one.message.options.at(Option::kParameterList), ::testing::Contains(code));
  }
  EXPECT_TRUE(one.message.broadcast) << "C-15: use-broadcast=both, in the first 15 s";

  hear(reply(one.message, Type::kOffer, ip4(203, 0, 113, 50)));
  one = next(0);
  EXPECT_EQ(status(), "requesting...");
  EXPECT_EQ(one.message.type(), Type::kRequest);
  EXPECT_EQ(one.message.number(Option::kRequestedAddress), ip4(203, 0, 113, 50));
  EXPECT_EQ(one.message.number(Option::kServerId), ip4(203, 0, 113, 1));
  EXPECT_EQ(one.message.ciaddr, be32{});

  hear(reply(one.message, Type::kAck, ip4(203, 0, 113, 50)));
  EXPECT_EQ(status(), "requesting...") << "it looks whether the address is free";
  EXPECT_TRUE(learned().addresses.empty());
  advance(kSecond);
  EXPECT_TRUE(said().empty());
  EXPECT_EQ(probes_, 2u);
  EXPECT_EQ(status(), "bound");
  EXPECT_TRUE(services->changed());
  EXPECT_FALSE(services->changed());
  const Learned has = learned();
  ASSERT_EQ(has.addresses.size(), 1u);
  EXPECT_EQ(has.addresses[0].interface, "if2");
  EXPECT_EQ(has.addresses[0].address, ip4(203, 0, 113, 50));
  EXPECT_EQ(has.addresses[0].length, 24);
  ASSERT_EQ(has.routes.size(), 1u);
  EXPECT_EQ(has.routes[0].gateway, "203.0.113.1%if2") << "F-7";
  EXPECT_EQ(has.routes[0].distance, 1);
  EXPECT_EQ(has.dns, (std::vector<LearnedServer>{{addr(203, 0, 113, 53), "if2"}}));
  EXPECT_EQ(has.ntp, (std::vector<LearnedServer>{{addr(203, 0, 113, 12), "if2"}}));
  EXPECT_EQ(log::recent().back().topics, "dhcp,info");
  EXPECT_EQ(log::recent().back().message, "dhcp-client on if2 got IP address 203.0.113.50");
}

TEST_F(DhcpClientTest, RetransmitsMoreAndMoreSlowly) {  // C-18
  start({client(kWan)});
  (void)next(2 * kSecond);
  uint64_t before = io.now;
  for (const uint64_t wait : {4, 8, 16, 32, 64, 64}) {
    const Said one = next(70 * kSecond);
    EXPECT_EQ(one.message.type(), Type::kDiscover);
    EXPECT_NEAR(static_cast<double>(io.now - before), static_cast<double>(wait) * 1000.0, 1100.0);
    EXPECT_EQ(one.message.broadcast, one.message.secs < 15);
    before = io.now;
  }
  EXPECT_EQ(status(), "searching...");
}

TEST_F(DhcpClientTest, ARequestWithoutAnAnswerBeginsAgain) {
  start({client(kWan)});
  hear(reply(next().message, Type::kOffer, ip4(203, 0, 113, 50)));
  unsigned requests = 0;
  for (;;) {
    const Said one = next();
    if (one.message.type() == Type::kDiscover) break;
    ++requests;
    ASSERT_LT(requests, 10u);
  }
  EXPECT_EQ(requests, 4u);
}

TEST_F(DhcpClientTest, OnlyItsOwnRepliesCount) {  // C-20
  start({client(kWan), client(kWan2)});
  Message one;
  Message two;
  for (unsigned i = 0; i < 40 && (one.xid == 0 || two.xid == 0); ++i) {
    for (const Said& s : said()) (s.out_if == kWan ? one : two) = s.message;
    advance(50);
  }
  Message wrong = reply(one, Type::kOffer, ip4(203, 0, 113, 50));
  wrong.xid += 1;
  hear(wrong, 1, true);
  wrong = reply(one, Type::kOffer, ip4(203, 0, 113, 50));
  wrong.chaddr = mac(kWan2);
  hear(wrong, 1, true);
  hear(reply(one, Type::kOffer, ip4(203, 0, 113, 50)), kAlone, true);  // of another wire
  hear(reply(one, Type::kOffer, ip4(203, 0, 113, 50)), kWan2);         // to another MAC
  hear(reply(one, Type::kAck, ip4(203, 0, 113, 50)));                  // not asked for yet
  EXPECT_TRUE(said().empty());
  // A broadcast is told once, by the wire's own interface (A-37, F-6).
  hear(reply(two, Type::kOffer, ip4(203, 0, 113, 51)), 1, true);
  const auto sent = said();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].out_if, kWan2);
  EXPECT_EQ(status(kWan), "searching...");
  EXPECT_EQ(status(kWan2), "requesting...");
  // Of two servers the chosen one decides.
  Message other = reply(sent[0].message, Type::kNak, 0);
  other.set(Option::kServerId, ip4(203, 0, 113, 2));
  hear(other, kWan2);
  EXPECT_EQ(status(kWan2), "requesting...");
}

TEST_F(DhcpClientTest, RenewsByUnicastThenRebindsThenLosesIt) {
  start({client(kWan)});
  bind(ip4(203, 0, 113, 50), 1000);
  const uint64_t bound_at = io.now;
  Said one = next(600 * kSecond);
  EXPECT_NEAR(static_cast<double>(io.now - bound_at), 500e3, 2e3) << "T1 is half";
  EXPECT_EQ(status(), "renewing...");
  EXPECT_EQ(one.ether.dst, kServerMac) << "past every route";
  EXPECT_EQ(one.ip.src, addr(203, 0, 113, 50));
  EXPECT_EQ(one.ip.dst, addr(203, 0, 113, 1));
  EXPECT_EQ(one.message.ciaddr, addr(203, 0, 113, 50));
  EXPECT_FALSE(one.message.number(Option::kServerId));
  EXPECT_FALSE(one.message.number(Option::kRequestedAddress));
  EXPECT_FALSE(one.message.broadcast);
  // Half of what is left to T2, and at least a minute.
  uint64_t before = io.now;
  one = next(600 * kSecond);
  EXPECT_NEAR(static_cast<double>(io.now - before), 187e3, 2e3);
  EXPECT_EQ(one.ether.dst, kServerMac);
  while (one.ether.dst == kServerMac) one = next(600 * kSecond);
  EXPECT_NEAR(static_cast<double>(io.now - bound_at), 875e3, 2e3) << "T2 is 7/8";
  EXPECT_EQ(status(), "rebinding...");
  EXPECT_EQ(one.ip.dst, addr(255, 255, 255, 255));
  EXPECT_EQ(one.message.ciaddr, addr(203, 0, 113, 50));
  EXPECT_EQ(learned().addresses.size(), 1u) << "still in use";
  while (one.message.type() == Type::kRequest) one = next(600 * kSecond);
  EXPECT_NEAR(static_cast<double>(io.now - bound_at), 1000e3, 2e3);
  EXPECT_EQ(one.message.type(), Type::kDiscover);
  EXPECT_EQ(one.message.number(Option::kRequestedAddress), ip4(203, 0, 113, 50));
  EXPECT_TRUE(services->changed());
  EXPECT_TRUE(learned().addresses.empty());
  EXPECT_TRUE(learned().routes.empty());
  EXPECT_TRUE(learned().dns.empty());
  EXPECT_EQ(log::recent().back().message,
            "dhcp-client on if2 lost IP address 203.0.113.50 - lease expired");
}

TEST_F(DhcpClientTest, ARenewalGoesOnAndTheServersTimesCount) {
  start({client(kWan)});
  bind(ip4(203, 0, 113, 50), 1000);
  const Said one = next(600 * kSecond);
  Message ack = reply(one.message, Type::kAck, ip4(203, 0, 113, 50), 4000);
  ack.set(Option::kRenewalTime, 100);
  ack.set(Option::kRebindingTime, 200);
  probes_ = 0;
  hear(ack);
  EXPECT_EQ(status(), "bound");
  const uint64_t at = io.now;
  (void)next(600 * kSecond);
  EXPECT_NEAR(static_cast<double>(io.now - at), 100e3, 2e3);
  EXPECT_EQ(probes_, 0u) << "an address in use is not probed";
}

TEST_F(DhcpClientTest, ARefusedRenewalLosesTheAddressAtOnce) {
  start({client(kWan)});
  bind();
  const Said one = next(600 * kSecond);
  Message nak = reply(one.message, Type::kNak, 0, 0);
  nak.set(Option::kMessage, dhcp::Bytes{'n', 'o'});
  hear(nak, 1, true);
  EXPECT_TRUE(learned().addresses.empty());
  EXPECT_EQ(log::recent().back().message,
            "dhcp-client on if2 lost IP address 203.0.113.50 - refused by the server: no");
  EXPECT_EQ(next(11 * kSecond).message.type(), Type::kDiscover);
}

TEST_F(DhcpClientTest, AnAddressInUseIsDeclined) {  // C-18
  start({client(kWan)});
  hear(reply(next().message, Type::kOffer, ip4(203, 0, 113, 50)));
  hear(reply(next().message, Type::kAck, ip4(203, 0, 113, 50)));
  said();
  arp(addr(203, 0, 113, 51), addr(203, 0, 113, 50), kPeerMac);   // somebody else's
  arp(addr(203, 0, 113, 50), addr(203, 0, 113, 50), mac(kWan));  // our own, reflected
  EXPECT_TRUE(said().empty());
  arp(addr(203, 0, 113, 50), be32{}, kPeerMac);
  Said one = next(0);
  EXPECT_EQ(one.message.type(), Type::kDecline);
  EXPECT_EQ(one.message.number(Option::kRequestedAddress), ip4(203, 0, 113, 50));
  EXPECT_EQ(one.message.number(Option::kServerId), ip4(203, 0, 113, 1));
  EXPECT_EQ(one.ip.dst, addr(255, 255, 255, 255));
  EXPECT_EQ(log::recent().back().message,
            "dhcp-client on if2: declined 203.0.113.50: 02:AA:00:00:00:01 has it");
  advance(9 * kSecond);
  EXPECT_TRUE(said().empty()) << "at least 10 s of silence";
  one = next(5 * kSecond);
  EXPECT_EQ(one.message.type(), Type::kDiscover);
  EXPECT_FALSE(one.message.number(Option::kRequestedAddress));
}

TEST_F(DhcpClientTest, ATwinThatProbesAtTheSameTimeIsAConflict) {  // RFC 5227 2.1.1
  start({client(kWan)});
  hear(reply(next().message, Type::kOffer, ip4(203, 0, 113, 50)));
  hear(reply(next().message, Type::kAck, ip4(203, 0, 113, 50)));
  said();
  arp(be32{}, addr(203, 0, 113, 50), kOtherMac, 1);
  EXPECT_EQ(next(0).message.type(), Type::kDecline);
}

TEST_F(DhcpClientTest, ALinkThatComesBackKeepsTheAddressAndAsks) {  // INIT-REBOOT, F-29
  start({client(kWan)});
  bind();
  io.published.interfaces[kWan].up = false;
  publish();
  EXPECT_EQ(status(), "stopped");
  EXPECT_EQ(learned().addresses.size(), 1u);
  advance(20 * kSecond);
  EXPECT_TRUE(said().empty()) << "nothing is sent while it is down";
  io.published.interfaces[kWan].up = true;
  publish();
  Said one = next(2 * kSecond);
  EXPECT_EQ(one.message.type(), Type::kRequest);
  EXPECT_EQ(one.message.number(Option::kRequestedAddress), ip4(203, 0, 113, 50));
  EXPECT_FALSE(one.message.number(Option::kServerId));
  EXPECT_EQ(one.message.ciaddr, be32{});
  EXPECT_EQ(status(), "rebinding...");
  hear(reply(one.message, Type::kAck, ip4(203, 0, 113, 50)));
  EXPECT_EQ(status(), "bound");
  // A server that is silent leaves it the rest of its lease (RFC 2131 3.2).
  io.published.interfaces[kWan].up = false;
  publish();
  io.published.interfaces[kWan].up = true;
  publish();
  advance(20 * kSecond);
  EXPECT_EQ(status(), "bound");
  EXPECT_EQ(said().size(), 2u);
  // In another network now.
  io.published.interfaces[kWan].up = false;
  publish();
  io.published.interfaces[kWan].up = true;
  publish();
  one = next(2 * kSecond);
  hear(reply(one.message, Type::kNak, 0, 0), 1, true);
  EXPECT_TRUE(learned().addresses.empty());
  EXPECT_EQ(next(kSecond).message.type(), Type::kDiscover);
}

TEST_F(DhcpClientTest, ALeaseEndsAlsoWhileTheLinkIsDown) {
  start({client(kWan)});
  bind(ip4(203, 0, 113, 50), 100);
  io.published.interfaces[kWan].up = false;
  publish();
  advance(101 * kSecond);
  EXPECT_TRUE(learned().addresses.empty());
  EXPECT_TRUE(services->changed());
  EXPECT_EQ(status(), "stopped");
}

TEST_F(DhcpClientTest, WhatIsKeptIsAskedForAfterARestart) {
  KeptAddresses kept;
  services->dhcp_client().on_save([&](const KeptAddresses& now) { kept = now; });
  start({client(kWan), client(kWan2)});
  while (status(kWan) != "bound") {
    const Said one = next();
    if (one.out_if == kWan)
      hear(reply(one.message, one.message.type() == Type::kDiscover ? Type::kOffer : Type::kAck,
                 ip4(203, 0, 113, 50)));
    advance(600);
  }
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept["if2"], (KeptAddress{addr(203, 0, 113, 50), mac(kWan)}));
  kept["if8"] = {addr(10, 0, 0, 1), mac(77)};  // its MAC address was another

  services = std::make_unique<Services>(
      io, [](IfIndex i) { return "if" + std::to_string(i); }, 9);
  services->dhcp_client().restore(kept);
  io.take();
  start({client(kWan), client(kAlone)});
  bool rebooted = false;
  for (unsigned i = 0; i < 40; ++i) {
    for (const Said& one : said()) {
      EXPECT_EQ(one.message.type(), one.out_if == kWan ? Type::kRequest : Type::kDiscover);
      if (one.out_if != kWan) continue;
      EXPECT_EQ(one.message.number(Option::kRequestedAddress), ip4(203, 0, 113, 50));
      if (!rebooted) hear(reply(one.message, Type::kAck, ip4(203, 0, 113, 50)));
      rebooted = true;
    }
    advance(50);
  }
  EXPECT_EQ(status(), "bound");
}

TEST_F(DhcpClientTest, CommandsRenewAndRelease) {  // C-16
  start({client(kWan)});
  bind();
  EXPECT_FALSE(services->dhcp_client().renew("if4"));
  EXPECT_TRUE(services->dhcp_client().renew("if2"));
  Said one = next(0);
  EXPECT_EQ(one.message.type(), Type::kRequest);
  EXPECT_EQ(one.ether.dst, kServerMac);
  hear(reply(one.message, Type::kAck, ip4(203, 0, 113, 50)));
  EXPECT_EQ(status(), "bound");

  EXPECT_TRUE(services->dhcp_client().release("if2"));
  one = next(0);
  EXPECT_EQ(one.message.type(), Type::kRelease);
  EXPECT_EQ(one.ether.dst, kServerMac);
  EXPECT_EQ(one.message.ciaddr, addr(203, 0, 113, 50));
  EXPECT_EQ(one.message.number(Option::kServerId), ip4(203, 0, 113, 1));
  EXPECT_FALSE(one.message.number(Option::kRequestedAddress));
  EXPECT_TRUE(learned().addresses.empty());
  EXPECT_EQ(next(2 * kSecond).message.type(), Type::kDiscover);
}

TEST_F(DhcpClientTest, WhoIsDisabledReleases) {
  start({client(kWan)});
  bind();
  start({});
  EXPECT_EQ(next(0).message.type(), Type::kRelease);
  EXPECT_TRUE(services->changed());
  EXPECT_EQ(status(), "");
  EXPECT_EQ(services->dhcp_client().next_deadline(), kNever);
}

TEST_F(DhcpClientTest, AnotherMacIsAnotherClient) {
  start({client(kWan)});
  bind();
  io.published.interfaces[kWan].mac = mac(99);
  publish();
  EXPECT_TRUE(learned().addresses.empty());
  said();
  const Said one = next(2 * kSecond);
  EXPECT_EQ(one.message.type(), Type::kDiscover);
  EXPECT_EQ(one.message.chaddr, mac(99));
  EXPECT_FALSE(one.message.number(Option::kRequestedAddress));
}

TEST_F(DhcpClientTest, ItsPropertiesDoWhatTheySay) {  // C-15
  DhcpClientConfig one = client(kWan);
  one.host_name = "";
  one.client_id = DhcpClientConfig::ClientId::kDuid;
  one.broadcast = DhcpClientConfig::Broadcast::kNever;
  one.dscp = 46;
  one.vlan_priority = 5;
  one.distance = 7;
  one.use_peer_dns = one.use_peer_ntp = false;
  start({one});
  const Said first = next(2 * kSecond);
  EXPECT_EQ(first.ip.tos, 46 << 2);
  EXPECT_EQ(first.priority, 5);
  EXPECT_FALSE(first.message.broadcast);
  EXPECT_FALSE(first.message.options.contains(Option::kHostName));
  EXPECT_EQ(first.message.options.at(Option::kClientId),
            (dhcp::Bytes{0xff, 0, 0, 0, kWan, 0, 3, 0, 1, 2, 0, 0, 0, 0, kWan}));
  hear(reply(first.message, Type::kOffer, ip4(203, 0, 113, 50)));
  hear(reply(next().message, Type::kAck, ip4(203, 0, 113, 50)));
  advance(kSecond);
  EXPECT_TRUE(learned().dns.empty());
  EXPECT_TRUE(learned().ntp.empty());
  ASSERT_EQ(learned().routes.size(), 1u);
  EXPECT_EQ(learned().routes[0].distance, 7);
  // A change of what is done with a lease asks for a new snapshot, not for a new lease.
  one.default_route = DhcpClientConfig::DefaultRoute::kNo;
  one.use_peer_dns = true;
  (void)services->changed();
  start({one});
  EXPECT_TRUE(services->changed());
  EXPECT_EQ(status(), "bound");
  EXPECT_TRUE(learned().routes.empty());
  EXPECT_EQ(learned().dns.size(), 1u);
}

TEST_F(DhcpClientTest, ClasslessRoutesStandInForTheGateway) {  // C-17, RFC 3442
  DhcpClientConfig one = client(kWan);
  start({one});
  hear(reply(next().message, Type::kOffer, ip4(203, 0, 113, 50)));
  Message ack = reply(next().message, Type::kAck, ip4(203, 0, 113, 50));
  ack.set(Option::kClasslessRoutes,
          dhcp::Bytes{24, 198, 51, 100, 203, 0, 113, 9, 32, 10, 1, 2, 3, 0, 0, 0, 0});
  ack.set(Option::kClasslessRoutesMs, dhcp::Bytes{8, 10, 203, 0, 113, 1});
  hear(ack);
  advance(kSecond);
  auto routes = learned().routes;
  ASSERT_EQ(routes.size(), 2u);
  EXPECT_EQ(routes[0].network, ip4(198, 51, 100, 0));
  EXPECT_EQ(routes[0].gateway, "203.0.113.9%if2");
  EXPECT_EQ(routes[1].gateway, "if2") << "on the link";
  one.default_route = DhcpClientConfig::DefaultRoute::kSpecialClassless;
  start({one});
  routes = learned().routes;
  ASSERT_EQ(routes.size(), 3u);
  EXPECT_EQ(routes[2].length, 0);
  EXPECT_EQ(routes[2].gateway, "203.0.113.1%if2");
}

TEST(DhcpLease, OfAnAckThatMakesNoSenseThereIsNone) {
  dhcp::Heard ack;
  std::string why;
  const auto wrong = [&](auto&& change) {
    ack.message = Message{};
    ack.message.yiaddr = addr(203, 0, 113, 50);
    ack.message.set(Option::kServerId, ip4(203, 0, 113, 1));
    ack.message.set(Option::kLeaseTime, 600);
    change(ack.message);
    return !lease_of(ack, 0, &why).has_value();
  };
  EXPECT_FALSE(wrong([](Message&) {}));
  EXPECT_TRUE(wrong([](Message& m) { m.yiaddr = be32{}; }));
  EXPECT_TRUE(wrong([](Message& m) { m.yiaddr = addr(224, 0, 0, 1); }));
  EXPECT_TRUE(wrong([](Message& m) { m.options.erase(Option::kServerId); }));
  EXPECT_TRUE(wrong([](Message& m) { m.options.erase(Option::kLeaseTime); }));
  EXPECT_THAT(why, HasSubstr("lease time"));
  EXPECT_TRUE(wrong([](Message& m) { m.set(Option::kLeaseTime, uint32_t{0}); }));
  EXPECT_TRUE(wrong([](Message& m) { m.set(Option::kMask, 0xff00ff00); }));
  EXPECT_TRUE(wrong([](Message& m) { m.set(Option::kMask, uint32_t{0}); }));
  // Without a mask the class decides; for ever is for ever; times that contradict are the usual.
  EXPECT_FALSE(wrong([](Message& m) {
    m.set(Option::kLeaseTime, dhcp::kInfinite);
    m.set(Option::kRenewalTime, 9);
  }));
  const auto for_ever = lease_of(ack, 0, &why);
  EXPECT_EQ(for_ever->length, 24);
  EXPECT_EQ(for_ever->end_ms, kNever);
  EXPECT_FALSE(wrong([](Message& m) {
    m.set(Option::kRenewalTime, 9000);
    m.set(Option::kRebindingTime, 8000);
  }));
  const auto usual = lease_of(ack, 5, &why);
  EXPECT_EQ(usual->t1_ms, 300'005u);
  EXPECT_EQ(usual->t2_ms, 525'005u);
}

}  // namespace
}  // namespace maclane::test
