// Print layouts, byte by byte.
#include "control/observe/table.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace maclane::observe {
namespace {

Table macvlans() {
  Table table;
  table.columns = {"name", "mtu", "interface", "mac-address", "mode"};
  table.stats_columns = {"name", "rx-byte", "tx-byte"};
  table.flags = {{'X', "disabled", "disabled"}, {'R', "running", "running"}};
  table.texts = {"name", "comment"};
  table.hidden = {"netns"};
  table.rows = {{"*1",
                 0,
                 false,
                 {{"name", "macvlan1"},
                  {"interface", "ether1"},
                  {"mode", "bridge"},
                  {"mac-address", "76:81:BF:68:69:83"},
                  {"mtu", "1500"},
                  {"arp", "enabled"},
                  {"loop-protect", "default"},
                  {"disabled", "false"},
                  {"running", "true"},
                  {"rx-byte", "123456789"},
                  {"tx-byte", "7"}}}};
  return table;
}

Table two() {
  Table table = macvlans();
  table.rows.push_back({"*B",
                        11,
                        false,
                        {{"name", "web"},
                         {"interface", "ether2"},
                         {"mode", "private"},
                         {"mac-address", "02:00:00:00:00:01"},
                         {"mtu", "900"},
                         {"disabled", "true"},
                         {"running", "false"},
                         {"comment", "the \"web\""},
                         {"netns", "w"},
                         {"rx-byte", "0"},
                         {"tx-byte", "0"}}});
  return table;
}

TEST(Table, PrintsThePagesSample) {
  EXPECT_EQ(to_text(macvlans(), {}),
            "Flags: R - RUNNING\n"
            "Columns: NAME, MTU, INTERFACE, MAC-ADDRESS, MODE\n"
            "#   NAME       MTU  INTERFACE  MAC-ADDRESS        MODE\n"
            "0 R macvlan1  1500  ether1     76:81:BF:68:69:83  bridge\n");
}

TEST(Table, AlignsRowsAndPutsCommentsAbove) {
  EXPECT_EQ(to_text(two(), {}),
            "Flags: X - DISABLED; R - RUNNING\n"
            "Columns: NAME, MTU, INTERFACE, MAC-ADDRESS, MODE\n"
            " #    NAME       MTU  INTERFACE  MAC-ADDRESS        MODE\n"
            " 0  R macvlan1  1500  ether1     76:81:BF:68:69:83  bridge\n"
            ";;; the \"web\"\n"
            "11 X  web        900  ether2     02:00:00:00:00:01  private\n");
}

TEST(Table, LeavesOutFlagsAndColumnsNobodyHas) {
  Table table;
  table.columns = {"name", "ranges", "next-pool"};
  table.rows = {{"*1", 0, false, {{"name", "pool1"}, {"ranges", "10.0.0.2-10.0.0.9"}}}};
  EXPECT_EQ(to_text(table, {}),
            "Columns: NAME, RANGES\n"
            "# NAME   RANGES\n"
            "0 pool1  10.0.0.2-10.0.0.9\n");
  table.rows[0].dynamic = true;
  EXPECT_EQ(to_text(table, {}),
            "Flags: D - DYNAMIC\n"
            "Columns: NAME, RANGES\n"
            "#   NAME   RANGES\n"
            "0 D pool1  10.0.0.2-10.0.0.9\n");
  table.rows.clear();
  EXPECT_EQ(to_text(table, {}), "");
}

TEST(Table, PutsColumnsBelowOnANarrowTerminal) {
  PrintOptions options;
  options.width = 40;
  EXPECT_EQ(to_text(macvlans(), options),
            "Flags: R - RUNNING\n"
            "Columns: NAME, MTU, INTERFACE, MAC-ADDRESS, MODE\n"
            "#   NAME       MTU  INTERFACE\n"
            "    MAC-ADDRESS        MODE\n"
            "0 R macvlan1  1500  ether1\n"
            "    76:81:BF:68:69:83  bridge\n");
  options.width = 3;
  options.bold = true;
  EXPECT_EQ(to_text(macvlans(), options),
            "\033[1mFlags: R - RUNNING\033[0m\n"
            "\033[1mColumns: NAME, MTU, INTERFACE, MAC-ADDRESS, MODE\033[0m\n"
            "\033[1m#   NAME\033[0m\n\033[1m     MTU\033[0m\n\033[1m    INTERFACE\033[0m\n"
            "\033[1m    MAC-ADDRESS\033[0m\n\033[1m    MODE\033[0m\n"
            "0 R macvlan1\n    1500\n    ether1\n    76:81:BF:68\n    :69:83\n    bridge\n");
}

TEST(Table, FoldsALongLastColumn) {
  Table table;
  table.columns = {"time", "message"};
  table.rows = {
      {"*1",
       0,
       false,
       {{"time", "08:36:14"}, {"message", "user admin logged in \xC3\xA4 from somewhere"}}},
      {"*2", 1, false, {{"time", "08:36:15"}, {"message", std::string(30, 'x')}}}};
  PrintOptions options;
  options.width = 37;
  EXPECT_EQ(to_text(table, options),
            "Columns: TIME, MESSAGE\n"
            "# TIME      MESSAGE\n"
            "0 08:36:14  user admin logged in \xC3\xA4\n"
            "            from somewhere\n"
            "1 08:36:15  xxxxxxxxxxxxxxxxxxxxxxxxx\n"
            "            xxxxx\n");
  options.head = false;
  options.width = 0;
  table.rows.resize(1);
  EXPECT_EQ(to_text(table, options), "0 08:36:14  user admin logged in \xC3\xA4 from somewhere\n");
}

TEST(Table, ShowsUnitsAndGroupsToPeopleAlone) {
  Table table;
  table.settings = true;
  table.units = {{"free-memory", "B"}, {"cpu-load", "%"}};
  table.counters = {"rx-byte"};
  table.rows = {
      {"", 0, false, {{"free-memory", "21076377"}, {"cpu-load", "3"}, {"rx-byte", "1207452"}}}};
  EXPECT_EQ(to_text(table, {}),
            "  free-memory: 20.1MiB\n"
            "     cpu-load: 3%\n"
            "      rx-byte: 1 207 452\n");
  table.rows[0].fields = {{"free-memory", "1023"}, {"cpu-load", "x"}, {"rx-byte", "12"}};
  EXPECT_EQ(to_text(table, {}), "  free-memory: 1023\n     cpu-load: x\n      rx-byte: 12\n");
  EXPECT_NE(to_json(table).find("\"1023\""), std::string::npos);
}

TEST(Table, WrapsDetail) {
  PrintOptions options;
  options.style = Style::kDetail;
  EXPECT_EQ(to_text(two(), options),
            "Flags: X - disabled; R - running\n"
            " 0  R name=\"macvlan1\" interface=ether1 mode=bridge mac-address=76:81:BF:68:69:83\n"
            "      mtu=1500 arp=enabled loop-protect=default rx-byte=123456789 tx-byte=7\n"
            "\n"
            "11 X  ;;; the \"web\"\n"
            "      name=\"web\" interface=ether2 mode=private mac-address=02:00:00:00:00:01\n"
            "      mtu=900 netns=w rx-byte=0 tx-byte=0\n");
}

TEST(Table, PrintsRulesInDetailWithoutTheHidden) {
  Table table;
  table.flags = {{'X', "disabled", "disabled"}};
  table.hidden = {"log"};
  table.switches = {"random"};
  table.rows = {{"*1",
                 0,
                 false,
                 {{"chain", "forward"},
                  {"action", "accept"},
                  {"disabled", "false"},
                  {"log", "no"},
                  {"random", "true"}}}};
  EXPECT_EQ(to_text(table, {}),
            "Flags: X - disabled\n 0   chain=forward action=accept random=yes\n");
}

TEST(Table, PrintsStatsTerseAndValueList) {
  PrintOptions options;
  options.style = Style::kStats;
  EXPECT_EQ(to_text(macvlans(), options),
            "Flags: R - RUNNING\n"
            "Columns: NAME, RX-BYTE, TX-BYTE\n"
            "#   NAME        RX-BYTE  TX-BYTE\n"
            "0 R macvlan1  123456789        7\n");
  options.style = Style::kTerse;
  options.properties = {"name", "comment", "mtu"};
  EXPECT_EQ(to_text(two(), options),
            " 0  R name=macvlan1 mtu=1500\n"
            "11 X  name=web comment=the \"web\" mtu=900\n");
  options.style = Style::kValueList;
  EXPECT_EQ(to_text(two(), options),
            "     name: macvlan1 web\n"
            "  comment:          the \"web\"\n"
            "      mtu: 1500     900\n");
  options.style = Style::kBrief;
  options.properties = {"mode", "name"};
  EXPECT_EQ(to_text(macvlans(), options),
            "Flags: R - RUNNING\n"
            "Columns: MODE, NAME\n"
            "#   MODE    NAME\n"
            "0 R bridge  macvlan1\n");
}

TEST(Table, PrintsSettingsAsLines) {
  Table table;
  table.settings = true;
  table.rows = {{"", 0, false, {{"enabled", "yes"}, {"max-entries", "262144"}}}};
  EXPECT_EQ(to_text(table, {}), "      enabled: yes\n  max-entries: 262144\n");
  EXPECT_EQ(to_json(table), "{\n  \"enabled\": \"yes\",\n  \"max-entries\": \"262144\"\n}\n");
}

TEST(Table, JsonIsAnArrayOfObjectsOfStrings) {
  Table table;
  EXPECT_EQ(to_json(table), "[]\n");
  table.rows = {{"*1", 0, true, {{"name", "a\"b\\\xC3\xA4\xFF"}, {"dynamic", "true"}}},
                {"", 1, true, {}},
                {"", 2, false, {}}};
  EXPECT_EQ(to_json(table),
            "[\n  {\n    \".id\": \"*1\",\n    \"name\": \"a\\\"b\\\\\xC3\xA4\xEF\xBF\xBD\",\n"
            "    \"dynamic\": \"true\"\n  },\n  {\n    \"dynamic\": \"true\"\n  },\n  {}\n]\n");
  table.settings = true;
  table.rows.clear();
  EXPECT_EQ(to_json(table), "{}\n");
}

TEST(Table, ShowsControlLettersInsteadOfSendingThem) {
  Table table;
  table.columns = {"host-name", "mtu"};
  table.rows = {{"*1", 0, false, {{"host-name", "a\033[2Jb\xC2\x9B\n"}, {"mtu", "\xC3\xA4"}}}};
  EXPECT_EQ(to_text(table, {}),
            "Columns: HOST-NAME, MTU\n"
            "# HOST-NAME       MTU\n"
            "0 a\\1B[2Jb\\9B\\0A  \xC3\xA4\n");
}

TEST(Table, ComesFromRows) {
  const model::Menu& menu = *model::find_menu("/ip/address");
  const Table table = table_of(menu, {{"*7", true, {{"address", "10.0.0.1/8"}}, 3}});
  EXPECT_EQ(to_text(table, {}),
            "Flags: D - DYNAMIC\nColumns: ADDRESS\n#   ADDRESS\n3 D 10.0.0.1/8\n");
  EXPECT_EQ(nlohmann::ordered_json::parse(to_json(table)).dump(),
            R"([{".id":"*7","address":"10.0.0.1/8","dynamic":"true"}])");
  EXPECT_EQ(to_text(table_of({{"*1", false, {{"host", "10.0.0.1"}, {"up", "true"}}, 0}}), {}),
            "Columns: HOST, UP\n# HOST      UP\n0 10.0.0.1  yes\n");
  EXPECT_EQ(to_text(table_of(menu, {}), {}), "");
}

}  // namespace
}  // namespace maclane::observe
