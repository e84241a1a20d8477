// Address lists that fill with what names turned out to be (behaviour.md C-32).
#include "control/listed_answers.h"

#include <gtest/gtest.h>

#include "control/model/commands.h"
#include "control/model/value.h"

namespace maclane {
namespace {

constexpr uint32_t kAddress = 0xc633645e;  // 198.51.100.94

class ListedAnswersTest : public ::testing::Test {
 protected:
  ListedAnswersTest() {
    listed.serve();
    model::Tree tree;
    EXPECT_TRUE(model::edit(
        tree,
        {{model::Edit::Kind::kAdd,
          "/ip/dns/static",
          {},
          {{"name", "short.example"},
           {"type", "FWD"},
           {"forward-to", "203.0.113.54"},
           {"address-list", "short"}},
          {},
          {}},
         {model::Edit::Kind::kSet, "/ip/dns", {}, {{"address-list-extra-time", "0s"}}, {}, {}}}));
    EXPECT_TRUE(model.replace(tree));
    answers.configure(model.tree());
  }
  void hear() { answers.hear({"short.example", kAddress}); }
  void answer(const Resolver::Answer& found) {
    ASSERT_FALSE(asked.empty());
    const Resolver::Done done = std::move(asked.front());
    asked.erase(asked.begin());
    done(found);
  }
  static Resolver::Answer lives(uint32_t ttl_s) {
    Resolver::Answer found;
    found.answered = true;
    found.ttl_s = ttl_s;
    found.addresses = {be32::from(kAddress)};
    return found;
  }
  /// "": it is not there.
  std::string timeout() {
    const auto rows = model.print(*model::find_menu("/ip/firewall/address-list"));
    return rows.empty() ? "" : std::string(rows[0].get("timeout"));
  }

  model::Model model;
  DynamicLists lists{1u << 8};
  ListedAddresses listed{
      model,
      {&lists, [] { return 5000u; }, [](std::string_view) { return uint16_t{7}; },
       [](uint16_t) { return "short"; }, [] {}}};
  std::vector<Resolver::Done> asked;
  ListedAnswers answers{listed, [this](const std::string&, Resolver::Done done) {
                          asked.push_back(std::move(done));
                        }};
};

TEST_F(ListedAnswersTest, AnAddressStaysForAsLongAsTheNameCounts) {  // C-32
  hear();
  EXPECT_EQ(timeout(), "1m") << "until that is known";
  hear();
  EXPECT_EQ(asked.size(), 1u);
  answer(lives(300));
  EXPECT_TRUE(timeout() == "5m" || timeout() == "4m59s") << timeout();
}

TEST_F(ListedAnswersTest, WhatIsHeardAfterItIsKnownMakesItNoLonger) {  // C-32
  hear();
  answer(lives(1));
  EXPECT_TRUE(timeout() == "5s" || timeout() == "4s") << timeout();
  // The router's own question is answered to it like any other, and may be heard of later.
  hear();
  EXPECT_TRUE(timeout() == "5s" || timeout() == "4s") << timeout();
  EXPECT_TRUE(asked.empty());
}

TEST_F(ListedAnswersTest, AQuestionThatIsLostIsAskedAgain) {  // C-32
  hear();
  answer({});
  answer({});
  answer(lives(300));
  EXPECT_TRUE(timeout() == "5m" || timeout() == "4m59s") << timeout();
  EXPECT_TRUE(asked.empty());
}

TEST_F(ListedAnswersTest, WhoNeverAnswersIsLeft) {
  hear();
  for (int i = 0; i < 3; ++i) answer({});
  EXPECT_TRUE(asked.empty());
  EXPECT_FALSE(timeout().empty());
}

}  // namespace
}  // namespace maclane
