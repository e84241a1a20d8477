// What rows are asked for in a where expression: values that no row can have are mistakes.
#include <gmock/gmock.h>

#include "tests/unit/door/console_fixture.h"

namespace maclane::door {
namespace {

using testing::HasSubstr;

// A row of /ip/dns/static shows no type where it has the one that all begin with.
TEST_F(ConsoleTest, FindsRowsByWhatGoesWithoutSaying) {
  says("/ip dns static add name=a.lan address=10.0.0.1; add name=b.lan type=CNAME cname=a.lan",
       {{"menu", "/ip/dns/static"}});
  EXPECT_EQ(says("/ip dns static print count-only where type=A"), "1\n");
  EXPECT_EQ(says("/ip dns static print count-only where type!=A"), "1\n");
  EXPECT_EQ(says("/ip dns static print count-only where type=CNAME"), "1\n");
  EXPECT_EQ(says(":put [/ip dns static get [find type=A] name]"), "a.lan\n");
}

TEST_F(ConsoleTest, AValueThatNoRowCanHaveIsAMistakeFromAVariableToo) {
  const std::string menu = "/interface/macvlan";
  says("/interface macvlan add interface=ether1 name=m1 mode=private mtu=1400");
  const auto found = [&](const std::string& begin, const std::string& where) {
    return says(begin + "; :put [:len [find where " + where + "]]", {{"menu", menu}});
  };
  EXPECT_THAT(found(":local x foo", "mode=$x"),
              HasSubstr("!mode: input does not match any value of mode: \"foo\""));
  EXPECT_THAT(found(":local x foo", "mode!=$x"), HasSubstr("input does not match"));
  EXPECT_THAT(found(":local x foo", "name=m1 and mtu=$x"),
              HasSubstr("\"foo\" is not a whole number"));
  EXPECT_THAT(found("", "mtu=foo"), HasSubstr("\"foo\" is not a whole number"));
  EXPECT_THAT(found(":local x perhaps", "disabled=$x"),
              HasSubstr("\"perhaps\" is neither yes nor no"));
  EXPECT_EQ(found(":local x foo", "name=$x"), "0\n") << "free text may be anything";
  EXPECT_EQ(found(":local x foo", "comment=$x"), "0\n");
  EXPECT_EQ(found(":local x \"\"", "mode=$x"), "0\n") << "a text without letters is unset";
  EXPECT_EQ(found(":local x priv", "mode=$x"), "1\n") << "as far as it is clear";
  EXPECT_EQ(found(":local x 1400", "mtu=$x"), "1\n");
  EXPECT_EQ(found(":local x 70000", "mtu=$x"), "0\n");
  EXPECT_EQ(
      says(":local x foo; :do { print where mode=$x } on-error={ :put caught }", {{"menu", menu}}),
      "caught\n");
}

TEST_F(ConsoleTest, AValueOfNoAddressIsAMistakeWithRowsOrWithout) {
  const auto found = [&](const std::string& menu, const std::string& where) {
    return says(":put [:len [find where " + where + "]]", {{"menu", menu}});
  };
  struct Asked {
    const char *menu, *where, *error;
  };
  const Asked kWrong[] = {
      {"/ip/address", "address=foo", "\"foo\" is no IPv4 prefix"},
      {"/ip/address", "address!=1.2.3.4/33", "is no IPv4 prefix"},
      {"/ip/address", "address>foo", "is no IPv4 prefix"},
      {"/ip/address", "address in foo", "\"foo\" is no set of addresses to be in"},
      {"/ip/address", "network=1.2.3", "is no IPv4 address"},
      {"/interface", "mac-address=foo", "is no MAC address"},
      {"/interface/macvlan", "mac-address=02:00:00:00:00", "is no MAC address"},
      {"/interface/macvlan", "loop-protect-disable-time=soon", "is not a time"},
      {"/ip/route", "dst-address=ten", "is no IPv4 prefix"},
      {"/ip/route", "gateway=300.1.1.1", "is no gateway"},
      {"/ip/firewall/filter", "src-address=a-b", "is no set of addresses"},
      {"/ip/firewall/filter", "dst-port=web", "is no port"},
      {"/ip/pool", "ranges=10.0.0.1,foo", "is no set of addresses"},
  };
  const std::pair<const char*, const char*> kRight[] = {
      {"/ip/address", "address~\"foo\""},
      {"/ip/address", "address=\"\""},
      {"/ip/address", "address in 10.0.0.0/8"},
      {"/ip/address", "address in 10.0.0.1-10.0.0.9"},
      {"/ip/address", "address in 10.0.0.0/8,172.16.0.0/12"},
      {"/ip/address", "address in 2001:db8::/32"},
      {"/ip/address", "network<10.0.0.0"},
      {"/ip/address", "interface=foo"},
      {"/ip/address", "(address . \"x\")=\"foo\""},
      {"/interface", "mac-address=02:00:00:00:00:01"},
      {"/interface/macvlan", "mac-address=auto"},
      {"/interface/macvlan", "loop-protect-disable-time=5000d"},
      {"/ip/route", "gateway=192.0.2.1%ether9"},
      {"/ip/route", "gateway=192.0.2.1@isp1"},
      {"/ip/route", "gateway=pppoe-out1"},
      {"/ip/firewall/filter", "src-address=!10.0.0.0/8"},
      {"/ip/firewall/filter", "src-address=10.0.0.1-10.0.0.9"},
      {"/ip/firewall/filter", "dst-port=80,443,1000-2000"},
      {"/ip/firewall/filter", "dst-port>100"},
      {"/ip/firewall/address-list", "address=example.com"},
      {"/ip/service", "address=2001:db8::/32"},
  };
  const auto hold = [&](const std::string& when) {
    for (const auto& [menu, where, error] : kWrong)
      EXPECT_THAT(found(menu, where), HasSubstr(error)) << where << when;
    for (const auto& [menu, where] : kRight) EXPECT_EQ(found(menu, where), "0\n") << where << when;
  };
  hold(" without rows");
  says(
      "/interface macvlan add interface=ether1 name=m1 loop-protect-disable-time=5m\n"
      "/ip address add address=192.0.2.7/24 interface=ether1\n"
      "/ip route add gateway=192.0.2.1\n/ip pool add name=p ranges=192.0.2.10-192.0.2.20\n"
      "/ip firewall filter add chain=input src-address=192.0.2.9 action=accept\n"
      "/ip firewall address-list add list=l address=192.0.2.9");
  ASSERT_EQ(done_["code"], 0) << done_.dump();
  hold(" with rows");
  EXPECT_EQ(found("/ip/address", "address=192.0.2.7/24"), "1\n");
  EXPECT_EQ(found("/ip/address", "address in 192.0.2.0/24"), "1\n");
  EXPECT_EQ(found("/ip/address", "address in 192.0.2.0/24,10.0.0.0/8"), "1\n");
  EXPECT_THAT(says(":local x foo; print where address=$x", {{"menu", "/ip/address"}}),
              HasSubstr("is no IPv4 prefix"));
  EXPECT_THAT(says(":local x foo; print where address in $x", {{"menu", "/ip/address"}}),
              HasSubstr("is no set of addresses"));
}

TEST_F(ConsoleTest, AWrongValueFromAVariableIsAMistakeInAMenuWithoutRows) {
  const auto found = [&](const std::string& begin, const std::string& where) {
    return says(begin + "; :put [:len [find where " + where + "]]", {{"menu", "/ip/firewall/nat"}});
  };
  EXPECT_THAT(found(":local x nope", "action=$x"), HasSubstr("input does not match any value"));
  EXPECT_THAT(found(":local x nope", "chain=srcnat !(disabled=no or action=$x)"),
              HasSubstr("input does not match any value"));
  EXPECT_THAT(found(":local x 1.2.3.400", "src-address=$x"), HasSubstr("is no set of addresses"));
  EXPECT_THAT(found(":local x 4", "src-address=\"1.2.3.$x.5\""), HasSubstr("is no set of"));
  EXPECT_THAT(found(":local x {a=\"nope\"}", "action=($x->\"a\")"), HasSubstr("does not match"));
  EXPECT_THAT(found(":local x nope", "src-address in $x"), HasSubstr("is no set of addresses"));
  EXPECT_THAT(found("", "comment~\"[\""), HasSubstr("is not a regular expression"));
  EXPECT_THAT(found(":local x \"(\"", "comment~$x"), HasSubstr("is not a regular expression"));
  EXPECT_EQ(found(":local x drop", "chain=$x"), "0\n") << "free text";
  EXPECT_EQ(found(":local x acc", "action=$x"), "0\n") << "as far as it is clear";
  EXPECT_EQ(found(":local x", "action=$x"), "0\n") << "nothing is unset";
  EXPECT_EQ(found(":local action nope", "action=$action"), "0\n") << "the row's own goes first";
  EXPECT_EQ(found("", "action=[:error \"never carried out\"]"), "0\n");
  EXPECT_EQ(found(":local x {10.0.0.0/8;192.0.2.0/24}", "src-address in $x"), "0\n");
}

TEST_F(ConsoleTest, AnAddressIsLookedForInWhatRowsHave) {
  says("/ip route add dst-address=203.0.113.0/24 gateway=10.0.0.9 comment=near");
  says("/ip route add dst-address=0.0.0.0/0 gateway=10.0.0.9 comment=all");
  says("/ip route add dst-address=198.51.100.0/24 gateway=10.0.0.9 comment=other");
  const std::string get = "] do={ :put [/ip route get $i comment] }";
  for (const char* where : {"203.0.113.9 in dst-address", "(203.0.113.9 in dst-address)",
                            "\"203.0.113.9\" in dst-address", "203.0.113.0/25 in dst-address"}) {
    EXPECT_EQ(says(":foreach i in=[/ip route find where " + std::string(where) + get),
              "near\nall\n")
        << where;
  }
  EXPECT_EQ(says(":foreach i in=[/ip route find where dst-address in 203.0.0.0/16" + get),
            "near\n");
  EXPECT_EQ(says(":put [:len [/ip route find where 203.0.113.9 in gateway]]"), "0\n");
}

TEST_F(ConsoleTest, WhatIsGlobalIsThereInTheNextLineThatIsTyped) {
  const Json typed = {{"asks", true}};
  says(":global x 5", typed);
  EXPECT_EQ(says(":put $x", typed), "5\n");
  says(":set x 6", typed);
  EXPECT_EQ(says(":put ($x + 1)", typed), "7\n");
  says(":global f do={ :return ($1 * 2) }", typed);
  EXPECT_EQ(says(":put [$f 4]", typed), "8\n");
  says(":local y 1", typed);
  EXPECT_EQ(says(":put $y", typed), "\n");
  EXPECT_EQ(says(":local x 9; :put $x", typed), "9\n");
  EXPECT_EQ(says(":put $x", typed), "6\n");
  EXPECT_EQ(says(":put $x"), "\n");  // in a script it has to be declared
}

}  // namespace
}  // namespace maclane::door
