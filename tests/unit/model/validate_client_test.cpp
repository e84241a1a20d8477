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
  for (const char* row : {"script: ':log info a'", "check-gateway: ping", "allow-reconfigure: yes",
                          "default-route-tables: other", "dscp: 64", "dhcp-options: nonsense"}) {
    const auto loaded = door::load_yaml_text(
        clients(std::string("    - {interface: m1, ") + row + "}\n"), "t.yaml");
    EXPECT_TRUE(!loaded || !validate(loaded->tree).empty()) << row;
  }
}

}  // namespace
}  // namespace maclane::model
