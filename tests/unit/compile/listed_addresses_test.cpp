// Address list entries that come and go (behaviour.md B-13): rows with a timeout, and those that
// rules make.
#include "control/listed_addresses.h"

#include <gtest/gtest.h>

#include "control/model/commands.h"
#include "control/model/value.h"

namespace maclane {
namespace {

using model::Answer;
using model::Outcome;
using model::PrintRow;

constexpr std::string_view kPath = "/ip/firewall/address-list";
constexpr uint16_t kBad = 7;  // the number of list "bad"

class Listed : public ::testing::Test {
 protected:
  Listed() {
    listed.serve();
    EXPECT_TRUE(model.replace(model::Tree{}));
  }
  std::string run(std::string_view command, model::Fields arguments) {
    model::Call call;
    call.path = kPath;
    call.command = command;
    call.arguments = std::move(arguments);
    Answer<Outcome> outcome = commands.run(call, model::Caller::router());
    return outcome ? std::string(outcome->ret()) : outcome.error().text();
  }
  [[nodiscard]] std::vector<PrintRow> rows() { return model.print(*model::find_menu(kPath)); }
  [[nodiscard]] size_t stored() { return model.tree().rows(kPath).size(); }
  [[nodiscard]] bool has(std::string_view address) {
    return lists.contains(kBad, model::parse_ip4(address).value(), now_cs);
  }

  model::Model model;
  model::Commands commands{model};
  DynamicLists lists{1u << 18};
  uint32_t now_cs = 5000;
  int published = 0;
  ListedAddresses listed{
      model,
      {&lists, [this] { return now_cs; },
       [](std::string_view name) { return name == "bad" ? kBad : uint16_t{0}; },
       [](uint16_t list) { return list == kBad ? "bad" : ""; }, [this] { ++published; }}};
};

TEST_F(Listed, ANamesAddressesComeAndGoWithIt) {  // B-13
  EXPECT_TRUE(run("add", {{"list", "bad"}, {"address", "Host.Example"}}).starts_with('*'));
  EXPECT_EQ(stored(), 1u) << "the name is configuration";
  const uint32_t one = model::parse_ip4("192.0.2.1").value();
  const uint32_t two = model::parse_ip4("192.0.2.2").value();
  run("add", {{"list", "bad"}, {"address", "192.0.2.2"}, {"comment", "by hand"}});
  listed.learn("bad", one, "host.example", 60'000);
  listed.learn("bad", two, "host.example", 60'000);
  ASSERT_EQ(rows().size(), 3u) << "what is there already is not there twice";
  const PrintRow learned = rows().back();
  EXPECT_TRUE(learned.dynamic);
  EXPECT_EQ(learned.get("address"), "192.0.2.1");
  EXPECT_EQ(learned.get("comment"), "host.example");
  EXPECT_TRUE(has("192.0.2.1"));
  listed.learn("bad", one, "host.example", 3'600'000);
  EXPECT_EQ(rows().size(), 3u);
  EXPECT_TRUE(rows().back().get("timeout").find('h') != std::string::npos ||
              rows().back().get("timeout").starts_with("59m"));
  listed.unlearn("bad", one, "other.example");
  EXPECT_TRUE(has("192.0.2.1")) << "it is not that name's";
  listed.unlearn("bad", two, "host.example");
  listed.unlearn("bad", one, "host.example");
  EXPECT_FALSE(has("192.0.2.1"));
  EXPECT_EQ(rows().size(), 2u);
  EXPECT_NE(run("add", {{"list", "bad"}, {"address", "h.example"}, {"timeout", "1h"}})
                .find("leave timeout out"),
            std::string::npos);
}

TEST_F(Listed, ARowWithATimeoutIsDynamicAndGoesAway) {  // B-13
  const std::string id = run(
      "add", {{"list", "bad"}, {"address", "192.0.2.7"}, {"timeout", "1h"}, {"comment", "who"}});
  EXPECT_TRUE(id.starts_with('*')) << id;
  EXPECT_EQ(stored(), 0u) << "it is no part of the configuration";
  EXPECT_TRUE(has("192.0.2.7"));
  ASSERT_EQ(rows().size(), 1u);
  const PrintRow row = rows()[0];
  EXPECT_EQ(row.id, id);
  EXPECT_TRUE(row.dynamic);
  EXPECT_EQ(row.get("comment"), "who");
  EXPECT_EQ(row.get("timeout"), "1h");
  EXPECT_EQ(row.get("creation-time").size(), std::string_view("2026-11-26 09:00:00").size());
  listed.tick(model::steady_ms() + 3'599'000);
  EXPECT_EQ(rows().size(), 1u);
  now_cs += 360'000;
  listed.tick(model::steady_ms() + 3'600'000);
  EXPECT_EQ(rows().size(), 0u);
  EXPECT_EQ(lists.size(), 0u);
}

TEST_F(Listed, OneIsCompiledOnlyForTheListsFirst) {
  (void)run("add", {{"list", "bad"}, {"address", "192.0.2.1"}, {"timeout", "1h"}});
  EXPECT_EQ(published, 1);
  (void)run("add", {{"list", "bad"}, {"address", "192.0.2.2"}, {"timeout", "1h"}});
  EXPECT_EQ(published, 1);
  Learned learned;
  listed.add_learned(learned);
  EXPECT_TRUE(learned.timed_lists.contains("bad"));
  EXPECT_TRUE(learned.timed_ranges.empty());
  (void)run("add", {{"list", "bad"}, {"address", "10.0.0.0/8"}, {"timeout", "1h"}});
  EXPECT_EQ(published, 2);
  listed.add_learned(learned);
  ASSERT_EQ(learned.timed_ranges.size(), 1u);
  EXPECT_EQ(learned.timed_ranges[0].last, model::parse_ip4("10.255.255.255").value());
  listed.tick(model::steady_ms() + 3'600'000);
  EXPECT_EQ(published, 3) << "the network is out of the list";
}

TEST_F(Listed, WhatIsThereIsNotAddedAgain) {
  (void)run("add", {{"list", "bad"}, {"address", "192.0.2.1"}, {"timeout", "1h"}});
  const model::Fields again = {{"list", "bad"}, {"address", "192.0.2.1"}, {"timeout", "2h"}};
  EXPECT_NE(run("add", again).find("already have such entry"), std::string::npos);
  (void)run("add", {{"list", "bad"}, {"address", "192.0.2.2"}});
  EXPECT_NE(run("add", {{"list", "bad"}, {"address", "192.0.2.2"}, {"timeout", "1h"}})
                .find("already have such entry"),
            std::string::npos);
  (void)lists.add(kBad, model::parse_ip4("192.0.2.3").value(), 100, now_cs);
  EXPECT_NE(run("add", {{"list", "bad"}, {"address", "192.0.2.3"}, {"timeout", "1h"}})
                .find("already have such entry"),
            std::string::npos);
  EXPECT_NE(run("add", {{"address", "192.0.2.9"}, {"timeout", "1h"}}).find("missing =list="),
            std::string::npos);
  EXPECT_NE(run("add", {{"list", "bad"}, {"address", "x"}, {"timeout", "1h"}}).find("address"),
            std::string::npos);
}

TEST_F(Listed, NoneIsStoredThatIsThereForAWhile) {
  (void)run("add", {{"list", "bad"}, {"address", "192.0.2.1"}, {"timeout", "1h"}});
  (void)run("add", {{"list", "bad"}, {"address", "10.0.0.0/8"}, {"timeout", "1h"}});
  (void)lists.add(kBad, model::parse_ip4("192.0.2.3").value(), 100, now_cs);
  for (const char* address : {"192.0.2.1", "192.0.2.1/32", "10.0.0.0/8", "192.0.2.3"}) {
    const std::string said = run("add", {{"list", "bad"}, {"address", address}});
    EXPECT_NE(said.find("already have such entry"), std::string::npos) << address << said;
  }
  const std::string id = run("add", {{"list", "bad"}, {"address", "192.0.2.2"}});
  EXPECT_TRUE(id.starts_with('*')) << id;
  EXPECT_NE(run("set", {{"numbers", id}, {"address", "192.0.2.1"}}).find("already have such entry"),
            std::string::npos);
  EXPECT_EQ(run("set", {{"numbers", id}, {"comment", "it stays"}}), "");
  EXPECT_TRUE(run("add", {{"list", "worse"}, {"address", "192.0.2.1"}}).starts_with('*'));
  EXPECT_EQ(stored(), 2u);
}

TEST_F(Listed, ARowSaysHowItLastsInTheWordsOfRules) {  // B-13
  EXPECT_TRUE(run("add", {{"list", "bad"}, {"address", "192.0.2.1"}, {"timeout", "none-dynamic"}})
                  .starts_with('*'));
  EXPECT_EQ(stored(), 0u);
  EXPECT_TRUE(has("192.0.2.1"));
  EXPECT_EQ(rows()[0].get("timeout"), "") << "until the router restarts";
  const std::string id =
      run("add", {{"list", "bad"}, {"address", "192.0.2.2"}, {"timeout", "none-static"}});
  EXPECT_EQ(stored(), 1u) << id;
  EXPECT_FALSE(rows()[0].dynamic && rows()[1].dynamic);
  EXPECT_EQ(run("set", {{"numbers", id}, {"timeout", "none-static"}}), "");
  EXPECT_EQ(stored(), 1u);
  EXPECT_NE(run("add", {{"list", "bad"}, {"address", "192.0.2.9"}, {"timeout", "none"}})
                .find("none-static"),
            std::string::npos);
}

TEST_F(Listed, RowsCanBeChangedAndRemoved) {
  const std::string id = run("add", {{"list", "bad"}, {"address", "192.0.2.1"}, {"timeout", "1h"}});
  EXPECT_EQ(run("set", {{"numbers", id}, {"timeout", "2h"}, {"comment", "longer"}}), "");
  EXPECT_EQ(rows()[0].get("timeout"), "2h");
  EXPECT_EQ(rows()[0].get("comment"), "longer");
  EXPECT_EQ(run("disable", {{"numbers", id}}), "");
  EXPECT_FALSE(has("192.0.2.1"));
  EXPECT_EQ(run("enable", {{"numbers", id}}), "");
  EXPECT_TRUE(has("192.0.2.1"));
  EXPECT_EQ(run("set", {{"numbers", id}, {"address", "192.0.2.5"}}), "");
  EXPECT_FALSE(has("192.0.2.1"));
  EXPECT_TRUE(has("192.0.2.5"));
  EXPECT_NE(run("unset", {{"numbers", id}, {"value-name", "timeout"}}).find("cannot become so"),
            std::string::npos);
  EXPECT_EQ(run("remove", {{"numbers", id}}), "");
  EXPECT_TRUE(rows().empty());
  EXPECT_FALSE(has("192.0.2.5"));
}

TEST_F(Listed, AStoredRowThatGetsATimeoutIsDynamic) {
  const std::string id = run("add", {{"list", "bad"}, {"address", "192.0.2.1"}, {"comment", "c"}});
  EXPECT_EQ(stored(), 1u);
  EXPECT_EQ(run("set", {{"numbers", id}, {"timeout", "10m"}}), "");
  EXPECT_EQ(stored(), 0u);
  ASSERT_EQ(rows().size(), 1u);
  EXPECT_EQ(rows()[0].get("comment"), "c");
  EXPECT_EQ(rows()[0].get("timeout"), "10m");
  EXPECT_TRUE(has("192.0.2.1"));
}

TEST_F(Listed, WhatARuleMadeCanBeRemovedAndChanged) {
  for (uint32_t i = 1; i < 4; ++i) (void)lists.add(kBad, 0xc0000200 + i, 6000, now_cs);
  ASSERT_EQ(rows().size(), 3u);
  const std::string id = rows()[0].id;
  const std::string address(rows()[0].get("address"));
  EXPECT_EQ(run("remove", {{"numbers", id}}), "");
  ASSERT_EQ(rows().size(), 2u);
  EXPECT_FALSE(has(address));
  const std::string other(rows()[0].get("address"));
  EXPECT_EQ(run("comment", {{"numbers", rows()[0].id}, {"comment", "seen"}}), "");
  ASSERT_EQ(rows().size(), 2u);
  EXPECT_EQ(rows()[0].get("comment"), "seen");
  EXPECT_EQ(rows()[0].get("address"), other);
  EXPECT_EQ(rows()[0].get("timeout"), "1m");
  // A rule that sees it again gives it more time than it had.
  (void)lists.add(kBad, model::parse_ip4(other).value(), 60000, now_cs);
  EXPECT_EQ(rows()[0].get("timeout"), "10m");
  now_cs += 6000;
  listed.tick(model::steady_ms() + 60'000);
  EXPECT_TRUE(has(other));
}

// A command that cannot be carried out for one of its rows is not for the others either.
TEST_F(Listed, AllRowsOfACommandOrNone) {
  run("add", {{"list", "bad"}, {"address", "192.0.2.7"}, {"timeout", "1h"}});
  run("add", {{"list", "bad"}, {"address", "192.0.2.0/28"}, {"timeout", "1h"}});
  run("add", {{"list", "bad"}, {"address", "192.0.2.9"}});
  EXPECT_EQ(lists.add(kBad, model::parse_ip4("192.0.2.8").value(), 6000, now_cs),
            DynamicLists::Added::kNew);
  const std::vector<PrintRow> before = rows();
  ASSERT_EQ(before.size(), 4u);
  std::string all;
  for (const PrintRow& row : before) all += (all.empty() ? "" : ",") + row.id;
  // The first two can have the address one after the other, but not both.
  EXPECT_NE(run("set", {{"numbers", all}, {"address", "192.0.2.77"}, {"timeout", "5m"}}), "");
  const std::vector<PrintRow> after = rows();
  ASSERT_EQ(after.size(), before.size());
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(after[i].id, before[i].id);
    EXPECT_EQ(after[i].get("address"), before[i].get("address"));
  }
  EXPECT_TRUE(has("192.0.2.7"));
  EXPECT_TRUE(has("192.0.2.8"));
  EXPECT_FALSE(has("192.0.2.77"));
  EXPECT_EQ(stored(), 1u);
}

TEST_F(Listed, NoneStaticBecomesARowOfTheConfiguration) {
  (void)run("add", {{"list", "bad"}, {"address", "192.0.2.9"}});
  for (uint32_t i = 0; i < 10; ++i)
    (void)lists.add(kBad, 0xc0000200 + i, DynamicLists::kToKeep, now_cs);
  EXPECT_TRUE(has("192.0.2.3"));
  listed.tick(model::steady_ms());
  EXPECT_EQ(stored(), 10u) << "one was there already";
  EXPECT_EQ(lists.size(), 0u);
  EXPECT_EQ(rows().size(), 10u);
  EXPECT_FALSE(rows()[1].dynamic);
  EXPECT_EQ(model.history().to_undo()->what.find("rule"), std::string::npos)
      << "what a person did stays at hand";
}

TEST_F(Listed, AHundredThousandEntries) {  // B-13
  constexpr uint32_t kMany = 100'000;
  for (uint32_t i = 0; i < kMany; ++i) {
    const std::string ret =
        run("add",
            {{"list", "bad"}, {"address", model::format_ip4(0x0a000000 + i)}, {"timeout", "1d"}});
    ASSERT_TRUE(ret.starts_with('*')) << ret;
  }
  EXPECT_EQ(published, 1);
  EXPECT_EQ(lists.size(), kMany);
  EXPECT_TRUE(has("10.1.134.159"));
  EXPECT_FALSE(has("10.1.134.160"));
  EXPECT_EQ(rows().size(), kMany);
  now_cs += 8'640'000;
  for (uint32_t i = 0; i < kMany / 1000; ++i) listed.tick(model::steady_ms() + 86'400'000);
  EXPECT_TRUE(rows().empty());
  EXPECT_EQ(lists.size(), 0u);
}

TEST_F(Listed, AHundredThousandStaticOnes) {  // B-13
  for (uint32_t i = 0; i < 100'000; ++i)
    (void)lists.add(kBad, 0x0a000000 + i, DynamicLists::kToKeep, now_cs);
  for (uint64_t turn = 0; turn < 60 && lists.size() != 0; ++turn)
    listed.tick(model::steady_ms() + turn * 1000);
  EXPECT_EQ(lists.size(), 0u);
  EXPECT_EQ(stored(), 100'000u);
}

}  // namespace
}  // namespace maclane
