// Scripts of things that happen: their variables, their order, and what a flood of them costs.
#include "control/script/event_scripts.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace maclane::script {
namespace {

class EventScriptsTest : public testing::Test {
 protected:
  void SetUp() override {
    model_.on_commit([](const model::Tree&) -> Status { return {}; });
    runner_.serve();
    scheduler_.serve();
  }
  void happened(const std::string& subject, const std::string& what,
                const std::string& event = ":global all; :set all ($all . \"$what \")") {
    EventScripts::Happened one;
    one.event = event;
    one.name = "script";
    one.subject = subject;
    one.variables = {{"what", Value::text(what)}, {"with-dash", Value::number(1)}};
    events_.happened(std::move(one));
  }
  void turn() {
    events_.turn();
    runner_.turn();
  }
  void finish() {
    do turn();
    while (events_.waiting() != 0 || !runner_.jobs().empty());
  }
  std::string all() {
    const auto found = runner_.all_globals().find("*sys");
    if (found == runner_.all_globals().end()) return {};
    for (const auto& [name, value] : found->second.all())
      if (name == "all") return value.to_text();
    return {};
  }

  model::Model model_;
  model::Commands commands_{model_};
  Runner runner_{commands_};
  Scheduler scheduler_{runner_};
  EventScripts events_{runner_, scheduler_};
};

TEST_F(EventScriptsTest, NothingRunsBeforeItsTurn) {
  happened("a", "one");
  runner_.turn();
  EXPECT_EQ(all(), "");
  finish();
  EXPECT_EQ(all(), "one ");
}

TEST_F(EventScriptsTest, NoScriptIsNoEvent) {
  happened("a", "one", "");
  EXPECT_EQ(events_.waiting(), 0u);
}

TEST_F(EventScriptsTest, VariablesWithDashesAreReadWithQuotes) {
  happened("a", "one", ":global all; :set all (\"x\" . $\"with-dash\")");
  finish();
  EXPECT_EQ(all(), "x1");
}

TEST_F(EventScriptsTest, OfOneSubjectOneAfterTheOther) {
  happened("a", "first", ":delay 50ms; :global all; :set all ($all . \"first \")");
  happened("b", "other");
  happened("a", "second");
  turn();
  EXPECT_EQ(runner_.jobs().size(), 1u) << "b's is through, a's first waits";
  EXPECT_EQ(events_.waiting(), 1u) << "and its second behind it";
  finish();
  EXPECT_EQ(all(), "other first second ");
}

TEST_F(EventScriptsTest, AFloodFillsItsPlacesAndNoMore) {
  for (int i = 0; i < 5000; ++i) happened(std::to_string(i), "x");
  EXPECT_EQ(events_.waiting(), EventScripts::kMostWaiting);
  turn();
  EXPECT_LE(runner_.jobs().size(), EventScripts::kMostAtOnce);
  finish();
  const std::string text = all();
  EXPECT_EQ(std::ranges::count(text, 'x'), int64_t{EventScripts::kMostWaiting});
}

TEST_F(EventScriptsTest, TheNameOfAScriptRunsIt) {
  Task task;
  task.source =
      "/system script add name=told policy=read,write,test,policy "
      "source=\":global all; :set all \\$what\"";
  const auto job = runner_.start(std::move(task));
  while (job->ended() == nullptr) runner_.turn();
  happened("a", "by name", "told");
  finish();
  EXPECT_EQ(all(), "by name");
}

TEST_F(EventScriptsTest, ItMayNotWhatOnlyAPersonMay) {
  happened("a", "x", "/user add name=eve group=full; :global all; :set all done");
  finish();
  EXPECT_EQ(all(), "");
}

}  // namespace
}  // namespace maclane::script
