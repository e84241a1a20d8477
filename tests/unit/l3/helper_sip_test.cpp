// SIP through the router, message by message (behaviour.md B-16, B-24; RFC 3261, 4566, 3605).
#include "tests/unit/l3/helper_sip_fixture.h"

namespace maclane::test {

TEST_F(SipHelper, ACallThroughMasquerade) {  // B-24
  EXPECT_EQ(out(invite("192.168.88.10", "8000")), invite("203.0.113.2", "8000"));
  EXPECT_EQ(expected(), 2u) << "RTP and RTCP";
  EXPECT_EQ(in(answer("203.0.113.2", "200 OK", description("198.51.100.7", "9000"))),
            answer("192.168.88.10", "200 OK", description("198.51.100.7", "9000")));
  EXPECT_EQ(expected(), 4u);
  // Media comes in before any went out, as related.
  run(udp(kServer, 9000, kWanIp, 8000), kWan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().dst.host(), kPc);
  EXPECT_EQ(sent()[0].l4<UdpHdr>().dport.host(), 8000);
  const Session* s = media(kServer, 9000, kWanIp, 8000);
  ASSERT_NE(s, nullptr);
  EXPECT_TRUE(s->has(Session::kExpected) && !s->has(Session::kHelped));
  // The other way is the same connection; RTCP is one of its own.
  run(udp(kPc, 8000, kServer, 9000), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].l4<UdpHdr>().sport.host(), 8000);
  run(udp(kPc, 8001, kServer, 9001), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().src.host(), kWanIp);
  EXPECT_TRUE(media(kPc, 8001, kServer, 9001)->has(Session::kExpected));
  run(udp(kOther, 9001, kWanIp, 8001), kWan);  // nobody else is expected
  EXPECT_FALSE(media(kOther, 9001, kWanIp, 8001) != nullptr &&
               media(kOther, 9001, kWanIp, 8001)->has(Session::kExpected));
}

TEST_F(SipHelper, ACallToAServerBehindDstNat) {
  nat({masquerade()}, {publish_pc()});
  const std::string call = message(
      "INVITE sip:al@203.0.113.2 SIP/2.0",
      "Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9\r\nFrom: <sip:bob@198.51.100.7>;tag=1\r\n"
      "To: <sip:al@203.0.113.2>\r\nCall-ID: c2\r\nCSeq: 1 INVITE\r\n",
      description("198.51.100.7", "9000"));
  std::string inside = call;
  for (size_t at; (at = inside.find("203.0.113.2")) != std::string::npos;)
    inside.replace(at, 11, "192.168.88.10");
  EXPECT_EQ(in(call), inside);
  const std::string ok = message(
      "SIP/2.0 200 OK",
      "Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9\r\nFrom: <sip:bob@198.51.100.7>;tag=1\r\n"
      "To: <sip:al@192.168.88.10>;tag=2\r\nCall-ID: c2\r\nCSeq: 1 INVITE\r\n"
      "m: \"al, <b>\" <sip:al@192.168.88.10>\r\n",
      description("192.168.88.10", "8000", "a=rtcp:8001 IN IP4 192.168.88.10\r\n"));
  const std::string outside = message(
      "SIP/2.0 200 OK",
      "Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9\r\nFrom: <sip:bob@198.51.100.7>;tag=1\r\n"
      "To: <sip:al@203.0.113.2>;tag=2\r\nCall-ID: c2\r\nCSeq: 1 INVITE\r\n"
      "m: \"al, <b>\" <sip:al@203.0.113.2>\r\n",
      description("203.0.113.2", "8000", "a=rtcp:8001 IN IP4 203.0.113.2\r\n"));
  EXPECT_EQ(out(ok), outside);
  EXPECT_EQ(expected(), 4u);
}

TEST_F(SipHelper, PortsThatOthersWerePromisedBecomeOthersInPairs) {
  EXPECT_EQ(out(invite("192.168.88.10", "8000")), invite("203.0.113.2", "8000"));
  // The second phone's connection has another port, and the same media ports.
  const std::string second = out(invite("192.168.88.11", "8000", "a=rtcp:8001\r\n", "c2"), kPc2);
  const uint16_t signalling = sent()[0].l4<UdpHdr>().sport.host();
  EXPECT_NE(signalling, kSip);
  const size_t at = second.find("m=audio ") + 8;
  const unsigned port = static_cast<unsigned>(std::stoul(second.substr(at)));
  EXPECT_NE(port, 8000u);
  EXPECT_EQ(port % 2, 0u);
  EXPECT_NE(second.find("a=rtcp:" + std::to_string(port + 1) + "\r\n"), std::string::npos);
  EXPECT_NE(second.find("Contact: <sip:al@203.0.113.2:" + std::to_string(signalling) + ">"),
            std::string::npos);
  // Sent again it says the same.
  EXPECT_EQ(out(invite("192.168.88.11", "8000", "a=rtcp:8001\r\n", "c2"), kPc2), second);
  // The phone sends first: it is seen with the port that the server was told.
  ASSERT_NE(
      in(answer("203.0.113.2", "200 OK", description("198.51.100.7", "9000"), "c2"), signalling),
      "(nothing)");
  run(udp(kPc2, 8000, kServer, 9000), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].l4<UdpHdr>().sport.host(), port);
  EXPECT_TRUE(sent()[0].checksums_ok());
  run(udp(kServer, 9001, kWanIp, static_cast<uint16_t>(port + 1)), kWan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().dst.host(), kPc2);
  EXPECT_EQ(sent()[0].l4<UdpHdr>().dport.host(), 8001);
}

TEST_F(SipHelper, ARegisteredHostIsCalledByItsRegistrarAlone) {
  // The contact's port is not the connection's.
  const std::string contact = "192.168.88.10:6000";
  EXPECT_EQ(out(enrol("192.168.88.10", contact)), enrol("203.0.113.2", "203.0.113.2:6000"));
  const std::string options = message("OPTIONS sip:al@203.0.113.2:6000 SIP/2.0", "Call-ID: o\r\n");
  in(options, 6000);
  EXPECT_FALSE(media(kServer, kSip, kWanIp, 6000) != nullptr &&
               media(kServer, kSip, kWanIp, 6000)->has(Session::kExpected))
      << "the registrar has not agreed";
  w->sessions.release(w->sessions
                          .find({be32::from(kServer), be32::from(kWanIp), be16::from(kSip),
                                 be16::from(6000), kProtoUdp})
                          .session);
  EXPECT_EQ(in(enrolled("203.0.113.2", "203.0.113.2:6000", ";expires=600")),
            enrolled("192.168.88.10", contact, ";expires=600"));
  // Any number of connections come by it, and they are helped.
  for (const uint16_t from : {uint16_t{5060}, uint16_t{5080}}) {
    EXPECT_EQ(tell(kServer, from, kWanIp, 6000, options),
              message("OPTIONS sip:al@192.168.88.10:6000 SIP/2.0", "Call-ID: o\r\n"));
    const Session* s = media(kServer, from, kWanIp, 6000);
    ASSERT_NE(s, nullptr);
    EXPECT_TRUE(s->has(Session::kExpected) && s->has(Session::kHelped));
  }
  tell(kOther, kSip, kWanIp, 6000, options);
  EXPECT_FALSE(media(kOther, kSip, kWanIp, 6000) != nullptr &&
               media(kOther, kSip, kWanIp, 6000)->has(Session::kExpected));
  w->now.cs += 601 * 100;
  tell(kServer, 5090, kWanIp, 6000, options);
  EXPECT_FALSE(media(kServer, 5090, kWanIp, 6000) != nullptr &&
               media(kServer, 5090, kWanIp, 6000)->has(Session::kExpected))
      << "the registration is over";
}

TEST_F(SipHelper, ARegistrationEndsAsItBegan) {
  const std::string host = "192.168.88.10";
  out(enrol(host, host + ":6000"));
  EXPECT_EQ(expected(), 1u);
  in(enrolled("203.0.113.2", "203.0.113.2:6000", "", 6));
  EXPECT_EQ(expected(), 1u) << "an older answer says nothing";
  in(message("SIP/2.0 401 Unauthorized", "CSeq: 7 REGISTER\r\n"));
  EXPECT_EQ(expected(), 0u);
  out(enrol(host, host + ":6000", "", 8));
  in(enrolled("203.0.113.2", "203.0.113.2:6000", "", 8));
  EXPECT_EQ(expected(), 1u);
  out(enrol(host, host + ":6000", ";expires=0", 9));
  in(message("SIP/2.0 200 OK", "CSeq: 9 REGISTER\r\n"));
  EXPECT_EQ(expected(), 0u);
  // Nobody registers others.
  out(enrol(host, "192.168.88.11:6000", "", 10));
  EXPECT_EQ(expected(), 0u);
}

TEST_F(SipHelper, WhatIsRefusedOrEndsIsForgotten) {
  out(invite("192.168.88.10", "8000"));
  out(invite("192.168.88.10", "8100", "", "c2"));
  EXPECT_EQ(expected(), 4u);
  in(answer("203.0.113.2", "180 Ringing"));
  EXPECT_EQ(expected(), 4u);
  in(answer("203.0.113.2", "486 Busy Here"));
  EXPECT_EQ(expected(), 2u) << "the other call waits";
  out(message("BYE sip:bob@198.51.100.7 SIP/2.0", "Call-ID: c2\r\nCSeq: 2 BYE\r\n"));
  EXPECT_EQ(expected(), 0u);
}

TEST_F(SipHelper, MediaOfOthers) {  // sip-direct-media
  const std::string elsewhere = invite("192.168.88.10", "8000");
  EXPECT_EQ(out(elsewhere), invite("203.0.113.2", "8000"));
  in(answer("203.0.113.2", "200 OK", description("198.51.100.8", "9000")));
  EXPECT_EQ(expected(), 2u) << "yes: only of who signals";
  snap.sip_direct_media = false;
  publish();
  EXPECT_EQ(out(elsewhere), invite("203.0.113.2", "8000"));
  in(answer("203.0.113.2", "200 OK", description("198.51.100.8", "9000")));
  EXPECT_EQ(expected(), 4u);
  run(udp(kOther, 9000, kWanIp, 8000), kWan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().dst.host(), kPc);
  run(udp(kPc, 8001, kOther, 9001), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().src.host(), kWanIp) << "as the rules say";
  EXPECT_TRUE(media(kPc, 8001, kOther, 9001)->has(Session::kExpected));
}

TEST_F(SipHelper, TwoPhonesBehindTheRouterReachEachOther) {  // sip-direct-media=no
  snap.sip_direct_media = false;
  publish();
  EXPECT_EQ(out(invite("192.168.88.10", "8000", "a=rtcp:8001\r\n")),
            invite("203.0.113.2", "8000", "a=rtcp:8001\r\n"));
  (void)out(message("OPTIONS sip:x SIP/2.0", "Call-ID: o\r\n"), kPc2);
  const uint16_t other = sent()[0].l4<UdpHdr>().sport.host();
  const std::string call = message("INVITE sip:b SIP/2.0", "Call-ID: c2\r\nCSeq: 1 INVITE\r\n",
                                   description("203.0.113.2", "8000", "a=rtcp:8001\r\n"));
  EXPECT_EQ(in(call, other), message("INVITE sip:b SIP/2.0", "Call-ID: c2\r\nCSeq: 1 INVITE\r\n",
                                     description("192.168.88.10", "8000", "a=rtcp:8001\r\n")));
  // A server outside has no use for that.
  EXPECT_EQ(expected(), 4u);
  run(udp(kPc2, 9000, kPc, 8000), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().src.host(), kPc2);
  EXPECT_TRUE(media(kPc2, 9000, kPc, 8000)->has(Session::kExpected));
}

TEST_F(SipHelper, APhoneIsAnsweredWhereItListens) {  // it sends from another port
  const auto call = [](const std::string& host, const std::string& port) {
    return message("OPTIONS sip:x SIP/2.0", "Via: SIP/2.0/UDP " + host + ":" + port +
                                                ";branch=z\r\nContact: <sip:al@" + host + ":" +
                                                port + ">\r\n");
  };
  EXPECT_EQ(tell(kPc, 40000, kServer, kSip, call("192.168.88.10", "5060")),
            call("203.0.113.2", "40000"));
  const auto reply = [](const std::string& via) {
    return message("SIP/2.0 200 OK", "Via: SIP/2.0/UDP " + via + ";branch=z\r\n");
  };
  EXPECT_EQ(in(reply("203.0.113.2:40000"), 40000), reply("192.168.88.10:5060"));
  EXPECT_EQ(sent()[0].l4<UdpHdr>().dport.host(), kSip);
}

TEST_F(SipHelper, AnnouncesNobodyElse) {
  for (const char* more : {"", "m=application 9 TCP/MSRP *\r\n"}) {
    const std::string text = invite("192.168.88.11", "8000", more);
    (void)out(text);
    EXPECT_EQ(expected(), 0u);
  }
  (void)out(invite("192.168.88.10", "80"));
  (void)out(invite("192.168.88.10", "0"));
  EXPECT_EQ(expected(), 0u);
}

TEST_F(SipHelper, SignallingThatWasAnsweredLivesLonger) {
  snap.timeouts[static_cast<unsigned>(TimeoutClass::kSip)] = 360000;
  publish();
  const auto cls = [&] {
    const auto hit = w->sessions.find(
        {be32::from(kPc), be32::from(kServer), be16::from(kSip), be16::from(kSip), kProtoUdp});
    return w->sessions.side(hit.session).timeout_class;
  };
  out(invite("192.168.88.10", "8000"));
  EXPECT_EQ(cls(), TimeoutClass::kUdp) << "nobody answered";
  in(answer("203.0.113.2", "100 Trying"));
  EXPECT_EQ(cls(), TimeoutClass::kSip);
  EXPECT_TRUE(media(kPc, kSip, kServer, kSip)->has(Session::kAssured));
}

TEST_F(SipHelper, OtherTextPassesAsItIs) {
  for (const std::string& text :
       {std::string("\r\n\r\n"), std::string("jaK"), std::string("INVITE 192.168.88.10:5060"),
        invite("192.168.88.10", "8000").substr(0, 200)}) {
    EXPECT_EQ(out(text), text);
  }
  EXPECT_EQ(expected(), 0u);
}

TEST_F(SipHelper, OverTcpSeveralMessagesShareASegment) {
  turn_on(Helper::kSip, kProtoTcp, kSip);
  Host phone{kPc, kServer, 40000, kSip, kLan, 1000, 0};
  Host server{kServer, 0, kSip, 0, kWan, 5000, 0};
  connect(phone, server);
  const std::string one = invite("192.168.88.10", "8000");
  const std::string two = invite("192.168.88.10", "8100", "", "c2");
  const Sent* s = say(phone, one + two);
  ASSERT_NE(s, nullptr);
  const std::string text = text_of(*s);
  // Its port is not the one in the headers: those stay; descriptions do not.
  EXPECT_NE(text.find("c=IN IP4 203.0.113.2\r\nt=0 0\r\nm=audio 8000"), std::string::npos);
  EXPECT_NE(text.find("c=IN IP4 203.0.113.2\r\nt=0 0\r\nm=audio 8100"), std::string::npos);
  EXPECT_EQ(expected(), 4u);
  hear(server, *s);
  // What is acknowledged is what the phone sent.
  s = say(server, "");
  ASSERT_NE(s, nullptr);
  EXPECT_EQ(s->l4<TcpHdr>().ack.host(), phone.seq);
}

/// A datagram in pieces of at most `size` bytes behind their headers.
static std::vector<std::vector<uint8_t>> in_pieces(const std::vector<uint8_t>& packet, size_t size,
                                                   uint16_t flags = 0) {
  std::vector<std::vector<uint8_t>> out;
  for (size_t at = 20; at < packet.size(); at += size) {
    const size_t end = std::min(packet.size(), at + size);
    std::vector<uint8_t> piece(packet.begin(), packet.begin() + 20);
    piece.insert(piece.end(), packet.begin() + static_cast<std::ptrdiff_t>(at),
                 packet.begin() + static_cast<std::ptrdiff_t>(end));
    auto* ip = reinterpret_cast<Ip4Hdr*>(piece.data());
    ip->total_length = be16::from(static_cast<uint16_t>(piece.size()));
    ip->fragment = be16::from(
        static_cast<uint16_t>((at - 20) / 8 | (end != packet.size() ? 0x2000u : 0u) | flags));
    ip->checksum = {};
    ip->checksum.raw = checksum(ip, 20);
    out.push_back(std::move(piece));
  }
  return out;
}

/// The datagram of what was sent, piece by piece in its order.
static std::string put_together() {
  std::string text;
  for (const Sent& one : sent()) {
    EXPECT_EQ(one.ip().fragment_offset(), text.size());
    EXPECT_EQ(one.ip().more_fragments(), &one != &sent().back());
    text.append(one.frame.begin() + 34, one.frame.end());
  }
  return text.size() < 8 ? text : text.substr(8);
}

// What Linux and RouterOS put together before they track it is read here too.
TEST_F(SipHelper, ACallInFragmentsIsRead) {  // B-12, B-24
  std::string more;                          // as phones with many codecs have
  while (more.size() < 1100) more += "a=rtpmap:96 opus/48000/2\r\n";
  const auto call =
      with_text(udp(kPc, kSip, kServer, kSip, 0), invite("192.168.88.10", "8000", more));
  ASSERT_GT(call.size(), 1500u);
  std::vector<size_t> order{0, 1, 2};
  do {
    const auto pieces = in_pieces(call, 600);
    ASSERT_EQ(pieces.size(), 3u);
    for (size_t n = 0; n < order.size(); ++n) {
      run(pieces[order[n]], kLan);
      EXPECT_EQ(sent().empty(), n != 2) << "they wait for each other";
    }
    EXPECT_EQ(put_together(), invite("203.0.113.2", "8000", more));
    EXPECT_LE(sent()[0].frame.size(), 1514u);
    EXPECT_EQ(expected(), 2u) << "RTP and RTCP";
    EXPECT_EQ(w->fragments.datagrams(), 0u);
  } while (std::next_permutation(order.begin(), order.end()));
  // In one burst with others behind.
  auto pieces = in_pieces(call, 1480);
  pieces.push_back(udp(kPc, 4000, kServer, 53));
  run(pieces, kLan);
  ASSERT_EQ(sent().size(), 3u);
  EXPECT_EQ(sent()[2].l4<UdpHdr>().dport.host(), 53);
}

TEST_F(SipHelper, FragmentsThatCannotBeReadPassAsTheyCame) {
  std::string more;
  while (more.size() < 4000) more += "a=rtpmap:96 opus/48000/2\r\n";
  const std::string text = invite("192.168.88.10", "8000", more);
  const auto call = with_text(udp(kPc, kSip, kServer, kSip, 0), text);
  const auto pieces = in_pieces(call, 1480);
  ASSERT_GT(call.size(), 2048u + 128u);
  run(pieces, kLan);  // longer than a buffer
  ASSERT_EQ(sent().size(), pieces.size());
  EXPECT_EQ(put_together(), text);
  EXPECT_EQ(expected(), 0u);
  // Their sender will not have them in others.
  run(in_pieces(with_text(udp(kPc, kSip, kServer, kSip, 0), invite("192.168.88.10", "8000")), 200,
                0x4000),
      kLan);
  EXPECT_GT(sent().size(), 1u);
  EXPECT_EQ(expected(), 0u);
  // A helper that is off wants none.
  snap.helper_ports = {};
  snap.helpers_on = 0;
  publish();
  run(in_pieces(with_text(udp(kPc, kSip, kServer, kSip, 0), invite("192.168.88.10", "8000")),
                200)[0],
      kLan);
  EXPECT_EQ(sent().size(), 1u);
}

}  // namespace maclane::test
