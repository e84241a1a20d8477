// Commands as doors ask for them: rows, arguments, policies, batches, and the words of refusals.
#include "control/model/nearest.h"
#include "tests/unit/model/commands_fixture.h"

namespace maclane::model {
namespace {

TEST_F(CommandsTest, PrintChoosesRowsAndProperties) {
  Outcome out = ok("interface macvlan", "print", {{"proplist", "name, mode"}, {"detail", ""}},
                   is("mode", "private"));
  ASSERT_EQ(out.rows.size(), 1U);
  EXPECT_EQ(out.rows[0].id, "*2");
  EXPECT_EQ(out.rows[0].number, 1U);
  EXPECT_EQ(out.rows[0].fields, (Fields{{"name", "m2"}, {"mode", "private"}}));
  EXPECT_EQ(ok("/interface/macvlan", "print", {{"count-only", ""}}).ret(), "2");
  EXPECT_EQ(ok("/interface/macvlan", "print", {{"count-only", "yes"}}, is("name", "m1")).ret(),
            "1");
  EXPECT_EQ(ok("/interface/macvlan", "print", {{".id", "*2,m1"}}).rows.size(), 2U);
  EXPECT_EQ(ok("/interface/macvlan", "print", {{"from", "1"}}).rows[0].id, "*2");
  // A switch of the rows chooses those that have it, as RouterOS's `print disabled` does.
  ok("/interface/macvlan", "disable", {{"numbers", "m1"}});
  EXPECT_EQ(ok("/interface/macvlan", "print", {{"disabled", ""}}).rows[0].get("name"), "m1");
  EXPECT_EQ(ok("/interface/macvlan", "print", {{"disabled", "no"}}).rows[0].get("name"), "m2");
  EXPECT_EQ(ok("/system/identity", "print").rows[0].get("name"), "Maclane");
}

TEST_F(CommandsTest, GetAndFind) {
  EXPECT_EQ(ok("/interface/macvlan", "get", {{"numbers", "m2"}, {"value-name", "mode"}}).ret(),
            "private");
  EXPECT_EQ(ok("/interface/macvlan", "get", {{".id", "*2"}, {"value-name", ".id"}}).ret(), "*2");
  EXPECT_EQ(ok("/interface/macvlan", "get", {{"numbers", "1"}, {"value-name", "arp"}}).ret(),
            "enabled");
  EXPECT_EQ(ok("/interface/macvlan", "get", {{"value-name", "name"}}, is("mode", "private")).ret(),
            "m2");
  EXPECT_THAT(std::string(ok("/interface/macvlan", "get", {{"numbers", "m2"}}).ret()),
              AllOf(StartsWith(".id=*2;name=m2"), HasSubstr(";mode=private")));
  EXPECT_EQ(ok("/system/identity", "get", {{"value-name", "name"}}).ret(), "Maclane");
  EXPECT_THAT(refused(Trouble::kBadArgument, "/interface/macvlan", "get",
                      {{"numbers", "m2"}, {"value-name", "nix"}}),
              HasSubstr("input does not match any value of value-name"));
  EXPECT_THAT(refused(Trouble::kBadArgument, "/interface/macvlan", "get", {{"numbers", "m1,m2"}}),
              HasSubstr("one row"));

  Outcome found = ok("/interface/macvlan", "find");
  EXPECT_EQ(found.ret(), "*1;*2");
  ASSERT_EQ(found.rows.size(), 2U);
  EXPECT_THAT(found.rows[1].fields, IsEmpty());
  EXPECT_EQ(ok("/interface/macvlan", "find", {}, is("name", "nobody")).ret(), "");
}

TEST_F(CommandsTest, RowsAreNamedInEveryWay) {  // D-28
  for (const char* numbers : {"*1,*2", "m1,m2", "0,1", "m1,*2", "*1;*2", "*2,m1,0"}) {
    ok("/interface/macvlan", "set", {{"numbers", numbers}, {"comment", numbers}});
    for (const PrintRow& row : ok("/interface/macvlan", "print").rows) {
      EXPECT_EQ(row.get("comment"), numbers);
    }
  }
  ok("/interface/macvlan", "set", {{".id", "*1"}, {"!comment", ""}});
  EXPECT_EQ(ok("/interface/macvlan", "get", {{".id", "*1"}, {"value-name", "comment"}}).ret(), "");
  ok("/interface/macvlan", "unset", {{"numbers", "m2"}, {"value-name", "comment,mode"}});
  EXPECT_EQ(ok("/interface/macvlan", "get", {{".id", "*2"}, {"value-name", "mode"}}).ret(),
            "bridge");
  // Those that a filter finds; none is no mistake.
  commits_ = 0;
  ok("/interface/macvlan", "set", {{"mtu", "1400"}}, is("name", "m2"));
  EXPECT_EQ(ok("/interface/macvlan", "get", {{".id", "m2"}, {"value-name", "mtu"}}).ret(), "1400");
  ok("/interface/macvlan", "remove", {}, is("name", "nobody"));
  ok("/interface/macvlan", "remove", {{"numbers", ""}});
  EXPECT_EQ(commits_, 1) << "what means no row changes nothing";
  EXPECT_THAT(refused(Trouble::kMissing, "/interface/macvlan", "remove", {{".id", ""}}),
              StartsWith("no such item"));
  EXPECT_THAT(refused(Trouble::kMissing, "/interface/macvlan", "remove", {{"numbers", "m1,*9"}}),
              StartsWith("no such item"));
  EXPECT_THAT(refused(Trouble::kMissing, "/interface/macvlan", "remove"),
              StartsWith("missing =numbers="));
  EXPECT_EQ(ok("/interface/macvlan", "find").ret(), "*1;*2");
}

TEST_F(CommandsTest, RulesArePlacedCopiedAndMoved) {
  add_rules({"a", "b", "c"});
  EXPECT_EQ(
      ok(kFilterPath, "add", {{"chain", "input"}, {"comment", "d"}, {"place-before", "0"}}).ret(),
      "*4");
  EXPECT_THAT(rules(), ElementsAre("d", "a", "b", "c"));
  ok(kFilterPath, "move", {{"numbers", "*4,*1"}});
  EXPECT_THAT(rules(), ElementsAre("b", "c", "d", "a"));
  ok(kFilterPath, "move", {{"numbers", "2,3"}, {"destination", "*3"}});
  EXPECT_THAT(rules(), ElementsAre("b", "d", "a", "c"));
  ok(kFilterPath, "move", {{".id", "*1,*3"}, {"destination", "*1"}});
  EXPECT_THAT(rules(), ElementsAre("b", "d", "c", "a"));
  ok(kFilterPath, "add", {{"copy-from", "*1"}, {"action", "drop"}});
  const Outcome out = ok(kFilterPath, "print");
  EXPECT_EQ(out.rows.back().get("comment"), "a");
  EXPECT_EQ(out.rows.back().get("action"), "drop");
  // A name and a MAC are a row's own.
  ok("/interface/macvlan", "set", {{"numbers", "m2"}, {"mac-address", "02:00:00:00:00:99"}});
  ok("/interface/macvlan", "add", {{"copy-from", "m2"}});
  EXPECT_EQ(
      ok("/interface/macvlan", "get", {{"numbers", "macvlan1"}, {"value-name", "mode"}}).ret(),
      "private");
  EXPECT_THAT(
      refused(Trouble::kMissing, kFilterPath, "move", {{"numbers", "0"}, {"destination", "*99"}}),
      StartsWith("no such item"));
  EXPECT_THAT(
      refused(Trouble::kMissing, kFilterPath, "add", {{"chain", "input"}, {"place-before", "*99"}}),
      StartsWith("no such item"));
  EXPECT_THAT(refused(Trouble::kBadArgument, "/ip/address", "add", {{"place-before", "0"}}),
              StartsWith("unknown parameter place-before"));
}

TEST_F(CommandsTest, RefusalsBeginWithRouterOsWords) {  // D-10, D-25
  EXPECT_THAT(refused(Trouble::kMissing, "/interface/macvlna", "print"),
              AllOf(StartsWith("no such command prefix"),
                    HasSubstr("did you mean \"/interface/macvlan\"")));
  EXPECT_THAT(refused(Trouble::kMissing, "/ip/dhcp-relay", "print"),
              StartsWith("no such command prefix"));
  EXPECT_THAT(refused(Trouble::kMissing, "/ip/firewall", "print"), StartsWith("no such command"));
  EXPECT_THAT(refused(Trouble::kMissing, "/interface/macvlan", "frob"),
              StartsWith("no such command"));
  EXPECT_THAT(refused(Trouble::kMissing, "/ip/firewall/connection", "add"),
              StartsWith("no such command"));
  EXPECT_THAT(refused(Trouble::kMissing, "/system/identity", "add"), StartsWith("no such command"));
  EXPECT_THAT(refused(Trouble::kMissing, "/system/resource", "set", {{"uptime", "1s"}}),
              StartsWith("no such command"));
  const std::string_view macvlan = "/interface/macvlan";
  EXPECT_THAT(refused(Trouble::kBadArgument, macvlan, "add", {{"colour", "red"}}),
              StartsWith("unknown parameter colour"));
  EXPECT_THAT(refused(Trouble::kBadArgument, macvlan, "add", {{"interface", "ether9"}}),
              StartsWith("input does not match any value of interface"));
  EXPECT_THAT(refused(Trouble::kBadArgument, macvlan, "set", {{"numbers", "m1"}, {"mode", "vepa"}}),
              StartsWith("input does not match any value of mode"));
  EXPECT_THAT(refused(Trouble::kBadArgument, macvlan, "set", {{"numbers", "m1"}, {"mtu", "5"}}),
              StartsWith("value of mtu out of range (68..65535)"));
  EXPECT_THAT(
      refused(Trouble::kBadArgument, macvlan, "set", {{"numbers", "m1"}, {"mac-address", "xx"}}),
      StartsWith("invalid value for argument mac-address"));
  EXPECT_THAT(refused(Trouble::kGeneral, macvlan, "add", {{"name", "m1"}, {"interface", "ether1"}}),
              StartsWith("failure: already have interface with such name"));
  EXPECT_THAT(refused(Trouble::kMissing, macvlan, "add"), StartsWith("missing =interface="));
  EXPECT_THAT(refused(Trouble::kMissing, macvlan, "unset", {{"numbers", "m1"}}),
              StartsWith("missing =value-name="));
  EXPECT_THAT(refused(Trouble::kBadArgument, macvlan, "print", {{"mtu", "1500"}}),
              AllOf(StartsWith("unknown parameter mtu"), HasSubstr("where")));
  EXPECT_EQ(commits_, 0);
}

TEST_F(CommandsTest, NothingToSetIsNothingToDo) {
  EXPECT_TRUE(ok("/interface/macvlan", "set", {{"numbers", "m1"}}).rows.empty());
  ok("/system/identity", "set");
  EXPECT_EQ(commits_, 0);
  EXPECT_THAT(refused(Trouble::kMissing, "/interface/macvlan", "set", {{"numbers", "m9"}}),
              StartsWith("no such item"))
      << "of rows that are there";
  EXPECT_THAT(refused(Trouble::kMissing, "/interface/macvlan", "set"),
              StartsWith("missing =numbers="));
}

TEST_F(CommandsTest, AMoveSaysWhichRowIsNotThere) {
  EXPECT_THAT(refused(Trouble::kMissing, "/ip/firewall/filter", "move",
                      {{"numbers", "5"}, {"destination", "0"}}),
              AllOf(HasSubstr("there is no row \"5\""), testing::Not(HasSubstr("move to"))));
  ok("/ip/firewall/filter", "add", {{"chain", "input"}, {"action", "accept"}});
  EXPECT_THAT(refused(Trouble::kMissing, "/ip/firewall/filter", "move",
                      {{"numbers", "0"}, {"destination", "7"}}),
              HasSubstr("there is no row \"7\" to move to"));
}

TEST_F(CommandsTest, SettingsShowTextsAndListsThatAreEmpty) {
  const Outcome out = ok("/ip/dns", "print");
  ASSERT_EQ(out.rows.size(), 1U);
  const auto& fields = out.rows.front().fields;
  for (std::string_view name : {"servers", "dynamic-servers", "use-doh-server"}) {
    EXPECT_EQ(std::count_if(fields.begin(), fields.end(),
                            [&](const auto& field) { return field.first == name; }),
              1)
        << name;
    EXPECT_EQ(out.rows.front().get(name), "") << name;
  }
}

TEST(Nearest, OffersOnlyWhatIsClose) {
  constexpr std::string_view kNames[] = {"add", "print", "set",  "name",   "mode", "move",
                                         "ip",  "queue", "find", "ether1", "for"};
  const std::pair<const char*, const char*> kMeant[] = {
      {"prnt", "print"}, {"nmae", "name"}, {"ethr1", "ether1"}, {"ipp", "ip"}, {"mdoe", "mode"},
      {"xy", ""},        {"foo", ""},      {"it", ""},          {"x", ""},     {"hello", ""},
      {"fnid", "find"},  {"dad", "add"},   {"sort", ""}};
  for (const auto& [written, meant] : kMeant) EXPECT_EQ(nearest(written, kNames), meant) << written;
}

TEST_F(CommandsTest, UnderscoresAreTakenWithAWarning) {  // E-5
  const Outcome out = ok("/interface/macvlan", "add",
                         {{"interface", "ether1"}, {"mac_address", "02:00:00:00:00:42"}});
  EXPECT_THAT(out.warnings, ElementsAre("\"mac_address\" is taken for \"mac-address\""));
  EXPECT_EQ(
      ok("/interface/macvlan", "get", {{"numbers", "macvlan1"}, {"value-name", "mac-address"}})
          .ret(),
      "02:00:00:00:00:42");
}

TEST_F(CommandsTest, TheGenericMenuEditsARowWhereItIsStored) {
  model_.provide_rows("/interface", [this] {
    std::vector<PrintRow> rows;
    for (const InterfaceFacts& one : interfaces(model_.tree())) {
      PrintRow row;
      row.id = "*" + std::to_string(rows.size() + 1);
      row.fields = {{"name", one.name}, {"type", one.type}};
      rows.push_back(std::move(row));
    }
    PrintRow own;
    own.id = "*F0";
    own.fields = {{"name", "lo"}};
    rows.push_back(std::move(own));
    return rows;
  });
  const std::string_view macvlan = "/interface/macvlan";
  ok("/interface", "set", {{"numbers", "m1"}, {"comment", "one"}, {"mtu", "1300"}});
  EXPECT_EQ(ok(macvlan, "get", {{"numbers", "m1"}, {"value-name", "mtu"}}).ret(), "1300");
  ok("/interface", "disable", {{"numbers", "m1,m2"}});
  EXPECT_EQ(ok(macvlan, "print", {{"disabled", ""}}).rows.size(), 2U);
  ok("/interface", "enable", {{".id", "*3"}});
  EXPECT_EQ(ok(macvlan, "print", {{"disabled", ""}}).rows.size(), 1U);
  ok("/interface", "comment", {{"numbers", "2"}, {"comment", "by its number"}});
  EXPECT_EQ(ok(macvlan, "get", {{"numbers", "m1"}, {"value-name", "comment"}}).ret(),
            "by its number");
  EXPECT_THAT(refused(Trouble::kBadArgument, "/interface", "set", {{"numbers", "m1"}, {"x", "1"}}),
              StartsWith("unknown parameter x"));
  EXPECT_THAT(refused(Trouble::kGeneral, "/interface", "disable", {{"numbers", "lo"}}),
              StartsWith("failure: can not change a dynamic item"));
  EXPECT_THAT(refused(Trouble::kMissing, "/interface", "add", {{"name", "x"}}),
              StartsWith("no such command"));
}

TEST_F(CommandsTest, DynamicRowsAreNotChanged) {
  model_.provide_rows("/ip/route", [] {
    PrintRow row;
    row.id = "*80000001";
    row.dynamic = true;
    row.fields = {{"dst-address", "10.0.0.0/24"}, {"dynamic", "true"}};
    return std::vector<PrintRow>{row};
  });
  ok("/ip/route", "add", {{"gateway", "10.0.0.1"}});
  EXPECT_EQ(ok("/ip/route", "find", {}, is("dynamic", "true")).ret(), "*80000001");
  EXPECT_EQ(ok("/ip/route", "get", {{"numbers", "1"}, {"value-name", "dst-address"}}).ret(),
            "10.0.0.0/24");
  EXPECT_THAT(refused(Trouble::kGeneral, "/ip/route", "disable", {{"numbers", "*80000001"}}),
              StartsWith("failure: can not change a dynamic item"));
  EXPECT_THAT(refused(Trouble::kGeneral, "/ip/route", "remove", {{"numbers", "*80000001"}}),
              StartsWith("failure: can not remove a dynamic item"));
  EXPECT_THAT(refused(Trouble::kMissing, "/ip/route", "remove", {{"numbers", "*80000002"}}),
              StartsWith("no such item"));
}

// B-13, B-23: what is named by thousands of ids is looked for in one look at the rows.
TEST_F(CommandsTest, ManyRowsThatAreStateAreFoundAtOnce) {
  unsigned looks = 0;
  std::vector<std::string> removed;
  const std::string_view path = "/ip/firewall/connection";
  model_.provide_rows(path, [&looks] {
    ++looks;
    std::vector<PrintRow> rows(3000);
    for (size_t i = 0; i < rows.size(); ++i) rows[i].id = "*8" + std::to_string(1000000 + i);
    return rows;
  });
  model_.provide_remove(path, [&](std::string_view id) -> Status {
    removed.emplace_back(id);
    return {};
  });
  std::string all = "*7";  // one that is over by now
  for (const PrintRow& row : ok(path, "print").rows) all += "," + row.id;
  looks = 0;
  ok(path, "remove", {{"numbers", all}});
  EXPECT_EQ(removed.size(), 3000U);
  EXPECT_LE(looks, 4U);
  EXPECT_THAT(refused(Trouble::kMissing, path, "remove", {{"numbers", "*7"}}),
              StartsWith("no such item"));
}

TEST_F(CommandsTest, PrintActiveOfLeasesGivesThoseThatSomebodyHas) {  // D-36, D-37
  model_.provide_rows("/ip/dhcp-server/lease", [] {
    std::vector<PrintRow> rows(2);
    rows[0].id = "*1";
    rows[0].fields = {{"address", "10.0.0.5"}, {"active-address", "10.0.0.5"}};
    rows[1].id = "*2";
    rows[1].fields = {{"address", "10.0.0.6"}};
    return rows;
  });
  const Outcome active = ok("/ip/dhcp-server/lease", "print", {{"active", ""}});
  ASSERT_EQ(active.rows.size(), 1U);
  EXPECT_EQ(active.rows[0].id, "*1");
  EXPECT_EQ(ok("/ip/dhcp-server/lease", "print", {{"active", "no"}}).rows.size(), 1U);
  EXPECT_THAT(refused(Trouble::kBadArgument, "/interface", "print", {{"active", ""}}),
              StartsWith("unknown parameter active"));
}

TEST_F(CommandsTest, PoliciesDecideWhoMayDoWhat) {  // C-48
  caller_.policies = Policy::kRead | Policy::kApi;
  EXPECT_EQ(ok("/interface/macvlan", "print").rows.size(), 2U);
  auto denied = run("/interface/macvlan", "remove", {{"numbers", "m1"}});
  ASSERT_FALSE(denied);
  EXPECT_TRUE(denied.error().denied);
  EXPECT_THAT(denied.error().text(),
              AllOf(HasSubstr("not enough permissions (9)"), HasSubstr("needs the policy write"),
                    HasSubstr("api:admin@10.0.0.1")));
  caller_.policies = Policies{};
  EXPECT_FALSE(run("/interface/macvlan", "print"));
  EXPECT_FALSE(run("/system", "shutdown"));
}

TEST_F(CommandsTest, HandlersGetCanonicalArgumentsAndRows) {
  add_rules({"a", "b"});
  std::vector<std::string> reset;
  commands_.on(kFilterPath, "reset-counters",
               [&](const Call& call, const Caller& by) -> Answer<Outcome> {
                 reset = call.rows;
                 EXPECT_EQ(by.user, "admin");
                 EXPECT_EQ(call.menu->path, kFilterPath);
                 return Outcome{};
               });
  ok(kFilterPath, "reset-counters", {{"numbers", "1,*1"}});
  EXPECT_THAT(reset, ElementsAre("*2", "*1"));
  ok(kFilterPath, "reset-counters", {}, is("comment", "b"));
  EXPECT_THAT(reset, ElementsAre("*2"));
  EXPECT_THAT(refused(Trouble::kMissing, kFilterPath, "reset-counters-all"),
              StartsWith("no such command"))
      << "nothing carries it out";
  EXPECT_THAT(commands_.unhandled(), testing::Contains("/ip/firewall/filter reset-counters-all"));
}

}  // namespace
}  // namespace maclane::model
