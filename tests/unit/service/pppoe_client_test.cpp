// The PPPoE client: discovery with its tags, whose frames are whose, redial, good-byes, scan
// (C-21..C-29).
#include "tests/unit/service/pppoe_client_fixture.h"

namespace maclane::test {
namespace {

using ::testing::HasSubstr;

TEST_F(PppoeClientTest, DiscoveryEchoesWhatItMust) {  // C-23
  PppoeClientConfig one = client("out1", kLower);
  one.service_name = "internet";
  one.host_uniq = {0xab, 0xcd};
  start({one});
  const Said padi = next(pppoe::kPadi, 2 * kSecond);
  EXPECT_EQ(padi.out_if, kLower);
  EXPECT_EQ(padi.discovery.dst, kBroadcastMac);
  EXPECT_EQ(padi.discovery.session, 0);
  EXPECT_EQ(*padi.discovery.find(Tag::kServiceName), bytes("internet"));
  EXPECT_EQ(*padi.discovery.find(Tag::kHostUniq), (pppoe::Bytes{0xab, 0xcd}));
  EXPECT_EQ(padi.discovery.find(Tag::kPppMaxPayload), nullptr);
  EXPECT_EQ(status().status, "dialing...");

  Discovery pado = answer(padi, pppoe::kPado);
  pado.tags.push_back({Tag::kAcCookie, bytes("cookie")});
  pado.tags.push_back({Tag::kRelaySessionId, bytes("relay")});
  hear(pppoe::build(pado));
  const Said padr = next(pppoe::kPadr, 0);
  EXPECT_EQ(padr.discovery.dst, kAc);
  EXPECT_EQ(*padr.discovery.find(Tag::kAcCookie), bytes("cookie"));
  EXPECT_EQ(*padr.discovery.find(Tag::kRelaySessionId), bytes("relay"));
  EXPECT_EQ(*padr.discovery.find(Tag::kHostUniq), (pppoe::Bytes{0xab, 0xcd}));
  EXPECT_EQ(*padr.discovery.find(Tag::kServiceName), bytes("internet"));
}

TEST_F(PppoeClientTest, TheOfferThatFitsIsTaken) {
  PppoeClientConfig one = client("out1", kLower);
  one.service_name = "internet";
  one.ac_name = "ac2";
  start({one});
  const Said padi = next(pppoe::kPadi);
  hear(pppoe::build(answer(padi, pppoe::kPado)));  // another name
  Discovery other = answer(padi, pppoe::kPado, 0, "ac2");
  other.tags[0].value = bytes("tv");  // another service
  hear(pppoe::build(other));
  Discovery stranger = answer(padi, pppoe::kPado, 0, "ac2");
  stranger.tags[2].value = {1};  // somebody else's Host-Uniq
  hear(pppoe::build(stranger));
  hear(pppoe::build(answer(padi, pppoe::kPado, 0, "ac2")), kLower2);  // not here
  EXPECT_TRUE(said().empty());
  Discovery sorry = answer(padi, pppoe::kPado, 0, "ac2");
  sorry.tags.push_back({Tag::kServiceNameError, bytes("not today")});
  hear(pppoe::build(sorry));
  EXPECT_TRUE(said().empty());
  EXPECT_EQ(status().last_error, "service name error: not today");
  hear(pppoe::build(answer(padi, pppoe::kPado, 0, "ac2")));
  EXPECT_EQ(next(pppoe::kPadr, 0).discovery.dst, kAc);
}

// What is offered and not taken is said in the place of silence (PAGE, troubleshooting).
TEST_F(PppoeClientTest, OffersThatDoNotFitAreTold) {
  for (const auto& [service, ac, said] :
       {std::tuple{"internet", "ac2",
                   "the access concentrator \"ac1\" answers, which is not ac-name"},
        std::tuple{"tv", "", "the access concentrator \"ac1\" has no service \"tv\""}}) {
    PppoeClientConfig one = client("out1", kLower);
    one.service_name = service;
    one.ac_name = ac;
    start({one});
    Discovery offer = answer(next(pppoe::kPadi), pppoe::kPado);
    offer.tags[0].value = bytes("internet");
    hear(pppoe::build(offer));
    (void)next(pppoe::kPadi, 20 * kSecond);
    (void)next(pppoe::kPadi, 20 * kSecond);
    EXPECT_EQ(status().last_error, said);
    EXPECT_EQ(log::recent().back().message, std::string("out1: ") + said);
    start({});
  }
}

// An offer that answers none of our PADIs is not taken, and said in the place of silence.
TEST_F(PppoeClientTest, AnOfferWithAnotherHostUniqIsTold) {
  start({client("out1", kLower)});
  Discovery pado = answer(next(pppoe::kPadi), pppoe::kPado);
  pado.tags.back().value = {1, 2, 3};
  hear(pppoe::build(pado));
  EXPECT_TRUE(said().empty());
  (void)next(pppoe::kPadi, 20 * kSecond);
  (void)next(pppoe::kPadi, 20 * kSecond);
  EXPECT_EQ(status().last_error,
            "the access concentrator \"ac1\" answers, but not with our Host-Uniq");
}

TEST_F(PppoeClientTest, PadiIsRepeatedMoreAndMoreSlowly) {
  start({client("out1", kLower)});
  (void)next(pppoe::kPadi);
  uint64_t before = io.now;
  for (const uint64_t wait : {2, 4, 8, 16, 32, 32}) {
    (void)next(pppoe::kPadi);
    EXPECT_NEAR(static_cast<double>(io.now - before), static_cast<double>(wait) * 1000.0, 100.0);
    before = io.now;
  }
  EXPECT_EQ(status().last_error, "no access concentrator answers");
}

TEST_F(PppoeClientTest, ErrorsInAPadsAreToldAndDialledAgain) {
  start({client("out1", kLower)});
  hear(pppoe::build(answer(next(pppoe::kPadi), pppoe::kPado)));
  Discovery pads = answer(next(pppoe::kPadr), pppoe::kPads);
  pads.tags.push_back({Tag::kAcSystemError, bytes("full")});
  hear(pppoe::build(pads));
  EXPECT_EQ(status().status, "disconnected");
  EXPECT_EQ(status().last_error, "system error of the access concentrator: full");
  EXPECT_THAT(log::recent().back().message, HasSubstr("out1: disconnected - system error"));
  (void)next(pppoe::kPadi, 2 * kSecond);
}

TEST_F(PppoeClientTest, SilenceAfterThePadrBeginsAgain) {
  start({client("out1", kLower)});
  hear(pppoe::build(answer(next(pppoe::kPadi), pppoe::kPado)));
  unsigned requests = 0;
  for (uint64_t t = 0; t < 31 * kSecond; t += 50) {
    for (const Said& one : said()) requests += one.discovery.code == pppoe::kPadr ? 1u : 0u;
    advance(50);
  }
  EXPECT_EQ(requests, 4u);
  EXPECT_EQ(status().last_error, "the access concentrator does not answer");
  (void)next(pppoe::kPadi);
}

TEST_F(PppoeClientTest, ASessionIsLearned) {
  start({client("out1", kLower)});
  connect();
  EXPECT_EQ(status().status, "connected");
  EXPECT_EQ(status().local, addr(10, 64, 1, 7));
  EXPECT_EQ(status().ac_name, "ac1");
  EXPECT_EQ(status().ac_mac, kAc);
  EXPECT_TRUE(services->changed());
  const Learned has = services->learned();
  ASSERT_TRUE(has.sessions.contains("out1"));
  EXPECT_EQ(has.sessions.at("out1").id.host(), 0x11);
  EXPECT_EQ(has.sessions.at("out1").peer, kAc);
  EXPECT_EQ(has.sessions.at("out1").mtu, 1492);
  ASSERT_EQ(has.addresses.size(), 1u);
  EXPECT_EQ(has.addresses[0].length, 32);
  EXPECT_EQ(has.addresses[0].network, ip4(10, 64, 0, 1)) << "the other end";
  ASSERT_EQ(has.routes.size(), 1u);
  EXPECT_EQ(has.routes[0].gateway, "out1");
  EXPECT_EQ(has.dns.size(), 2u);
  EXPECT_EQ(log::recent().back().message, "out1: connected, 10.64.1.7 with 10.64.0.1");
  EXPECT_EQ(log::recent().back().topics, "pppoe,ppp,info");
}

TEST_F(PppoeClientTest, ASessionIsOfItsMacAndItsWire) {  // RFC 2516 4
  start({client("out1", kLower)});
  connect();
  (void)said();
  Interface& lower = io.published.interfaces[kLower];
  const MacAddr before = std::exchange(lower.mac, MacAddr{{0x02, 0xbb, 0, 0, 0, 9}});
  publish();
  bool told = false;
  for (const Sent& one : io.take()) {
    const auto padt = pppoe::read_discovery(one.bytes);
    told = told || (padt && padt->code == pppoe::kPadt && padt->src == before);
  }
  EXPECT_TRUE(told) << "the concentrator knows no other address";
  EXPECT_NE(status().status, "connected");
  connect();
  EXPECT_EQ(status().status, "connected");
  lower.parent = kAlone;
  publish();
  EXPECT_NE(status().status, "connected");
  connect();
  publish();
  EXPECT_EQ(status().status, "connected") << "what stays as it was ends nothing";
}

TEST_F(PppoeClientTest, SessionsOfOneAndOfSeveralInterfaces) {  // C-29, F-9
  start({client("a", kLower), client("b", kLower2)});
  std::map<IfIndex, Said> padi;
  for (unsigned i = 0; i < 40; ++i) {
    for (const Said& one : said()) padi[one.out_if] = one;
    advance(50);
  }
  for (const IfIndex i : {kLower, kLower2}) {
    hear(pppoe::build(answer(padi[i], pppoe::kPado)), i);
    const auto padr = said();
    ASSERT_FALSE(padr.empty());
    EXPECT_EQ(padr[0].out_if, i);
    hear(pppoe::build(answer(padr[0], pppoe::kPads, 7)), i);  // one id at both
    said();
  }
  hear_ppp(ppp::kLcp, ppp::build(9, 1, Bytes(4)), 7, kLower2);
  EXPECT_TRUE(said().empty()) << "LCP is not open there";
  // A PADT for one is none for the other; nor one of another concentrator.
  Discovery padt;
  padt.src = kOtherAc;
  padt.dst = mac(kLower);
  padt.code = pppoe::kPadt;
  padt.session = 7;
  hear(pppoe::build(padt), kLower);
  EXPECT_EQ(status("a").status, "negotiating...");
  padt.src = kAc;
  hear(pppoe::build(padt), kLower);
  EXPECT_EQ(status("a").status, "disconnected");
  EXPECT_EQ(status("a").last_error, "the access concentrator ended the session");
  EXPECT_EQ(status("b").status, "negotiating...");
}

TEST_F(PppoeClientTest, APadtIsDialledAgainWithBackoff) {  // C-26
  start({client("out1", kLower)});
  std::vector<uint64_t> waits;
  for (unsigned i = 0; i < 4; ++i) {
    (void)open_session();
    Discovery padt;
    padt.src = kAc;
    padt.dst = mac(kLower);
    padt.code = pppoe::kPadt;
    padt.session = 0x11;
    hear(pppoe::build(padt));
    const uint64_t before = io.now;
    const Said again = next(pppoe::kPadi);
    waits.push_back(io.now - before);
    io.sent.clear();
    // The next round's PADI is this one.
    hear(pppoe::build(answer(again, pppoe::kPado)));
    hear(pppoe::build(answer(next(pppoe::kPadr, 0), pppoe::kPads, 0x11)));
    hear(pppoe::build(padt));
  }
  EXPECT_LT(waits[0], 1'600u);
  EXPECT_GT(waits[1], 3'900u);
  EXPECT_GT(waits[3], waits[1]);
}

TEST_F(PppoeClientTest, WhoIsDisabledAndARouterThatEndsSayGoodBye) {  // C-26
  start({client("out1", kLower)});
  connect();
  said();
  start({});
  auto all = said();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(ppp::read(all[0].packet)->code, ppp::kTerminateRequest);
  EXPECT_EQ(all[1].discovery.code, pppoe::kPadt);
  EXPECT_EQ(all[1].discovery.session, 0x11);
  EXPECT_TRUE(services->changed());
  EXPECT_TRUE(services->learned().sessions.empty());

  start({client("out1", kLower)});
  connect(0x12);
  said();
  services->end();
  all = said();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[1].discovery.code, pppoe::kPadt);
  EXPECT_EQ(all[1].discovery.session, 0x12);
}

TEST_F(PppoeClientTest, WhatChangesNothingOnTheWireKeepsTheSession) {
  PppoeClientConfig one = client("out1", kLower);
  start({one});
  connect();
  (void)services->changed();
  one.distance = 5;
  start({one});
  EXPECT_EQ(status().status, "connected");
  EXPECT_TRUE(services->changed());
  EXPECT_EQ(services->learned().routes[0].distance, 5);
  one.password = "other";
  start({one});
  EXPECT_EQ(status().status, "disconnected");
}

TEST_F(PppoeClientTest, ALinkBelowThatGoesTakesTheSessionAlong) {
  start({client("out1", kLower)});
  connect();
  io.published.interfaces[kLower].up = false;
  publish();
  EXPECT_EQ(status().status, "disconnected");
  EXPECT_TRUE(services->changed());
  io.take();
  advance(60 * kSecond);
  EXPECT_TRUE(said().empty());
  io.published.interfaces[kLower].up = true;
  publish();
  (void)next(pppoe::kPadi, 2 * kSecond);
}

TEST_F(PppoeClientTest, FramesOfNobodysSessionAreAnsweredWithPadtOnceASecond) {
  start({client("out1", kLower)});
  said();
  hear_ppp(ppp::kLcp, ppp::build(9, 1, Bytes(4)), 0x99);
  hear_ppp(ppp::kLcp, ppp::build(9, 1, Bytes(4)), 0x98);
  auto all = said();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].discovery.code, pppoe::kPadt);
  EXPECT_EQ(all[0].discovery.session, 0x99);
  EXPECT_EQ(all[0].discovery.dst, kAc);
  hear_ppp(ppp::kLcp, ppp::build(9, 1, Bytes(4)), 0x99, kLower2);
  EXPECT_TRUE(said().empty()) << "no client stands there";
}

TEST_F(PppoeClientTest, LargeFramesOnlyIfThePeerAgrees) {  // RFC 4638, C-25
  io.published.interfaces[kLower].mtu = 1508;
  PppoeClientConfig one = client("out1", kLower);
  one.max_mtu = one.max_mru = 1500;
  start({one});
  const Said padi = next(pppoe::kPadi);
  EXPECT_EQ(*padi.discovery.find(Tag::kPppMaxPayload), (pppoe::Bytes{0x05, 0xdc}));
  hear(pppoe::build(answer(padi, pppoe::kPado)));
  const Said padr = next(pppoe::kPadr);
  EXPECT_EQ(*padr.discovery.find(Tag::kPppMaxPayload), (pppoe::Bytes{0x05, 0xdc}));
  Discovery pads = answer(padr, pppoe::kPads, 5);
  pads.tags.push_back({Tag::kPppMaxPayload, {0x05, 0xdc}});
  hear(pppoe::build(pads));
  auto lcp = ppp::read_options(ppp::read(said().at(0).packet)->data);
  EXPECT_EQ((*lcp)[0], ppp::option16(ppp::kMru, 1500));
  start({});
  start({one});
  // Who agrees and then says nothing of its MRU takes 1500 (RFC 1661 6.1), as pppd does.
  peer_payload = 1500;
  connect();
  EXPECT_EQ(services->learned().sessions.at("out1").mtu, 1500);
  peer_payload = 0;
  // One that does not answer the tag gets ordinary frames.
  start({});
  start({one});
  hear(pppoe::build(answer(next(pppoe::kPadi), pppoe::kPado)));
  hear(pppoe::build(answer(next(pppoe::kPadr), pppoe::kPads, 6)));
  for (const Said& s : said()) {
    if (s.protocol != ppp::kLcp) continue;
    lcp = ppp::read_options(ppp::read(s.packet)->data);
    EXPECT_EQ((*lcp)[0], ppp::option16(ppp::kMru, 1492));
  }
}

TEST_F(PppoeClientTest, ScanTellsOfEachServiceOnce) {  // C-22
  const uint64_t scan = clients().start_scan("if2", kLower);
  EXPECT_TRUE(services->changed());
  EXPECT_TRUE(services->learned().scanned.contains("if2"));
  const Said padi = next(pppoe::kPadi, 2 * kSecond);
  Discovery pado = answer(padi, pppoe::kPado);
  pado.tags.push_back({Tag::kServiceName, bytes("tv")});
  hear(pppoe::build(pado));
  hear(pppoe::build(pado));
  const auto& offers = clients().offers(scan);
  ASSERT_EQ(offers.size(), 2u);
  EXPECT_EQ(offers[0].ac_name, "ac1");
  EXPECT_EQ(offers[1].service_name, "tv");
  EXPECT_EQ(offers[1].mac, kAc);
  clients().stop_scan(scan);
  EXPECT_TRUE(services->changed());
  EXPECT_TRUE(services->learned().scanned.empty());
  EXPECT_EQ(clients().next_deadline(), kNever);
}

TEST_F(PppoeClientTest, GarbageIsDropped) {
  start({client("out1", kLower)});
  hear(Bytes(10));
  hear(Bytes(60, 0xff));
  EXPECT_EQ(io.dropped(Drop::pppoe_malformed), 2u);
}

TEST_F(PppoeClientTest, ANewNameKeepsTheSession) {  // C-29
  start({client("out1", kLower)});
  connect();
  ASSERT_EQ(status().status, "connected");
  services->rename({{"out1", "dsl"}});
  start({client("dsl", kLower)});
  EXPECT_TRUE(said().empty()) << "no PADT, no PADI";
  EXPECT_EQ(status("dsl").status, "connected");
  EXPECT_EQ(status("dsl").session, 0x11);
  EXPECT_TRUE(services->learned().sessions.contains("dsl"));
}

}  // namespace
}  // namespace maclane::test
