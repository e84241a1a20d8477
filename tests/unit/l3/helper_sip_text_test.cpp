// What the SIP helper reads of text, alone (behaviour.md B-24; RFC 3261, 4566).
#include <gtest/gtest.h>

#include <string>

#include "dataplane/helper/sip_text.h"

namespace maclane::sip {
namespace {

using Role = Place::Role;

Message read_headers(const std::string& headers,
                     const std::string& first = "OPTIONS sip:a SIP/2.0") {
  return read_message(first + "\r\n" + headers + "\r\n\r\n", false);
}
/// The text of a place.
std::string at(const std::string& headers, unsigned index) {
  const std::string text = "OPTIONS sip:a SIP/2.0\r\n" + headers + "\r\n\r\n";
  const Message m = read_message(text, false);
  return index < m.count ? text.substr(m.places[index].at, m.places[index].length) : "(none)";
}

TEST(SipText, FindsAddressesWhereverTheyStand) {
  EXPECT_EQ(at("Contact: <sip:a@10.0.0.1:5070;transport=udp>;expires=60", 0), "10.0.0.1:5070");
  EXPECT_EQ(at("m : sip:10.0.0.1", 0), "10.0.0.1");
  EXPECT_EQ(at("To: \"sip:x@10.0.0.9 \\\" \" <sips:u;p?@10.0.0.1>;tag=10.0.0.2", 0), "10.0.0.1");
  EXPECT_EQ(at("To: \"sip:x@10.0.0.9\" <sip:10.0.0.1>;tag=10.0.0.2", 1), "(none)");
  EXPECT_EQ(at("Contact: <sip:a@10.0.0.1>,\r\n <sip:b@10.0.0.2:99>", 1), "10.0.0.2:99");
  EXPECT_EQ(at("From: Al sip:10.0.0.1;x=sip:10.0.0.3", 1), "(none)");
  EXPECT_EQ(at("Route: <sip:10.0.0.1;lr>, <sip:10.0.0.2;lr>", 1), "10.0.0.2");
  EXPECT_EQ(at("v: SIP / 2.0 / UDP 10.0.0.1:5061 ;branch=z;received=10.0.0.2;rport=77", 0),
            "10.0.0.1:5061");
  EXPECT_EQ(at("v: SIP/2.0/UDP 10.0.0.1;branch=z;received=10.0.0.2;rport=77", 1), "10.0.0.2");
  EXPECT_EQ(at("v: SIP/2.0/UDP 10.0.0.1;branch=z;received=10.0.0.2;rport=77", 2), "77");
  // The topmost is the sender's; the others are for those before it.
  EXPECT_EQ(at("Via: SIP/2.0/UDP 10.0.0.1, SIP/2.0/UDP 10.0.0.2\r\nv: SIP/2.0/UDP 10.0.0.3", 1),
            "(none)");
  const Message m = read_headers("", "INVITE sip:bob@10.0.0.1:80;user=phone SIP/2.0");
  ASSERT_EQ(m.count, 1u);
  EXPECT_EQ(m.places[0].port.host(), 80);
  EXPECT_EQ(m.method, Method::kInvite);
}

TEST(SipText, NamesAreNoAddresses) {
  for (const char* text :
       {"Contact: <sip:a@10.0.0.1.example.org>", "Contact: <sip:a@10.0.0.256>",
        "Contact: <sip:a@10.0.0.1x>", "Contact: <sip:a@10.0.0>", "Contact: <sip:a@10.0.0.1:70000>",
        "Contact: <sip:a@[::1]>", "Contact: *", "X-Contact: <sip:a@10.0.0.1>", "Via: 10.0.0.1"}) {
    EXPECT_EQ(read_headers(text).count, 0u) << text;
  }
}

TEST(SipText, ReadsWhatMessagesSayOfThemselves) {
  const Message m = read_headers(
      "Call-ID: abc@10.0.0.1\r\nCSeq: 314 REGISTER\r\nExpires: 60\r\n"
      "Contact: <sip:a@10.0.0.1>;q=0.5; Expires=7",
      "SIP/2.0 200 OK");
  EXPECT_EQ(m.kind, Message::Kind::kResponse);
  EXPECT_EQ(m.status, 200);
  EXPECT_EQ(m.method, Method::kRegister);
  EXPECT_EQ(m.sequence, 314u);
  EXPECT_EQ(m.expires_s, 60u);
  ASSERT_EQ(m.count, 1u);
  EXPECT_EQ(m.places[0].role, Role::kContact);
  EXPECT_EQ(m.places[0].expires_s, 7u);
  EXPECT_EQ(m.call & 1, 1u);
  EXPECT_NE(m.call, read_headers("i: abd@10.0.0.1").call);
  EXPECT_EQ(read_headers("Call-ID: x").call, read_headers("i : x").call);
}

TEST(SipText, EndsWhereItSays) {
  const std::string head = "SIP/2.0 200 OK\r\nl: 4\r\n\r\n";
  EXPECT_EQ(read_message(head + "abcdSIP/2.0", true).size, head.size() + 4);
  EXPECT_EQ(read_message(head + "abc", true).kind, Message::Kind::kNone) << "more will come";
  EXPECT_EQ(read_message(head + "abc", false).length, 3u);
  EXPECT_EQ(read_message("SIP/2.0 200 OK\r\n\r\nabc", true).length, 0u);
  EXPECT_EQ(read_message("SIP/2.0 200 OK\r\n\r\nabc", false).length, 3u);
  for (const char* text :
       {"", "\r\n", "SIP/2.0 200 OK", "SIP/2.0 200 OK\r\n", "SIP/2.0 99 x\r\n\r\n",
        "OPTIONS sip:a HTTP/1.1\r\n\r\n", "SIP/2.0 200 OK\r\nl: x\r\n\r\n",
        "SIP/2.0 200 OK\r\nl: 1\r\nl: 1\r\n\r\na", " INVITE x SIP/2.0\r\n\r\n"}) {
    EXPECT_EQ(read_message(text, false).kind, Message::Kind::kNone) << text;
  }
}

TEST(SipText, ReadsDescriptions) {
  const std::string text =
      "--part\r\nContent-Type: application/sdp\r\n\r\nv=0\r\no=- 1 2 IN IP4 10.0.0.1\r\n"
      "c=IN IP4 10.0.0.2/127\r\nm=audio 4000/2 RTP/AVP 0\r\nm=video 5000 RTP/SAVPF 1\r\n"
      "c=IN IP4 10.0.0.3\r\na=rtcp:5003 IN IP4 10.0.0.3\r\nm=image 6000 udptl t38\r\n"
      "m=message 7000 TCP/MSRP *\r\nm=audio 8000 RTP/AVP 0\r\nc=IN IP6 ::1\r\n--part--\r\n"
      "c=IN IP4 9.9.9.9\r\n";
  const Description d = read_description(text, 0, text.size());
  ASSERT_EQ(d.streams, 5u);
  ASSERT_EQ(d.addresses, 4u);
  EXPECT_EQ(text.substr(d.address[1].at, d.address[1].length), "10.0.0.2");
  EXPECT_EQ(text.substr(d.stream[0].port_at, d.stream[0].port_length), "4000");
  EXPECT_EQ(d.stream[0].address.host() & 0xff, 2u);
  EXPECT_EQ(d.stream[1].address.host() & 0xff, 3u);
  EXPECT_EQ(d.stream[1].rtcp.host(), 5003);
  EXPECT_EQ(text.substr(d.stream[1].rtcp_at, d.stream[1].rtcp_length), "5003");
  EXPECT_TRUE(d.stream[2].datagrams);
  EXPECT_FALSE(d.stream[3].datagrams);
  EXPECT_EQ(d.stream[4].address.raw, 0u) << "no numeric IPv4 address";
}

TEST(SipText, Writes) {
  EXPECT_EQ(write_address(be32::from(0xfffefdfcu), be16::from(65535)).view(),
            "255.254.253.252:65535");
  EXPECT_EQ(write_address(be32::from(1)).view(), "0.0.0.1");
  EXPECT_EQ(write_number(0).view(), "0");
  EXPECT_EQ(write_number(0xffffffffu).view(), "4294967295");
}

}  // namespace
}  // namespace maclane::sip
