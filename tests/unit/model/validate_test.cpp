// Whole-tree rules of interfaces, addresses and routes, one test each.
#include "tests/unit/model/model_test_help.h"

namespace maclane::model {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

std::string macvlans(const std::string& rows) {
  return with_ethers("  macvlan:\n" + rows);
}

TEST(Validate, AGoodTreeHasNoErrors) {
  EXPECT_EQ(problems(macvlans("  - {name: m1, interface: ether1}\n"
                              "  - {name: m2, interface: ether2, mtu: 1600}\n")),
            "");
}

TEST(Validate, RequiredValues) {
  EXPECT_THAT(problems("interface: {ethernet: [{name: e}], macvlan: [{interface: e}]}"),
              AllOf(HasSubstr("e device: missing =device="), HasSubstr("name: missing =name=")));
}

TEST(Validate, UnknownReferences) {
  EXPECT_THAT(problems(macvlans("  - {name: m1, interface: ethr1}\n")),
              HasSubstr("interface: input does not match any value of interface: there is no "
                        "interface named \"ethr1\"; did you mean \"ether1\"?"));
  EXPECT_THAT(problems("interface: {list/member: [{list: nope, interface: all}]}"),
              AllOf(HasSubstr("no interface list named \"nope\""), HasSubstr("named \"all\"")));
  // The row itself is none of what there is.
  const std::string said =
      problems(with_ethers("  vlan: [{name: zz, interface: nosuch, vlan-id: 5}]\n"));
  EXPECT_THAT(said, HasSubstr("there is ether1 or ether2"));
  EXPECT_THAT(problems(with_ethers("  vlan: [{name: nosuch1, interface: nosuch, vlan-id: 5}]\n")),
              testing::Not(HasSubstr("did you mean")));
}

TEST(Validate, WhatIsInUseStays) {
  const Tree before = load(with_ethers("  macvlan: [{name: m1, interface: ether1}]\n") +
                           "ip:\n  address: [{address: 10.0.0.1/24, interface: m1}]\n"
                           "  route: [{dst-address: 10.9.0.0/16, gateway: m1}]\n"
                           "user: [{name: op, group: own}]\n"
                           "user/group: [{name: own, policy: read}]\n");
  const auto without = [&](std::string_view path, std::string name) {
    Tree after = before;
    EXPECT_TRUE(
        edit(after, {Edit{Edit::Kind::kRemove, std::string(path), std::move(name), {}, "", ""}}));
    return all_text(validate(after, &before));
  };
  EXPECT_EQ(
      without("/interface/macvlan", "m1"),
      "/interface/macvlan m1: failure: m1 is in use by /ip/address *1 (10.0.0.1/24), /ip/route "
      "*1 (10.9.0.0/16); change or remove those first\n");
  EXPECT_THAT(without("/user/group", "own"),
              HasSubstr("failure: own is in use by /user *2 (op); change or remove that first"));
  EXPECT_EQ(without("/ip/route", "*1"), "");
}

TEST(Validate, TablesThatGatewaysAreLookedForIn) {
  EXPECT_THAT(problems("ip: {route: [{gateway: 10.0.0.1@isp}]}\n"),
              HasSubstr("there is no routing table named \"isp\" to look for 10.0.0.1 in"));
  for (const char* more : {"target-scope: 30", "check-gateway: ping", "check-gateway: arp"}) {
    EXPECT_EQ(problems(std::string("ip: {route: [{gateway: 10.0.0.1@isp, ") + more +
                       "}]}\nrouting: {table: [{name: isp, fib: true}]}\n"),
              "");
  }
}

TEST(Validate, NamesAreSharedByAllInterfaces) {  // A1
  EXPECT_THAT(problems(macvlans("  - {name: ether1, interface: ether2}\n")),
              HasSubstr("already have interface with such name"));
}

TEST(Validate, MacvlanParents) {  // A-57, E-43
  EXPECT_THAT(problems(macvlans("  - {name: m1, interface: ether1}\n"
                                "  - {name: m2, interface: m1}\n")),
              HasSubstr("m1 is a macvlan itself"));
  EXPECT_EQ(problems(with_ethers("  vlan:\n  - {name: v, interface: ether1, vlan-id: 5}\n"
                                 "  macvlan:\n  - {name: m, interface: v}\n")),
            "");
}

TEST(Validate, NoVlanOnMacvlan) {
  EXPECT_THAT(problems(with_ethers("  macvlan:\n  - {name: m1, interface: ether1}\n"
                                   "  vlan:\n  - {name: v, interface: m1, vlan-id: 3}\n")),
              HasSubstr("a VLAN on a macvlan is not supported; put the VLAN on ether1"));
}

TEST(Validate, VlanLoopsAndIds) {
  EXPECT_THAT(problems(with_ethers("  vlan:\n  - {name: a, interface: b, vlan-id: 1}\n"
                                   "  - {name: b, interface: a, vlan-id: 1}\n")),
              AllOf(HasSubstr("a would stand on itself"), HasSubstr("b would stand on itself")));
  EXPECT_THAT(problems(with_ethers("  vlan:\n  - {name: a, interface: ether1, vlan-id: 7}\n"
                                   "  - {name: b, interface: ether1, vlan-id: 7}\n")),
              HasSubstr("VLAN 7 of ether1 is a already"));
  EXPECT_EQ(problems(with_ethers("  vlan:\n  - {name: a, interface: ether1, vlan-id: 7}\n"
                                 "  - {name: b, interface: a, vlan-id: 7}\n"
                                 "  - {name: c, interface: ether1, vlan-id: 7, "
                                 "use-service-tag: yes}\n")),
            "");
}

TEST(Validate, MtuAboveTheParents) {  // A-55, E-37
  EXPECT_THAT(problems(macvlans("  - {name: m1, interface: ether1, mtu: 1501}\n")),
              HasSubstr("1501 is above the 1500 of its parent ether1"));
}

TEST(Validate, DuplicateMacs) {  // A-56, E-45
  EXPECT_THAT(
      problems(macvlans("  - {name: a, interface: ether1, mac-address: 02:00:00:00:00:aa}\n"
                        "  - {name: b, interface: ether1, mac-address: 02-00-00-00-00-AA}\n")),
      HasSubstr("02:00:00:00:00:AA is used by a under the same parent (at t.yaml:6)"));
  EXPECT_THAT(
      problems(macvlans("  - {name: a, interface: ether2, mac-address: 02:00:00:00:00:02}\n")),
      HasSubstr("is the MAC address of its parent ether2"));
  EXPECT_THAT(problems(with_ethers("  vlan:\n  - {name: v, interface: ether2, vlan-id: 9}\n"
                                   "  macvlan:\n  - {name: a, interface: v, mac-address: "
                                   "02:00:00:00:00:02}\n")),
              HasSubstr("is the MAC address of its parent v"));
  EXPECT_EQ(
      problems(macvlans("  - {name: a, interface: ether1, mac-address: 02:00:00:00:00:aa}\n"
                        "  - {name: b, interface: ether2, mac-address: 02:00:00:00:00:aa}\n")),
      "");
}

TEST(Validate, MulticastAndZeroMacs) {  // F-15, A-56
  EXPECT_THAT(
      problems(macvlans("  - {name: a, interface: ether1, mac-address: f1:00:00:00:00:01}\n")),
      AllOf(HasSubstr("is a group address"), HasSubstr("F2:00:00:00:00:01 would do")));
  EXPECT_THAT(
      problems(macvlans("  - {name: a, interface: ether1, mac-address: 00:00:00:00:00:00}\n")),
      HasSubstr("is no interface's address"));
}

TEST(Validate, Attachments) {
  EXPECT_THAT(problems(macvlans("  - {name: m1, interface: ether1, netns: web}\n")),
              HasSubstr("add attach: tap"));
  EXPECT_THAT(problems(macvlans("  - {name: name-of-16-chars, interface: ether1, attach: tap}\n")),
              HasSubstr("at most 15 characters"));
  EXPECT_THAT(problems(macvlans("  - {name: m1, interface: ether1, attach: tap, netns: web}\n") +
                       "ip: {address: [{address: 10.0.0.1/24, interface: m1}]}\n"),
              HasSubstr("its addresses belong to the container"));
  std::string many;
  for (int i = 0; i < 27; ++i) {
    many += "  - {name: m" + std::to_string(i) + ", interface: ether1, attach: tap}\n";
  }
  EXPECT_THAT(problems(macvlans(many)), HasSubstr("m26 attach: ethernets and attached macvlans"));
}

TEST(Validate, AtMost4096MacvlansUnderAParent) {
  std::string many;
  for (int i = 0; i < 4096; ++i)
    many += "  - {name: m" + std::to_string(i) + ", interface: ether1}\n";
  EXPECT_EQ(problems(macvlans(many)), "");
  EXPECT_THAT(problems(macvlans(many + "  - {name: more, interface: ether1}\n")),
              HasSubstr("more than 4096 macvlans"));
}

TEST(Validate, DevicesStandOnce) {
  EXPECT_THAT(problems("interface: {ethernet: [{name: a, device: 'net_tap0,iface=x'}, "
                       "{name: b, device: 'net_tap0,iface=y'}]}"),
              HasSubstr("net_tap0 is the device of a already"));
}

TEST(Validate, Lists) {
  EXPECT_THAT(problems("interface: {list: [{name: all}]}"), HasSubstr("built-in list"));
  EXPECT_THAT(problems("interface: {list: [{name: a, include: b}, {name: b, exclude: [a, all]}]}"),
              AllOf(HasSubstr("a would contain itself"), HasSubstr("b would contain itself")));
  EXPECT_EQ(problems(with_ethers("  list: [{name: WAN}]\n"
                                 "  list/member: [{list: WAN, interface: ether1}]\n")),
            "");
}

std::string addresses(const std::string& rows) {
  return with_ethers("") + "ip:\n  address:\n" + rows;
}

TEST(Validate, AnAddressStandsOnce) {
  EXPECT_THAT(problems(addresses("  - {address: 10.0.0.1/24, interface: ether1}\n"
                                 "  - {address: 10.0.0.1/16, interface: ether2}\n")),
              HasSubstr("already have such address: 10.0.0.1 is on ether1"));
  // One subnet on two interfaces is what the MACVLAN page shows (E-27).
  EXPECT_EQ(problems(addresses("  - {address: 203.0.113.1/24, interface: ether1}\n"
                               "  - {address: 203.0.113.2/24, interface: ether2}\n")),
            "");
  // E-38: four hosts of four /30s.
  EXPECT_EQ(problems(addresses("  - {address: 203.0.113.10/30, interface: ether1}\n"
                               "  - {address: 203.0.113.14/30, interface: ether1}\n")),
            "");
  EXPECT_EQ(problems(addresses("  - {address: 192.168.99.1/24, interface: ether1, network: "
                               "192.168.99.0}\n")),  // E-26b
            "");
}

TEST(Validate, AddressesNoInterfaceCanHave) {
  EXPECT_THAT(problems(addresses("  - {address: 224.0.0.1/24, interface: ether1}\n"
                                 "  - {address: 10.0.0.0/24, interface: ether1}\n"
                                 "  - {address: 10.0.1.255/24, interface: ether1}\n")),
              AllOf(HasSubstr("cannot be an interface's address"), HasSubstr("own first address"),
                    HasSubstr("choose one between 10.0.1.1 and 10.0.1.254")));
}

std::string routes(const std::string& rows) {
  return with_ethers("") + "ip:\n  route:\n" + rows;
}

TEST(Validate, Routes) {
  EXPECT_EQ(problems(routes("  - {gateway: 203.0.113.1}\n  - {dst-address: 10.0.0.0/8, blackhole: "
                            "yes}\n  - {dst-address: 11.0.0.0/8, gateway: 1.1.1.1%ether2}\n"
                            "  - {dst-address: 12.0.0.0/8, gateway: ether1}\n")),
            "");
  EXPECT_THAT(problems(routes("  - {dst-address: 10.0.0.0/8}\n")), HasSubstr("missing gateway"));
  EXPECT_THAT(problems(routes("  - {gateway: ether9}\n")), HasSubstr("named \"ether9\""));
  EXPECT_THAT(problems(routes("  - {gateway: 1.1.1.1%eth}\n")), HasSubstr("named \"eth\""));
  EXPECT_THAT(problems(routes("  - {gateway: 1.1.1.1, blackhole: yes}\n")),
              HasSubstr("has no gateway"));
  EXPECT_THAT(problems(routes("  - {gateway: 1.1.1.1}\n  - {gateway: 1.1.1.1}\n")),
              HasSubstr("already have such route"));
}

TEST(Validate, StaticArp) {
  EXPECT_THAT(problems(with_ethers("") + "ip: {arp: [{address: 10.0.0.1, interface: ether1}]}"),
              HasSubstr("missing =mac-address="));
  EXPECT_THAT(problems(with_ethers("") + "ip: {arp: [{address: 10.0.0.1, interface: ether1, "
                                         "mac-address: ff:ff:ff:ff:ff:ff}]}"),
              HasSubstr("group address"));
}

TEST(Validate, Workers) {
  EXPECT_THAT(problems("dataplane: {workers: [0]}"), IsEmpty());
  const auto twice = door::load_yaml_text("dataplane: {workers: [0, 0]}", "t.yaml");
  ASSERT_FALSE(twice.has_value());
  EXPECT_THAT(all_text(twice.error()), HasSubstr("names 0 twice; leave one out"));
  EXPECT_THAT(problems("dataplane: {workers: [0, 1023]}"),
              HasSubstr("dataplane workers: CPU 1023 does not exist; there is 0"));
  EXPECT_THAT(problems("dataplane: {workers: [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}"),
              HasSubstr("17 workers are too many; name at most 16 CPUs"));
}

TEST(Validate, ErrorsComeInTheOrderOfTheFileWithTheirPlaces) {
  const auto errors =
      validate(load(addresses("  - {address: 10.0.0.1/24, interface: nope}\n"
                              "  - {address: 10.0.0.1/24, interface: nix}\n")));
  ASSERT_EQ(errors.size(), 3u) << all_text(errors);
  EXPECT_EQ(errors[0].source.line, 7u);
  EXPECT_EQ(errors[0].source.column, 39u);
  EXPECT_EQ(errors[1].source.line, 8u);
  EXPECT_EQ(errors[1].property, "address");
  EXPECT_EQ(errors[2].property, "interface");
  EXPECT_THAT(errors[0].text(),
              testing::StartsWith("t.yaml:7:39: /ip/address 10.0.0.1/24 interface: "));
}

TEST(Interfaces, MtusFollowTheParents) {  // DESIGN part 4, E-37, A-55
  const Tree tree = load(
      "interface:\n"
      "  ethernet: [{name: small, device: a, mtu: 1400}, {name: big, device: b, mtu: 9000}]\n"
      "  vlan: [{name: v2, interface: v1}, {name: v1, interface: small}]\n"
      "  macvlan: [{name: m1, interface: v2}, {name: m2, interface: big}, "
      "{name: m3, interface: big, mtu: 9000}]\n");
  EXPECT_TRUE(validate(tree).empty());
  std::map<std::string, std::pair<int64_t, int64_t>> mtu;
  for (const InterfaceFacts& one : interfaces(tree)) mtu[one.name] = {one.mtu, one.actual_mtu};
  EXPECT_EQ(mtu["v2"], std::make_pair(int64_t{1400}, int64_t{1400}));
  EXPECT_EQ(mtu["m1"], std::make_pair(int64_t{1400}, int64_t{1400}));
  EXPECT_EQ(mtu["m2"], std::make_pair(int64_t{1500}, int64_t{1500}));
  EXPECT_EQ(mtu["m3"], std::make_pair(int64_t{9000}, int64_t{9000}));
}

}  // namespace
}  // namespace maclane::model
