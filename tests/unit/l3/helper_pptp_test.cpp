// PPTP through the router: control messages and the GRE packets of calls (behaviour.md B-24, B-33;
// RFC 2637).
#include "dataplane/helper/pptp_text.h"
#include "tests/unit/l3/helper_fixture.h"

namespace maclane::test {

using pptp::Type;

class PptpHelper : public HelperTest {
 protected:
  static constexpr uint16_t kControl = 1723;
  static constexpr uint16_t kOutgoing = 168, kOutgoingReply = 32, kIncomingReply = 24;

  void SetUp() override {
    HelperTest::SetUp();
    turn_on(Helper::kPptp, kProtoTcp, kControl);
    nat({masquerade()});
  }
  static void put16(std::string& text, size_t at, uint16_t value) {
    text[at] = static_cast<char>(value >> 8);
    text[at + 1] = static_cast<char>(value & 0xff);
  }
  static std::string message(Type type, uint16_t size, uint16_t first, uint16_t second = 0,
                             uint8_t result = 0) {
    std::string text(size, '\0');
    put16(text, 0, size);
    put16(text, 2, 1);
    put16(text, 4, 0x1a2b);
    put16(text, 6, 0x3c4d);
    put16(text, 8, static_cast<uint16_t>(type));
    put16(text, 12, first);
    put16(text, 14, second);
    if (size > 16) text[16] = static_cast<char>(result);
    return text;
  }
  static uint16_t number(const std::string& text, size_t at) {
    return static_cast<uint16_t>(static_cast<uint8_t>(text[at]) << 8 |
                                 static_cast<uint8_t>(text[at + 1]));
  }
  static std::vector<uint8_t> gre(uint32_t src, uint32_t dst, uint16_t call) {
    std::vector<uint8_t> packet = udp(src, 0, dst, 0, 8);
    packet.resize(20 + 12);
    auto* ip = reinterpret_cast<Ip4Hdr*>(packet.data());
    ip->proto = kProtoGre;
    ip->total_length = be16::from(static_cast<uint16_t>(packet.size()));
    set_ip_checksum(packet);
    const uint8_t header[] = {
        0x30, 0x01, 0x88, 0x0b, 0, 0, static_cast<uint8_t>(call >> 8), static_cast<uint8_t>(call)};
    std::copy(std::begin(header), std::end(header), packet.begin() + 20);
    return packet;
  }
  /// The call that a GRE packet names which left; 0: none did.
  uint16_t passes(uint32_t src, uint32_t dst, uint16_t call, IfIndex in_if) {
    run(gre(src, dst, call), in_if);
    if (sent().size() != 1) return 0;
    EXPECT_EQ(checksum(&sent()[0].ip(), 20), 0);
    return pptp::gre_call({sent()[0].frame.data() + 34, 8}).host();
  }
  struct Call {
    Host client, server;
    uint16_t own = 0, shown = 0, peer = 0;
  };
  /// A call of a client with its number, and the server's.
  Call dial(uint32_t host, uint16_t port, uint16_t own, uint16_t peer) {
    Call c{{host, kServer, port, kControl, kLan, 1000, 0},
           {kServer, 0, kControl, 0, kWan, 5000, 0},
           own,
           0,
           peer};
    connect(c.client, c.server);
    c.shown = number(tell(c.client, c.server, message(Type::kOutgoingRequest, kOutgoing, own)), 12);
    const std::string heard =
        tell(c.server, c.client, message(Type::kOutgoingReply, kOutgoingReply, peer, c.shown, 1));
    EXPECT_EQ(number(heard, 12), peer);
    EXPECT_EQ(number(heard, 14), own);
    return c;
  }
  Session* call_session(uint32_t host, const Call& c) {
    return session(host, c.own, kServer, c.peer, kProtoGre);
  }
};

TEST_F(PptpHelper, ACallPassesMasquerade) {  // B-24
  filter({of_state(Action::kAccept, ConnState::kEstablished, 70),
          of_state(Action::kAccept, ConnState::kRelated, 71), [] {
            Draft closed = make(Action::kDrop, 72);
            closed.match = Rule::kInInterface;
            closed.in_if = kWan;
            return closed;
          }()});
  const Call c = dial(kPc, 2000, 7, 100);
  EXPECT_EQ(c.shown, 7) << "it is free";
  EXPECT_EQ(passes(kServer, kWanIp, 7, kWan), 7) << "the server may begin";
  EXPECT_EQ(sent()[0].ip().dst.host(), kPc);
  EXPECT_EQ(passes(kPc, kServer, 100, kLan), 100);
  EXPECT_EQ(sent()[0].ip().src.host(), kWanIp);
  const Session* s = session(kServer, 100, kWanIp, 7, kProtoGre);
  ASSERT_NE(s, nullptr);
  EXPECT_TRUE(s->has(Session::kExpected) && s->has(Session::kSeenReply));
  EXPECT_EQ(s, call_session(kPc, c)) << "one connection";
  EXPECT_EQ(passes(kServer, kWanIp, 8, kWan), 0) << "nobody's call";
  EXPECT_EQ(passes(kOther, kWanIp, 7, kWan), 0);
}

TEST_F(PptpHelper, EqualNumbersOfTwoClientsAreTwo) {  // B-33: only this helper changes the key
  Call a = dial(kPc, 2000, 7, 100);
  Call b = dial(kPc2, 2001, 7, 101);
  EXPECT_EQ(a.shown, 7);
  EXPECT_NE(b.shown, 7);
  EXPECT_EQ(passes(kPc, kServer, 100, kLan), 100);
  EXPECT_EQ(passes(kPc2, kServer, 101, kLan), 101);
  EXPECT_EQ(passes(kServer, kWanIp, 7, kWan), 7);
  EXPECT_EQ(sent()[0].ip().dst.host(), kPc);
  EXPECT_EQ(passes(kServer, kWanIp, b.shown, kWan), 7);
  EXPECT_EQ(sent()[0].ip().dst.host(), kPc2);
  // Said again it says the same; other messages of the server name the client's number, too.
  b.client.seq -= kOutgoing;
  EXPECT_EQ(number(tell(b.client, b.server, message(Type::kOutgoingRequest, kOutgoing, 7)), 12),
            b.shown);
  EXPECT_EQ(number(tell(b.server, b.client, message(Type::kError, 40, b.shown)), 12), 7);
  EXPECT_EQ(number(tell(b.client, b.server, message(Type::kLink, 24, 101)), 12), 101);
  EXPECT_EQ(number(tell(b.client, b.server, message(Type::kClear, 16, 7)), 12), b.shown);
}

TEST_F(PptpHelper, ACallEndsWithItsConnections) {
  for (const bool stops : {false, true}) {
    Call c = dial(kPc, stops ? 2001 : 2000, 7, 100);
    EXPECT_EQ(passes(kPc, kServer, 100, kLan), 100);
    ASSERT_NE(call_session(kPc, c), nullptr);
    if (stops)
      (void)tell(c.client, c.server, message(Type::kStopRequest, 16, 0));
    else
      (void)tell(c.server, c.client, message(Type::kDisconnect, 148, 100));
    EXPECT_EQ(call_session(kPc, c), nullptr);
    EXPECT_TRUE(w->shared->expectations.empty());
  }
  // So it does when the control connection is forgotten.
  (void)dial(kPc, 2002, 9, 100);
  EXPECT_EQ(passes(kServer, kWanIp, 9, kWan), 9);
  const auto control = w->sessions.find(
      {be32::from(kPc), be32::from(kServer), be16::from(2002), be16::from(kControl), kProtoTcp});
  const uint32_t before = w->sessions.size();
  w->sessions.release(control.session);
  EXPECT_EQ(w->sessions.size(), before - 2);
  EXPECT_TRUE(w->shared->expectations.empty());
}

TEST_F(PptpHelper, ARefusedCallIsForgotten) {
  Host client{kPc, kServer, 2000, kControl, kLan, 1000, 0};
  Host server{kServer, 0, kControl, 0, kWan, 5000, 0};
  connect(client, server);
  (void)tell(client, server, message(Type::kOutgoingRequest, kOutgoing, 7));
  EXPECT_EQ(w->shared->expectations.size(), 1u) << "the number is kept";
  const std::string heard =
      tell(server, client, message(Type::kOutgoingReply, kOutgoingReply, 100, 7, 4));
  EXPECT_EQ(number(heard, 14), 7);
  EXPECT_TRUE(w->shared->expectations.empty());
}

TEST_F(PptpHelper, ACallOfAServersLine) {  // ICRQ, ICRP, ICCN: the server calls
  Host client{kPc, kServer, 2000, kControl, kLan, 1000, 0};
  Host server{kServer, 0, kControl, 0, kWan, 5000, 0};
  connect(client, server);
  (void)tell(server, client, message(Type::kIncomingRequest, 220, 100));
  (void)tell(client, server, message(Type::kIncomingReply, kIncomingReply, 7, 100, 1));
  EXPECT_EQ(number(tell(server, client, message(Type::kIncomingConnected, 28, 7)), 12), 7);
  EXPECT_EQ(passes(kServer, kWanIp, 7, kWan), 7);
  EXPECT_EQ(passes(kPc, kServer, 100, kLan), 100);
  EXPECT_EQ(sent()[0].ip().src.host(), kWanIp);
}

TEST_F(PptpHelper, AServerBehindDstNat) {
  nat({masquerade()}, {publish_pc()});
  Host client{kServer, kWanIp, 3000, kControl, kWan, 100, 0};
  Host server{kPc, 0, kControl, 0, kLan, 900, 0};
  connect(client, server);
  (void)tell(client, server, message(Type::kOutgoingRequest, kOutgoing, 7));
  (void)tell(server, client, message(Type::kOutgoingReply, kOutgoingReply, 100, 7, 1));
  nat({}, {});  // GRE packets need no rule
  EXPECT_EQ(passes(kServer, kWanIp, 100, kWan), 100);
  EXPECT_EQ(sent()[0].ip().dst.host(), kPc);
  EXPECT_EQ(passes(kPc, kServer, 7, kLan), 7);
  EXPECT_EQ(sent()[0].ip().src.host(), kWanIp);
}

TEST_F(PptpHelper, AnErrorFindsItsCall) {  // B-17
  (void)dial(kPc2, 2001, 7, 101);
  const Call c = dial(kPc, 2000, 7, 100);
  EXPECT_EQ(passes(kPc, kServer, 100, kLan), 100);
  run(icmp_error(kOnTheWay, kWanIp, kIcmpUnreachable, 4, packet_of(sent()[0])), kWan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().dst.host(), kPc);
  EXPECT_EQ(quoted_ip(sent()[0]).src.host(), kPc);
  // The server's packet, as the client's host quotes it, names the number that the server knows.
  EXPECT_EQ(passes(kServer, kWanIp, c.shown, kWan), 7);
  run(icmp_error(kPc, kServer, kIcmpUnreachable, 2, packet_of(sent()[0])), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(quoted_ip(sent()[0]).dst.host(), kWanIp);
  EXPECT_EQ(pptp::gre_call({sent()[0].frame.data() + 14 + 28 + 20, 8}).host(), c.shown);
}

TEST_F(PptpHelper, WithoutItGreIsAsItWas) {
  EXPECT_EQ(passes(kPc, kServer, 100, kLan), 100);
  const Session* s = session(kPc, 0, kServer, 0, kProtoGre);
  ASSERT_NE(s, nullptr);
  EXPECT_FALSE(s->has(Session::kExpected));
  EXPECT_EQ(passes(kServer, kWanIp, 55, kWan), 55);
  EXPECT_EQ(sent()[0].ip().dst.host(), kPc);
}

TEST(PptpText, OnlyWholeMessages) {
  std::vector<uint8_t> bytes(168);
  bytes[1] = 168;
  bytes[3] = 1;
  bytes[4] = 0x1a;
  bytes[5] = 0x2b;
  bytes[6] = 0x3c;
  bytes[7] = 0x4d;
  bytes[9] = 7;
  bytes[13] = 9;
  EXPECT_EQ(pptp::read_message(bytes).own.host(), 9);
  EXPECT_EQ(pptp::read_message({bytes.data(), 167}).size, 0u);
  EXPECT_EQ(pptp::read_message({bytes.data(), 11}).size, 0u);
  bytes[1] = 20;  // shorter than its type
  EXPECT_EQ(pptp::read_message(bytes).own.raw, 0u);
  EXPECT_EQ(pptp::read_message(bytes).size, 20u);
  bytes[4] = 0;
  EXPECT_EQ(pptp::read_message(bytes).size, 0u);
}

}  // namespace maclane::test
