// ICMP redirects to the router: whose word counts, for how long, and how many (RFC 1122 3.2.2.2).
#include <random>

#include "dataplane/net/checksum.h"
#include "tests/unit/service/fake_io.h"

namespace maclane::test {
namespace {

const be32 kRouter = addr(10, 1, 0, 1), kFirst = addr(10, 1, 0, 9), kNearer = addr(10, 1, 0, 20);
const be32 kServer = addr(198, 51, 100, 7);

struct Redirect {
  be32 from = kFirst, to = kRouter, gateway = kNearer;
  be32 quoted_src = kRouter, quoted_dst = kServer;
  uint8_t code = 1;
  bool related = true, broadcast = false;
  IfIndex in_if = kAlone;
};

class RedirectsTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    Snapshot& s = io.published;
    const auto gateway = [](be32 address) {
      return NextHop{.kind = NextHop::Kind::kGateway, .out_if = kAlone, .gateway = address};
    };
    s.next_hops = {NextHop{},
                   {.kind = NextHop::Kind::kConnected, .out_if = kAlone},
                   {.kind = NextHop::Kind::kLocal, .out_if = kAlone},
                   {.kind = NextHop::Kind::kBroadcast, .out_if = kAlone},
                   gateway(kFirst),
                   gateway(kNearer)};
    routes_ = {{0, 0, 4},
               {ip4(10, 1, 0, 0), 24, 1},
               {ip4(10, 1, 0, 1), 32, 2},
               {ip4(10, 1, 0, 255), 32, 3},
               {ip4(203, 0, 113, 0), 24, 5}};
    build();
    config.accept_redirects = true;
    publish();
  }
  void build() {
    std::string error;
    io.published.fib = Fib4::build(routes_, &error, true);
    ASSERT_NE(io.published.fib, nullptr) << error;
  }
  static Bytes packet_of(const Redirect& r, size_t quoted = 28) {
    Bytes icmp(8);
    icmp[0] = kIcmpRedirect;
    icmp[1] = r.code;
    std::memcpy(icmp.data() + 4, &r.gateway.raw, 4);
    const Bytes about = udp(r.quoted_src, r.quoted_dst);
    icmp.insert(icmp.end(), about.begin(), about.begin() + static_cast<ptrdiff_t>(quoted));
    const uint16_t sum = checksum(icmp.data(), icmp.size());
    std::memcpy(icmp.data() + 2, &sum, 2);
    return ip_packet(r.from, r.to, kProtoIcmp, icmp);
  }
  void tell(const Redirect& r, size_t quoted = 28) {
    PacketMessage m;
    m.reason = PuntReason::kLocal;
    m.in_if = r.in_if;
    m.related = r.related;
    m.broadcast = r.broadcast;
    punt(packet_of(r, quoted), m);
  }
  [[nodiscard]] std::vector<LearnedRedirect> learned() const {
    return services->learned().redirects;
  }
  /// The compiler takes up what was learned, and the snapshot has it.
  void take_up() {
    config.redirected.clear();
    for (const LearnedRedirect& one : learned()) {
      config.redirected.push_back(one.destination);
      routes_.push_back({one.destination, 32, 5});
    }
    build();
    publish();
  }
  std::vector<Fib4Route> routes_;
};

TEST_F(RedirectsTest, AGatewayTellsOfANearerOne) {
  tell({});
  ASSERT_EQ(learned().size(), 1u);
  EXPECT_EQ(learned()[0].destination, kServer.host());
  EXPECT_EQ(learned()[0].told_by, kFirst.host());
  EXPECT_EQ(learned()[0].gateway, kNearer.host());
  EXPECT_EQ(learned()[0].interface, "if8");
  EXPECT_TRUE(services->changed());
  EXPECT_FALSE(services->changed());
  for (const uint8_t code : Bytes{0, 2, 3}) {
    const be32 other = addr(198, 51, 100, 10u + code);
    tell({.quoted_dst = other, .code = code});
    EXPECT_EQ(learned().back().destination, other.host()) << unsigned{code};
  }
}

TEST_F(RedirectsTest, WhoseWordCountsForNothing) {
  const Redirect wrong[] = {
      {.from = addr(10, 1, 0, 10)},          // not the gateway of the destination
      {.from = kNearer, .gateway = kFirst},  // a gateway, but not of this one
      {.in_if = 1},                          // by another interface
      {.gateway = addr(192, 168, 1, 50)},    // not on the interface's networks
      {.gateway = addr(198, 51, 100, 1)},    // behind a gateway itself
      {.gateway = kRouter},                  // the router's own address
      {.gateway = addr(10, 1, 0, 255)},      // a broadcast address
      {.gateway = kFirst},                   // what it is now
      {.gateway = addr(10, 1, 0, 30)},       // no gateway of any route
      {.code = 4},                           // no such code
      {.to = addr(10, 1, 0, 1), .quoted_src = addr(192, 168, 1, 1)},  // of another of our addresses
      {.quoted_src = kHost},                                          // not ours
      {.quoted_dst = addr(10, 1, 0, 77)},                             // goes by no gateway
      {.quoted_dst = kRouter},
      {.related = false},  // of no connection
      {.broadcast = true},
  };
  for (size_t i = 0; i < std::size(wrong); ++i) {
    tell(wrong[i]);
    EXPECT_TRUE(learned().empty()) << i;
  }
  for (size_t quoted = 0; quoted < 20; ++quoted) tell({}, quoted);
  EXPECT_TRUE(learned().empty());
  config.accept_redirects = false;
  publish();
  tell({});
  EXPECT_TRUE(learned().empty()) << "the default";
  EXPECT_FALSE(services->changed());
}

TEST_F(RedirectsTest, AnyNeighbourMayBeNamedWhereThatIsAllowed) {
  config.secure_redirects = false;
  publish();
  tell({.gateway = addr(10, 1, 0, 30)});
  ASSERT_EQ(learned().size(), 1u);
  EXPECT_EQ(learned()[0].gateway, ip4(10, 1, 0, 30));
}

TEST_F(RedirectsTest, WhereNothingIsTrackedNoConnectionIsAskedFor) {
  io.published.tracking = false;
  publish();
  tell({.related = false});
  EXPECT_EQ(learned().size(), 1u);
}

TEST_F(RedirectsTest, FiveMinutesFromTheLastOne) {
  tell({});
  EXPECT_TRUE(services->changed());
  advance(200'000);
  tell({});  // before it was taken up
  take_up();
  EXPECT_FALSE(services->changed()) << "no news";
  advance(299'000);
  EXPECT_EQ(learned().size(), 1u);
  advance(1'000);
  EXPECT_TRUE(learned().empty());
  EXPECT_TRUE(services->changed());
}

TEST_F(RedirectsTest, TheNewGatewayMayTellOfAnotherOrOfTheOldOne) {
  tell({});
  take_up();
  config.secure_redirects = false;
  publish();
  tell({.gateway = addr(10, 1, 0, 31)});
  ASSERT_EQ(learned().size(), 1u);
  EXPECT_EQ(learned()[0].gateway, kNearer.host()) << "the first gateway is asked no more";
  tell({.from = kNearer, .gateway = addr(10, 1, 0, 30)});
  ASSERT_EQ(learned().size(), 1u);
  EXPECT_EQ(learned()[0].gateway, ip4(10, 1, 0, 30));
  EXPECT_EQ(learned()[0].told_by, kFirst.host()) << "the route below is the same";
  tell({.from = kNearer, .gateway = kFirst});
  EXPECT_TRUE(learned().empty()) << "back to what the route says";
}

TEST_F(RedirectsTest, WhatNoRouteBearsIsForgotten) {
  tell({});
  take_up();
  EXPECT_EQ(learned().size(), 1u);
  config.redirected.clear();
  publish();
  EXPECT_TRUE(learned().empty());
}

TEST_F(RedirectsTest, GarbageIsNoRedirect) {
  std::mt19937 random{7};
  config.secure_redirects = false;
  publish();
  PacketMessage m;
  m.reason = PuntReason::kLocal;
  m.in_if = kAlone;
  m.related = true;
  for (int i = 0; i < 20'000; ++i) {
    Bytes packet = packet_of({}, random() % 29);
    for (unsigned n = random() % 4; n > 0; --n)
      packet[20 + random() % (packet.size() - 20)] = static_cast<uint8_t>(random());
    packet[22] = packet[23] = 0;
    const uint16_t sum = checksum(packet.data() + 20, packet.size() - 20);
    std::memcpy(packet.data() + 22, &sum, 2);
    punt(packet, m);
    io.take();
    if (i % 100 == 0) advance(Redirects::kGapMs);
  }
  ASSERT_FALSE(learned().empty());
  for (const LearnedRedirect& one : learned()) {
    EXPECT_EQ(one.told_by, kFirst.host());
    EXPECT_EQ(one.gateway >> 8, kNearer.host() >> 8);
    EXPECT_NE(one.destination >> 8, kNearer.host() >> 8);
  }
}

TEST_F(RedirectsTest, SoManyAndNoMore) {
  const auto nth = [](unsigned n) { return addr(198, 51, n / 200, 1 + n % 200); };
  for (unsigned n = 0; n < 100; ++n) tell({.quoted_dst = nth(n)});
  EXPECT_EQ(learned().size(), Redirects::kNewsPerGap) << "at once";
  EXPECT_TRUE(services->changed());
  advance(Redirects::kGapMs / 2);
  tell({.quoted_dst = nth(0)});
  EXPECT_FALSE(services->changed());
  for (unsigned n = 0; n < 600; ++n) {
    if (n % Redirects::kNewsPerGap == 0) advance(Redirects::kGapMs);
    tell({.quoted_dst = nth(n)});
    ASSERT_LE(learned().size(), Redirects::kMost);
  }
  EXPECT_TRUE(services->changed());
  EXPECT_FALSE(services->changed());
  EXPECT_EQ(learned().size(), Redirects::kMost);
  std::vector<uint32_t> kept;
  for (const LearnedRedirect& one : learned()) kept.push_back(one.destination);
  EXPECT_THAT(kept, ::testing::Contains(nth(599).host()));
  EXPECT_THAT(kept, ::testing::Not(::testing::Contains(nth(1).host()))) << "the oldest went";
}

}  // namespace
}  // namespace maclane::test
