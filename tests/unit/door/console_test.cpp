// What is typed at the console becomes a request, or an error that points at the word.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "control/door/console_line.h"

namespace maclane::door {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Catalog& catalog() {
  static const Catalog all({
      {"/interface", "state", "", {"print", "get"}, {"name", "type"}},
      {"/interface/macvlan",
       "list",
       "",
       {"print", "get", "add", "set", "remove", "enable", "disable", "comment", "schema"},
       {"name", "interface", "mode", "mtu", "comment", "disabled"}},
      {"/interface/vlan", "list", "", {"print", "add"}, {"name"}},
      {"/ip/address", "list", "", {"print", "add"}, {"address", "interface"}},
      {"/ip/dhcp-server", "list", "", {"print"}, {"name"}},
      {"/ip/dhcp-server/network", "list", "", {"print"}, {"address"}},
      {"/ip/firewall/filter", "ordered", "", {"print", "move"}, {"chain", "action"}},
      {"/system/identity", "settings", "", {"print", "set"}, {"name"}},
      {"/system", "commands", "", {"reload", "status"}, {}},
  });
  return all;
}

ConsoleLine good(const std::string& line, std::string_view context = "") {
  const auto parsed = parse_line(catalog(), context, line);
  EXPECT_TRUE(parsed) << line << ": " << (parsed ? "" : parsed.error().message);
  return parsed ? *parsed : ConsoleLine{};
}

TEST(Console, TakesBothSpellings) {
  for (const char* line :
       {"/interface/macvlan/print", "/interface macvlan print", "interface macvlan print",
        "interface/macvlan print", " /interface / macvlan  print ", "/int mac pri",
        "/interface/macvlan/print brief"}) {
    const ConsoleLine out = good(line);
    EXPECT_EQ(out.path, "/interface/macvlan") << line;
    EXPECT_EQ(out.command, "print") << line;
  }
  EXPECT_EQ(good("/ip dhcp-server network print").path, "/ip/dhcp-server/network");
  EXPECT_EQ(good("/ip dhcp-server print").path, "/ip/dhcp-server");
  EXPECT_EQ(good("reload").path, "/system");
  EXPECT_EQ(good("status").command, "status");
  EXPECT_EQ(good("print", "/interface/macvlan").path, "/interface/macvlan");
  EXPECT_EQ(good("ip address print", "/interface/macvlan").path, "/ip/address");
  EXPECT_EQ(good("/ip/address", "/interface/macvlan").path, "/ip/address");
  EXPECT_EQ(good("..", "/interface/macvlan").path, "/interface");
  EXPECT_EQ(good("/", "/interface/macvlan").path, "");
  EXPECT_EQ(good("").command, "");
}

TEST(Console, ReadsPrintArguments) {
  const std::string line = "/ip firewall filter print stats where chain=forward comment=\"a b\"";
  const ConsoleLine out = good(line);
  EXPECT_EQ(out.print.style, observe::Style::kStats);
  EXPECT_EQ(out.arguments.dump(), R"({"where":"chain=forward comment=\"a b\""})");
  EXPECT_EQ(line.substr(out.where_at, 5), "chain");
  EXPECT_EQ(good("/ip address print count-only").arguments.dump(), R"({"count-only":true})");
  EXPECT_THAT(good("/ip address print proplist=interface,address").print.properties,
              ElementsAre("interface", "address"));
  EXPECT_EQ(good("/ip address print detail stats").print.style, observe::Style::kDetail);
}

TEST(Console, ReadsEdits) {
  EXPECT_EQ(good("/interface macvlan add name=m1 interface=ether1 comment=\"a \\\"b\\\"\"")
                .arguments.dump(),
            R"({"name":"m1","interface":"ether1","comment":"a \"b\""})");
  EXPECT_EQ(good("/interface macvlan set m1,*2 mtu=1400").arguments.dump(),
            R"({"numbers":"m1,*2","mtu":"1400"})");
  EXPECT_EQ(good("/interface macvlan remove \"a b\"").arguments.dump(), R"({"numbers":"a b"})");
  EXPECT_EQ(good("/system identity set name=edge1").arguments.dump(), R"({"name":"edge1"})");
  EXPECT_EQ(good("/ip firewall filter move 3 destination=0").arguments.dump(),
            R"({"numbers":"3","destination":"0"})");
  EXPECT_EQ(good("reload now").arguments.dump(), R"({"now":""})");
}

TEST(Console, PointsAtTheWord) {
  struct Wrong {
    std::string line;
    size_t position;
    std::string says;
  };
  const Wrong cases[] = {
      {"/interface macvlna print", 11, "did you mean \"macvlan\""},
      {"/interfaces/macvlan", 1, "did you mean \"interface\""},
      {"/i", 1, "can be interface or ip"},
      {"/interface/macvlan/prnt", 19, "did you mean \"print\""},
      {"/interface/macvlan/print/x", 25, "goes on after the command"},
      {"/interface/macvlan/print detial", 25, "did you mean \"detail\""},
      {"/interface/macvlan/print mode=private", 25, "where mode=private"},
      {"/interface/macvlan/print where", 25, "An expression was expected"},
      {"/interface/macvlan/print proplist=nme", 25, "did you mean \"name\""},
      {"/interface/macvlan/add nmae=x", 23, "did you mean \"name\""},
      {"/interface/macvlan/add name=\"x", 28, "no closing quote"},
      {"/interface/macvlan/add x", 23, "A property with its value"},
      {"frobnicate", 0, "There is no menu"},
  };
  for (const Wrong& wrong : cases) {
    const auto parsed = parse_line(catalog(), "", wrong.line);
    ASSERT_FALSE(parsed) << wrong.line;
    EXPECT_EQ(parsed.error().position, wrong.position) << wrong.line;
    EXPECT_THAT(parsed.error().message, HasSubstr(wrong.says)) << wrong.line;
  }
}

TEST(Console, Completes) {
  EXPECT_THAT(complete_line(catalog(), "", "/int"), ElementsAre("interface"));
  EXPECT_THAT(complete_line(catalog(), "", "/interface/"),
              ElementsAre("get", "macvlan", "print", "vlan"));
  EXPECT_THAT(complete_line(catalog(), "", "/interface macvlan e"), ElementsAre("enable"));
  EXPECT_THAT(complete_line(catalog(), "", "/interface macvlan print te"), ElementsAre("terse"));
  EXPECT_THAT(complete_line(catalog(), "", "/interface macvlan add m"),
              ElementsAre("mode=", "mtu="));
  EXPECT_THAT(complete_line(catalog(), "", "/interface macvlan print where mo"),
              ElementsAre("mode="));
  EXPECT_THAT(complete_line(catalog(), "/interface/macvlan", "pr"), ElementsAre("print"));
  EXPECT_THAT(complete_line(catalog(), "", "/nothing "), ElementsAre());
  EXPECT_THAT(complete_line(catalog(), "", "\"x y"), ElementsAre());
}

TEST(Console, GivesShellWordsTheirQuotesBack) {
  EXPECT_EQ(join_words({"/ip/address", "print", "where", "comment=a b"}),
            "/ip/address print where comment=\"a b\"");
  EXPECT_EQ(join_words({"/ip/address print where comment=\"a b\""}),
            "/ip/address print where comment=\"a b\"");
  EXPECT_EQ(join_words({"print", "where", "name=x disabled=no"}), "print where name=x disabled=no");
  EXPECT_EQ(join_words({"print", "where", "name~(a|b)"}), "print where name~\"(a|b)\"");
  EXPECT_EQ(join_words({"print", "where", "(name=a", "or", "name=b)"}),
            "print where (name=a or name=b)");
  EXPECT_EQ(join_words({"set", "m1", "comment="}), "set m1 comment=\"\"");
}

TEST(Console, SurvivesAnyLine) {
  std::mt19937 random(3);
  const std::string letters = "/interface macvlan print where=\"\\.. \t,![]~\xff";
  for (int i = 0; i < 8'000; ++i) {
    std::string text;
    for (size_t n = random() % 50; n != 0; --n) text += letters[random() % letters.size()];
    const auto parsed = parse_line(catalog(), i % 2 == 0 ? "" : "/interface/macvlan", text);
    EXPECT_TRUE(parsed || parsed.error().position <= text.size()) << text;
    (void)complete_line(catalog(), "", text);
    (void)join_words({text, text});
  }
}

}  // namespace
}  // namespace maclane::door
