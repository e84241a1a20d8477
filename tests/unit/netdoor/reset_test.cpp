// /system/reset-configuration: what goes, what is saved before, and what is run behind it.
#include "control/service/reset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/service/backup.h"

namespace maclane {
namespace {

using model::Policy;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ResetTest : public testing::Test {
 protected:
  ResetTest() {
    runner_.use_files({[this](std::string_view name) -> Result<std::string> {
                         const auto found = files_.find(std::string(name));
                         if (found == files_.end()) return fail("there is no such file");
                         return found->second;
                       },
                       [this](std::string_view name, std::string_view bytes) -> Status {
                         files_[std::string(name)] = bytes;
                         return {};
                       }});
    runner_.serve();
    add_reset(commands_, runner_);
    caller_.user = "op";
    edit("/interface/ethernet", {{"name", "ether1"}, {"device", "net_null0"}});
    edit("/interface/list", {{"name", "lan"}});
  }
  void edit(const char* path, const model::Fields& values) {
    ASSERT_TRUE(
        model_.apply({{model::Edit::Kind::kAdd, path, {}, values, {}, {}}}, caller_).has_value());
  }
  /// What it says, and what it runs to its end.
  std::string reset(const model::Fields& arguments) {
    model::Call call;
    call.path = "/system";
    call.command = "reset-configuration";
    call.arguments = arguments;
    auto done = commands_.run(call, caller_);
    if (!done) return done.error().text();
    std::string out;
    for (const std::string& one : done->warnings) out += one;
    if (done->running == nullptr) return out;
    std::vector<model::PrintRow> rows;
    auto state = model::Running::State::kGoesOn;
    while (state == model::Running::State::kGoesOn) {
      runner_.turn();
      state = done->running->step(model::steady_ms(), rows);
    }
    if (state == model::Running::State::kFailed) out += done->running->failure().text();
    return out;
  }
  std::vector<std::string> lists() {
    std::vector<std::string> out;
    model::for_each(model_.tree(), "/interface/list",
                    [&](const model::View& row) { out.emplace_back(row.get("name")); });
    return out;
  }

  std::map<std::string, std::string> files_;
  model::Model model_;
  model::Commands commands_{model_};
  script::Runner runner_{commands_};
  model::Caller caller_;
};

TEST_F(ResetTest, SavesWhatThereWas) {
  EXPECT_EQ(reset({{"no-defaults", "yes"}}), "");
  EXPECT_THAT(lists(), IsEmpty());
  const auto saved = Backup::unpack(files_["auto-before-reset.backup"], "");
  ASSERT_TRUE(saved);
  EXPECT_THAT(*saved, HasSubstr("\"lan\""));
  files_.clear();
  EXPECT_EQ(reset({{"no-defaults", "yes"}, {"skip-backup", "yes"}}), "");
  EXPECT_THAT(files_, IsEmpty());
}

TEST_F(ResetTest, AsksForThePoliciesOfWhatItChanges) {
  caller_.policies = Policy::kRead | Policy::kWrite;
  EXPECT_THAT(reset({}), HasSubstr("not enough permissions"));
  EXPECT_THAT(lists(), ElementsAre("lan"));
  EXPECT_THAT(reset({{"keep-users", "yes"}, {"no-defaults", "yes"}}),
              HasSubstr("no backup was made"));
  EXPECT_THAT(files_, IsEmpty()) << "it would tell them secrets";
  EXPECT_THAT(lists(), IsEmpty());
}

TEST_F(ResetTest, TakesNothingFromWhoeverMayNot) {
  model::Call add;
  add.path = "/system/script";
  add.command = "add";
  add.arguments = {{"name", "kept"}, {"source", ":put 1"}, {"policy", "read"}};
  ASSERT_TRUE(commands_.run(add, model::Caller()));
  caller_.policies = Policy::kRead | Policy::kWrite;
  EXPECT_THAT(reset({{"keep-users", "yes"}}), HasSubstr("it would change /system/script"));
  EXPECT_EQ(model_.tree().rows("/system/script").size(), 1u);
}

TEST_F(ResetTest, RunsAFileBehindIt) {
  files_["x.rsc"] = "/interface list add name=new\n";
  EXPECT_EQ(reset({{"no-defaults", "yes"}, {"run-after-reset", "x"}}), "");
  EXPECT_THAT(lists(), ElementsAre("new"));
  EXPECT_THAT(reset({{"no-defaults", "yes"}, {"run-after-reset", "y.rsc"}}),
              HasSubstr("nothing was reset: run-after-reset=y.rsc cannot be read"));
  EXPECT_THAT(lists(), ElementsAre("new"));
  files_["bad.rsc"] = "/interface list add name=one\n/interface list add name=one\n";
  EXPECT_THAT(reset({{"no-defaults", "yes"}, {"run-after-reset", "bad.rsc"}}),
              HasSubstr("already have list with such name"));
  EXPECT_THAT(lists(), ElementsAre("one")) << "as far as it came";
  EXPECT_THAT(reset({{"no-defaults", "yes"}, {"run-after-reset", "bad.rsc"}}),
              HasSubstr("it was reset, but bad.rsc did not end well"));
  files_["wrong.rsc"] = "/interface list add name=two\n:put (1\n";
  EXPECT_THAT(reset({{"no-defaults", "yes"}, {"run-after-reset", "wrong.rsc"}}),
              HasSubstr("nothing was reset: run-after-reset=wrong.rsc: "));
  EXPECT_THAT(lists(), ElementsAre("one"));
}

TEST_F(ResetTest, GoesOnWithoutWhoeverAsked) {
  files_["slow.rsc"] = ":delay 1ms\n/interface list add name=late\n";
  model::Call call;
  call.path = "/system";
  call.command = "reset-configuration";
  call.arguments = {{"no-defaults", "yes"}, {"run-after-reset", "slow"}};
  auto done = commands_.run(call, caller_);
  ASSERT_TRUE(done) << done.error().text();
  done->running.reset();
  while (!runner_.jobs().empty()) runner_.turn();
  EXPECT_THAT(lists(), ElementsAre("late"));
}

}  // namespace
}  // namespace maclane
