// Commands on a small model, as doors ask for them.
#pragma once

#include <set>

#include "control/model/commands.h"
#include "tests/unit/model/model_test_help.h"

namespace maclane::model {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using Arguments = std::vector<std::pair<std::string, std::string>>;

inline constexpr std::string_view kFilterPath = "/ip/firewall/filter";

class CommandsTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(model_.replace(
        load(with_ethers("  macvlan:\n  - {name: m1, interface: ether2}\n"
                         "  - {name: m2, interface: ether2, mode: private, comment: two}\n"))));
    model_.on_commit([this](const Tree&) -> Status {
      ++commits_;
      if (refuse_) return fail("the dataplane cannot");
      return {};
    });
  }
  Answer<Outcome> run(std::string_view path, std::string_view command, Arguments arguments = {},
                      Filter filter = nullptr) {
    Call call;
    call.path = path;
    call.command = command;
    call.arguments = std::move(arguments);
    call.filter = std::move(filter);
    return commands_.run(call, caller_);
  }
  Outcome ok(std::string_view path, std::string_view command, Arguments arguments = {},
             Filter filter = nullptr) {
    auto outcome = run(path, command, std::move(arguments), std::move(filter));
    if (outcome) return std::move(*outcome);
    ADD_FAILURE() << path << " " << command << ": " << outcome.error().text();
    return {};
  }
  std::string refused(Trouble category, std::string_view path, std::string_view command,
                      Arguments arguments = {}) {
    auto outcome = run(path, command, std::move(arguments));
    if (outcome) {
      ADD_FAILURE() << path << " " << command << " was carried out";
      return {};
    }
    EXPECT_EQ(outcome.error().category, category) << outcome.error().text();
    EXPECT_FALSE(outcome.error().errors.empty());
    return outcome.error().errors.front().message;
  }
  std::vector<std::string> rules() {
    std::vector<std::string> out;
    for (const PrintRow& row : ok(kFilterPath, "print").rows) out.emplace_back(row.get("comment"));
    return out;
  }
  void add_rules(const std::vector<std::string>& comments) {
    for (const std::string& one : comments)
      ok(kFilterPath, "add", {{"chain", "input"}, {"comment", one}});
  }
  static Filter is(std::string property, std::string value) {
    return [property, value](const PrintRow& row) { return row.get(property) == value; };
  }

  Model model_;
  Commands commands_{model_};
  Caller caller_{"admin", "api", "10.0.0.1"};
  int commits_ = 0;
  bool refuse_ = false;
};

}  // namespace maclane::model
