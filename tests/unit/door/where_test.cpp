// where expressions: which rows they choose, and what they say when they are wrong.
#include "control/door/where.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace maclane::door {
namespace {

using testing::HasSubstr;

const model::Menu& macvlan() {
  return *model::find_menu("/interface/macvlan");
}

const model::PrintRow kRow{"*A",
                           false,
                           {{"name", "macvlan-iot"},
                            {"interface", "ether1"},
                            {"mtu", "1500"},
                            {"mac-address", "76:81:BF:68:69:83"},
                            {"mode", "private"},
                            {"arp-timeout", "5m"},
                            {"disabled", "false"},
                            {"running", "true"},
                            {"comment", "the things (all) \"here\""}}};

bool matches(const std::string& text, const model::Menu& menu = macvlan(),
             const model::PrintRow& row = kRow) {
  const auto where = Where::parse(menu, text);
  EXPECT_TRUE(where) << text << ": " << (where ? "" : where.error().message);
  return where && where->matches(row);
}

TEST(Where, ChoosesRows) {
  for (const char* text : {"",
                           "  ",
                           "name=macvlan-iot",
                           "name=\"macvlan-iot\"",
                           "name = macvlan-iot",
                           "mode=private disabled=no",
                           "mode=private and running",
                           "mode=private && running=yes",
                           "mode=bridge or mtu=1500",
                           "mode=bridge||mtu=1500",
                           "mode=bridge || running disabled=no",
                           "name!=web",
                           "!disabled",
                           "not disabled",
                           "!(mode=bridge)",
                           "not not running",
                           "(mode=bridge or mode=private) running",
                           "((((running))))",
                           "mtu>900",
                           "mtu>=1500",
                           "mtu<=1500",
                           "mtu<10000",
                           "mtu < 10000",
                           "name~\"^macvlan\"",
                           "name~iot",
                           "name~\"-i.t$\"",
                           "name~\"^(web|macvlan)-\"",
                           "mac-address=76:81:bf:68:69:83",
                           "arp-timeout=300",
                           "arp-timeout=00:05:00",
                           "arp-timeout<1h",
                           "arp-timeout>1m",
                           "disabled=false",
                           "running=true",
                           ".id=*A",
                           "!dynamic",
                           "comment=\"the things (all) \\\"here\\\"\"",
                           "comment~things",
                           "comment",
                           "netns=\"\"",
                           "!netns",
                           "netns!=x",
                           "name>aaa",
                           "name in 10.0.0.0/8 or running"}) {
    EXPECT_TRUE(matches(text)) << text;
  }
  for (const char* text : {"name=web",
                           "name=MACVLAN-IOT",
                           "disabled",
                           "!running",
                           "mode=private disabled=yes",
                           "mode=bridge or mode=bridge",
                           "mtu>1500",
                           "mtu<1500",
                           "mtu>10000",
                           "netns<5",
                           "netns<=5",
                           "netns>=5",
                           "name~\"^iot\"",
                           "dynamic",
                           "arp-timeout>300",
                           "netns",
                           "not (running)",
                           "!running or disabled",
                           "comment=\"\"",
                           "name in 10.0.0.0/8"}) {
    EXPECT_FALSE(matches(text)) << text;
  }
}

TEST(Where, LooksIntoPrefixes) {
  const model::Menu& menu = *model::find_menu("/ip/address");
  const model::PrintRow row{"*1", true, {{"address", "10.1.2.3/24"}, {"network", "10.1.2.0"}}};
  EXPECT_TRUE(matches("address in 10.0.0.0/8", menu, row));
  EXPECT_TRUE(matches("network in 10.1.2.0-10.1.2.9", menu, row));
  EXPECT_FALSE(matches("address in 10.1.3.0/24", menu, row));
  EXPECT_TRUE(matches("network<10.1.10.0", menu, row));
  EXPECT_TRUE(matches("dynamic", menu, row));
}

struct Wrong {
  std::string text;
  size_t position;
  std::string says;
};

TEST(Where, PointsAtTheWord) {
  const Wrong cases[] = {
      {"modee=private", 0, "did you mean \"mode\""},
      {"running and nam=x", 12, "has no property \"nam\""},
      {"mode=", 4, "A value was expected"},
      {"mode= running", 4, "A value was expected"},
      {"name=\"abc", 5, "no closing quote"},
      {"(running", 0, "no ) for this ("},
      {"running)", 7, "no ( for this"},
      {"running or", 10, "ends where a term"},
      {"!", 1, "ends where a term"},
      {"mode=privte", 5, "private"},
      {"name~\"(\"", 5, "not a regular expression"},
      {"name in ether1", 8, "not an address"},
      {"=x", 0, "property name was expected"},
      {"running [x]", 8, "property name was expected"},
  };
  for (const Wrong& wrong : cases) {
    const auto where = Where::parse(macvlan(), wrong.text);
    ASSERT_FALSE(where) << wrong.text;
    EXPECT_EQ(where.error().position, wrong.position) << wrong.text;
    EXPECT_THAT(where.error().message, HasSubstr(wrong.says)) << wrong.text;
  }
}

TEST(Where, IsBounded) {
  EXPECT_FALSE(Where::parse(macvlan(), std::string(100'000, '(')));
  EXPECT_FALSE(Where::parse(macvlan(), std::string(4'000, '(') + "running"));
  EXPECT_FALSE(Where::parse(macvlan(), std::string(4'000, '!') + "running"));
  EXPECT_FALSE(Where::parse(macvlan(), "name~" + std::string(300, 'a')));
  EXPECT_TRUE(Where::parse(macvlan(), std::string(60, '(') + "running" + std::string(60, ')')));
  // Exponential where a backtracking matcher would be.
  model::PrintRow row{"*1", false, {{"name", std::string(400, 'a')}}};
  const auto where = Where::parse(macvlan(), "name~\"^(a*)*(a*)*(a|aa)+b$\"");
  ASSERT_TRUE(where);
  EXPECT_FALSE(where->matches(row));
}

TEST(Where, SurvivesAnyText) {
  std::mt19937 random(7);
  const std::string letters =
      "name=mtu()!&|<>~\"\\ in or and not yes 10.0.0.0/8*+?[]{}^$\t\x80\xff";
  for (int i = 0; i < 8'000; ++i) {
    std::string text;
    for (size_t n = random() % 40; n != 0; --n) text += letters[random() % letters.size()];
    const auto where = Where::parse(macvlan(), text);
    EXPECT_TRUE(where || where.error().position <= text.size()) << text;
    if (where) (void)where->matches(kRow);
  }
}

}  // namespace
}  // namespace maclane::door
