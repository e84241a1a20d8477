// Commands that belong together or go on: batches, listen, print again and again; and the tables of
// all commands.
#include "tests/unit/model/commands_fixture.h"

namespace maclane::model {
namespace {

TEST_F(CommandsTest, ABatchIsOneChange) {
  model_.begin_batch(caller_);
  ok("/interface/macvlan", "add", {{"name", "m3"}, {"interface", "ether1"}});
  EXPECT_EQ(ok("/interface/macvlan", "find").ret(), "*1;*2;*3") << "it reads what it wrote";
  ok("/ip/address", "add", {{"address", "10.0.0.1/24"}, {"interface", "m3"}});
  // A mistake is told where it is made, and the rest goes on.
  EXPECT_THAT(refused(Trouble::kGeneral, "/ip/address", "add",
                      {{"address", "10.0.0.1/24"}, {"interface", "m3"}}),
              StartsWith("failure: already have such address"));
  EXPECT_EQ(commits_, 0);
  ASSERT_TRUE(model_.commit_batch());
  EXPECT_EQ(commits_, 1);
  EXPECT_EQ(ok("/ip/address", "find").ret(), "*1");

  refuse_ = true;
  model_.begin_batch(caller_);
  ok("/interface/macvlan", "remove", {{"numbers", "m1"}});
  EXPECT_FALSE(model_.commit_batch());
  EXPECT_EQ(ok("/interface/macvlan", "find").ret(), "*1;*2;*3") << "nothing of it happened";
  refuse_ = false;

  model_.begin_batch(caller_);
  ok("/interface/macvlan", "remove", {{"numbers", "m1,m2"}});
  model_.drop_batch();
  EXPECT_EQ(ok("/interface/macvlan", "find").ret(), "*1;*2;*3");
  EXPECT_FALSE(model_.in_batch());
}

TEST_F(CommandsTest, WhatIsCarriedOutElsewhereSeesTheBatch) {
  int seen = -1;
  commands_.on("/system", "status", [&](const Call&, const Caller&) -> Answer<Outcome> {
    seen = commits_;
    return Outcome{};
  });
  model_.begin_batch(caller_);
  add_rules({"a"});
  ok("/system", "status");
  EXPECT_EQ(seen, 1);
  EXPECT_TRUE(model_.in_batch());
  add_rules({"b"});
  refuse_ = true;
  EXPECT_THAT(refused(Trouble::kGeneral, "/system", "status"), "the dataplane cannot");
  EXPECT_EQ(seen, 1) << "it was not carried out";
  EXPECT_FALSE(model_.in_batch());
  EXPECT_THAT(rules(), ElementsAre("a"));
}

TEST_F(CommandsTest, ListenTellsWhatChanges) {  // D-22
  Call call;
  call.path = kFilterPath;
  call.command = "listen";
  call.proplist = {"comment"};
  auto outcome = commands_.run(call, caller_);
  ASSERT_TRUE(outcome && outcome->running);
  uint64_t now = steady_ms();
  const auto step = [&] {
    std::vector<PrintRow> rows;
    now += 10'000;
    EXPECT_EQ(outcome->running->step(now, rows), Running::State::kGoesOn);
    std::vector<std::string> out;
    for (const PrintRow& row : rows) {
      out.push_back(row.id);
      for (const auto& [name, value] : row.fields) out.back() += " " + name + "=" + value;
    }
    return out;
  };
  EXPECT_THAT(step(), IsEmpty());
  add_rules({"a", "b"});
  EXPECT_THAT(step(), ElementsAre("*1 comment=a", "*2 comment=b"));
  ok(kFilterPath, "set", {{"numbers", "*2"}, {"comment", "c"}});
  EXPECT_THAT(step(), ElementsAre("*2 comment=c"));
  ok(kFilterPath, "remove", {{"numbers", "*1"}});
  EXPECT_THAT(step(), ElementsAre("*1 .dead=yes"));
  ok("/system/identity", "set", {{"name", "edge"}});
  EXPECT_THAT(step(), IsEmpty());
}

TEST_F(CommandsTest, CountersAreNoNews) {
  int packets = 0;
  bool invalid = false;
  model_.provide(kFilterPath, [&](const View&, Fields& out) {
    out.emplace_back("packets", std::to_string(++packets));
    out.emplace_back("invalid", invalid ? "true" : "false");
  });
  add_rules({"a"});
  auto outcome = run(kFilterPath, "listen");
  ASSERT_TRUE(outcome && outcome->running);
  std::vector<PrintRow> rows;
  outcome->running->step(steady_ms() + 10'000, rows);
  EXPECT_THAT(rows, IsEmpty());
  invalid = true;
  outcome->running->step(steady_ms() + 20'000, rows);
  EXPECT_EQ(rows.size(), 1U);
}

TEST_F(CommandsTest, PrintAgainAndAgain) {  // D-13
  auto outcome = run("/interface/macvlan", "print", {{"interval", "1s"}, {"proplist", "name"}});
  ASSERT_TRUE(outcome && outcome->running);
  std::vector<PrintRow> rows;
  EXPECT_EQ(outcome->running->step(1000, rows), Running::State::kGoesOn);
  EXPECT_EQ(rows.size(), 2U);
  EXPECT_EQ(outcome->running->next_deadline(), 2000U);
  outcome->running->step(1500, rows);
  EXPECT_EQ(rows.size(), 2U);
  outcome->running->step(2000, rows);
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[3].fields, (Fields{{"name", "m2"}, {".section", "1"}}));
}

TEST(CommandTables, AreConsistent) {
  for (const Menu& menu : menus()) {
    std::set<std::string_view> names;
    for (const Command* command : commands_of(menu)) {
      SCOPED_TRACE(std::string(menu.path) + " " + std::string(command->name));
      EXPECT_TRUE(names.insert(command->name).second);
      EXPECT_FALSE(command->help.empty());
      EXPECT_EQ(find_command(menu, command->name), command);
      EXPECT_FALSE(command->policy.empty());
      if (!command->positional.empty()) {
        EXPECT_NE(command->find(command->positional), nullptr);
      }
      if (command->has(Command::kRows)) {
        EXPECT_NE(command->find("numbers"), nullptr);
      }
      for (const Property& argument : command->arguments) {
        EXPECT_FALSE(argument.help.empty()) << argument.name;
        const auto canonical = normalize(argument, argument.default_value);
        ASSERT_TRUE(canonical) << argument.name << canonical.error();
        EXPECT_EQ(*canonical, argument.default_value) << argument.name;
        if (command->has(Command::kProperties)) {
          EXPECT_LT(menu.index(argument.name), 0);
        }
      }
    }
    for (const InitialRow& row : menu.initial) {
      for (const auto& [property, value] : row.values) {
        const Property* known = menu.find(property);
        ASSERT_NE(known, nullptr) << menu.path << " " << property;
        EXPECT_EQ(normalize(*known, value).value_or("?"), value) << menu.path << " " << property;
      }
    }
    for (std::string_view path : menu.gathers) EXPECT_NE(find_menu(path), nullptr) << path;
    if (menu.kind == Menu::Kind::kGroup) {
      EXPECT_TRUE(menu.properties.empty()) << menu.path;
    }
  }
}

}  // namespace
}  // namespace maclane::model
