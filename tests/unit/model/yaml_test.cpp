// The YAML door: spellings, places of mistakes, hostile files, writing back, the JSON schema.
#include <nlohmann/json.hpp>

#include "control/door/yaml_path.h"
#include "tests/unit/model/model_test_help.h"

namespace maclane::model {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string wrong(const std::string& yaml) {
  auto loaded = door::load_yaml_text(yaml, "t.yaml");
  return loaded ? "" : all_text(loaded.error());
}

// DESIGN part 4's example, as far as this version goes.
constexpr const char* kExample = R"(system:
  identity: {name: edge1}
dataplane:
  workers: [0]
  huge-pages: false
  max-sessions: 262144
interface:
  ethernet:
    - {name: ether1, device: "net_tap0,iface=mlwan"}
    - {name: ether2, device: "0000:03:00.1", mtu: 9000}
  macvlan:
    - {name: macvlan-iot, interface: ether2, mode: private, mac-address: auto}
    - {name: web1, interface: ether2, mode: bridge, attach: tap, netns: web1}
  vlan:
    - {name: voice, interface: ether2, vlan-id: 30, comment: "say \"hi\", {or} # not"}
  list:
    - {name: WAN, include: [static, dynamic]}
  list/member:
    - {list: WAN, interface: ether1}
ip:
  settings: {arp-timeout: 00:01:00}
  address:
    - {address: 192.168.99.1/24, interface: macvlan-iot}
  route:
    - {dst-address: 0.0.0.0/0, gateway: 203.0.113.1}
  firewall:
    connection/tracking: {udp-timeout: 45}
    address-list:
      - {list: null, address: 10.0.0.0-10.0.0.9, comment: "null"}
      - {list: "yes", address: 10.0.0.10}
    filter:
      - {chain: forward, in-interface: macvlan-iot, connection-state: [established, related], action: accept}
      - {chain: forward, src-address: "!10.0.0.0/8", protocol: tcp, dst-port: 80, action: drop}
      - {chain: input, protocol: tcp, dst-port: ["22", 8000-8010], comment: "two\nlines	tab"}
    nat:
      - {chain: srcnat, out-interface: ether1, src-address: 192.168.99.0/24, action: masquerade}
)";

std::vector<std::string> everything(const Tree& tree) {
  std::vector<std::string> out;
  for (const Menu& menu : menus()) {
    for (const RowPtr& row : tree.rows(menu)) {
      std::string line(menu.path);
      for (size_t i = 0; i < row->values.size(); ++i) line += "|" + row->values[i];
      out.push_back(line);
    }
  }
  return out;
}

TEST(Yaml, TheExampleLoadsAndComesBackTheSame) {
  std::string yaml = kExample;
  yaml.replace(yaml.find("list: null"), 10, "list: nul");
  const Tree tree = load(yaml);
  EXPECT_EQ(all_text(validate(tree)), "");
  EXPECT_EQ(tree.settings("/dataplane").get("huge-pages"), "no");
  EXPECT_EQ(tree.settings("/ip/settings").get("arp-timeout"), "1m");
  EXPECT_EQ(tree.settings("/ip/firewall/connection/tracking").get("udp-timeout"), "45s");
  const std::string written = door::to_yaml(tree);
  EXPECT_EQ(everything(load(written)), everything(tree)) << written;
  EXPECT_EQ(door::to_yaml(load(written)), written);
}

TEST(Yaml, AnEmptyFileIsAnEmptyConfiguration) {
  EXPECT_EQ(everything(load("")), everything(Tree()));
  EXPECT_EQ(everything(load("interface:\nip:\n  address:\n")), everything(Tree()));
  EXPECT_EQ(door::to_yaml(Tree()), "");
}

TEST(Yaml, SubMenusNestedAndSibling) {
  for (const char* yaml : {"ip: {firewall: {connection: {tracking: {enabled: yes}}}}",
                           "ip: {firewall: {connection/tracking: {enabled: yes}}}",
                           "ip/firewall/connection/tracking: {enabled: yes}",
                           "/ip: {firewall: {connection/tracking: {enabled: true}}}"}) {
    EXPECT_EQ(load(yaml).settings("/ip/firewall/connection/tracking").get("enabled"), "yes")
        << yaml;
  }
  EXPECT_EQ(load("interface: {list: {member: [{list: all, interface: e}]}}")
                .rows("/interface/list/member")
                .size(),
            1u);
}

TEST(Yaml, MistakesHaveLineAndColumn) {
  const auto loaded = door::load_yaml_text(
      "interface:\n"
      "  macvlan:\n"
      "    - {name: m1, mod: bridge, mtu: 12}\n"
      "    - name: m2\n"
      "      mac-address: zz\n"
      "ipp: 1\n",
      "soho.yaml");
  ASSERT_FALSE(loaded);
  const Errors& errors = loaded.error();
  ASSERT_EQ(errors.size(), 4u) << all_text(errors);
  EXPECT_EQ(errors[0].text(),
            "soho.yaml:3:18: /interface/macvlan m1: unknown property \"mod\"; did you mean "
            "\"mode\"?");
  EXPECT_EQ(errors[1].text(),
            "soho.yaml:3:36: /interface/macvlan m1 mtu: value of mtu out of range (68..65535): 12 "
            "is written");
  EXPECT_EQ(errors[2].source.line, 5u);
  EXPECT_EQ(errors[2].source.column, 20u);
  EXPECT_EQ(errors[3].text(), "soho.yaml:6:1: unknown key \"ipp\"; did you mean \"ip\"?");
}

TEST(Yaml, ShapesThatAreWrong) {
  EXPECT_THAT(wrong("- 1"), HasSubstr("a map of menus"));
  EXPECT_THAT(wrong("interface: 5"), HasSubstr("/interface"));
  EXPECT_THAT(wrong("interface: {macvlan: {name: m}}"), HasSubstr("write a list"));
  EXPECT_THAT(wrong("interface: {macvlan: [m]}"), HasSubstr("row 1: a row is a map"));
  EXPECT_THAT(wrong("system: {identity: [a]}"), HasSubstr("write a map"));
  EXPECT_THAT(wrong("interface: {macvlan: [{name: [a]}]}"), HasSubstr("a single value"));
  EXPECT_THAT(wrong("interface: {macvlan: [{name: {a: b}}]}"), HasSubstr("a single value"));
  EXPECT_THAT(wrong("ip: {firewall: {filter: [{dst-port: [[1]]}]}}"), HasSubstr("plain values"));
  EXPECT_THAT(wrong("ip: {firewall: {connection: [{a: b}]}}"), HasSubstr("come from the router"));
  EXPECT_THAT(wrong("interface: {macvlan: [{running: yes}]}"), HasSubstr("read-only"));
  EXPECT_THAT(wrong("dataplane: {drops: [{reason: x}]}"), HasSubstr("come from the router"));
  EXPECT_THAT(wrong("a: [1"), HasSubstr("this is not YAML"));
  EXPECT_THAT(wrong("ip:\n  a: b\n c: d\n"), HasSubstr("t.yaml:3:2: this is not YAML"));
  EXPECT_THAT(wrong("ip:\n---\nip:\n"), HasSubstr("second document"));
}

TEST(Yaml, KeysStandOnce) {
  EXPECT_THAT(wrong("ip:\nip:\n"),
              HasSubstr("t.yaml:2:1: \"ip\" stands here twice, first at line 1"));
  EXPECT_THAT(wrong("interface: {macvlan: [{mtu: 100, mtu: 200}]}"), HasSubstr("twice"));
  EXPECT_THAT(wrong("interface: {macvlan: [{mac_address: 02:00:00:00:00:01, mac-address: "
                    "02:00:00:00:00:01}]}"),
              HasSubstr("given twice"));
}

TEST(Yaml, UnderscoresAreTakenWithAWarning) {  // E-5
  auto loaded = door::load_yaml_text(
      "interface:\n  macvlan:\n    - {name: m, mac_address: 02:00:00:00:00:01}\n"
      "ip: {firewall: {address_list: [{list: a, address: 1.2.3.4}]}}\n",
      "t.yaml");
  ASSERT_TRUE(loaded) << all_text(loaded.error());
  ASSERT_EQ(loaded->warnings.size(), 2u);
  EXPECT_EQ(loaded->warnings[0],
            "t.yaml:3:17: /interface/macvlan m: \"mac_address\" is taken for \"mac-address\"");
  EXPECT_EQ(loaded->tree.rows("/ip/firewall/address-list").size(), 1u);
}

TEST(Yaml, MenusOfLaterVersionsAreNamed) {
  for (const char* yaml : {"ip: {hotspot: [{interface: e}]}", "ip: {dhcp-relay: []}", "radius: []",
                           "snmp: {enabled: yes}", "ip: {firewall: {calea: []}}",
                           "interface: {pppoe-server: []}", "ip: {proxy: {}}", "ip: {socks: {}}"}) {
    EXPECT_THAT(wrong(yaml), HasSubstr("known to RouterOS but not in this version of Maclane"))
        << yaml;
  }
}

TEST(Yaml, AnUnquotedNegationIsExplained) {
  EXPECT_THAT(wrong("ip: {firewall: {filter: [{chain: input, src-address: !10.0.0.0/8 }]}}"),
              AllOf(HasSubstr("src-address"), HasSubstr("in quotes")));
}

TEST(Yaml, HostileFilesEndInASentence) {
  EXPECT_NE(wrong(std::string(100'000, '[')), "");
  EXPECT_NE(wrong("ip: " + std::string(100'000, '{')), "");
  EXPECT_NE(wrong("a: &a [*a]"), "");
  EXPECT_NE(wrong("a: *nobody"), "");
  EXPECT_NE(wrong(std::string("ip\0: 1", 6)), "");
  EXPECT_NE(wrong("? {a: b}\n: c"), "");
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c < 'k'; ++c) {
    const std::string before(1, static_cast<char>(c - 1));
    bomb += std::string(1, c) + ": &" + c + " [";
    for (int i = 0; i < 9; ++i) bomb += (i == 0 ? "*" : ",*") + before;
    bomb += "]\n";
  }
  EXPECT_NE(wrong(bomb + "ip: {firewall: {filter: [{dst-port: *j}]}}\n"), "");
  // A row said again and again by its alias.
  std::string rows =
      "ip:\n  firewall:\n    filter:\n    - &r {chain: input, comment: " + std::string(4000, 'x') +
      "}\n";
  for (int i = 0; i < 100'000; ++i) rows += "    - *r\n";
  EXPECT_THAT(wrong(rows), HasSubstr("aliases repeat more than"));
  EXPECT_THAT(wrong(std::string((32u << 20) + 1, ' ')), HasSubstr("larger than 32 MiB"));
  EXPECT_THAT(all_text(door::load_yaml_file("/nonexistent.yaml").error()),
              HasSubstr("cannot read /nonexistent.yaml: No such file"));
  EXPECT_THAT(all_text(door::load_yaml_file("/").error()), HasSubstr("a folder"));
}

TEST(Yaml, LargeFilesLoad) {
  std::string yaml = "ip:\n  firewall:\n    address-list:\n";
  for (int i = 0; i < 30'000; ++i) {
    yaml += "    - {list: big, address: 10." + std::to_string(i >> 16) + "." +
            std::to_string(i >> 8 & 255) + "." + std::to_string(i & 255) + "}\n";
  }
  yaml += "    filter:\n";
  for (int i = 0; i < 3'000; ++i) {
    yaml += "    - {chain: forward, src-address: 10.0.0.1, protocol: tcp, dst-port: " +
            std::to_string(i) + ", action: drop}\n";
  }
  const Tree tree = load(yaml);
  EXPECT_EQ(tree.rows("/ip/firewall/address-list").size(), 30'000u);
  EXPECT_EQ(tree.rows("/ip/firewall/filter").size(), 3'000u);
  EXPECT_EQ(all_text(validate(tree)), "");
}

TEST(JsonSchema, NamesEveryProperty) {
  const auto schema = nlohmann::json::parse(door::json_schema());
  EXPECT_EQ(schema["$schema"], "http://json-schema.org/draft-07/schema#");
  for (const Menu& menu : menus()) {
    if (!door::is_writable(menu)) continue;
    const nlohmann::json* at = &schema;
    for (const std::string& key : door::yaml_keys(menu)) at = &at->at("properties").at(key);
    if (menu.kind != Menu::Kind::kSettings) at = &at->at("items");
    EXPECT_EQ(at->at("additionalProperties"), false);
    for (const Property& property : menu.properties) {
      const std::string name(property.name);
      EXPECT_EQ(at->at("properties").contains(name), !property.has(Property::kReadOnly))
          << menu.path << " " << name;
    }
  }
  const auto& macvlan =
      schema["properties"]["interface"]["properties"]["macvlan"]["items"]["properties"];
  EXPECT_EQ(macvlan["mode"]["enum"], (nlohmann::json{"bridge", "private"}));
}

}  // namespace
TEST(Yaml, SaysMistakesOfValuesAndOfTheWholeInOneGo) {
  const auto loaded = door::load_yaml_text(
      "interface:\n"
      "  ethernet:\n"
      "    - {name: ether1, device: \"net_null0\", mtu: 99999999}\n"
      "    - {name: ether1, device: \"net_null1\"}\n"
      "  macvlan:\n"
      "    - {name: m1, interface: nope}\n",
      "all.yaml");
  ASSERT_FALSE(loaded);
  std::string all;
  for (const Error& e : loaded.error()) all += e.text() + "\n";
  EXPECT_NE(all.find("all.yaml:3:"), std::string::npos) << all;
  EXPECT_NE(all.find("all.yaml:4:"), std::string::npos) << all;
  EXPECT_NE(all.find("all.yaml:6:"), std::string::npos) << all;
}

TEST(Yaml, AnUnknownKeyHidesNothingElse) {
  const auto loaded = door::load_yaml_text(
      "foo: bar\n"
      "interface:\n"
      "  ethernet:\n"
      "    - {name: ether1, device: \"net_null0\"}\n"
      "    - {name: ether1, device: \"net_null1\", mtu: abc}\n",
      "all.yaml");
  ASSERT_FALSE(loaded);
  std::string all;
  for (const Error& e : loaded.error()) all += e.text() + "\n";
  EXPECT_NE(all.find("all.yaml:1:1"), std::string::npos) << all;
  EXPECT_NE(all.find("mtu"), std::string::npos) << all;
  EXPECT_NE(all.find("already have interface with such name"), std::string::npos) << all;
}

}  // namespace maclane::model
