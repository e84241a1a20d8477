// What dnsmasq's notes say of the answers it gives (C-32: address-list of /ip/dns/static).
#include "control/service/heard_answers.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "control/model/value.h"

namespace maclane::test {
namespace {

/// "name address" of a line of the log; "": it is no answer.
std::string heard(HeardAnswers& answers, const std::string& line) {
  const std::string_view words =
      HeardAnswers::words_of(std::string_view(line).substr(line.find(": ") + 2));
  HeardAnswer out;
  if (!answers.hear(line, words, out)) return {};
  return out.name + " " + model::format_ip4(out.address);
}

TEST(HeardAnswersTest, OneAddressAndWhereItCameFrom) {
  HeardAnswers answers;
  const auto of = [&](const std::string& words) {
    return heard(answers, "dnsmasq[77]: 12 192.168.88.10/4242 " + words);
  };
  EXPECT_EQ(of("reply WWW.example is 198.51.100.80"), "www.example 198.51.100.80");
  EXPECT_EQ(of("cached www.example is 198.51.100.80"), "www.example 198.51.100.80");
  EXPECT_EQ(of("config nas.lan is 192.168.88.5"), "nas.lan 192.168.88.5");
  EXPECT_EQ(of("/run/maclane-dns-0/hosts/names pc.lan is 192.168.88.6"), "pc.lan 192.168.88.6");
  for (const char* none :
       {"query[A] www.example from 192.168.88.10", "forwarded www.example to 203.0.113.53",
        "reply www.example is 2001:db8::80", "reply www.example is NXDOMAIN", "reply www.example",
        "reply www.example is NODATA-IPv4", "started, version 2.90", "", "reply"})
    EXPECT_EQ(of(none), "") << none;
  EXPECT_EQ(heard(answers, "dnsmasq[77]: reply a.example is 192.0.2.1"), "a.example 192.0.2.1");
}

TEST(HeardAnswersTest, AnAliasLeadsToTheNameThatWasAskedFor) {
  HeardAnswers answers;
  const auto of = [&](int question, const std::string& words) {
    return heard(answers, fmt::format("dnsmasq[77]: {} 192.168.88.10/4242 {}", question, words));
  };
  EXPECT_EQ(of(1, "reply www.example is <CNAME>"), "");
  EXPECT_EQ(of(1, "reply edge.cdn.example is <CNAME>"), "");
  EXPECT_EQ(of(2, "reply other.example is 192.0.2.2"), "other.example 192.0.2.2");
  EXPECT_EQ(of(1, "reply e7.cdn.example is 192.0.2.1"), "www.example 192.0.2.1");
  EXPECT_EQ(of(1, "reply e7.cdn.example is 192.0.2.3"), "www.example 192.0.2.3");
  EXPECT_EQ(of(1, "query[A] e7.cdn.example from 192.168.88.10"), "") << "another one";
  EXPECT_EQ(of(1, "cached e7.cdn.example is 192.0.2.1"), "e7.cdn.example 192.0.2.1");
}

TEST(HeardAnswersTest, WhoAskedIsNoWord) {
  EXPECT_EQ(HeardAnswers::words_of("12 192.0.2.1/53 reply a is b"), "reply a is b");
  EXPECT_EQ(HeardAnswers::words_of("12 fe80::1/53 reply a is b"), "reply a is b");
  for (const char* whole : {"reply a is b", "12 reply a is b", "12 192.0.2.1 reply", "12", "",
                            "12                             1.2.3.4    4F", "a 1/2 b"})
    EXPECT_EQ(HeardAnswers::words_of(whole), whole);
}

}  // namespace
}  // namespace maclane::test
