// Edits through the model: all or nothing, order, names, and what follows a rename.
#include "tests/unit/model/model_test_help.h"

namespace maclane::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Kind = Edit::Kind;

class Edits : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(
        model_.replace(load(with_ethers("  macvlan:\n  - {name: m1, interface: ether2}\n"))));
    model_.on_commit([this](const Tree&) -> Status {
      ++commits_;
      if (refuse_) return fail("the dataplane cannot");
      return {};
    });
  }
  std::vector<std::string> chains() {
    std::vector<std::string> out;
    for_each(model_.tree(), "/ip/firewall/filter",
             [&](const View& row) { out.emplace_back(row.raw("comment")); });
    return out;
  }
  std::string error(const std::vector<Edit>& edits) {
    auto result = model_.apply(edits);
    return result ? "" : all_text(result.error());
  }
  static Edit rule(const char* comment, const char* before = "") {
    return {
        Kind::kAdd, "/ip/firewall/filter", "", {{"chain", "input"}, {"comment", comment}}, before};
  }

  Model model_;
  int commits_ = 0;
  bool refuse_ = false;
};

TEST_F(Edits, AddSetRemove) {
  auto added = model_.apply({{Kind::kAdd, "interface macvlan", "", {{"interface", "ether1"}}, ""}});
  ASSERT_TRUE(added) << all_text(added.error());
  EXPECT_THAT(*added, ElementsAre("*2"));
  const Menu& menu = *find_menu("/interface/macvlan");
  EXPECT_NE(model_.tree().find(menu, "macvlan1"), nullptr) << "numbered by itself (A1)";
  ASSERT_TRUE(model_.apply({{Kind::kSet, "/interface/macvlan", "*2", {{"mode", "private"}}, ""}}));
  EXPECT_EQ(View(menu, *model_.tree().find(menu, "*2")).get("mode"), "private");
  ASSERT_TRUE(model_.apply({{Kind::kSet, "/interface/macvlan", "1", {{"mode", ""}}, ""}}));
  EXPECT_EQ(View(menu, *model_.tree().find(menu, "macvlan1")).get("mode"), "bridge");
  ASSERT_TRUE(model_.apply({{Kind::kRemove, "/interface/macvlan", "macvlan1", {}, ""}}));
  EXPECT_EQ(model_.tree().find(menu, "macvlan1"), nullptr);
  added = model_.apply({{Kind::kAdd, "/interface/macvlan", "", {{"interface", "ether1"}}, ""}});
  EXPECT_THAT(*added, ElementsAre("*3")) << "ids are never used again";
  EXPECT_EQ(commits_, 5);
}

TEST_F(Edits, RulesKeepTheIdOfWhatIsGone) {  // B-10
  ASSERT_TRUE(model_.apply({{Kind::kAdd,
                             "/ip/firewall/filter",
                             "",
                             {{"chain", "forward"}, {"in-interface", "!m1"}},
                             ""}}));
  ASSERT_TRUE(model_.apply({{Kind::kRemove, "/interface/macvlan", "m1", {}, ""}}));
  const View rule(*find_menu("/ip/firewall/filter"),
                  *model_.tree().rows("/ip/firewall/filter").front());
  EXPECT_EQ(rule.raw("in-interface"), "!*1");
  EXPECT_EQ(all_text(validate(model_.tree())), "") << "it starts again so";
}

TEST_F(Edits, AllOrNothing) {
  const Edit good{Kind::kAdd, "/interface/macvlan", "", {{"interface", "ether1"}}, ""};
  EXPECT_THAT(error({good, {Kind::kAdd, "/interface/macvlan", "", {{"interface", "nix"}}, ""}}),
              HasSubstr("no interface named \"nix\""));
  EXPECT_THAT(error({good, {Kind::kSet, "/interface/macvlan", "zz", {}, ""}}),
              HasSubstr("no such item"));
  EXPECT_EQ(commits_, 0);
  refuse_ = true;
  EXPECT_THAT(error({good}), HasSubstr("the dataplane cannot"));
  EXPECT_EQ(model_.tree().rows("/interface/macvlan").size(), 1u);
  refuse_ = false;
  auto added = model_.apply({good});
  EXPECT_THAT(*added, ElementsAre("*2")) << "what failed left no trace";
}

TEST_F(Edits, EveryMistakeIsToldAtOnce) {
  const std::string text = error({{Kind::kAdd,
                                   "/interface/macvlan",
                                   "",
                                   {{"mdoe", "x"}, {"mtu", "1"}, {"running", "yes"}},
                                   ""},
                                  {Kind::kAdd, "/ip/hotspot", "", {}, ""},
                                  {Kind::kAdd, "/nothing", "", {}, ""},
                                  {Kind::kAdd, "/ip/firewall/connection", "", {}, ""},
                                  {Kind::kRemove, "/system/identity", "", {}, ""},
                                  {Kind::kMove, "/ip/address", "0", {}, ""}});
  for (const char* part : {"unknown parameter mdoe; did you mean \"mode\"?",
                           "mtu: value of mtu out of range (68..65535): 1", "read-only",
                           "not in this version of Maclane", "no such command prefix",
                           "come from the router itself", "holds settings", "have no order"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST_F(Edits, RulesKeepTheirOrder) {  // B-9
  ASSERT_TRUE(model_.apply({rule("a"), rule("b"), rule("c"), rule("d", "*2")}));
  EXPECT_THAT(chains(), ElementsAre("a", "d", "b", "c"));
  ASSERT_TRUE(model_.apply({{Kind::kMove, "/ip/firewall/filter", "*3", {}, "*1"}}));
  EXPECT_THAT(chains(), ElementsAre("c", "a", "d", "b"));
  ASSERT_TRUE(model_.apply({{Kind::kMove, "/ip/firewall/filter", "0", {}, ""}}));
  EXPECT_THAT(chains(), ElementsAre("a", "d", "b", "c"));
  ASSERT_TRUE(model_.apply({{Kind::kMove, "/ip/firewall/filter", "0", {}, "2"}}));
  EXPECT_THAT(chains(), ElementsAre("d", "a", "b", "c"));
}

TEST_F(Edits, SettingsAreSetWithoutATarget) {
  ASSERT_TRUE(model_.apply({{Kind::kSet, "/system/identity", "", {{"name", "edge"}}, ""}}));
  EXPECT_EQ(model_.tree().settings("/system/identity").get("name"), "edge");
}

TEST_F(Edits, ANewNameTakesItsReferencesAlong) {
  ASSERT_TRUE(model_.apply({{Kind::kAdd, "/ip/route", "", {{"gateway", "10.0.0.1%ether2"}}, ""},
                            {Kind::kAdd, "/ip/route", "", {{"gateway", "ether2"}}, ""},
                            {Kind::kAdd,
                             "/ip/firewall/filter",
                             "",
                             {{"chain", "input"}, {"in-interface", "!ether2"}},
                             ""},
                            {Kind::kSet, "/interface/ethernet", "ether2", {{"name", "lan"}}, ""}}));
  const std::string yaml = door::to_yaml(model_.tree());
  EXPECT_THAT(yaml, HasSubstr("{name: m1, interface: lan}"));
  EXPECT_THAT(yaml, HasSubstr("gateway: 10.0.0.1%lan"));
  EXPECT_THAT(yaml, HasSubstr("gateway: lan}"));
  EXPECT_THAT(yaml, HasSubstr("in-interface: \"!lan\""));
}

TEST_F(Edits, ANewNameOfATableGoesIntoGateways) {
  ASSERT_TRUE(
      model_.apply({{Kind::kAdd, "/routing/table", "", {{"name", "isp"}, {"fib", "yes"}}, ""},
                    {Kind::kAdd, "/ip/route", "", {{"gateway", "10.0.0.1@isp"}}, ""},
                    {Kind::kAdd, "/ip/route", "", {{"gateway", "10.0.0.1@main"}}, ""},
                    {Kind::kSet, "/routing/table", "isp", {{"name", "cable"}}, ""}}));
  const std::string yaml = door::to_yaml(model_.tree());
  EXPECT_THAT(yaml, HasSubstr("10.0.0.1@cable"));
  EXPECT_THAT(yaml, HasSubstr("10.0.0.1@main"));
}

TEST_F(Edits, AParentThatShrinksClampsItsChildren) {  // A-55, E-37
  ASSERT_TRUE(model_.apply({{Kind::kSet, "/interface/macvlan", "m1", {{"mtu", "1600"}}, ""}}));
  ASSERT_TRUE(model_.apply({{Kind::kSet, "/interface/ethernet", "ether2", {{"mtu", "1400"}}, ""}}));
  const auto rows = model_.print(*find_menu("/interface/macvlan"));
  EXPECT_EQ(rows[0].get("mtu"), "1600");
  EXPECT_EQ(rows[0].get("actual-mtu"), "1400");
  EXPECT_THAT(error({{Kind::kSet, "/interface/macvlan", "m1", {{"mtu", "1500"}}, ""}}),
              HasSubstr("above the 1400"));
  // What is written must be read again at the next start.
  EXPECT_EQ(problems(door::to_yaml(model_.tree())), "");
}

TEST_F(Edits, RowsOfStateAreRemovedByTheirProvider) {
  std::string removed;
  model_.provide_remove("/ip/firewall/connection", [&](std::string_view id) -> Status {
    removed = id;
    return {};
  });
  ASSERT_TRUE(model_.apply({{Kind::kRemove, "/ip/firewall/connection", "*7F", {}, ""}}));
  EXPECT_EQ(removed, "*7F");
  EXPECT_EQ(commits_, 0);
}

TEST(Tree, CopiesShareUntilTheyAreEdited) {
  const Tree one = load("ip: {firewall: {address-list: [{list: a, address: 10.0.0.1}]}}");
  Tree two = one;
  const Menu& menu = *find_menu("/ip/firewall/address-list");
  EXPECT_EQ(&one.rows(menu), &two.rows(menu));
  two.edit(menu).clear();
  EXPECT_EQ(one.rows(menu).size(), 1u);
  Tree three = one;
  EXPECT_EQ(three.next_id(menu), 2u);
  EXPECT_EQ(Tree(one).next_id(menu), 2u);
}

}  // namespace
TEST(Tree, ManyRowsAreFoundAndRemovedOneByOne) {
  // So many that looking through all of them for each would not end in a test's time.
  constexpr uint32_t kMany = 100'000;
  const Menu& menu = *find_menu("/ip/firewall/address-list");
  Tree tree;
  Rows& rows = tree.edit(menu);
  for (uint32_t i = 0; i < kMany; ++i) {
    auto row = std::make_shared<Row>();
    row->id = tree.next_id(menu);
    row->values.resize(menu.properties.size());
    rows.push_back(std::move(row));
  }
  const Rows before = rows;
  rows.move(7, kMany);  // one stands where its id does not say
  const auto known = [&](uint32_t id) { return rows.by_id(id) != nullptr; };
  for (uint32_t id = 1; id <= kMany; ++id) ASSERT_TRUE(known(id)) << id;
  for (uint32_t i = 0; i < kMany; ++i) ASSERT_EQ(tree.find(menu, row_id(0x80000000u + i)), nullptr);
  constexpr uint32_t kGone = 20'000;
  for (uint32_t id = 1; id <= 2 * kGone; id += 2) {
    const auto place = rows.place_of(id);
    ASSERT_TRUE(place && rows[*place]->id == id) << id;
    rows.erase(*place);
  }
  EXPECT_EQ(rows.size(), kMany - kGone);
  EXPECT_FALSE(known(7));
  EXPECT_TRUE(known(8));
  EXPECT_TRUE(known(kMany));
  EXPECT_EQ(compare(before, rows).removed.size(), kGone);
}

TEST(KeepIds, RowsThatMovedKeepTheirsAndNewOnesGetFreshOnes) {
  const auto load = [](const std::string& rules) {
    auto loaded = door::load_yaml_text("ip: {firewall: {filter: [" + rules + "]}}", "ids.yaml");
    EXPECT_TRUE(loaded);
    return std::move(loaded->tree);
  };
  const Tree running = load("{chain: input, action: drop}, {chain: forward, action: drop}");
  Tree next = load(
      "{chain: output, action: drop}, {chain: input, action: drop}, {chain: forward, action: "
      "drop}");
  keep_ids(next, running);
  const Tree::Rows& before = running.rows("/ip/firewall/filter");
  const Tree::Rows& after = next.rows("/ip/firewall/filter");
  EXPECT_EQ(after[1]->id, before[0]->id);
  EXPECT_EQ(after[2]->id, before[1]->id);
  EXPECT_GT(after[0]->id, before[1]->id);
}

TEST(KeepIds, DefaultThatIsWrittenIsNoChange) {
  const auto load = [](const std::string& text) {
    auto loaded = door::load_yaml_text(text, "ids.yaml");
    EXPECT_TRUE(loaded);
    return std::move(loaded->tree);
  };
  const auto router = [&](const std::string& action, const std::string& type,
                          const std::string& rp) {
    return load("ip: {firewall: {filter: [{chain: input" + action +
                "}]}, dns/static: [{name: a.lan, address: 10.0.0.1" + type + "}], settings: {" +
                rp + "}}");
  };
  const Tree bare = router("", "", "");
  const Tree written = router(", action: accept", ", type: A", "rp-filter: no");
  for (const auto& [from, to] : {std::pair{&bare, &written}, std::pair{&written, &bare}}) {
    Tree next = *to;
    keep_ids(next, *from);
    EXPECT_TRUE(diff(*from, next).empty());
  }
  Tree other = router(", action: drop", "", "rp-filter: strict");
  keep_ids(other, bare);
  EXPECT_EQ(diff(bare, other).size(), 2u);
}

}  // namespace maclane::model
