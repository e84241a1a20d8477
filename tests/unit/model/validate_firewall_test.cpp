// Whole-tree rules of the firewall, one test each (behaviour.md B2, B5).
#include "tests/unit/model/model_test_help.h"

namespace maclane::model {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string filter(const std::string& rows) {
  return with_ethers("") + "ip:\n  firewall:\n    filter:\n" + rows;
}
std::string nat(const std::string& rows) {
  return with_ethers("") + "ip:\n  firewall:\n    nat:\n" + rows;
}

TEST(ValidateFirewall, GoodRules) {
  EXPECT_EQ(problems(filter("    - {chain: input, connection-state: 'established,related'}\n"
                            "    - {chain: input, action: jump, jump-target: mine}\n"
                            "    - {chain: mine, protocol: tcp, dst-port: [22, 80-90], action: "
                            "reject, reject-with: tcp-reset}\n"
                            "    - {chain: mine, in-interface-list: '!all', action: return}\n")),
            "");
  EXPECT_EQ(problems(nat("    - {chain: srcnat, out-interface: ether1, action: masquerade}\n"
                         "    - {chain: dstnat, in-interface: ether1, protocol: tcp, dst-port: 80, "
                         "action: dst-nat, to-addresses: 10.0.0.2, to-ports: 8080}\n"
                         "    - {chain: dstnat, protocol: udp, dst-port: 53, action: redirect}\n")),
            "");
}

TEST(ValidateFirewall, MissingInterfacesAndLists) {
  EXPECT_THAT(problems(filter("    - {chain: forward, in-interface: '!eth', action: drop}\n"
                              "    - {chain: forward, in-interface-list: WAN, action: drop}\n")),
              AllOf(HasSubstr("no interface named \"eth\""), HasSubstr("list named \"WAN\"")));
}

TEST(ValidateFirewall, ChainIsRequired) {
  EXPECT_THAT(problems(filter("    - {action: drop}\n")), HasSubstr("missing =chain="));
}

TEST(ValidateFirewall, Jumps) {  // B-4, B-5
  EXPECT_THAT(problems(filter("    - {chain: input, action: jump}\n")),
              HasSubstr("needs jump-target"));
  EXPECT_EQ(problems(filter("    - {chain: input, action: jump, jump-target: later}\n")), "")
      << "rules come in the order they are written in";
  EXPECT_THAT(problems(filter("    - {chain: a, action: jump, jump-target: b}\n"
                              "    - {chain: b, action: jump, jump-target: c}\n"
                              "    - {chain: c, action: jump, jump-target: a}\n")),
              AllOf(HasSubstr("a comes back to c"), HasSubstr("b comes back to a")));
  EXPECT_THAT(problems(filter("    - {chain: a, action: jump, jump-target: a}\n")),
              HasSubstr("goes in circles"));
}

TEST(ValidateFirewall, WhatAnotherActionWouldTakeMayStay) {  // B-6, B-29: as in RouterOS
  EXPECT_EQ(problems(filter("    - {chain: input, action: drop, reject-with: tcp-reset}\n"
                            "    - {chain: input, action: accept, jump-target: x, address-list: a, "
                            "address-list-timeout: 1d}\n")),
            "");
  EXPECT_EQ(
      problems(nat("    - {chain: dstnat, action: accept, to-addresses: 1.2.3.4, to-ports: 80}\n"
                   "    - {chain: dstnat, action: redirect, to-addresses: 1.2.3.4, "
                   "randomise-ports: yes}\n"
                   "    - {chain: srcnat, action: masquerade, to-addresses: 1.2.3.4, "
                   "same-not-by-dst: yes}\n")),
      "");
  EXPECT_EQ(problems(with_ethers("") +
                     "ip:\n  firewall:\n    mangle:\n"
                     "    - {chain: forward, action: accept, new-dscp: 4, new-mss: 1400, "
                     "new-packet-mark: p, new-ttl: 'set:9', new-priority: 3}\n"),
            "");
  EXPECT_EQ(problems("routing:\n  table: [{name: t}]\n"
                     "  rule: [{action: drop, table: t, min-prefix: 0}, "
                     "{action: unreachable, table: main}]\n"),
            "");
}

TEST(ValidateFirewall, AddressesAndPortsThatSayNothing) {  // B-29: what RouterOS exports
  EXPECT_EQ(problems(nat("    - {chain: srcnat, action: masquerade, to-addresses: 0.0.0.0, "
                         "to-ports: 0-65535}\n"
                         "    - {chain: dstnat, action: dst-nat, to-addresses: 10.0.0.2, to-ports: "
                         "0-65535}\n")),
            "");
  EXPECT_THAT(problems(nat("    - {chain: dstnat, action: dst-nat, to-addresses: 0.0.0.0, "
                           "to-ports: 0-65535}\n"
                           "    - {chain: dstnat, action: netmap, to-addresses: 0.0.0.0}\n")),
              AllOf(HasSubstr("dst-nat needs to-addresses or to-ports"),
                    HasSubstr("netmap needs to-addresses")));
  EXPECT_THAT(problems(nat("    - {chain: srcnat, action: masquerade, to-ports: 1024-65535}\n")),
              HasSubstr("ports need a protocol"));
  EXPECT_THAT(problems(nat("    - {chain: srcnat, action: masquerade, protocol: tcp, "
                           "to-ports: 0-1023}\n")),
              HasSubstr("0-1023 begins with 0, which is no port; write 1-1023"));
}

TEST(ValidateFirewall, RejectWith) {  // B-14
  EXPECT_THAT(problems(filter("    - {chain: input, action: reject, reject-with: tcp-reset}\n")),
              HasSubstr("add protocol: tcp"));
}

TEST(ValidateFirewall, MatchersThatNeedAProtocol) {
  EXPECT_THAT(problems(filter("    - {chain: input, dst-port: 22}\n"
                              "    - {chain: input, protocol: '!tcp', src-port: 22}\n"
                              "    - {chain: input, protocol: tcp, icmp-options: 8}\n")),
              AllOf(HasSubstr(" dst-port: ports need"), HasSubstr(" src-port: ports need"),
                    HasSubstr("need protocol: icmp")));
}

TEST(ValidateFirewall, AllThatHavePortsCanBeAskedForThem) {  // B-11
  EXPECT_EQ(problems(filter("    - {chain: input, protocol: sctp, dst-port: 22}\n"
                            "    - {chain: input, protocol: dccp, src-port: 22}\n"
                            "    - {chain: input, protocol: udplite, dst-port: 22}\n"
                            "    - {chain: input, protocol: udp-lite, port: 22}\n")),
            "");
  EXPECT_EQ(problems(nat("    - {chain: dstnat, protocol: sctp, dst-port: 22, action: dst-nat, "
                         "to-addresses: 1.2.3.4, to-ports: 23}\n")),
            "");
}

TEST(ValidateFirewall, SidesOfBuiltInChains) {
  EXPECT_THAT(problems(filter("    - {chain: input, out-interface: ether1}\n"
                              "    - {chain: output, in-interface-list: all}\n")),
              AllOf(HasSubstr("outgoing interface matching is not possible in chain input"),
                    HasSubstr("incoming interface matching is not possible in chain output")));
  EXPECT_THAT(
      problems(nat("    - {chain: dstnat, out-interface: ether1}\n"
                   "    - {chain: output, in-interface: ether1}\n")),
      AllOf(HasSubstr("not possible in chain dstnat"), HasSubstr("not possible in chain output")));
  EXPECT_EQ(problems(nat("    - {chain: srcnat, in-interface: ether1}\n")), "");
}

TEST(ValidateFirewall, NatActionsInTheirChains) {  // B-28..B-31
  EXPECT_THAT(problems(nat("    - {chain: dstnat, action: masquerade}\n")),
              HasSubstr("works only in srcnat"));
  EXPECT_THAT(problems(nat("    - {chain: srcnat, action: redirect}\n")),
              HasSubstr("works only in dstnat"));
  EXPECT_THAT(problems(nat("    - {chain: dstnat, action: jump, jump-target: own}\n"
                           "    - {chain: own, action: src-nat, to-addresses: 1.2.3.4}\n")),
              HasSubstr("own is reached from dstnat"));
  EXPECT_THAT(problems(nat("    - {chain: dstnat, action: dst-nat}\n")),
              HasSubstr("needs to-addresses or to-ports"));
  EXPECT_THAT(
      problems(nat("    - {chain: srcnat, action: netmap}\n"
                   "    - {chain: srcnat, action: netmap, to-addresses: 1.2.3.4-1.2.3.6}\n")),
      AllOf(HasSubstr("netmap needs to-addresses"), HasSubstr("needs a whole prefix")));
  EXPECT_EQ(problems(nat("    - {chain: dstnat, action: netmap, to-addresses: 1.2.3.0/24}\n"
                         "    - {chain: srcnat, action: same, to-addresses: 1.2.3.4-1.2.3.6, "
                         "same-not-by-dst: yes, randomise-ports: yes}\n")),
            "");
  EXPECT_THAT(problems(nat("    - {chain: srcnat, action: endpoint-independent-nat}\n"
                           "    - {chain: dstnat, action: endpoint-independent-nat, protocol: udp, "
                           "to-ports: 99}\n")),
              AllOf(HasSubstr("endpoint-independent-nat is for UDP; add protocol: udp"),
                    HasSubstr("leads to who has the outer port")));
  EXPECT_EQ(
      problems(nat("    - {chain: srcnat, action: endpoint-independent-nat, protocol: udp, "
                   "to-addresses: 1.2.3.4-1.2.3.6, randomise-ports: yes}\n"
                   "    - {chain: dstnat, action: endpoint-independent-nat, protocol: udp}\n")),
      "");
}

TEST(ValidateFirewall, NatOfTheRoutersOwn) {  // B-28
  EXPECT_EQ(problems(nat("    - {chain: input, action: src-nat, to-addresses: 1.2.3.4}\n"
                         "    - {chain: output, action: dst-nat, to-addresses: 1.2.3.4}\n"
                         "    - {chain: input, action: netmap, to-addresses: 1.2.3.0/24}\n"
                         "    - {chain: output, action: jump, jump-target: own}\n"
                         "    - {chain: own, action: dst-nat, protocol: udp, to-ports: 99}\n")),
            "");
  EXPECT_THAT(problems(nat("    - {chain: input, action: masquerade}\n"
                           "    - {chain: output, action: src-nat, to-addresses: 1.2.3.4}\n")),
              AllOf(HasSubstr("masquerade changes the source and works only in srcnat and the"),
                    HasSubstr("src-nat changes the source and works only in srcnat and input")));
  EXPECT_THAT(problems(nat("    - {chain: output, action: redirect}\n"
                           "    - {chain: input, action: jump, jump-target: own}\n"
                           "    - {chain: own, action: dst-nat, protocol: udp, to-ports: 99}\n")),
              AllOf(HasSubstr("redirect changes the destination and works only in dstnat and the"),
                    HasSubstr("own is reached from input")));
  EXPECT_THAT(
      problems(nat("    - {chain: input, action: endpoint-independent-nat, protocol: udp}\n")),
      HasSubstr("works only in srcnat and dstnat"));
  EXPECT_THAT(
      problems(nat("    - {chain: output, in-interface: ether1}\n"
                   "    - {chain: input, out-interface: ether1}\n")),
      AllOf(HasSubstr("not possible in chain output"), HasSubstr("not possible in chain input")));
}

TEST(ValidateFirewall, ActionsSayWhatTheyNeed) {  // B-6, B-13
  EXPECT_THAT(problems(filter("    - {chain: input, action: tarpit}\n"
                              "    - {chain: input, action: add-src-to-address-list}\n"
                              "    - {chain: input, tcp-flags: syn}\n"
                              "    - {chain: input, port: 22}\n")),
              AllOf(HasSubstr("tarpit is for TCP only"), HasSubstr("needs address-list"),
                    HasSubstr("only TCP has tcp-flags"), HasSubstr(" port: ports need")));
  EXPECT_EQ(
      problems(filter("    - {chain: input, protocol: tcp, action: tarpit}\n"
                      "    - {chain: forward, action: fasttrack-connection}\n"
                      "    - {chain: input, psd: '21,3s,3,1', action: "
                      "add-src-to-address-list, address-list: a, address-list-timeout: 1d}\n")),
      "");
}

TEST(ValidateFirewall, RawAndMangle) {  // B-1
  const auto rows = [](const char* menu, const std::string& text) {
    return with_ethers("") + "ip:\n  firewall:\n    " + menu + ":\n" + text;
  };
  EXPECT_EQ(problems(rows("raw",
                          "    - {chain: prerouting, in-interface: ether1, action: notrack}\n"
                          "    - {chain: output, action: drop, limit: '5,5'}\n")),
            "");
  EXPECT_EQ(
      problems(rows("mangle",
                    "    - {chain: prerouting, action: mark-connection, new-connection-mark: a}\n"
                    "    - {chain: postrouting, in-interface: ether1, action: accept}\n"
                    "    - {chain: postrouting, protocol: tcp, action: change-mss, new-mss: "
                    "clamp-to-pmtu, passthrough: no}\n")),
      "");
  EXPECT_THAT(problems(rows("raw", "    - {chain: prerouting, out-interface: ether1}\n")),
              HasSubstr("not possible in chain prerouting"));
  EXPECT_THAT(
      problems(rows("mangle",
                    "    - {chain: output, in-interface: ether1}\n"
                    "    - {chain: forward, action: mark-packet}\n"
                    "    - {chain: forward, action: change-mss, new-mss: 1400}\n"
                    "    - {chain: a, action: jump, jump-target: prerouting}\n")),
      AllOf(HasSubstr("not possible in chain output"), HasSubstr("needs new-packet-mark"),
            HasSubstr("change-mss is for TCP only"), HasSubstr("prerouting is a built-in chain")));
}

TEST(ValidateFirewall, AddressListRowsStandOnce) {
  EXPECT_THAT(problems("ip: {firewall: {address-list: [{list: a, address: 10.0.0.1/32}, "
                       "{list: a, address: 10.0.0.1}, {list: b, address: 10.0.0.1}]}}"),
              HasSubstr("already have such entry: 10.0.0.1 is in a"));
}

}  // namespace
}  // namespace maclane::model
