// The console's protocol without its socket: what is asked, and what comes back.
#include <gmock/gmock.h>

#include <random>

#include "control/door/shell_words.h"
#include "tests/unit/door/console_fixture.h"

namespace maclane::door {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST_F(ConsoleTest, EditsInBothSpellings) {
  EXPECT_EQ(says("/interface macvlan add interface=ether1 name=m1"), "");
  EXPECT_EQ(says("/interface/macvlan/add interface=ether1 name=m2 mode=private comment=\"a b\""),
            "");
  EXPECT_EQ(says("/interface/macvlan/print count-only"), "2\n");
  EXPECT_EQ(says("/interface/macvlan/print count-only where mode=private"), "1\n");
  EXPECT_EQ(says("/interface macvlan set m1 mtu=1400; /interface/macvlan get m1 mtu"), "1400\n");
  EXPECT_EQ(says("/interface macvlan set [find name=m1] !mtu; get m1 mtu",
                 {{"menu", "/interface/macvlan"}}),
            "1500\n");
  EXPECT_EQ(says("/interface macvlan disable [find mode=private]; :put [get m2 disabled]",
                 {{"menu", "/interface/macvlan"}}),
            "true\n");
  EXPECT_EQ(says("/interface macvlan enable m2; comment m2 other; :put [get m2]->comment",
                 {{"menu", "/interface/macvlan"}})
                .substr(0, 1),
            "!");
  EXPECT_EQ(says("/interface macvlan remove m1,m2"), "");
  EXPECT_EQ(says("/interface/macvlan/print count-only"), "0\n");
}

TEST_F(ConsoleTest, TakesValuesAsFarAsTheyAreClear) {
  EXPECT_EQ(says("/interface macvlan add interface=ether1 name=m1 mode=pr arp=proxy-a disabled=y; "
                 ":put [get m1 mode]; :put [get m1 arp]; :put [get m1 disabled]; "
                 ":put [:len [find mode=pri disabled=ye]]",
                 {{"menu", "/interface/macvlan"}}),
            "private\nproxy-arp\ntrue\n1\n");
  EXPECT_EQ(says(":local how acc; /ip firewall filter add chain=forward action=$how "
                 "connection-state=!est,rel; :put [/ip firewall filter get 0 connection-state]"),
            "!established;related\n");
  EXPECT_THAT(says("/ip firewall filter add chain=forw action=a"),
              HasSubstr("!ambiguous value of action, more than one possible value"));
  EXPECT_EQ(says("/ip firewall filter add chain=forw; :put [/ip firewall filter get 1 chain]"),
            "forw\n")
      << "free text stays as it is";
  model::Call call;
  call.path = "/interface/macvlan";
  call.command = "set";
  call.arguments = {{"numbers", "m1"}, {"mode", "pr"}};
  EXPECT_THAT(commands_.run(call, model::Caller::router()).error().text(),
              HasSubstr("input does not match any value of mode"))
      << "the API and REST take whole values";
}

TEST_F(ConsoleTest, APortTakenTwiceIsSaidOfTheServiceThatWasChanged) {
  EXPECT_THAT(says("/ip service set www port=8728"),
              HasSubstr("!/ip/service www port: failure: api has this port"));
  EXPECT_THAT(says("/ip service set api port=80"),
              HasSubstr("!/ip/service api port: failure: www has this port"));
}

TEST_F(ConsoleTest, AScriptSeesWhatItsOwnChangesLeadTo) {
  model::Tree in_effect;
  bool refuses = false;
  int changes = 0;
  model_.on_commit([&](const model::Tree& tree) -> Status {
    if (refuses) return fail("the ports are on strike");
    ++commits_;
    in_effect = tree;
    return {};
  });
  model_.on_change([&](const model::Change&) { ++changes; });
  model_.provide("/interface/macvlan", [&](const model::View& row, model::Fields& out) {
    const bool there = in_effect.find(row.menu(), row.raw("name")) != nullptr;
    out.emplace_back("running", there ? "true" : "false");
  });
  commits_ = 0;
  EXPECT_EQ(says("/interface macvlan add interface=ether1 name=m1; :put [get m1 running]; "
                 "add interface=ether1 name=m2; :put [:len [find running]]",
                 {{"menu", "/interface/macvlan"}}),
            "true\n2\n");
  EXPECT_EQ(commits_, 2);
  EXPECT_EQ(changes, 1) << "it is one change all the same";
  commits_ = 0;
  EXPECT_EQ(says("/interface macvlan set m1 mtu=1400; :put [get m1 mtu]",
                 {{"menu", "/interface/macvlan"}}),
            "1400\n");
  EXPECT_EQ(commits_, 1) << "what is stored can be read before";
  // What comes to nothing in the end is in effect no more.
  EXPECT_EQ(says("/interface macvlan add interface=ether1 name=m3; :put [get m3 running]; "
                 "remove m3",
                 {{"menu", "/interface/macvlan"}}),
            "true\n");
  EXPECT_EQ(in_effect.find(*model::find_menu("/interface/macvlan"), "m3"), nullptr);
  refuses = true;
  EXPECT_THAT(says("/interface macvlan add interface=ether1 name=m4; :put [get m4 running]",
                   {{"menu", "/interface/macvlan"}}),
              HasSubstr("on strike"));
  EXPECT_EQ(model_.tree().find(*model::find_menu("/interface/macvlan"), "m4"), nullptr);
  model_.on_commit([](const model::Tree&) -> Status { return {}; });
}

TEST_F(ConsoleTest, AValueThatWasLeftOutIsSaid) {
  for (const char* one :
       {"/ip firewall filter add chain=forward action=",
        "/ip firewall filter add chain=forward action=\"\"",
        "/interface macvlan add interface=ether1 mode=", "/interface ethernet set ether1 mtu="}) {
    EXPECT_THAT(says(one), HasSubstr("it has none; !")) << one;
    EXPECT_EQ(done_["code"], 1);
  }
  says("/ip firewall filter add chain=forward action=accept comment=\"\"");
  EXPECT_EQ(done_["code"], 0);
  EXPECT_EQ(says(":put [:len [/ip firewall filter find]]"), "1\n");
}

TEST_F(ConsoleTest, AByteOrderMarkIsNoPartOfAFile) {
  files_["a.rsc"] = "\xEF\xBB\xBF/interface list\r\nadd name=a\r\n";
  says("/import file-name=a.rsc");
  EXPECT_EQ(done_["code"], 0);
  EXPECT_EQ(says(":put [:len [/interface list find name=a]]"), "1\n");
}

TEST_F(ConsoleTest, C45_ADryRunFindsMenusThatAreNot) {
  files_["a.rsc"] = "/interface list\nadd name=a\n/system nonsense\nadd x=1\n";
  EXPECT_THAT(says("/import file-name=a.rsc dry-run"),
              AllOf(HasSubstr("bad command name nonsense"), HasSubstr("line 3")));
  EXPECT_EQ(done_["code"], 1);
  EXPECT_EQ(says(":put [:len [/interface list find name=a]]"), "0\n");
}

TEST_F(ConsoleTest, WhatIsNotHereIsSaid) {  // D-40
  EXPECT_THAT(says("/tool fetch url=x"), HasSubstr("/tool/fetch is known to RouterOS but not in"));
  // Where something else here shows the same, that is said.
  EXPECT_THAT(says("/tool torch interface=ether1"), HasSubstr("/interface/monitor-traffic how"));
  EXPECT_THAT(says("/tool sniffer quick"), HasSubstr("action=passthrough and log=yes"));
  EXPECT_THAT(says("/system backup cloud print"), HasSubstr("known to RouterOS but not in this"));
  EXPECT_THAT(says("/certificate enable-ssl-certificate"), HasSubstr("known to RouterOS but not"));
  EXPECT_THAT(says("/ip neighbor discovery-settings print"),
              HasSubstr("known to RouterOS but not in this"));
  EXPECT_THAT(says("/ip address edit 0 comment"), HasSubstr("edit is RouterOS's editor"));
  model::Call call;
  call.path = "/tool";
  call.command = "fetch";
  EXPECT_THAT(commands_.run(call, model::Caller::router()).error().text(),
              HasSubstr("no such command: /tool/fetch is known to RouterOS"));
}

TEST_F(ConsoleTest, WhatPropertiesAreNotHereIsSaid) {  // D-40
  for (const char* one :
       {"advertise=1G-baseT-full", "auto-negotiation=no", "bandwidth=10M/10M",
        "cable-settings=short", "combo-mode=sfp", "fec-mode=fec91", "full-duplex=no", "l2mtu=1598",
        "mdix-enable=no", "poe-out=off", "rx-flow-control=on", "sfp-rate-select=low", "speed=1Gbps",
        "sfp-shutdown-temperature=80C", "tx-flow-control=auto"}) {
    const std::string name(one, std::string_view(one).find('='));
    EXPECT_THAT(says(std::string("/interface ethernet set ether1 ") + one),
                AllOf(HasSubstr(name + " is not yet working: RouterOS has this"),
                      HasSubstr("leave it out")));
  }
  // What RouterOS has unless somebody changes it, which it writes with export verbose.
  EXPECT_EQ(says("/interface ethernet set ether1 advertise=\"\" auto-negotiation=yes "
                 "bandwidth=unlimited/unlimited full-duplex=yes mdix-enable=yes "
                 "rx-flow-control=off tx-flow-control=off sfp-rate-select=high"),
            "");
  EXPECT_THAT(says("/interface ethernet print detail"), Not(HasSubstr("negotiation")))
      << "nobody knows what the port does";
  for (const char* one : {"time=10:00:00", "date=2026-11-28"})
    EXPECT_THAT(says(std::string("/system clock set ") + one),
                AllOf(HasSubstr("is not yet working: RouterOS has this"), HasSubstr("NTP")));
  EXPECT_THAT(says("/interface vlan add name=v interface=ether1 vlan-id=5 l2mtu=1500"),
              HasSubstr("l2mtu is read-only: the router fills it in"));
}

TEST_F(ConsoleTest, IsOneChangeALine) {
  const int before = commits_;
  says(":for i from=1 to=20 do={ /interface macvlan add interface=ether1 name=(\"m\" . $i) }");
  EXPECT_EQ(done_["code"], 0);
  EXPECT_EQ(says("/interface/macvlan/print count-only"), "20\n");
  EXPECT_EQ(commits_ - before, 1);
}

TEST_F(ConsoleTest, KeepsWhatCameBeforeAMistake) {
  EXPECT_THAT(says("/ip address\nadd address=10.0.0.1/8 interface=ether1\n"
                   "add address=10.0.0.x/8 interface=ether1\nadd address=11.0.0.1/8 "
                   "interface=ether1",
                   {{"pieces", true}}),
              HasSubstr("line 3"));
  EXPECT_EQ(done_["code"], 1);
  EXPECT_EQ(done_["line"], 3);
  EXPECT_EQ(done_["column"], 13);
  EXPECT_EQ(says("/ip/address/print count-only"), "1\n");
}

TEST_F(ConsoleTest, OrdersRules) {
  says(
      "/ip firewall filter\nadd chain=input action=accept comment=a\n"
      "add chain=input action=drop comment=c\nadd chain=input action=log comment=b "
      "place-before=[find comment=c]\nmove [find comment=a] destination=2");
  EXPECT_EQ(done_["code"], 0) << done_.dump();
  EXPECT_EQ(says(":foreach r in=[/ip firewall filter find] do={ :put [/ip firewall filter get $r "
                 "comment] }"),
            "b\na\nc\n");
}

TEST_F(ConsoleTest, PrintsAsAsked) {
  says("/ip address add address=10.0.0.1/8 interface=ether1 comment=\"the first\"");
  EXPECT_THAT(says("/ip address print"), HasSubstr("ADDRESS"));
  EXPECT_THAT(says("/ip address print detail"), HasSubstr("address=10.0.0.1/8"));
  EXPECT_THAT(says("/ip address print terse"), HasSubstr("comment=the first"));
  EXPECT_THAT(says("/ip address print value-list"), HasSubstr("address: 10.0.0.1/8"));
  EXPECT_THAT(says("/ip address print proplist=address"), HasSubstr("Columns: ADDRESS\n"));
  EXPECT_THAT(says("/ip address print show-ids"), HasSubstr("*1"));
  says("/ip firewall filter add chain=input action=accept");
  EXPECT_THAT(says("/ip firewall filter print show-ids"), HasSubstr(".id=*1 chain=input"));
  EXPECT_THAT(says("/ip firewall filter print"), testing::Not(HasSubstr("bytes=")))
      << "counters are of print stats and print detail";
  EXPECT_THAT(says("/ip firewall filter print detail"), HasSubstr("bytes=0"));
  EXPECT_THAT(says("/ip firewall filter print stats"), HasSubstr("BYTES"));
  const Json rows = Json::parse(says("/ip address print", {{"json", true}}));
  EXPECT_EQ(rows[0]["address"], "10.0.0.1/8");
  EXPECT_EQ(Json::parse(says("/ip address add address=10.0.0.2/8 interface=ether1",
                             {{"json", true}}))["ret"],
            "*2");
  EXPECT_EQ(says(":put ([/ip address print as-value]->0->\"address\")"), "10.0.0.1/8\n");
  says("/ip address print file=addresses");
  EXPECT_THAT(files_["addresses.txt"], HasSubstr("10.0.0.1/8"));
}

TEST_F(ConsoleTest, PointsAtTheWord) {
  struct Wrong {
    std::string line;
    int code;
    int column;
    std::string says;
  };
  const Wrong cases[] = {
      {"/interface macvlna print", 2, 12, "did you mean \"macvlan\""},
      {"/interface/macvlan/prnt", 2, 20, "did you mean \"print\""},
      {"/interface/macvlan/print detial", 2, 26, "did you mean \"detail\""},
      {"/interface/macvlan/print mode=private", 2, 26, "where mode="},
      {"/interface/macvlan/print where", 2, 26, "an expression was expected"},
      {"/interface/macvlan/print where colour=red", 2, 32, "no property colour"},
      {"/interface/macvlan/add nmae=x", 2, 24, "did you mean \"name\""},
      {"/interface/macvlan/add name=\"x", 2, 29, "closing quote"},
      {"/interface/macvlan/add name=x interface=ether9", 1, 41, "ether9"},
      {"/interface/macvlan/set nobody mtu=5", 1, 24, "no such item"},
      {"/ip/neighbour/print", 2, 5, "neighbour"},
  };
  for (const Wrong& wrong : cases) {
    const std::string said = says(wrong.line);
    EXPECT_EQ(done_["code"], wrong.code) << wrong.line << said;
    EXPECT_EQ(done_["column"], wrong.column) << wrong.line << said;
    EXPECT_THAT(said, HasSubstr(wrong.says)) << wrong.line;
  }
}

TEST_F(ConsoleTest, RemembersItsMenu) {
  says("/interface macvlan");
  EXPECT_EQ(done_["menu"], "/interface/macvlan");
  EXPECT_EQ(done_["prompt"], "[admin@Maclane] /interface/macvlan > ");
  says("..", {{"menu", "/interface/macvlan"}});
  EXPECT_EQ(done_["menu"], "/interface");
  says("/", {{"menu", "/interface/macvlan"}});
  EXPECT_EQ(done_["menu"], "");
  EXPECT_EQ(done_["prompt"], "[admin@Maclane] > ");
}

TEST_F(ConsoleTest, AsksAPersonBeforeWhatDoesHarm) {
  int reboots = 0;
  commands_.on("/system", "reboot",
               [&](const model::Call&, const model::Caller&) -> model::Answer<model::Outcome> {
                 ++reboots;
                 return model::Outcome{};
               });
  const auto asked = [&](const std::string& line, const std::string& answer) {
    std::string lines;
    console_->take(Json({{"run", line}, {"asks", true}}).dump(), lines);
    for (int i = 0; i < 20; ++i) {
      runner_.turn();
      console_->collect(lines);
    }
    EXPECT_EQ(lines, "{\"ask\":\"Reboot, yes?\"}\n") << "and it waits";
    EXPECT_EQ(runner_.next_deadline(), UINT64_MAX);
    std::string said;
    console_->take(answer, said);
    for (int i = 0; i < 20 && console_->busy(); ++i) {
      runner_.turn();
      console_->collect(said);
    }
    return said;
  };
  EXPECT_THAT(asked("/system reboot", R"({"answer":false})"), HasSubstr("action cancelled"));
  EXPECT_THAT(asked(":if (true) do={ /system/reboot }", R"({"stop":true})"),
              HasSubstr("interrupted"));
  EXPECT_EQ(reboots, 0);
  EXPECT_THAT(asked("/system reboot", R"({"answer":true})"), HasSubstr("\"code\":0"));
  EXPECT_EQ(reboots, 1);
  EXPECT_EQ(says("/system reboot"), "") << "nobody is there to be asked";
  files_["r.rsc"] = "/system reboot\n";
  EXPECT_THAT(says("/import r.rsc", {{"asks", true}}), HasSubstr("executed successfully"));
  EXPECT_EQ(reboots, 3);
}

TEST_F(ConsoleTest, StopsWhatRuns) {
  std::string lines;
  console_->take(R"({"run":":while (true) do={ :put x; :delay 1ms }"})", lines);
  runner_.turn();
  EXPECT_TRUE(console_->busy());
  console_->take(R"({"run":":put 1"})", lines);
  EXPECT_THAT(lines, HasSubstr("A command runs already"));
  console_->take(R"({"stop":true})", lines);
  for (int i = 0; i < 10 && console_->busy(); ++i) {
    runner_.turn();
    console_->collect(lines);
  }
  EXPECT_FALSE(console_->busy());
  EXPECT_THAT(lines, HasSubstr("interrupted"));
  EXPECT_TRUE(runner_.jobs().empty());
}

TEST_F(ConsoleTest, WaitsForWhoDoesNotRead) {
  std::string lines;
  console_->take(R"({"run":":while (true) do={ :put \"0123456789012345678901234567890\" }"})",
                 lines);
  for (int i = 0; i < 200; ++i) runner_.turn();
  console_->collect(lines);
  EXPECT_LT(lines.size(), 2 * script::Job::kHighWater);
  console_.reset();  // gone: so is its job
  for (int i = 0; i < 3; ++i) runner_.turn();
  EXPECT_TRUE(runner_.jobs().empty());
}

TEST_F(ConsoleTest, ImportsAndExports) {
  files_["a.rsc"] =
      "# a comment\n/interface macvlan\nadd interface=ether1 \\\n    name=m1 comment=\"x \\\n    "
      "y\"\n";
  EXPECT_THAT(says("/import file-name=a.rsc"), HasSubstr("executed successfully"));
  EXPECT_THAT(says("/interface/macvlan/print terse"), HasSubstr("name=m1 "));
  EXPECT_THAT(says("/import a"),
              AllOf(HasSubstr("already have"), HasSubstr("go on with from-line=3"),
                    HasSubstr("or import after /system/reset-configuration no-defaults=yes")));
  EXPECT_EQ(done_["code"], 1);
  EXPECT_THAT(says("/import none"), HasSubstr("none"));
  EXPECT_EQ(says("/export file=b"), "");
  EXPECT_THAT(files_["b.rsc"], HasSubstr("name=m1"));
  EXPECT_THAT(says("export yaml"), HasSubstr("macvlan:"));
}

TEST_F(ConsoleTest, RunsScriptsInScripts) {
  EXPECT_EQ(says(":put [:execute script=\":put 5\" as-string]"), "5\n\n");
  EXPECT_EQ(says(":global a 5"), "");
  EXPECT_EQ(says(":global a; :put $a"), "5\n");
}

TEST_F(ConsoleTest, RefusesWhatIsNoRequest) {
  for (const char* line :
       {"", "{", "[]", "5", "null", "{}", "{\"run\":", "\xff", "{\"ru\":\"x\"}"}) {
    std::string lines;
    console_->take(line, lines);
    EXPECT_THAT(lines, HasSubstr("refused")) << line;
  }
  std::string lines;
  console_->take(R"({"run":5})", lines);  // runs nothing
  runner_.turn();
  console_->collect(lines);
  EXPECT_THAT(lines, HasSubstr("\"code\":0"));
}

TEST_F(ConsoleTest, SurvivesAnyLine) {
  std::mt19937 random(3);
  turns_ = 20;
  const std::string letters = "/interface macvlan print where=\"\\.. \t,![]{}()$~:;\n";
  for (int i = 0; i < 3'000; ++i) {
    std::string text;
    for (size_t n = random() % 50; n != 0; --n) text += letters[random() % letters.size()];
    says(text, {{"menu", i % 2 == 0 ? "" : "/interface/macvlan"}});
    words(text);
    (void)join_words({text, text});
  }
}

}  // namespace
}  // namespace maclane::door
