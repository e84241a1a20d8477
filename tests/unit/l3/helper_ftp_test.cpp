// FTP through the router, packet by packet (behaviour.md B-16, B-24; RFC 959, 2428, 2577).
#include "tests/unit/l3/helper_fixture.h"

namespace maclane::test {

class FtpHelper : public HelperTest {
 protected:
  void log_in() {
    connect(pc_, server_);
    EXPECT_EQ(tell(server_, pc_, "220 ready\r\n"), "220 ready\r\n");
    EXPECT_EQ(tell(pc_, server_, "USER anonymous\r\n"), "USER anonymous\r\n");
    EXPECT_EQ(tell(server_, pc_, "230 go on\r\n"), "230 go on\r\n");
  }
  /// Only what is related or established may come in.
  void close_the_outside() {
    Draft known = make(Action::kAccept, 70);
    known.match = Rule::kState;
    known.state_mask = 1u << static_cast<unsigned>(ConnState::kEstablished) |
                       1u << static_cast<unsigned>(ConnState::kRelated);
    Draft closed = make(Action::kDrop, 71);
    closed.match = Rule::kInInterface;
    closed.in_if = kWan;
    filter({known, closed});
  }
};

TEST_F(FtpHelper, ActiveThroughMasquerade) {  // B-24: PORT is rewritten, the connection related
  nat({masquerade()});
  close_the_outside();
  log_in();
  // 192,168,88,10,78,32 becomes 203,0,113,2,78,32: two characters less
  EXPECT_EQ(tell(pc_, server_, "PORT 192,168,88,10,78,32\r\n"), "PORT 203,0,113,2,78,32\r\n");
  EXPECT_EQ(tell(server_, pc_, "200 fine\r\n"), "200 fine\r\n");
  // The client's next numbers are shifted, and the server's acknowledgements shifted back.
  const Sent* s = say(pc_, "RETR x\r\n");
  ASSERT_NE(s, nullptr);
  EXPECT_EQ(s->l4<TcpHdr>().seq.host(), pc_.seq - 8 - 2);
  hear(server_, *s);
  s = say(server_, "150 here\r\n");
  ASSERT_NE(s, nullptr);
  EXPECT_EQ(s->l4<TcpHdr>().ack.host(), pc_.seq);
  hear(pc_, *s);

  run(tcp(kServer, 20, kWanIp, 20000, kTcpSyn, 1), kWan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().dst.host(), kPc);
  EXPECT_EQ(sent()[0].l4<TcpHdr>().dport.host(), 20000);
  EXPECT_TRUE(sent()[0].checksums_ok());
  const Session* data = session(kServer, 20, kWanIp, 20000, kProtoTcp);
  ASSERT_NE(data, nullptr);
  EXPECT_TRUE(data->has(Session::kExpected) && data->has(Session::kDstNat));
  EXPECT_FALSE(data->has(Session::kHelped));
  run(tcp(kPc, 20000, kServer, 20, kTcpSyn | kTcpAck, 1, 2), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().src.host(), kWanIp);
  // It came, and no second may.
  EXPECT_TRUE(w->shared->expectations.empty());
  run(tcp(kServer, 21000, kWanIp, 20000, kTcpSyn, 1), kWan);
  EXPECT_TRUE(sent().empty());
}

TEST_F(FtpHelper, PassiveServerBehindDstNat) {  // the reply's address is that by which it is known
  Draft published = publish_pc();
  nat({}, {published});
  Host client{kServer, kWanIp, 3000, 21, kWan, 100, 0};
  Host server{kPc, 0, 21, 0, kLan, 900, 0};
  connect(client, server);
  EXPECT_EQ(tell(server, client, "220 ready\r\n"), "220 ready\r\n");
  EXPECT_EQ(tell(client, server, "PASV\r\n"), "PASV\r\n");
  EXPECT_EQ(tell(server, client, "227 Passive (192,168,88,10,200,0)\r\n"),
            "227 Passive (203,0,113,2,200,0)\r\n");
  nat({}, {});  // the data connection needs no rule
  run(tcp(kServer, 3001, kWanIp, 51200, kTcpSyn, 1), kWan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().dst.host(), kPc);
  EXPECT_EQ(sent()[0].ip().src.host(), kServer);
}

TEST_F(FtpHelper, PassiveAndExtendedThroughMasquerade) {
  nat({masquerade()});
  log_in();
  // The server's own address is not translated: the text stays, the connection is expected.
  const std::string reply = "229 Extended (|||6446|)\r\n";
  EXPECT_EQ(tell(server_, pc_, reply), reply);
  EXPECT_EQ(w->shared->expectations.size(), 1u);
  run(tcp(kPc, 2001, kServer, 6446, kTcpSyn, 1), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().src.host(), kWanIp);
  EXPECT_TRUE(session(kPc, 2001, kServer, 6446, kProtoTcp)->has(Session::kExpected));
  EXPECT_EQ(tell(pc_, server_, "EPRT |1|192.168.88.10|20000|\r\n"),
            "EPRT |1|203.0.113.2|20000|\r\n");
}

TEST_F(FtpHelper, TheSamePortOfTwoHostsIsTwoPorts) {
  nat({masquerade()});
  log_in();
  Host pc2{kPc2, kServer, 2000, 21, kLan, 1000, 0};
  Host server2{kServer, 0, 21, 0, kWan, 7000, 0};
  connect(pc2, server2);
  EXPECT_EQ(tell(pc2, server2, "USER x\r\n"), "USER x\r\n");
  EXPECT_EQ(tell(pc_, server_, "PORT 192,168,88,10,78,32\r\n"), "PORT 203,0,113,2,78,32\r\n");
  const std::string second = tell(pc2, server2, "PORT 192,168,88,11,78,32\r\n");
  EXPECT_TRUE(second.starts_with("PORT 203,0,113,2,"));
  EXPECT_NE(second, "PORT 203,0,113,2,78,32\r\n");
  EXPECT_EQ(w->shared->expectations.size(), 2u);
  // Said again, with the same number, it says the same.
  pc2.seq -= 26;
  EXPECT_EQ(tell(pc2, server2, "PORT 192,168,88,11,78,32\r\n"), second);
  EXPECT_EQ(w->shared->expectations.size(), 2u);
}

TEST_F(FtpHelper, AnnouncesNobodyElse) {  // RFC 2577: no bounces, no ports of services
  nat({masquerade()});
  log_in();
  for (const char* text : {"PORT 192,168,88,11,78,32\r\n", "PORT 192,168,88,10,0,25\r\n",
                           "EPRT |1|10.0.0.1|20000|\r\n"}) {
    EXPECT_EQ(tell(pc_, server_, text), text);
    EXPECT_TRUE(w->shared->expectations.empty()) << text;
  }
  // In the middle of a line it is no command.
  EXPECT_EQ(tell(pc_, server_, "STOR "), "STOR ");
  EXPECT_EQ(tell(pc_, server_, "PORT 192,168,88,10,78,32\r\n"), "PORT 192,168,88,10,78,32\r\n");
  EXPECT_TRUE(w->shared->expectations.empty());
}

TEST_F(FtpHelper, HalfACommandIsDroppedByName) {
  nat({masquerade()});
  log_in();
  EXPECT_EQ(say(pc_, "PORT 192,168,"), nullptr);
  EXPECT_EQ(drops(Drop::helper_partial), 1u);
  EXPECT_EQ(tell(pc_, server_, "PORT 192,168,88,10,78,32\r\n"), "PORT 203,0,113,2,78,32\r\n");
}

TEST_F(FtpHelper, AWrongChecksumAnnouncesNothing) {
  nat({masquerade()});
  log_in();
  auto packet = with_text(tcp(kPc, 2000, kServer, 21, kTcpAck, pc_.seq, pc_.ack),
                          "PORT 192,168,88,10,78,32\r\n");
  packet.back() ^= 1;
  run(packet, kLan);
  EXPECT_TRUE(w->shared->expectations.empty());
}

TEST_F(FtpHelper, IsSwitchedLive) {
  nat({masquerade()});
  log_in();
  EXPECT_EQ(tell(pc_, server_, "PORT 192,168,88,10,78,32\r\n"), "PORT 203,0,113,2,78,32\r\n");
  snap.helpers_on = 0;
  snap.helper_ports.clear();
  publish();
  // It reads no more, and what it shifted stays shifted.
  EXPECT_EQ(tell(pc_, server_, "PORT 192,168,88,10,78,33\r\n"), "PORT 192,168,88,10,78,33\r\n");
  EXPECT_EQ(sent()[0].l4<TcpHdr>().seq.host(), pc_.seq - 26 - 2);
}

TEST_F(FtpHelper, EndsWithItsConnection) {
  nat({masquerade()});
  log_in();
  (void)tell(pc_, server_, "PORT 192,168,88,10,78,32\r\n");
  EXPECT_EQ(w->helped.size(), 1u);
  EXPECT_EQ(w->shared->expectations.size(), 1u);
  w->now.cs += 5000;
  expire();
  EXPECT_EQ(w->sessions.size(), 0u);
  EXPECT_EQ(w->helped.size(), 0u);
  EXPECT_TRUE(w->shared->expectations.empty());
}

TEST_F(FtpHelper, WindowsGoOnThroughShifts) {  // B-21: nothing of a long session is invalid
  nat({masquerade()});
  filter({of_state(Action::kDrop, ConnState::kInvalid, 72)});
  log_in();
  for (unsigned n = 0; n < 50; ++n) {
    const std::string port = std::to_string(n);
    ASSERT_EQ(tell(pc_, server_, "PORT 192,168,88,10,78," + port + "\r\n"),
              "PORT 203,0,113,2,78," + port + "\r\n");
    ASSERT_EQ(tell(server_, pc_, "200 fine\r\n"), "200 fine\r\n");
    ASSERT_NE(say(pc_, ""), nullptr);
  }
  EXPECT_EQ(rule(72).packets, 0u);
  EXPECT_EQ(w->shared->expectations.size(), HelperRecord::kExpected);
}

}  // namespace maclane::test
