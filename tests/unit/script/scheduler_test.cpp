// When scripts are run (C-46), and that they are: a clock of the test's own.
#include "control/script/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>

#include "control/model/value.h"

namespace maclane::script {
namespace {

using testing::HasSubstr;

class SchedulerTest : public testing::Test {
 protected:
  void SetUp() override {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
    model_.on_commit([](const model::Tree&) -> Status { return {}; });
    runner_.use_files({[this](std::string_view name) -> Result<std::string> {
                         if (name == "run.rsc") return file_;
                         return fail("no such item: there is no file " + std::string(name));
                       },
                       {}});
    runner_.serve();
    scheduler_.serve();
    at(kStart);
  }

  /// What a script says, or what was wrong with it.
  std::string run(const std::string& source) {
    Task task;
    task.source = source;
    task.caller.user = "admin";
    const auto job = runner_.start(std::move(task));
    while (job->ended() == nullptr) runner_.turn();
    return job->take_output() + job->ended()->message;
  }
  /// Goes on to a second of the clock, and lets all run that is due.
  void at(std::time_t now) {
    scheduler_.turn(now);
    while (!runner_.jobs().empty()) runner_.turn();
  }
  std::string times() { return run(":global n; :put [:tostr $n]"); }
  std::string add(const std::string& arguments) {
    return run("/system scheduler add name=s on-event=\":global n; :set n (\\$n + 1)\" " +
               arguments);
  }

  static constexpr std::time_t kStart = 1'800'000'000;  // 2027-01-15 08:00:00 UTC
  std::string file_;
  model::Model model_;
  model::Commands commands_{model_};
  Runner runner_{commands_};
  Scheduler scheduler_{runner_};
};

TEST_F(SchedulerTest, WhoRunsAScriptReadsWhatItWrites) {
  EXPECT_EQ(run("/system script add name=says source=\":put one; :delay 1ms; :put two\"\n"
                "/system script add name=fails source=\":put before; :error boom\""),
            "");
  EXPECT_EQ(run("/system script run says"), "one\ntwo\n");
  EXPECT_EQ(run(":put begin; /system script run says; :put end"), "begin\none\ntwo\nend\n");
  EXPECT_THAT(run("/system script run fails"), HasSubstr("before\nboom"));
}

TEST_F(SchedulerTest, AnIntervalGoesOnOverRestarts) {
  const std::string kept = testing::TempDir() + "maclane-schedules-" + std::to_string(::getpid());
  const auto next = [&] { return run(":put [/system scheduler get s next-run]"); };
  scheduler_.keep(kept);
  EXPECT_EQ(add("interval=1d"), "");
  at(kStart + 1);
  const std::string before = next();
  Scheduler again(runner_);
  again.keep(kept);
  again.serve();
  again.turn(kStart + 72'000);
  EXPECT_EQ(next(), before);
  Scheduler days_later(runner_);
  days_later.keep(kept);
  days_later.serve();
  days_later.turn(kStart + 3 * 86'400 + 7200);
  EXPECT_EQ(next(), "2027-01-19 08:00:01\n");  // at its hour, whenever the router starts
  EXPECT_EQ(run("/system scheduler set s interval=2d"), "");
  days_later.turn(kStart + 3 * 86'400 + 7201);
  EXPECT_EQ(next(), "2027-01-20 10:00:01\n");
  EXPECT_EQ(run("/system scheduler remove s"), "");
  days_later.turn(kStart + 3 * 86'400 + 7202);
  std::remove(kept.c_str());
}

TEST_F(SchedulerTest, AnIntervalIsCountedFromWhenTheRowCame) {
  EXPECT_EQ(add("interval=10s"), "");
  at(kStart + 1);
  at(kStart + 10);
  EXPECT_EQ(times(), "\n");
  at(kStart + 11);
  EXPECT_EQ(times(), "1\n");
  for (int i = 12; i <= 41; ++i) at(kStart + i);
  EXPECT_EQ(times(), "4\n");
  EXPECT_EQ(run(":put [/system scheduler get s run-count]"), "4\n");
}

TEST_F(SchedulerTest, StartupIsThreeSecondsAfterTheRouterStarted) {
  EXPECT_EQ(add("start-time=startup"), "");
  at(kStart + 2);
  EXPECT_EQ(times(), "\n");
  at(kStart + 3);
  EXPECT_EQ(times(), "1\n");
  at(kStart + 1000);
  EXPECT_EQ(times(), "1\n");  // interval 0s: once
}

TEST_F(SchedulerTest, ADayAndATimeAreTheFirstOfThem) {  // C-46
  EXPECT_EQ(add("start-date=2027-01-16 start-time=03:30:00 interval=1d"), "");
  at(kStart + 1);
  EXPECT_EQ(run(":put [/system scheduler get s next-run]"), "2027-01-16 03:30:00\n");
  for (const int hours : {12, 19}) at(kStart + hours * 3600);
  EXPECT_EQ(times(), "\n");
  at(kStart + 19 * 3600 + 1800);
  EXPECT_EQ(times(), "1\n");
  EXPECT_EQ(run(":put [/system scheduler get s next-run]"), "2027-01-17 03:30:00\n");
  EXPECT_EQ(run("/system scheduler set s start-date=jan/20/2027"), "");
  at(kStart + 20 * 3600);
  EXPECT_EQ(run(":put [/system scheduler get s next-run]"), "2027-01-20 03:30:00\n");
}

TEST_F(SchedulerTest, WhatIsDisabledDoesNotRun) {
  EXPECT_EQ(add("interval=1s disabled=yes"), "");
  for (int i = 1; i < 5; ++i) at(kStart + i);
  EXPECT_EQ(times(), "\n");
  EXPECT_EQ(run("/system scheduler enable s"), "");
  for (int i = 5; i < 8; ++i) at(kStart + i);
  EXPECT_EQ(times(), "2\n");
}

TEST_F(SchedulerTest, RunsAScriptByItsNameWithWhatBothMay) {
  EXPECT_EQ(run("/system script add name=more policy=read source=\":global n 7; "
                "/system identity set name=x\""),
            "");
  EXPECT_EQ(run("/system scheduler add name=s on-event=more interval=1s policy=read,write"), "");
  at(kStart + 1);
  at(kStart + 2);
  EXPECT_EQ(times(), "7\n");
  EXPECT_EQ(run(":put [/system identity get name]"), "Maclane\n");  // the script may only read
  EXPECT_EQ(run(":put [/system script get more run-count]"), "1\n");
}

TEST_F(SchedulerTest, TimesThatAreNoneAreRefused) {
  for (const char* one : {"start-time=25:00:00", "start-time=soon", "start-date=2027-02-30",
                          "start-date=xyz/01/2027", "start-date=2027-13-01", "start-date=1"}) {
    EXPECT_THAT(add(one), HasSubstr("invalid value for argument start-")) << one;
  }
  EXPECT_EQ(add("start-date=Feb/28/2027 start-time=3:30"), "");
}

TEST_F(SchedulerTest, AFileIsReadFromALineOrNotCarriedOut) {
  file_ = "/system identity\nset name=one\n/ip address\n:global n 5\nset nothing\n";
  EXPECT_THAT(run("/import run dry-run"), HasSubstr("nothing was carried out"));
  EXPECT_EQ(run(":put [/system identity get name]"), "Maclane\n");
  EXPECT_THAT(run("/import run.rsc from-line=3 verbose=yes"), HasSubstr("#line 4\n"));
  EXPECT_EQ(run(":put [/system identity get name]"), "Maclane\n");
  EXPECT_EQ(times(), "5\n");
  EXPECT_THAT(run("/import run"), HasSubstr("run: "));
  EXPECT_EQ(run(":put [/system identity get name]"), "one\n");
  file_ = "/system identity set name=two\n/system identity set nam=\n)\n";
  EXPECT_THAT(run("/import run dry-run"), HasSubstr("line 3"));
  EXPECT_EQ(run(":put [/system identity get name]"), "one\n");
  EXPECT_THAT(run("/import none.rsc"), HasSubstr("there is no file none.rsc"));
}

}  // namespace
}  // namespace maclane::script
