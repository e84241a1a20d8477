// What the tests of SIP share: messages of a phone behind the router and of a server outside.
#pragma once

#include "tests/unit/l3/helper_fixture.h"

namespace maclane::test {

class SipHelper : public HelperTest {
 protected:
  static constexpr uint16_t kSip = 5060;

  void SetUp() override {
    HelperTest::SetUp();
    turn_on(Helper::kSip, kProtoUdp, kSip);
    nat({masquerade()});
  }
  /// Sends a datagram; what it said when it left, or "(nothing)".
  std::string tell(uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport,
                   std::string_view text) {
    const bool inside = src == kPc || src == kPc2;
    run(with_text(udp(src, sport, dst, dport, 0), text), inside ? kLan : kWan);
    if (sent().size() != 1) return "(nothing)";
    EXPECT_TRUE(sent()[0].checksums_ok());
    return text_of(sent()[0]);
  }
  std::string out(std::string_view text, uint32_t pc = kPc) {
    return tell(pc, kSip, kServer, kSip, text);
  }
  std::string in(std::string_view text, uint16_t to = kSip) {
    return tell(kServer, kSip, kWanIp, to, text);
  }

  static std::string description(const std::string& host, const std::string& port,
                                 const std::string& more = "") {
    return "v=0\r\no=u 1 1 IN IP4 " + host + "\r\ns=-\r\nc=IN IP4 " + host +
           "\r\nt=0 0\r\nm=audio " + port + " RTP/AVP 0\r\n" + more;
  }
  /// A message: first line, headers, and a body with its length.
  static std::string message(const std::string& first, const std::string& headers,
                             const std::string& body = "") {
    return first + "\r\n" + headers + "Content-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  }
  static std::string invite(const std::string& host, const std::string& port,
                            const std::string& more = "", const std::string& call = "c1") {
    return message("INVITE sip:bob@198.51.100.7 SIP/2.0",
                   "Via: SIP/2.0/UDP " + host + ":5060;branch=z9\r\nFrom: <sip:al@" + host +
                       ">;tag=1\r\nTo: <sip:bob@198.51.100.7>\r\nCall-ID: " + call +
                       "\r\nCSeq: 1 INVITE\r\nContact: <sip:al@" + host +
                       ":5060>\r\nContent-Type: application/sdp\r\n",
                   description(host, port, more));
  }
  static std::string answer(const std::string& to, const std::string& status,
                            const std::string& body = "", const std::string& call = "c1") {
    return message("SIP/2.0 " + status,
                   "Via: SIP/2.0/UDP " + to + ":5060;branch=z9;received=" + to +
                       ";rport=5060\r\nFrom: <sip:al@" + to +
                       ">;tag=1\r\nTo: <sip:bob@198.51.100.7>;tag=2\r\nCall-ID: " + call +
                       "\r\nCSeq: 1 INVITE\r\nContact: <sip:bob@198.51.100.7>\r\n",
                   body);
  }
  static std::string enrol(const std::string& host, const std::string& contact,
                           const std::string& more = "", unsigned sequence = 7) {
    return message("REGISTER sip:198.51.100.7 SIP/2.0",
                   "Via: SIP/2.0/UDP " + host +
                       ":5060;branch=z9\r\nCall-ID: r1\r\nCSeq: " + std::to_string(sequence) +
                       " REGISTER\r\nContact: <sip:al@" + contact + ">" + more + "\r\n");
  }
  static std::string enrolled(const std::string& host, const std::string& contact,
                              const std::string& more = "", unsigned sequence = 7) {
    return message("SIP/2.0 200 OK",
                   "Via: SIP/2.0/UDP " + host +
                       ":5060;branch=z9\r\nCall-ID: r1\r\nCSeq: " + std::to_string(sequence) +
                       " REGISTER\r\nContact: <sip:al@" + contact + ">" + more + "\r\n");
  }
  const Session* media(uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport) {
    return session(src, sport, dst, dport, kProtoUdp);
  }
  uint32_t expected() { return w->shared->expectations.size(); }
};

}  // namespace maclane::test
