// PPPoE clients that dial when there is something to send (C-28).
#include "tests/unit/service/pppoe_client_fixture.h"

namespace maclane::test {
namespace {

constexpr IfIndex kSession = 9;
const be32 kFar = addr(198, 51, 100, 1);

class PppoeDemandTest : public PppoeClientTest {
 protected:
  void begin() {
    io.published.interfaces.resize(kSession + 1);
    Interface& i = io.published.interfaces[kSession];
    i.kind = IfKind::kPppoe;
    i.up = true;
    PppoeClientConfig one = client("out1", kLower);
    one.interface = kSession;
    one.on_demand = true;
    start({one});
  }
  void publish_session(uint16_t id) {
    io.published.interfaces[kSession].pppoe_session = be16::from(id);
    publish();
  }
  /// PADIs within a while.
  unsigned dials(uint64_t ms) {
    unsigned n = 0;
    for (uint64_t t = 0; t < ms; t += 50) {
      for (const Said& one : said()) n += one.discovery.code == pppoe::kPadi ? 1u : 0u;
      advance(50);
    }
    return n;
  }
};

TEST_F(PppoeDemandTest, DialsForAPacketAndSendsItOn) {  // C-28
  begin();
  EXPECT_TRUE(services->changed());
  Learned has = services->learned();
  ASSERT_TRUE(has.sessions.contains("out1")) << "packets may be sent to it";
  EXPECT_EQ(has.sessions.at("out1").id, be16{});
  ASSERT_EQ(has.addresses.size(), 1u);
  EXPECT_EQ(has.addresses[0].address >> 8, ip4(10, 112, 112, 0) >> 8);
  ASSERT_EQ(has.routes.size(), 1u);
  EXPECT_EQ(has.routes[0].gateway, "out1");
  EXPECT_EQ(dials(60 * kSecond), 0u);
  EXPECT_EQ(status().status, "disconnected");

  resolve(kSession, kFar, 1);
  resolve(kSession, kFar, 2);
  resolve(kSession, kFar, 3, kNoIf);  // the router's own, from an address that goes
  connect();
  ASSERT_EQ(status().status, "connected");
  has = services->learned();
  EXPECT_NE(has.sessions.at("out1").id, be16{});
  EXPECT_EQ(has.addresses[0].address, ip4(10, 64, 1, 7));
  io.take();
  publish_session(0x11);
  std::vector<Sent> sent = io.take();
  std::erase_if(sent, [](const Sent& one) { return one.message.kind != InjectKind::kIpInput; });
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].message.in_if, 8);
  EXPECT_EQ(sent[0].ip().id.host(), 1);
  EXPECT_EQ(sent[1].ip().id.host(), 2);
  // One that was on its way here when the session came.
  resolve(kSession, kFar, 4);
  EXPECT_EQ(io.take().size(), 1u);

  // It is not dialled again before somebody wants it.
  Discovery padt;
  padt.src = kAc;
  padt.dst = mac(kLower);
  padt.code = pppoe::kPadt;
  padt.session = 0x11;
  hear(pppoe::build(padt));
  publish_session(0);
  EXPECT_EQ(dials(120 * kSecond), 0u);
  EXPECT_EQ(services->learned().sessions.at("out1").id, be16{});
  resolve(kSession, kFar);
  EXPECT_EQ(dials(1 * kSecond), 1u);
}

TEST_F(PppoeDemandTest, WhatCannotBeHadKeepsNoPackets) {  // C-28
  begin();
  for (uint16_t i = 0; i < 70; ++i) resolve(kSession, kFar, i);
  EXPECT_EQ(io.dropped(Drop::neigh_queue_full), 6u);
  EXPECT_EQ(dials(120 * kSecond), 4u) << "nobody answers: it gives up until the next packet";
  EXPECT_EQ(io.dropped(Drop::neigh_failed), 64u);
  EXPECT_EQ(status().last_error, "no access concentrator answers");
  EXPECT_EQ(dials(120 * kSecond), 0u);
  resolve(kSession, kFar);
  EXPECT_GE(dials(3 * kSecond), 1u);
  // What waits goes with the client, and with the wire.
  start({});
  EXPECT_EQ(io.dropped(Drop::neigh_failed), 65u);
  resolve(kSession, kFar);
  EXPECT_EQ(io.dropped(Drop::neigh_failed), 66u) << "it is nobody's";
}

}  // namespace
}  // namespace maclane::test
