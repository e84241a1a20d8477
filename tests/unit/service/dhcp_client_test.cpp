// The DHCP client on its way to an address and with it: each state with its timers, what it sends
// and what it learned (C-15..C-20).
#include "tests/unit/service/dhcp_client_fixture.h"

namespace maclane::test {
namespace {

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
  unsigned told = 0;  // once, that the wire is silent (PAGE, troubleshooting)
  for (const auto& line : log::recent())
    told += line.message.find("no server answers") != std::string::npos ? 1 : 0;
  EXPECT_EQ(told, 1u);
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

}  // namespace
}  // namespace maclane::test
