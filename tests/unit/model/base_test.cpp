// The file under what doors changed: three ways, reload, apply and going back, reset.
#include "control/model/base.h"

#include <cstdio>
#include <fstream>

#include "control/door/plan.h"
#include "tests/unit/model/model_test_help.h"
#include "tests/unit/model/random_tree.h"

namespace maclane::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string rules(const std::vector<std::string>& comments) {
  std::string out = "ip:\n  firewall:\n    filter:\n";
  for (const std::string& one : comments)
    out += "    - {chain: input, action: accept, comment: " + one + "}\n";
  return out;
}

class BaseTest : public testing::Test {
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
  void add(std::string_view path, std::vector<std::pair<std::string, std::string>> values,
           std::string before = "") {
    apply({Edit::Kind::kAdd, std::string(path), "", std::move(values), std::move(before), ""});
  }
  void set(std::string_view path, std::string target,
           std::vector<std::pair<std::string, std::string>> values) {
    apply({Edit::Kind::kSet, std::string(path), std::move(target), std::move(values), "", ""});
  }
  void remove(std::string_view path, std::string target) {
    apply({Edit::Kind::kRemove, std::string(path), std::move(target), {}, "", ""});
  }
  std::vector<std::string> all(std::string_view path, std::string_view property) {
    std::vector<std::string> out;
    for_each(model_.tree(), path, [&](const View& row) { out.emplace_back(row.get(property)); });
    return out;
  }
  std::string id_of(std::string_view path, std::string_view comment) {
    for (const RowPtr& row : model_.tree().rows(path)) {
      if (View(*find_menu(path), *row).get("comment") == comment) return row_id(row->id);
    }
    return {};
  }
  std::vector<std::string> changes() {
    return lines(diff(model_.base().tree, model_.tree()), model_.tree());
  }
  Answer<Outcome> run(std::string_view command,
                      std::vector<std::pair<std::string, std::string>> arguments = {},
                      std::string_view path = "/") {
    Call call;
    call.path = path;
    call.command = command;
    call.arguments = std::move(arguments);
    return commands_.run(call, caller_);
  }

  Model model_;
  Commands commands_{model_};
  Caller caller_{"admin", "console"};
};

constexpr std::string_view kFilter = "/ip/firewall/filter";

TEST_F(BaseTest, WhatTheFileChangedWinsAndTheRestStays) {
  start(with_ethers("  macvlan:\n  - {name: m1, interface: ether2, mtu: 1400, comment: file}\n"));
  set("/interface/macvlan", "m1", {{"comment", "door"}, {"mode", "private"}});
  set("/system/identity", "", {{"name", "edge"}});
  add("/interface/list", {{"name", "mine"}});
  EXPECT_THAT(reload(with_ethers("  macvlan:\n"
                                 "  - {name: m1, interface: ether2, mtu: 1300, comment: file}\n"
                                 "  - {name: m2, interface: ether1}\n"
                                 "  list:\n  - {name: theirs}\n")),
              IsEmpty());
  EXPECT_THAT(all("/interface/macvlan", "mtu"), ElementsAre("1300", testing::_));
  EXPECT_THAT(all("/interface/macvlan", "comment"), ElementsAre("door", ""));
  EXPECT_THAT(all("/interface/macvlan", "mode"), ElementsAre("private", testing::_));
  EXPECT_THAT(all("/interface/list", "name"), testing::UnorderedElementsAre("mine", "theirs"));
  EXPECT_EQ(model_.tree().settings("/system/identity").get("name"), "edge");
  EXPECT_THAT(
      changes(),
      testing::UnorderedElementsAre(
          "~ /interface/macvlan set m1 mode=private (was unset) comment=door (was file)",
          "+ /interface/list add name=mine", "~ /system/identity set name=edge (was unset)"));
}

TEST_F(BaseTest, RowsTheFileNoLongerHasGo) {
  start(
      with_ethers("  macvlan:\n  - {name: m1, interface: ether2}\n"
                  "  - {name: m2, interface: ether2}\n"));
  set("/interface/macvlan", "m2", {{"comment", "door"}});
  EXPECT_THAT(reload(with_ethers("")), ElementsAre(HasSubstr("/interface/macvlan m2 is gone")));
  EXPECT_THAT(all("/interface/macvlan", "name"), IsEmpty());
}

TEST_F(BaseTest, WhatADoorRemovedStaysAwayUntilTheFileChangesIt) {
  start(with_ethers("  macvlan:\n  - {name: m1, interface: ether2}\n"));
  remove("/interface/macvlan", "m1");
  reload(with_ethers("  macvlan:\n  - {name: m1, interface: ether2}\n# a note\n"));
  EXPECT_THAT(all("/interface/macvlan", "name"), IsEmpty());
  reload(with_ethers("  macvlan:\n  - {name: m1, interface: ether2, comment: new}\n"));
  EXPECT_THAT(all("/interface/macvlan", "name"), ElementsAre("m1"));
}

TEST_F(BaseTest, WhatADoorRemovedAndAddedAgainIsTheDoors) {
  start(with_ethers("  macvlan:\n  - {name: m1, interface: ether2, mtu: 1400}\n"));
  remove("/interface/macvlan", "m1");
  add("/interface/macvlan", {{"name", "m1"}, {"interface", "ether2"}, {"mtu", "1300"}});
  reload(with_ethers("  macvlan:\n  - {name: m1, interface: ether2, mtu: 1400}\n# a note\n"));
  EXPECT_THAT(all("/interface/macvlan", "mtu"), ElementsAre("1300"));
  reload(with_ethers("  macvlan:\n  - {name: m1, interface: ether2, mtu: 1200}\n"));
  EXPECT_THAT(all("/interface/macvlan", "mtu"), ElementsAre("1200"));
}

TEST_F(BaseTest, WhatWasAddedHereAndThereIsOneRow) {
  start(rules({"one"}));
  add(kFilter, {{"chain", "input"}, {"action", "accept"}, {"comment", "two"}});
  add("/interface/list", {{"name", "lan"}, {"comment", "door"}});
  const std::string id = id_of(kFilter, "two");
  const std::string yaml = rules({"one", "two"}) + "interface:\n  list:\n  - {name: lan}\n";
  EXPECT_THAT(reload(yaml), IsEmpty());
  EXPECT_THAT(all(kFilter, "comment"), ElementsAre("one", "two"));
  EXPECT_EQ(id_of(kFilter, "two"), id) << "it is the same row";
  EXPECT_THAT(all("/interface/list", "comment"), ElementsAre("door"));
  // What was exported and put into the file's place is no change at all.
  reload(door::to_yaml(model_.tree()));
  EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(BaseTest, RowsOfDoorsStandWhereTheyStood) {
  start(rules({"a", "b", "c"}));
  add(kFilter, {{"chain", "input"}, {"action", "accept"}, {"comment", "door"}},
      id_of(kFilter, "b"));
  add(kFilter, {{"chain", "input"}, {"action", "accept"}, {"comment", "first"}},
      id_of(kFilter, "a"));
  EXPECT_THAT(all(kFilter, "comment"), ElementsAre("first", "a", "door", "b", "c"));
  reload(rules({"c", "a", "x", "b"}));
  EXPECT_THAT(all(kFilter, "comment"), ElementsAre("first", "c", "a", "door", "x", "b"));
}

TEST_F(BaseTest, AnOrderThatOnlyADoorChangedStays) {
  start(rules({"a", "b", "c"}));
  apply({Edit::Kind::kMove, std::string(kFilter), id_of(kFilter, "a"), {}, "", ""});
  reload(rules({"a", "b", "c"}) + "system: {identity: {name: edge}}\n");
  EXPECT_THAT(all(kFilter, "comment"), ElementsAre("b", "c", "a"));
  EXPECT_EQ(model_.tree().settings("/system/identity").get("name"), "edge");
}

TEST_F(BaseTest, ARefusedFileChangesNothing) {
  start(with_ethers("  list:\n  - {name: lan}\n"));
  add("/interface/list/member", {{"list", "lan"}, {"interface", "ether1"}});
  const auto refused = model_.load(load(with_ethers("")), "", caller_);
  ASSERT_FALSE(refused) << "the member's list would be gone";
  EXPECT_THAT(all("/interface/list", "name"), ElementsAre("lan"));
  EXPECT_THAT(changes(), testing::SizeIs(1));
}

TEST_F(BaseTest, RandomFilesUnderRandomChanges) {
  size_t taken = 0;
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    RandomTree random(seed);
    const Tree base = random.make(25);
    Tree running = base;
    for (int i = 0; i < 10; ++i) random.step(running);
    Tree file = base;
    for (int i = 0; i < 10; ++i) random.step(file);

    // Nothing new in the file: what runs stays, ids and order too.
    Rebased same = rebase(base, running, base);
    EXPECT_TRUE(diff(same.tree, running).empty()) << "seed " << seed;
    EXPECT_EQ(difference(same.base, base), "") << "seed " << seed;
    // Nothing changed by doors: the file's rows run.
    const Rebased plain = rebase(base, base, file);
    EXPECT_EQ(difference(plain.tree, file), "") << "seed " << seed;
    EXPECT_EQ(difference(plain.base, file), "") << "seed " << seed;
    // Ids stand for one row each, whatever meets.
    const Rebased both = rebase(base, running, file);
    for (const Menu& menu : menus()) {
      std::set<uint32_t> ids;
      for (const RowPtr& row : both.tree.rows(menu)) {
        EXPECT_TRUE(ids.insert(row->id).second) << menu.path;
        EXPECT_LT(row->id, both.tree.coming_id(menu)) << menu.path;
      }
    }
    if (validate(both.tree).empty()) ++taken;
    // Loaded once more it changes nothing.
    const Rebased again = rebase(both.base, both.tree, file);
    EXPECT_EQ(difference(again.tree, both.tree), "") << "seed " << seed;
  }
  EXPECT_GT(taken, 20U);
}

TEST_F(BaseTest, PlanSaysWhatApplyDoes) {
  door::add_plan(commands_);
  start(rules({"a", "b"}));
  const std::string id = id_of(kFilter, "b");
  const std::string next = rules({"b", "c"});
  auto plan = run("plan", {{"file", "next.yaml"}, {"content", next}});
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_EQ(plan->text,
            "- /ip/firewall/filter remove *1 (chain=input action=accept comment=a)\n"
            "+ /ip/firewall/filter add chain=input action=accept comment=c");
  EXPECT_THAT(all(kFilter, "comment"), ElementsAre("a", "b"));
  auto applied = run("apply", {{"file", "next.yaml"}, {"content", next}});
  ASSERT_TRUE(applied) << applied.error().text();
  EXPECT_EQ(applied->text, plan->text);
  EXPECT_THAT(all(kFilter, "comment"), ElementsAre("b", "c"));
  EXPECT_EQ(id_of(kFilter, "b"), id);
  EXPECT_EQ(run("plan", {{"file", "x"}, {"content", next}})->text, "nothing would change");
  EXPECT_THAT(changes(), testing::SizeIs(2)) << "the base is the configuration file still";
}

TEST_F(BaseTest, AFileWithoutUsersKeepsThem) {
  start("user: [{name: op, group: full, password: Sesame-9}]\n");
  Commands commands(model_);
  door::add_plan(commands);
  const auto said = [&](const std::string& command, const std::string& yaml) {
    Call call;
    call.path = "/";
    call.command = command;
    call.arguments = {{"file", "f.yaml"}, {"content", yaml}};
    const auto done = commands.run(call, caller_);
    return done ? done->text : done.error().text();
  };
  const std::string other = "system: {identity: {name: edge}}\n";
  EXPECT_EQ(said("plan", other),
            "~ /system/identity set name=edge (was unset)\n"
            "= /user stays as it is: the file does not speak of it");
  EXPECT_THAT(said("apply", other), HasSubstr("= /user stays as it is"));
  EXPECT_THAT(all("/user", "name"), ElementsAre("admin", "op"));
  EXPECT_THAT(said("plan", "user: []\n"), HasSubstr("- /user remove op"));
}

TEST(WithFile, TakesTheTimeBeforeAndBehindTheFile) {
  const std::string path = testing::TempDir() + "maclane-with-file.yaml";
  std::ofstream(path) << "a\r\nb\n";
  const std::vector<std::string> both = {"apply", "confirm=60s", "file=" + path, "content=a\nb\n"};
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"apply", "--confirm", "60s", path},
        std::vector<std::string>{"apply", "--confirm=60s", path},
        std::vector<std::string>{"apply", path, "--confirm", "60s"},
        std::vector<std::string>{"apply", path, "confirm", "60s"},
        std::vector<std::string>{"apply", "confirm=60s", "file=" + path}}) {
    EXPECT_EQ(door::with_file(words).value(), both);
  }
  EXPECT_THAT(door::with_file({"apply", "--confirm", path}).error().front().message,
              HasSubstr("confirm needs a time"));
  EXPECT_THAT(door::with_file({"apply", "--confirm", "60s"}).error().front().message,
              HasSubstr("name the file"));
  std::remove(path.c_str());
}

TEST_F(BaseTest, MistakesOfAPlannedFileHaveTheirPlace) {
  door::add_plan(commands_);
  start(rules({"a"}));
  auto wrong = run("plan", {{"file", "next.yaml"}, {"content", "interface:\n  macvlon: []\n"}});
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().text(), HasSubstr("next.yaml:2:3"));
  auto whole =
      run("apply", {{"file", "next.yaml"},
                    {"content", "interface:\n  macvlan:\n  - {name: m, interface: no}\n"}});
  ASSERT_FALSE(whole);
  EXPECT_THAT(whole.error().text(), HasSubstr("next.yaml:3:"));
  auto none = run("plan", {{"file", "next.yaml"}});
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().text(), HasSubstr("maclanectl plan FILE"));
  EXPECT_THAT(all(kFilter, "comment"), ElementsAre("a"));
}

TEST_F(BaseTest, AnApplyGoesBackUnlessItIsConfirmed) {
  door::add_plan(commands_);
  std::vector<std::string> notices;
  std::vector<bool> waits;
  model_.on_notice([&](const std::string& line) { notices.push_back(line); });
  model_.on_persist([&](const Lasting& state) -> Status {
    waits.push_back(state.go_back != nullptr);
    return {};
  });
  start(rules({"a"}));
  EXPECT_FALSE(run("confirm"));
  const std::string next = rules({"b"});
  ASSERT_TRUE(run("apply", {{"file", "f"}, {"content", next}, {"confirm", "60s"}}));
  EXPECT_TRUE(waits.back()) << "a crash must not forget it";
  auto twice = run("apply", {{"file", "f"}, {"content", next}, {"confirm", "60s"}});
  ASSERT_FALSE(twice);
  EXPECT_THAT(twice.error().text(), HasSubstr("waits for its confirm"));
  model_.tick(steady_ms());
  EXPECT_THAT(all(kFilter, "comment"), ElementsAre("b"));
  auto since = run("add", {{"name", "since"}}, "/interface/list");
  ASSERT_TRUE(since);
  EXPECT_THAT(since->warnings, ElementsAre(HasSubstr("this change goes with it")));
  model_.tick(steady_ms() + 61'000);
  EXPECT_THAT(all(kFilter, "comment"), ElementsAre("a"));
  EXPECT_THAT(notices, ElementsAre(HasSubstr("was not confirmed: the router is as it was before, "
                                             "without the 1 change")));
  EXPECT_FALSE(waits.back());
  EXPECT_EQ(model_.waiting(), nullptr);
  EXPECT_THAT(run("add", {{"name", "later"}}, "/interface/list")->warnings, IsEmpty());

  ASSERT_TRUE(run("apply", {{"file", "f"}, {"content", next}, {"confirm", "60s"}}));
  ASSERT_TRUE(run("confirm"));
  EXPECT_FALSE(waits.back());
  model_.tick(steady_ms() + 61'000);
  EXPECT_THAT(all(kFilter, "comment"), ElementsAre("b"));
}

TEST_F(BaseTest, ResetLeavesTheFile) {
  start(rules({"a"}));
  add(kFilter, {{"chain", "input"}, {"action", "drop"}, {"comment", "door"}});
  remove(kFilter, id_of(kFilter, "a"));
  EXPECT_THAT(changes(), testing::Not(testing::IsEmpty()));
  ASSERT_TRUE(model_.reset({}, caller_));
  EXPECT_THAT(all(kFilter, "comment"), ElementsAre("a"));
  EXPECT_THAT(changes(), testing::IsEmpty());
  ASSERT_TRUE(model_.undo(caller_));
  EXPECT_THAT(all(kFilter, "comment"), ElementsAre("door"));
}

TEST_F(BaseTest, ResetWithoutDefaultsLeavesTheMachine) {
  start(
      "dataplane: {max-sessions: 4096}\n"
      "interface:\n  ethernet: [{name: wan, device: net_null0, mtu: 1400}, {name: ether1, "
      "device: net_null1}]\n  macvlan: [{name: m1, interface: wan}]\n"
      "user: [{name: op, group: full, password: Sesame-9}]\n");
  ASSERT_TRUE(model_.reset({.keep_users = true, .no_defaults = true}, caller_));
  EXPECT_THAT(all("/interface/ethernet", "name"), ElementsAre("ether1", "ether2"));
  EXPECT_THAT(all("/interface/ethernet", "device"), ElementsAre("net_null0", "net_null1"));
  EXPECT_EQ(model_.tree().settings("/dataplane").get("max-sessions"), "4096");
  EXPECT_THAT(all("/interface/macvlan", "name"), testing::IsEmpty());
  EXPECT_THAT(all("/user", "name"), ElementsAre("admin", "op"));
  ASSERT_TRUE(model_.reset({.no_defaults = true}, caller_));
  EXPECT_THAT(all("/user", "name"), ElementsAre("admin"));
  EXPECT_TRUE(model_.tree()
                  .find(*find_menu("/interface/ethernet"), "ether1")
                  ->at(find_menu("/interface/ethernet")->index("mtu")) == "");
}

}  // namespace
}  // namespace maclane::model
