// The DHCP client over links that come and go, restarts, commands and changes of its row
// (C-15..C-18).
#include "tests/unit/service/dhcp_client_fixture.h"

namespace maclane::test {
namespace {

using ::testing::HasSubstr;

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

TEST_F(DhcpClientTest, AnotherWireIsAskedAnew) {  // C-20
  start({client(kWan)});
  bind(ip4(203, 0, 113, 50));
  said();
  io.published.interfaces[kWan].parent = kAlone;
  publish();
  EXPECT_TRUE(learned().addresses.empty());
  const Said one = next(kSecond);
  EXPECT_EQ(one.message.type(), Type::kDiscover) << "and nothing is said to the server of before";
  EXPECT_FALSE(one.message.number(Option::kRequestedAddress));
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

TEST_F(DhcpClientTest, AShortLeaseIsNotRenewedAsFastAsTheServerAnswers) {  // RFC 2131 4.4.5
  for (const uint32_t lease : {1u, 2u, 3u}) {
    start({client(kWan)});
    constexpr uint64_t kStep = 50, kFor = 20 * kSecond;
    unsigned requests = 0, without = 0;
    bool bound = false;
    for (uint64_t t = 0; t < kFor; t += kStep) {
      for (const Said& one : said()) {
        const bool discover = one.message.type() == Type::kDiscover;
        if (!discover) ++requests;
        hear(reply(one.message, discover ? Type::kOffer : Type::kAck, ip4(203, 0, 113, 50), lease));
      }
      advance(kStep);
      bound |= !learned().addresses.empty();
      if (bound && learned().addresses.empty()) ++without;
    }
    EXPECT_TRUE(bound);
    EXPECT_EQ(without, 0u) << lease << " s: the server answers, so the address stays";
    EXPECT_GE(requests, 5u) << lease << " s: it is renewed";
    // One that is over after a second has to be renewed within it.
    const uint64_t most = lease == 1 ? kFor * 4 / 3 : kFor;
    EXPECT_LE(requests, most / kSecond + 1) << lease << " s: about once a second at most";
    start({});
    said();
  }
}

TEST_F(DhcpClientTest, ANewNameKeepsTheLease) {  // C-18
  KeptAddresses kept;
  services->dhcp_client().on_save([&](const KeptAddresses& now) { kept = now; });
  start({client(kWan)});
  bind();
  ASSERT_TRUE(kept.contains("if2"));
  log::clear();
  services->rename({{"if2", "uplink"}});
  DhcpClientConfig one = client(kWan);
  one.interface_name = "uplink";
  start({one});
  EXPECT_TRUE(said().empty());
  EXPECT_TRUE(log::recent().empty());
  ASSERT_EQ(learned().addresses.size(), 1u);
  EXPECT_EQ(learned().addresses[0].interface, "uplink");
  EXPECT_TRUE(kept.contains("uplink") && !kept.contains("if2"));
  EXPECT_NE(services->dhcp_client().find("uplink"), nullptr);
}

// RFC 2131 3.1.5, 4.4.4: what cannot be used is declined, and another one is asked for.
TEST_F(DhcpClientTest, AnAddressThatCannotBeUsedIsDeclined) {
  config.own_addresses = {addr(203, 0, 113, 77)};
  struct Case {
    uint32_t address;
    std::string why;
  };
  for (const Case& c :
       {Case{ip4(203, 0, 113, 0), "it is the network address of 203.0.113.0/24"},
        Case{ip4(203, 0, 113, 255), "it is the broadcast address of 203.0.113.0/24"},
        Case{ip4(203, 0, 113, 77), "it is the router's own, a row of /ip/address"}}) {
    start({client(kWan)});
    log::clear();
    probes_ = 0;
    hear(reply(next().message, Type::kOffer, c.address));
    hear(reply(next().message, Type::kAck, c.address));
    const auto sent = said();
    ASSERT_EQ(sent.size(), 1u) << c.why;
    EXPECT_EQ(sent[0].message.type(), Type::kDecline);
    EXPECT_EQ(sent[0].message.number(Option::kRequestedAddress), c.address);
    EXPECT_EQ(probes_, 0u);
    EXPECT_TRUE(learned().addresses.empty());
    ASSERT_EQ(log::recent().size(), 1u);
    EXPECT_NE(log::recent().front().message.find(c.why), std::string::npos)
        << log::recent().front().message;
    // It begins again, and takes one that is good.
    bind(ip4(203, 0, 113, 50));
    start({});
    said();
  }
  // Both addresses of a /31 are hosts' (RFC 3021).
  start({client(kWan)});
  for (const Type type : {Type::kOffer, Type::kAck}) {
    Message m = reply(next().message, type, ip4(203, 0, 113, 51));
    m.set(Option::kMask, 0xfffffffe);
    hear(m);
  }
  advance(kSecond);
  EXPECT_EQ(status(), "bound");
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
