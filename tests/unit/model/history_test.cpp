// Differences in words, undo and redo, /system/history, safe mode (C-50).
#include "control/model/history.h"

#include "control/model/commands.h"
#include "tests/unit/model/model_test_help.h"
#include "tests/unit/model/random_tree.h"

namespace maclane::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const std::string kStart =
    with_ethers("  macvlan:\n  - {name: m1, interface: ether2, mac-address: 02:00:00:00:00:11}\n");

class HistoryTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(model_.replace(load(kStart)));
    model_.on_commit([this](const Tree&) -> Status {
      if (refuse_) return fail("the dataplane cannot");
      return {};
    });
    model_.on_change([this](const Change& change) { told_.push_back(change.what); });
    model_.on_notice([this](const std::string& line) { notices_.push_back(line); });
  }
  void add_list(const std::string& name) {
    Edit edit;
    edit.path = "/interface/list";
    edit.values = {{"name", name}};
    const auto done = model_.apply({edit}, caller_);
    ASSERT_TRUE(done) << all_text(done.error());
  }
  std::vector<std::string> lists() {
    std::vector<std::string> out;
    for_each(model_.tree(), "/interface/list",
             [&](const View& row) { out.emplace_back(row.get("name")); });
    return out;
  }
  Answer<Outcome> run(std::string_view path, std::string_view command, Fields arguments = {}) {
    Call call;
    call.path = path;
    call.command = command;
    call.arguments = std::move(arguments);
    return commands_.run(call, caller_);
  }
  std::vector<PrintRow> rows(std::string_view path) {
    auto out = run(path, "print");
    EXPECT_TRUE(out);
    return out ? std::move(out->rows) : std::vector<PrintRow>{};
  }

  Model model_;
  Commands commands_{model_};
  Caller caller_{"admin", "api", "10.0.0.1", Policies::all(), 7};
  std::vector<std::string> told_, notices_;
  bool refuse_ = false;
};

TEST(Diff, SaysWhatChangedAsTheConsoleWouldBeTold) {
  const Tree before = load(kStart);
  Tree after = before;
  Edit set{Edit::Kind::kSet, "/interface/macvlan", "m1", {{"mtu", "1400"}}, "", ""};
  Edit add{Edit::Kind::kAdd,
           "/ip/firewall/filter",
           "",
           {{"chain", "input"}, {"action", "drop"}, {"comment", "no \"one\""}},
           "",
           ""};
  Edit name{Edit::Kind::kSet, "/system/identity", "", {{"name", "edge"}}, "", ""};
  ASSERT_TRUE(edit(after, {set, add, name}));
  const auto changes = diff(before, after);
  EXPECT_THAT(lines(changes, after),
              testing::UnorderedElementsAre(
                  "~ /interface/macvlan set m1 mtu=1400 (was unset)",
                  "+ /ip/firewall/filter add chain=input action=drop comment=\"no \\\"one\\\"\"",
                  "~ /system/identity set name=edge (was unset)"));
  EXPECT_THAT(lines(diff(after, before), before),
              testing::UnorderedElementsAre(
                  "~ /interface/macvlan set m1 !mtu (was 1400)",
                  HasSubstr("- /ip/firewall/filter remove *1 (chain=input action=drop"),
                  "~ /system/identity set !name (was edge)"));
  EXPECT_THAT(summary(changes), HasSubstr("filter rule added"));
  EXPECT_EQ(summary(diff(after, after)), "");
  EXPECT_THAT(diff(after, load(kStart)), testing::SizeIs(3)) << "equal rows are no difference";
}

TEST_F(HistoryTest, UndoAndRedoGoThroughTheChanges) {
  add_list("a");
  add_list("b");
  ASSERT_TRUE(run("/", "undo"));
  EXPECT_THAT(lists(), ElementsAre("a"));
  ASSERT_TRUE(run("/", "undo"));
  EXPECT_THAT(lists(), IsEmpty());
  auto none = run("/", "undo");
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().text(), StartsWith("no more actions to undo"));
  ASSERT_TRUE(run("/", "redo"));
  EXPECT_THAT(lists(), ElementsAre("a"));
  add_list("c");
  auto gone = run("/", "redo");
  ASSERT_FALSE(gone) << "b can no longer come back";
  EXPECT_THAT(lists(), ElementsAre("a", "c"));
  EXPECT_THAT(told_, ElementsAre("list added", "list added", "undone: list removed",
                                 "undone: list removed", "redone: list added", "list added"));
}

TEST_F(HistoryTest, AnIdIsNotGivenTwice) {
  add_list("a");
  const uint32_t first = model_.tree().rows("/interface/list").front()->id;
  ASSERT_TRUE(model_.undo(caller_));
  add_list("b");
  EXPECT_NE(model_.tree().rows("/interface/list").front()->id, first);
}

TEST_F(HistoryTest, WhatCannotTakeEffectIsNotUndone) {
  add_list("a");
  refuse_ = true;
  ASSERT_FALSE(model_.undo(caller_));
  refuse_ = false;
  EXPECT_THAT(lists(), ElementsAre("a"));
  ASSERT_TRUE(model_.undo(caller_));
  EXPECT_THAT(lists(), IsEmpty());
}

TEST_F(HistoryTest, ABatchIsOneChange) {
  model_.begin_batch(caller_);
  add_list("a");
  add_list("b");
  EXPECT_FALSE(model_.undo(caller_)) << "nothing can be undone within a batch";
  ASSERT_TRUE(model_.commit_batch());
  EXPECT_THAT(told_, ElementsAre("2 lists added"));
  ASSERT_TRUE(model_.undo(caller_));
  EXPECT_THAT(lists(), IsEmpty());
}

TEST_F(HistoryTest, AChangeOfNothingIsNone) {
  const uint64_t revision = model_.revision();
  Edit same{Edit::Kind::kSet, "/interface/macvlan", "m1", {{"interface", "ether2"}}, "", ""};
  ASSERT_TRUE(model_.apply({same}, caller_));
  EXPECT_EQ(model_.revision(), revision);
  EXPECT_THAT(told_, IsEmpty());
  EXPECT_THAT(rows("/system/history"), IsEmpty());
}

TEST_F(HistoryTest, TheMenuShowsTheNewestFirst) {
  add_list("a");
  add_list("b");
  ASSERT_TRUE(model_.undo(caller_));
  const auto shown = rows("/system/history");
  ASSERT_EQ(shown.size(), 2U);
  EXPECT_EQ(shown[0].get("redoable"), "true");
  EXPECT_EQ(shown[1].get("undoable"), "true");
  EXPECT_EQ(shown[1].get("action"), "list added");
  EXPECT_EQ(shown[1].get("by"), "admin");
  EXPECT_EQ(shown[1].get("via"), "api:admin@10.0.0.1");
  EXPECT_EQ(shown[1].get("change"), "+ /interface/list add name=a");
}

TEST_F(HistoryTest, KeepsAHundred) {
  for (int i = 0; i < 120; ++i) add_list("l" + std::to_string(i));
  EXPECT_EQ(rows("/system/history").size(), History::kMost);
  int undone = 0;
  while (model_.undo(caller_)) ++undone;
  EXPECT_EQ(undone, 100);
  EXPECT_EQ(lists().size(), 20U);
}

TEST_F(HistoryTest, ManyRowsAreNotAllNamed) {
  std::vector<Edit> edits;
  for (int i = 0; i < 500; ++i) {
    edits.push_back(
        {Edit::Kind::kAdd, "/interface/list", "", {{"name", "l" + std::to_string(i)}}, "", ""});
  }
  ASSERT_TRUE(model_.apply(edits, caller_));
  const auto shown = rows("/system/history");
  EXPECT_EQ(shown.front().get("action"), "500 lists added");
  EXPECT_THAT(std::string(shown.front().get("change")), HasSubstr("and 460 more"));
}

TEST_F(HistoryTest, ASessionThatDiesInSafeModeIsUndone) {
  add_list("before");
  ASSERT_TRUE(run("/safe-mode", "take"));
  add_list("a");
  add_list("b");
  EXPECT_EQ(rows("/safe-mode").front().get("changes"), "2");
  model_.session_died(8);
  EXPECT_EQ(lists().size(), 3U) << "another session's end is nothing to it";
  model_.session_died(7);
  EXPECT_THAT(lists(), ElementsAre("before"));
  EXPECT_THAT(notices_, ElementsAre(HasSubstr("api:admin@10.0.0.1 died in safe mode")));
  EXPECT_EQ(model_.safe_mode(), nullptr);
  model_.session_died(7);
  EXPECT_THAT(lists(), ElementsAre("before"));
}

TEST_F(HistoryTest, ReleasedSafeModeLeavesWhatWasChanged) {
  ASSERT_TRUE(run("/safe-mode", "take"));
  add_list("a");
  ASSERT_TRUE(run("/safe-mode", "release"));
  model_.session_died(7);
  EXPECT_THAT(lists(), ElementsAre("a"));
  ASSERT_TRUE(run("/safe-mode", "take"));
  add_list("b");
  ASSERT_TRUE(run("/safe-mode", "unroll"));
  EXPECT_THAT(lists(), ElementsAre("a"));
  EXPECT_FALSE(run("/safe-mode", "unroll"));
  EXPECT_FALSE(run("/safe-mode", "release"));
}

TEST_F(HistoryTest, UndoDoesNotBringBackWhatSafeModeUnrolled) {
  add_list("before");
  ASSERT_TRUE(run("/safe-mode", "take"));
  add_list("a");
  add_list("b");
  ASSERT_TRUE(run("/safe-mode", "unroll"));
  EXPECT_THAT(lists(), ElementsAre("before"));
  ASSERT_TRUE(run("/", "undo"));
  EXPECT_THAT(lists(), testing::IsEmpty());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(run("/", "redo"));
  EXPECT_THAT(lists(), ElementsAre("before", "a", "b"));
  EXPECT_FALSE(run("/", "redo"));
  // Older changes that were undone in it are there again, and that can be undone.
  ASSERT_TRUE(run("/safe-mode", "take"));
  ASSERT_TRUE(run("/", "undo"));
  ASSERT_TRUE(run("/safe-mode", "unroll"));
  EXPECT_THAT(lists(), ElementsAre("before", "a", "b"));
}

TEST_F(HistoryTest, SafeModeIsOneSessionsAlone) {
  ASSERT_TRUE(run("/safe-mode", "take"));
  EXPECT_FALSE(run("/safe-mode", "take"));
  caller_.session = 9;
  auto other = run("/safe-mode", "take");
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().text(), HasSubstr("taken by api:admin@10.0.0.1"));
  caller_.session = 0;
  ASSERT_TRUE(run("/safe-mode", "release"));
  auto nobody = run("/safe-mode", "take");
  ASSERT_FALSE(nobody);
  EXPECT_THAT(nobody.error().text(), HasSubstr("belongs to a session"));
}

TEST_F(HistoryTest, SafeModeOfAnotherSessionIsHijacked) {
  ASSERT_TRUE(run("/safe-mode", "take"));
  add_list("a");
  EXPECT_EQ(rows("/system/history").front().get("floating-undo"), "true");
  caller_.session = 9;
  auto refused = run("/safe-mode", "take");
  ASSERT_FALSE(refused);
  ASSERT_TRUE(refused.error().choice);
  EXPECT_THAT(refused.error().choice->question, HasSubstr("from api:admin@10.0.0.1 - unroll"));
  ASSERT_TRUE(run("/safe-mode", "take", {{"hijack", "release"}}));
  EXPECT_THAT(lists(), ElementsAre("a"));
  EXPECT_THAT(model_.safe_mode_lost(7).value_or(""), HasSubstr("released by another user"));
  EXPECT_EQ(model_.safe_mode_lost(7), std::nullopt) << "it is said once";
  EXPECT_EQ(rows("/system/history").front().get("floating-undo"), "false");
  add_list("b");
  caller_.session = 7;
  EXPECT_FALSE(run("/safe-mode", "take", {{"hijack", "both"}}));
  ASSERT_TRUE(run("/safe-mode", "take", {{"hijack", "unroll"}}));
  EXPECT_THAT(lists(), ElementsAre("a"));
  EXPECT_THAT(model_.safe_mode_lost(9).value_or(""), HasSubstr("what was changed in it is undone"));
  EXPECT_THAT(notices_, ElementsAre(HasSubstr("is released by"), HasSubstr("is unrolled by")));
  model_.session_died(9);
  EXPECT_NE(model_.safe_mode(), nullptr) << "it has it no more";
  ASSERT_TRUE(run("/safe-mode", "release"));
  EXPECT_EQ(model_.safe_mode_lost(7), std::nullopt) << "who asked for it is not told";
}

TEST_F(HistoryTest, TooManyChangesEndSafeModeWithoutUndoing) {
  ASSERT_TRUE(run("/safe-mode", "take"));
  for (int i = 0; i < 100; ++i) add_list("l" + std::to_string(i));
  EXPECT_NE(model_.safe_mode(), nullptr);
  add_list("more");
  EXPECT_EQ(model_.safe_mode(), nullptr);
  EXPECT_THAT(model_.safe_mode_lost(7).value_or(""), HasSubstr("more than 100 changes"));
  EXPECT_THAT(notices_, ElementsAre(HasSubstr("nothing is undone")));
  model_.session_died(7);
  EXPECT_EQ(lists().size(), 101U);
}

TEST(RandomHistory, UndoingAllGivesTheFirstTreeAndRedoingAllTheLast) {
  for (uint32_t seed = 1; seed <= 10; ++seed) {
    RandomTree random(seed);
    Model model;
    ASSERT_TRUE(model.replace(random.make(20)));
    const Tree first = model.tree();
    size_t changes = 0;
    while (changes < 60) {
      const uint64_t revision = model.revision();
      if (model.apply({random.random_edit(model.tree())}) && model.revision() != revision)
        ++changes;
    }
    const Tree last = model.tree();
    while (model.undo({})) continue;
    EXPECT_EQ(difference(first, model.tree()), "");
    EXPECT_TRUE(diff(first, model.tree()).empty()) << "ids and order are the same too";
    while (model.redo({})) continue;
    EXPECT_TRUE(diff(last, model.tree()).empty());
  }
}

}  // namespace
}  // namespace maclane::model
