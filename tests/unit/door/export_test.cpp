// What is exported makes the same tree again, whatever is in it.
#include "control/script/export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/model/random_tree.h"

namespace maclane::script {
namespace {

using testing::HasSubstr;

struct Bench {
  model::Model model;
  model::Commands commands{model};
  Runner runner{commands};

  std::string run(const std::string& source) {
    Task task;
    task.source = source;
    task.piecewise = true;
    const auto job = runner.start(std::move(task));
    while (job->ended() == nullptr) runner.turn();
    return job->ended()->kind == Ended::Kind::kDone ? "" : job->ended()->message;
  }
  [[nodiscard]] std::string all() const {
    return export_text(model.tree(), "/", {.verbose = true, .terse = true, .sensitive = true});
  }
};

TEST(Export, OfAFreshTreeIsEmpty) {
  EXPECT_EQ(export_text(model::Tree(), "/", {}), "");
}

TEST(Export, WritesCommands) {
  Bench bench;
  ASSERT_EQ(bench.run("/interface ethernet add name=ether1 device=net_null0\n"
                      "/interface macvlan add interface=ether1 name=\"a b\" comment=\"x\\\"y\"\n"
                      "/system identity set name=edge"),
            "");
  const std::string text = export_text(bench.model.tree(), "/", {});
  EXPECT_THAT(text, HasSubstr("/interface macvlan\nadd comment=\"x\\\"y\" interface=ether1 "
                              "name=\"a b\"\n"));
  EXPECT_THAT(text, HasSubstr("/system identity\nset name=edge\n"));
  EXPECT_EQ(export_text(bench.model.tree(), "/system/identity", {.terse = true}),
            "/system identity set name=edge\n");
  EXPECT_THAT(export_text(bench.model.tree(), "/interface", {.verbose = true, .terse = true}),
              HasSubstr("mode=bridge"));
}

TEST(Export, PutsWhatIsNeededFirst) {
  Bench bench;
  ASSERT_EQ(bench.run("/ip firewall filter\nadd chain=mine action=accept comment=b\n"
                      "add chain=input action=jump jump-target=mine comment=a place-before=0"),
            "");
  Bench again;
  ASSERT_EQ(again.run(export_text(bench.model.tree(), "/", {})), "");
  EXPECT_EQ(again.all(), bench.all());
}

TEST(Export, WritesARowAfterWhatALaterMenuMakes) {
  Bench bench;
  ASSERT_EQ(bench.run("/interface ethernet add name=ether1 device=net_null0\n"
                      "/interface pppoe-client add name=isp interface=ether1\n"
                      "/interface list add name=WAN\n"
                      "/interface list member add list=WAN interface=isp"),
            "");
  Bench again;
  ASSERT_EQ(again.run(export_text(bench.model.tree(), "/", {})), "");
  EXPECT_EQ(again.all(), bench.all());
  // Alone, a menu is written whole: what it needs is there already.
  EXPECT_THAT(export_text(bench.model.tree(), "/interface/list/member", {}),
              HasSubstr("interface=isp"));
}

TEST(Export, SetsThePortsThatAreThere) {
  Bench bench;
  ASSERT_EQ(bench.run("/interface ethernet add name=wan device=net_null0 comment=up\n"
                      "/interface ethernet add name=ether2 device=net_null1\n"
                      "/ip address add address=10.0.0.1/24 interface=wan"),
            "");
  for (const bool terse : {false, true}) {
    const std::string text = export_text(bench.model.tree(), "/", {.terse = terse});
    EXPECT_THAT(text, HasSubstr("set [ find default-name=ether1 ] comment=up name=wan\n"));
    EXPECT_THAT(text, testing::Not(HasSubstr("set [ find default-name=ether2 ]")));
    // Where the ports are, by whatever device and name, and where there are none yet.
    Bench ports;
    ASSERT_EQ(ports.run("/interface ethernet add name=ether1 device=net_null0\n"
                        "/interface ethernet add name=ether2 device=net_null1"),
              "");
    ASSERT_EQ(ports.run(text), "");
    EXPECT_EQ(ports.all(), bench.all());
    Bench fresh;
    ASSERT_EQ(fresh.run(text), "");
    EXPECT_EQ(fresh.all(), bench.all());
  }
}

/// Makes ports of these names, one after another.
std::string port_script(const std::vector<std::string>& names) {
  std::string out;
  for (size_t i = 0; i < names.size(); ++i)
    out +=
        "/interface ethernet add name=" + names[i] + " device=net_null" + std::to_string(i) + "\n";
  return out;
}

TEST(Export, LetsPortsExchangeTheirNames) {
  Bench bench;
  ASSERT_EQ(bench.run(port_script({"ether2", "ether1"}) +
                      "/ip address add address=10.0.0.1/24 interface=ether2"),
            "");
  const std::string text = export_text(bench.model.tree(), "/", {});
  EXPECT_THAT(text, HasSubstr("set [ find default-name=ether2 ] name=ether2-aside\n"
                              "set [ find default-name=ether1 ] name=ether2\n"
                              "set [ find default-name=ether2 ] name=ether1\n"));
  for (const std::string& begin :
       {port_script({"ether1", "ether2"}), std::string(), port_script({"ether2", "ether1"})}) {
    Bench again;
    ASSERT_EQ(again.run(begin), "");
    EXPECT_EQ(again.run(text), "") << begin;
    EXPECT_EQ(again.all(), bench.all());
  }
}

TEST(Export, GivesPortsAnyNamesInAnyOrder) {
  std::mt19937 random(3);
  std::vector<std::string> pool = {"ether1", "ether2", "ether3", "ether4", "ether5", "wan", "lan"};
  const auto some_names = [&] {
    std::shuffle(pool.begin(), pool.end(), random);
    return std::vector<std::string>(pool.begin(), pool.begin() + 4);
  };
  for (unsigned round = 0; round < 60; ++round) {
    Bench base;
    ASSERT_EQ(base.run(port_script(some_names())), "");
    Bench bench;
    ASSERT_EQ(bench.run(port_script(some_names()) +
                        "/interface vlan add vlan-id=5 name=ether4-aside interface=[/interface "
                        "ethernet get [find default-name=ether1] name]"),
              "");
    const std::string text = export_text(bench.model.tree(), "/",
                                         {.verbose = round % 2 == 0, .base = &base.model.tree()});
    // Where the ports have the names of the configuration file, those from the start, and none yet.
    Bench defaults;
    ASSERT_EQ(defaults.run(port_script({"ether1", "ether2", "ether3", "ether4"})), "");
    Bench empty;
    for (Bench* again : {&base, &defaults, &empty}) {
      ASSERT_EQ(again->run(text), "") << round << "\n" << text;
      EXPECT_EQ(again->all(), bench.all()) << text;
    }
  }
}

TEST(Export, OfAGatheringMenuAndOfChosenRows) {
  Bench bench;
  bench.runner.serve();
  ASSERT_EQ(bench.run("/interface ethernet add name=ether1 device=net_null0\n"
                      "/interface macvlan add name=m1 interface=ether1\n"
                      "/interface macvlan add name=m2 interface=ether1"),
            "");
  const auto exported = [&](const std::string& path, model::Filter filter = nullptr) {
    model::Call call;
    call.path = path;
    call.command = "export";
    call.filter = std::move(filter);
    const auto done = bench.commands.run(call, model::Caller::router());
    return done ? done->text : done.error().text();
  };
  EXPECT_THAT(exported("/interface"),
              HasSubstr("/interface macvlan\nadd interface=ether1 name=m1"));
  const std::string one = exported(
      "/interface/macvlan", [](const model::PrintRow& row) { return row.get("name") == "m2"; });
  EXPECT_THAT(one, HasSubstr("name=m2"));
  EXPECT_THAT(one, testing::Not(HasSubstr("name=m1")));
  EXPECT_THAT(bench.run("/export foo"), HasSubstr("foo"));
}

TEST(Find, GivesAsManyRowsAsThereAre) {
  Bench bench;
  ASSERT_EQ(bench.run(":for i from=0 to=2999 do={ /ip firewall address-list add list=l "
                      "address=(\"10.1.\" . ($i / 250) . \".\" . ($i % 250)) }\n"
                      "/ip firewall address-list set [find list=l] comment=mine\n"
                      "/ip firewall address-list disable [find comment=mine]\n"
                      ":if ([:len [/ip firewall address-list find disabled=yes]] != 3000) do={ "
                      ":error few }\n"
                      "/ip firewall address-list remove [find disabled=yes]"),
            "");
  EXPECT_EQ(export_text(bench.model.tree(), "/ip/firewall/address-list", {}), "");
}

/// The tree as commands, in every way that is whole, and carried out by a router that has nothing.
void goes_out_and_in(const model::Tree& tree) {
  for (const bool verbose : {false, true}) {
    const std::string text =
        export_text(tree, "/", {.verbose = verbose, .terse = verbose, .sensitive = true});
    Bench again;
    ASSERT_EQ(again.run(text), "") << text;
    ASSERT_EQ(model::difference(tree, again.model.tree(), true), "") << text;
  }
}

TEST(Export, MakesAnyTreeAgain) {
  for (uint32_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    goes_out_and_in(model::RandomTree(seed).make(60 + 10 * seed));
  }
}

TEST(Export, MakesEveryPropertyAgain) {
  for (const model::Tree& tree : model::covered_trees().trees) goes_out_and_in(tree);
}

}  // namespace
}  // namespace maclane::script
