// /interface/monitor-traffic over counters that the test sets (C-38, E-22).
#include "control/observe/monitor_traffic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maclane::observe {
namespace {

using model::Call;
using model::Outcome;
using model::PrintRow;
using model::Running;
using testing::HasSubstr;
using testing::StartsWith;
using Arguments = std::vector<std::pair<std::string, std::string>>;

class MonitorTrafficTest : public testing::Test {
 protected:
  MonitorTrafficTest() {
    serve_monitor_traffic(commands_);
    model_.provide_rows("/interface", [this] {
      std::vector<PrintRow> rows;
      for (const auto& [id, name] : interfaces_) {
        PrintRow& row = rows.emplace_back();
        row.id = id;
        row.fields = {{"name", name},
                      {"rx-byte", std::to_string(bytes_)},
                      {"rx-packet", std::to_string(bytes_ / 100)},
                      {"tx-queue-drop", std::to_string(bytes_ / 1000)}};
      }
      return rows;
    });
  }
  model::Answer<Outcome> monitor(Arguments arguments) {
    Call call;
    call.path = "/interface";
    call.command = "monitor-traffic";
    call.arguments = std::move(arguments);
    return commands_.run(call, model::Caller{});
  }
  std::string refused(Arguments arguments) {
    const auto outcome = monitor(std::move(arguments));
    return outcome ? "carried out" : outcome.error().errors.front().message;
  }

  model::Model model_;
  model::Commands commands_{model_};
  std::vector<std::pair<std::string, std::string>> interfaces_ = {{"*1", "ether1"}, {"*2", "wan"}};
  uint64_t bytes_ = 5000;
};

TEST_F(MonitorTrafficTest, RatesAreWhatWasCountedSinceTheLastLook) {
  auto outcome = monitor({{"interface", "wan"}});
  ASSERT_TRUE(outcome);
  Running& running = *outcome->running;
  const uint64_t due = running.next_deadline();
  std::vector<PrintRow> rows;
  bytes_ = 7000;
  EXPECT_EQ(running.step(due - 1, rows), Running::State::kGoesOn);
  EXPECT_TRUE(rows.empty());
  EXPECT_EQ(running.step(due + 1000, rows), Running::State::kGoesOn);  // two seconds
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].get("name"), "wan");
  EXPECT_EQ(rows[0].get("rx-bits-per-second"), "8000");
  EXPECT_EQ(rows[0].get("rx-packets-per-second"), "10");
  EXPECT_EQ(rows[0].get("tx-queue-drops-per-second"), "1");
  EXPECT_EQ(rows[0].get("tx-bits-per-second"), "0");
  // Reset meanwhile: what there is came since.
  rows.clear();
  bytes_ = 1000;
  EXPECT_EQ(running.next_deadline(), due + 2000);
  EXPECT_EQ(running.step(due + 2000, rows), Running::State::kGoesOn);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].get("rx-bits-per-second"), "8000");
  EXPECT_EQ(rows[0].get(".section"), "1");
}

TEST_F(MonitorTrafficTest, OnceEndsAndSeveralKeepTheirOrder) {
  auto outcome = monitor({{"interface", "wan,*1,aggregate"}, {"once", ""}, {"interval", "100ms"}});
  ASSERT_TRUE(outcome);
  bytes_ += 1000;
  std::vector<PrintRow> rows;
  const uint64_t due = outcome->running->next_deadline();
  EXPECT_EQ(outcome->running->step(due, rows), Running::State::kDone);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].get("name"), "wan");
  EXPECT_EQ(rows[1].get("name"), "ether1");
  EXPECT_EQ(rows[2].get("name"), "aggregate");
  EXPECT_EQ(rows[1].get("rx-bits-per-second"), "80000");
  EXPECT_EQ(rows[2].get("rx-bits-per-second"), "160000");
}

TEST_F(MonitorTrafficTest, AnInterfaceThatGoesIsLeftOut) {
  auto outcome = monitor({{"interface", "ether1,wan"}});
  ASSERT_TRUE(outcome);
  interfaces_.erase(interfaces_.begin());
  std::vector<PrintRow> rows;
  const uint64_t due = outcome->running->next_deadline();
  EXPECT_EQ(outcome->running->step(due, rows), Running::State::kGoesOn);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].get("name"), "wan");
}

TEST_F(MonitorTrafficTest, WhatIsNoInterfaceIsRefused) {
  EXPECT_THAT(refused({}), StartsWith("missing =interface="));
  for (const char* list : {"nowhere", "ether1,", ",", "ether1,,wan"}) {
    EXPECT_THAT(refused({{"interface", list}}),
                StartsWith("input does not match any value of interface"))
        << list;
  }
  std::string many = "wan";
  for (int i = 0; i < 100; ++i) many += ",wan";
  EXPECT_THAT(refused({{"interface", many}}), HasSubstr("100 are the most"));
}

TEST(MonitorEthernet, SaysWhetherPortsHaveALink) {
  model::Model model;
  model::Commands commands{model};
  serve_monitor_ethernet(commands);
  const char* running = "true";
  model.provide("/interface/ethernet", [&](const model::View&, model::Fields& out) {
    out.emplace_back("running", running);
  });
  for (const char* name : {"ether1", "ether2"}) {
    ASSERT_TRUE(model.apply({{model::Edit::Kind::kAdd,
                              "/interface/ethernet",
                              {},
                              {{"name", name}, {"device", std::string("net_tap_") + name}},
                              {},
                              {}}}));
  }
  const auto ask = [&](const char* numbers, bool once) {
    Call call;
    call.path = "/interface/ethernet";
    call.command = "monitor";
    call.arguments = {{"numbers", numbers}};
    if (once) call.arguments.emplace_back("once", "");
    return commands.run(call, model::Caller{});
  };
  std::vector<PrintRow> rows;
  auto once = ask("0,ether2", true);  // mktxp's indexes (D-28), nshttpd's names
  ASSERT_TRUE(once);
  EXPECT_EQ(once->running->step(once->running->next_deadline(), rows), Running::State::kDone);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].get("name"), "ether1");
  EXPECT_EQ(rows[1].get("status"), "link-ok");

  rows.clear();
  auto going = ask("ether1", false);
  ASSERT_TRUE(going);
  const uint64_t first = going->running->next_deadline();
  EXPECT_EQ(going->running->step(first, rows), Running::State::kGoesOn);
  running = "false";
  EXPECT_EQ(going->running->next_deadline(), first + 1000);
  EXPECT_EQ(going->running->step(first + 1000, rows), Running::State::kGoesOn);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1].get("status"), "no-link");
  EXPECT_EQ(rows[1].get(".section"), "1");

  EXPECT_FALSE(ask("ether9", true));
}

}  // namespace
}  // namespace maclane::observe
