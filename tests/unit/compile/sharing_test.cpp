// What a snapshot shares with the one before, a whole configuration from YAML, and large ones.
#include "control/door/yaml.h"
#include "tests/unit/compile/testing.h"

namespace maclane::compile {
namespace {

using testing::add;
using testing::Bench;

constexpr std::string_view kFilter = "/ip/firewall/filter";
constexpr std::string_view kNat = "/ip/firewall/nat";

TEST(CompileSharing, UnchangedPartsAreTheSame) {
  Bench b;
  b.ethernet("ether1");
  b.address("10.0.0.1/24", "ether1");
  add(b.tree, kFilter, {{"chain", "forward"}, {"in-interface-list", "all"}});
  add(b.tree, kNat, {{"chain", "srcnat"}, {"action", "masquerade"}});
  b.must_compile();
  const auto fib = b.now.snapshot->fib;
  const auto filter = b.now.snapshot->filter;
  const auto nat = b.now.snapshot->nat;

  b.must_compile();
  EXPECT_EQ(b.now.snapshot->fib, fib);
  EXPECT_EQ(b.now.snapshot->filter, filter);
  EXPECT_EQ(b.now.snapshot->nat, nat);
  EXPECT_EQ(b.fibs, 1);

  add(b.tree, kFilter, {{"chain", "input"}});
  b.must_compile();
  EXPECT_EQ(b.now.snapshot->fib, fib);
  EXPECT_NE(b.now.snapshot->filter, filter);
  EXPECT_EQ(b.now.snapshot->nat, nat);

  b.learned.ethernets["ether1"].link_up = false;  // another FIB, the same rules
  const auto filter2 = b.now.snapshot->filter;
  b.must_compile();
  EXPECT_NE(b.now.snapshot->fib, fib);
  EXPECT_EQ(b.now.snapshot->filter, filter2);
}

TEST(CompileSharing, NewInterfaceChangesWhatListsMean) {
  Bench b;
  b.ethernet("ether1");
  add(b.tree, kFilter, {{"chain", "forward"}, {"in-interface-list", "all"}});
  b.must_compile();
  b.ethernet("ether2");
  b.must_compile();
  EXPECT_TRUE(contains(b.now.snapshot->filter->interface_sets[0], b.index("ether2")));
}

TEST(CompileSharing, ListMembershipReachesTheRules) {
  Bench b;
  b.ethernet("ether1");
  add(b.tree, "/interface/list", {{"name", "wan"}});
  add(b.tree, kFilter, {{"chain", "forward"}, {"in-interface-list", "wan"}});
  add(b.tree, kNat, {{"chain", "srcnat"}, {"action", "masquerade"}});
  b.must_compile();
  const auto nat = b.now.snapshot->nat;
  add(b.tree, "/interface/list/member", {{"list", "wan"}, {"interface", "ether1"}});
  b.must_compile();
  EXPECT_TRUE(contains(b.now.snapshot->filter->interface_sets[0], b.index("ether1")));
  EXPECT_EQ(b.now.snapshot->nat, nat);  // names no list
}

TEST(CompileSharing, ConfigurationFromYaml) {
  const auto loaded = door::load_yaml_text(R"(
interface:
  ethernet:
    - {name: ether1, device: "net_tap0,iface=wan"}
    - {name: ether2, device: "net_tap1,iface=lan"}
  macvlan:
    - {name: macvlan-iot, interface: ether2, mode: private, mac-address: "76:81:BF:68:69:83"}
ip:
  address:
    - {address: 203.0.113.2/24, interface: ether1}
    - {address: 192.168.99.1/24, interface: macvlan-iot}
  route:
    - {dst-address: 0.0.0.0/0, gateway: 203.0.113.1}
  firewall:
    filter:
      - {chain: forward, in-interface: macvlan-iot, connection-state: [established, related]}
    nat:
      - {chain: srcnat, out-interface: ether1, src-address: 192.168.99.0/24, action: masquerade}
)",
                                           "soho.yaml");
  ASSERT_TRUE(loaded.has_value()) << loaded.error().front().text();
  ASSERT_TRUE(model::validate(loaded->tree).empty());
  Bench b;
  b.tree = loaded->tree;
  const PortPlan plan = plan_ports(b.tree);
  ASSERT_EQ(plan.ethernets.size(), 2u);
  EXPECT_EQ(plan.ethernets[1].config.macs.size(), 1u);
  for (const PortPlan::Ethernet& one : plan.ethernets) {
    PortInfo info;
    info.ethdev = static_cast<uint16_t>(b.learned.ethernets.size());
    info.mac = MacAddr{{2, 0, 0, 0, 1, static_cast<uint8_t>(info.ethdev)}};
    b.learned.ethernets[one.name] = {info, true};
  }
  b.must_compile();
  EXPECT_TRUE(b.interface("macvlan-iot").up);
  EXPECT_EQ(b.hop("0.0.0.0/0").kind, NextHop::Kind::kGateway);
  EXPECT_EQ(b.chain(*b.now.snapshot->nat, "srcnat").size(), 1u);
  EXPECT_EQ(b.chain(*b.now.snapshot->filter, "forward")[0].state_mask, 0b110);
}

TEST(CompileScale, ManyRulesEntriesAndMacvlans) {
  constexpr unsigned kMacvlans = 4096;
  constexpr unsigned kRules = 10000;
  constexpr unsigned kEntries = 100000;
  Bench b;
  b.ethernet("ether1");
  for (unsigned i = 0; i < kMacvlans; ++i) {
    b.macvlan("m" + std::to_string(i), "ether1", testing::nth_mac(i));
  }
  for (unsigned i = 0; i < kRules; ++i) {
    const std::string name = "m" + std::to_string(i % kMacvlans);
    const std::string port = std::to_string(i % 60000 + 1);
    add(b.tree, kFilter,
        {{"chain", i % 2 != 0 ? "forward" : "input"},
         {"in-interface", name},
         {"protocol", "tcp"},
         {"dst-port", port},
         {"src-address-list", i % 3 != 0 ? "big" : "!big"}});
  }
  for (unsigned i = 0; i < kEntries; ++i) {
    // Scattered, so that sorting has work; every other address, so that nothing merges.
    const uint32_t address = 0x0a000000 + (i * 40503u % kEntries) * 2;
    add(b.tree, "/ip/firewall/address-list",
        {{"list", "big"}, {"address", model::format_ip4(address)}});
  }
  b.must_compile();
  EXPECT_EQ(b.domain("ether1").macs.size(), kMacvlans + 1);
  EXPECT_EQ(b.domain("ether1").bridge_vports.size(), kMacvlans);
  EXPECT_EQ(b.domain("ether1").macs.find(testing::mac(testing::nth_mac(4095)).key()),
            b.index("m4095"));
  EXPECT_EQ(b.now.snapshot->filter->rules.size(), kRules);
  ASSERT_EQ(b.now.snapshot->filter->address_sets.size(), 1u);
  EXPECT_EQ(b.now.snapshot->filter->address_sets[0]->size(), kEntries);

  for (const RuleSet::Chain& chain : b.now.snapshot->filter->chains)
    EXPECT_NE(chain.index, nullptr) << chain.name;

  const auto set = b.now.snapshot->filter->address_sets[0];
  add(b.tree, kFilter, {{"chain", "forward"}, {"action", "drop"}});
  b.must_compile();
  EXPECT_EQ(b.now.snapshot->filter->address_sets[0], set);
}

}  // namespace
}  // namespace maclane::compile
