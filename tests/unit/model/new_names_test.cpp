// Interfaces that a file gives another name go on under it.
#include "control/model/new_names.h"

#include <fmt/format.h>

#include "control/model/mentions.h"
#include "tests/unit/model/model_test_help.h"

namespace maclane::model {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

const std::string kFile = R"(
interface:
  ethernet:
  - {name: ether1, device: net_tap0}
  - {name: ether2, device: net_tap1}
  vlan:
  - {name: vlan30, interface: ether1, vlan-id: 30}
  - {name: vlan31, interface: ether1, vlan-id: 31}
  macvlan:
  - {name: wan1, interface: ether1, mac-address: '02:00:00:00:00:01'}
  - {name: wan2, interface: vlan30, mac-address: '02:00:00:00:00:01'}
  pppoe-client:
  - {name: dsl1, interface: wan1, user: a}
  - {name: dsl2, interface: wan1, user: b}
ip:
  address:
  - {address: 10.1.0.1/24, interface: wan2}
  route:
  - {dst-address: 10.9.0.0/16, gateway: 10.1.0.9%wan2}
  firewall:
    filter:
    - {chain: forward, in-interface: '!dsl1', action: accept, comment: not dsl}
    - {chain: forward, in-interface: ether2, action: drop, comment: other}
)";

class NewNamesTest : public testing::Test {
 protected:
  void start(const std::string& yaml) { ASSERT_TRUE(model_.start(load(yaml), {load(yaml), yaml})); }
  std::vector<std::string> reload(const std::string& yaml) {
    auto warnings = model_.load(load(yaml), yaml, caller_);
    if (warnings) return std::move(*warnings);
    ADD_FAILURE() << all_text(warnings.error());
    return {};
  }
  void apply(Edit edit) {
    const auto done = model_.apply({std::move(edit)}, caller_);
    ASSERT_TRUE(done) << all_text(done.error());
  }
  /// "*1 ether1", of each row.
  std::vector<std::string> rows(std::string_view path, std::string_view property = "name") {
    std::vector<std::string> out;
    for_each(model_.tree(), path, [&](const View& row) {
      out.push_back(row_id(row.row().id) + " " + std::string(row.raw(property)));
    });
    return out;
  }

  Model model_;
  Caller caller_ = Caller::router();
};

TEST_F(NewNamesTest, EachKindIsKnownByWhatItIs) {
  start(kFile);
  std::string next = kFile;
  for (const auto& [from, to] : {std::pair{"ether1", "isp"},
                                 {"vlan30", "voice"},
                                 {"wan1", "up1"},
                                 {"wan2", "up2"},
                                 {"dsl1", "line1"}})
    next = replaced(next, from, to);
  EXPECT_THAT(reload(next), IsEmpty());
  EXPECT_THAT(rows("/interface/ethernet"), ElementsAre("*1 isp", "*2 ether2"));
  EXPECT_THAT(rows("/interface/vlan"), ElementsAre("*1 voice", "*2 vlan31"));
  EXPECT_THAT(rows("/interface/macvlan"), ElementsAre("*1 up1", "*2 up2"));
  EXPECT_THAT(rows("/interface/pppoe-client"), ElementsAre("*1 line1", "*2 dsl2"));
  // Who speaks of them is who it was.
  EXPECT_THAT(rows("/ip/address", "interface"), ElementsAre("*1 up2"));
  EXPECT_THAT(rows("/ip/route", "gateway"), ElementsAre("*1 10.1.0.9%up2"));
  EXPECT_THAT(rows("/ip/firewall/filter", "in-interface"), ElementsAre("*1 !line1", "*2 ether2"));
  // And back.
  EXPECT_THAT(reload(kFile), IsEmpty());
  EXPECT_THAT(rows("/interface/macvlan"), ElementsAre("*1 wan1", "*2 wan2"));
}

TEST_F(NewNamesTest, WhatDoorsSaidOfItGoesWithIt) {
  start(kFile);
  apply({Edit::Kind::kAdd,
         "/ip/address",
         "",
         {{"address", "10.2.0.1/24"}, {"interface", "ether1"}},
         "",
         ""});
  apply({Edit::Kind::kSet, "/interface/macvlan", "wan1", {{"comment", "mine"}}, "", ""});
  apply({Edit::Kind::kSet, "/interface/vlan", "vlan31", {{"name", "tv"}}, "", ""});
  EXPECT_THAT(reload(replaced(replaced(kFile, "ether1", "isp"), "wan1", "up1")), IsEmpty());
  EXPECT_THAT(rows("/ip/address", "interface"), ElementsAre("*1 wan2", "*2 isp"));
  EXPECT_THAT(rows("/interface/macvlan", "comment"), ElementsAre("*1 mine", "*2 "));
  EXPECT_THAT(rows("/interface/vlan"), ElementsAre("*1 vlan30", "*2 tv"));
  EXPECT_THAT(rows("/interface/vlan", "interface"), ElementsAre("*1 isp", "*2 isp"));
  // One that a door had given a name of its own, and the file another.
  EXPECT_THAT(reload(replaced(kFile, "vlan31", "television")), IsEmpty());
  EXPECT_THAT(rows("/interface/vlan"), ElementsAre("*1 vlan30", "*2 television"));
}

TEST_F(NewNamesTest, AVlanOnAVlanIsKnownOnceItsParentIs) {
  const std::string nested = R"(
interface:
  ethernet:
  - {name: ether1, device: net_tap0}
  vlan:
  - {name: inner, interface: outer, vlan-id: 20}
  - {name: outer, interface: ether1, vlan-id: 10}
  - {name: first, interface: ether1}
  macvlan:
  - {name: wan1, interface: inner, mac-address: '02:00:00:00:00:01'}
)";
  start(nested);
  std::string next = nested;
  for (const auto& [from, to] :
       {std::pair{"inner", "customer"}, {"outer", "service"}, {"first", "one"}, {"wan1", "up1"}})
    next = replaced(next, from, to);
  EXPECT_THAT(reload(next), IsEmpty());
  EXPECT_THAT(rows("/interface/vlan"), ElementsAre("*1 customer", "*2 service", "*3 one"));
  EXPECT_THAT(rows("/interface/macvlan"), ElementsAre("*1 up1"));
}

TEST_F(NewNamesTest, ANameThatADoorGaveToAnotherIsNotGivenTwice) {
  start(kFile);
  apply({Edit::Kind::kAdd,
         "/interface/macvlan",
         "",
         {{"name", "up1"}, {"interface", "ether2"}, {"mac-address", "02:00:00:00:00:09"}},
         "",
         ""});
  (void)reload(replaced(kFile, "wan1", "up1"));
  // The file wins: of its two there is each once, and who speaks of up1 speaks of the file's.
  EXPECT_EQ(rows("/interface/macvlan").size(), 2u);
  EXPECT_EQ(model_.tree().find(*find_menu("/interface/macvlan"), "wan1"), nullptr);
  EXPECT_THAT(rows("/interface/macvlan", "mac-address"),
              testing::Each(testing::EndsWith("02:00:00:00:00:01")));
  EXPECT_THAT(rows("/interface/pppoe-client", "interface"), ElementsAre("*1 up1", "*2 up1"));
}

TEST_F(NewNamesTest, AnotherDeviceOrMacIsAnother) {
  start(kFile);
  std::string next = replaced(kFile, "ether2, device: net_tap1", "lan, device: net_tap2");
  next = replaced(replaced(next, "wan2", "up2"), "vlan30, mac-address: '02:00:00:00:00:01",
                  "vlan30, mac-address: '02:00:00:00:00:02");
  (void)reload(replaced(next, "in-interface: ether2", "in-interface: lan"));
  EXPECT_THAT(rows("/interface/ethernet"), ElementsAre("*1 ether1", "*3 lan"));
  EXPECT_THAT(rows("/interface/macvlan"), ElementsAre("*1 wan1", "*3 up2"));
}

TEST_F(NewNamesTest, OfTwoThatAreAlikeNobodyKnows) {
  const std::string two = with_ethers(
      "  pppoe-client:\n  - {name: a, interface: ether1, user: u}\n"
      "  - {name: b, interface: ether1, user: u}\n");
  start(two);
  (void)reload(replaced(replaced(two, "name: a", "name: c"), "name: b", "name: d"));
  EXPECT_THAT(rows("/interface/pppoe-client"), ElementsAre("*3 c", "*4 d"));
  // One alone is known, beside others that are as they were.
  EXPECT_THAT(reload(replaced(replaced(two, "name: a", "name: c"), "name: b", "name: e")),
              IsEmpty());
  EXPECT_THAT(rows("/interface/pppoe-client"), ElementsAre("*3 c", "*4 e"));
}

TEST(AlikeMacvlans, OneGoneAndOneNewOfTheSameKind) {
  const auto file = [](const std::string& rows) {
    return load(with_ethers("  macvlan:\n" + rows));
  };
  const auto named = [](const RowPairs& pairs) {
    const Menu& menu = *find_menu("/interface/macvlan");
    std::vector<std::string> out;
    for (const auto& [was, is] : pairs)
      out.push_back(View(menu, *was).label() + " " + View(menu, *is).label());
    return out;
  };
  const std::string a = "  - {name: a, interface: ether1}\n";
  const std::string b = "  - {name: b, interface: ether1}\n";
  const std::string c = "  - {name: c, interface: ether1}\n";
  EXPECT_THAT(named(alike_macvlans(file(a + b), file(a + c))), ElementsAre("b c"));
  EXPECT_THAT(named(alike_macvlans(file(a), file("  - {name: c, interface: ether1, disabled: no, "
                                                 "comment: new}\n"))),
              ElementsAre("a c"))
      << "a default that is written is the same";
  // Names that change places, ways that nobody can tell apart, and others than that.
  EXPECT_THAT(named(alike_macvlans(file(a + b), file(b + a))), IsEmpty());
  EXPECT_THAT(named(alike_macvlans(file(a + b), file(c))), IsEmpty());
  EXPECT_THAT(named(alike_macvlans(file(a), file(b + c))), IsEmpty());
  EXPECT_THAT(named(alike_macvlans(file(a), file("  - {name: c, interface: ether2}\n"))),
              IsEmpty());
  EXPECT_THAT(
      named(alike_macvlans(file(a), file("  - {name: c, interface: ether1, mode: private}\n"))),
      IsEmpty());
  // The parent may have another name, too.
  const std::string parents = replaced(with_ethers("  macvlan:\n" + c), "ether1", "isp");
  EXPECT_THAT(named(alike_macvlans(file(a), load(parents))), ElementsAre("a c"));
}

TEST_F(NewNamesTest, ManyTakeTheirMentionsAlongInOneWalk) {
  const auto file = [](const std::string& stem) {
    std::string vlans, rules;
    for (int i = 1; i <= 300; ++i) {
      vlans += fmt::format("  - {{name: {0}{1}, interface: ether1, vlan-id: {1}}}\n", stem, i);
      rules +=
          fmt::format("    - {{chain: forward, in-interface: '!{}{}', action: drop}}\n", stem, i);
    }
    return fmt::format(
        "interface:\n  ethernet:\n  - {{name: ether1, device: net_tap0}}\n"
        "  vlan:\n{}ip:\n  firewall:\n    filter:\n{}",
        vlans, rules);
  };
  start(file("a"));
  const auto before = rows("/ip/firewall/filter", "in-interface");
  EXPECT_THAT(reload(file("b")), IsEmpty());
  const auto after = rows("/ip/firewall/filter", "in-interface");
  ASSERT_EQ(after.size(), 300u);
  for (size_t i = 0; i < after.size(); ++i)
    EXPECT_EQ(after[i], replaced(before[i], "!a", "!b")) << "the same row";
}

TEST(Mentions, NamesThatAreExchangedAreExchangedInMentions) {
  Tree tree = load(kFile);
  rename_mentions(tree, {{"/interface/macvlan", {{"wan1", "wan2"}, {"wan2", "wan1"}}},
                         {"/interface/pppoe-client", {{"dsl1", "dsl9"}}},
                         {"/interface/ethernet", {{"ether2", "lan"}}}});
  const auto values = [&](std::string_view path, std::string_view property) {
    std::vector<std::string> out;
    for_each(tree, path, [&](const View& row) { out.emplace_back(row.raw(property)); });
    return out;
  };
  EXPECT_THAT(values("/interface/pppoe-client", "interface"), ElementsAre("wan2", "wan2"));
  EXPECT_THAT(values("/ip/address", "interface"), ElementsAre("wan1"));
  EXPECT_THAT(values("/ip/route", "gateway"), ElementsAre("10.1.0.9%wan1"));
  EXPECT_THAT(values("/ip/firewall/filter", "in-interface"), ElementsAre("!dsl9", "lan"));
}

}  // namespace
}  // namespace maclane::model
