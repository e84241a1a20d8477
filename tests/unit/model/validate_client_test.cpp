// Whole-tree rules of DHCP clients, one test each.
#include "tests/unit/model/model_test_help.h"

namespace maclane::model {
namespace {

using testing::HasSubstr;

std::string clients(const std::string& rows) {
  return with_ethers(
             "  macvlan:\n    - {name: m1, interface: ether1}\n"
             "    - {name: tapped, interface: ether1, attach: tap}\n") +
         "ip:\n  dhcp-client:\n" + rows;
}

TEST(ValidateClient, GoodDhcpClients) {
  EXPECT_EQ(problems(clients("    - {interface: m1, add-default-route: special-classless, "
                             "dhcp-options: [hostname, clientid_duid], vlan-priority: 7}\n"
                             "    - {interface: ether1, default-route-distance: 2}\n"
                             "    - {interface: m1, disabled: yes}\n")),
            "");
}

TEST(ValidateClient, OneClientAnInterface) {
  EXPECT_THAT(problems(clients("    - {interface: m1}\n    - {interface: m1}\n")),
              HasSubstr("dhcp-client on that interface already exists"));
}

TEST(ValidateClient, AttachedMacvlansHaveTheirOwnClients) {
  EXPECT_THAT(problems(clients("    - {interface: tapped}\n")), HasSubstr("tapped is attached"));
}

TEST(ValidateClient, WhatIsNotCarriedOutIsRefused) {
  for (const char* row : {"check-gateway: bfd", "allow-reconfigure: yes",
                          "default-route-tables: other", "dscp: 64", "dhcp-options: nonsense"}) {
    const auto loaded = door::load_yaml_text(
        clients(std::string("    - {interface: m1, ") + row + "}\n"), "t.yaml");
    EXPECT_TRUE(!loaded || !validate(loaded->tree).empty()) << row;
  }
}

std::string pppoe(const std::string& rows) {
  return with_ethers(
      "  macvlan:\n    - {name: m1, interface: ether1}\n"
      "    - {name: tapped, interface: ether1, attach: tap}\n"
      "  pppoe-client:\n" +
      rows);
}

TEST(ValidateClient, GoodPppoeClients) {  // C-21
  EXPECT_EQ(problems(pppoe("    - {name: a, interface: m1, user: u, password: p, allow: [chap], "
                           "host-uniq: 0aFF, keepalive-timeout: disabled}\n"
                           "    - {name: b, interface: m1, max-mtu: 1492, max-mru: auto}\n"
                           "    - {name: c, interface: ether2, max-mtu: 1500, max-mru: 1592}\n")),
            "");
}

TEST(ValidateClient, NothingStandsOnPpp) {
  EXPECT_THAT(problems(with_ethers("  pppoe-client:\n    - {name: p1, interface: ether1}\n"
                                   "  macvlan:\n    - {name: mv, interface: p1}\n")),
              HasSubstr("p1 is a pppoe-client: PPP carries packets and no frames"));
  EXPECT_THAT(problems(with_ethers("  pppoe-client:\n    - {name: p1, interface: ether1}\n"
                                   "  vlan:\n    - {name: v, interface: p1, vlan-id: 7}\n")),
              HasSubstr("p1 is a pppoe-client: PPP carries packets and no frames"));
  EXPECT_THAT(problems(with_ethers("  pppoe-client:\n    - {name: p1, interface: ether1}\n") +
                       "ip:\n  dhcp-client:\n    - {interface: p1}\n"),
              HasSubstr("p1 is a pppoe-client; give an interface of ethernet, vlan or macvlan"));
}

TEST(ValidateClient, PppoeDoesNotStandOnPppoe) {  // C-21
  EXPECT_THAT(problems(pppoe("    - {name: a, interface: m1}\n    - {name: b, interface: a}\n")),
              HasSubstr("a is a pppoe-client"));
}

TEST(ValidateClient, PppoeSizesAndHexadecimals) {  // C-25
  EXPECT_THAT(problems(pppoe("    - {name: a, interface: m1, max-mtu: 1500}\n")),
              HasSubstr("raise its mtu to 1508"));
  for (const char* wrong :
       {"max-mtu: none", "max-mtu: 20", "max-mru: 9001", "keepalive-timeout: 0",
        "keepalive-timeout: soon", "host-uniq: 0a1", "host-uniq: zz", "interface: tapped"}) {
    const std::string row = std::string(wrong).starts_with("interface")
                                ? std::string("{name: a, ") + wrong + "}"
                                : std::string("{name: a, interface: m1, ") + wrong + "}";
    EXPECT_NE(problems(pppoe("    - " + row + "\n")), "") << wrong;
  }
}

TEST(ValidateClient, APppoeClientIsAnInterface) {
  const Tree tree = load(pppoe("    - {name: out, interface: m1, max-mtu: 1400}\n"
                               "    - {name: auto, interface: m1}\n") +
                         "ip: {address: [{address: 10.0.0.1/24, interface: out}]}\n");
  EXPECT_EQ(all_text(validate(tree)), "");
  const auto all = interfaces(tree);
  EXPECT_EQ(all[all.size() - 2].type, "pppoe-out");
  EXPECT_EQ(all[all.size() - 2].actual_mtu, 1400);
  EXPECT_EQ(all.back().actual_mtu, 1492);
  EXPECT_EQ(interface_menu("pppoe-out"), "/interface/pppoe-client");
  EXPECT_EQ(interface_menu("vlan"), "/interface/vlan");
}

}  // namespace
}  // namespace maclane::model
