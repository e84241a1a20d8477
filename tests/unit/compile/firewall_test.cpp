// Filter and NAT rules.
#include "tests/unit/compile/testing.h"

namespace maclane::compile {
namespace {

using testing::add;
using testing::Bench;
using testing::ip;

TEST(CompileFirewall, SohoScenario) {  // the guide's router
  Bench b;
  b.ethernet("ether1");
  b.ethernet("ether2");
  b.macvlan("macvlan-iot", "ether2", "0A:00:00:00:00:01", {{"mode", "private"}});
  b.address("203.0.113.2/24", "ether1");
  b.address("192.168.99.1/24", "macvlan-iot");
  b.route("0.0.0.0/0", "203.0.113.1");
  add(b.tree, kFilter,
      {{"chain", "forward"},
       {"in-interface", "macvlan-iot"},
       {"connection-state", "established,related"},
       {"action", "accept"}});
  add(b.tree, kFilter, {{"chain", "input"}, {"protocol", "udp"}, {"dst-port", "53,67-68"}});
  add(b.tree, kFilter,
      {{"chain", "forward"},
       {"in-interface", "macvlan-iot"},
       {"out-interface", "!ether1"},
       {"action", "drop"},
       {"log", "yes"},
       {"log-prefix", "iot"}});
  add(b.tree, kNat,
      {{"chain", "srcnat"},
       {"out-interface", "ether1"},
       {"src-address", "192.168.99.0/24"},
       {"action", "masquerade"}});
  b.must_compile();

  const RuleSet& filter = *b.now.snapshot->filter;
  ASSERT_NE(filter.forward, RuleSet::kNoChain);
  ASSERT_NE(filter.input, RuleSet::kNoChain);
  EXPECT_EQ(filter.output, RuleSet::kNoChain);
  const auto forward = b.chain(filter, "forward");
  ASSERT_EQ(forward.size(), 2u);
  EXPECT_EQ(forward[0].match, Rule::kInInterface | Rule::kState);
  EXPECT_EQ(forward[0].in_if, b.index("macvlan-iot"));
  EXPECT_EQ(forward[0].state_mask, 0b110);
  EXPECT_EQ(forward[1].action, Action::kDrop);
  EXPECT_EQ(forward[1].out_if, b.index("ether1"));
  EXPECT_EQ(forward[1].negate, Rule::kOutInterface);
  EXPECT_TRUE(forward[1].log);
  EXPECT_EQ(filter.log_prefixes[filter.more_of(forward[1]).log_prefix], "iot");
  EXPECT_EQ(filter.log_prefixes[filter.more_of(forward[0]).log_prefix], "");
  const auto input = b.chain(filter, "input");
  ASSERT_EQ(input.size(), 1u);
  EXPECT_EQ(input[0].protocol, 17);
  ASSERT_EQ(input[0].dst_port_count, 2);
  EXPECT_EQ(filter.ports[input[0].dst_ports].first, 53);
  EXPECT_EQ(filter.ports[input[0].dst_ports + 1].last, 68);

  const auto srcnat = b.chain(*b.now.snapshot->nat, "srcnat");
  ASSERT_EQ(srcnat.size(), 1u);
  EXPECT_EQ(srcnat[0].action, Action::kMasquerade);
  EXPECT_EQ(srcnat[0].src.first, ip("192.168.99.0"));
  EXPECT_EQ(srcnat[0].src.last, ip("192.168.99.255"));
  EXPECT_TRUE(b.now.snapshot->tracking);
  EXPECT_EQ(b.hop("0.0.0.0/0").out_if, b.index("ether1"));
}

TEST(CompileFirewall, EveryMatcherNegated) {
  Bench b;
  b.ethernet("ether1");
  add(b.tree, "/interface/list", {{"name", "wan"}});
  add(b.tree, kFilter,
      {{"chain", "forward"},
       {"in-interface", "!ether1"},
       {"out-interface", "!ether1"},
       {"in-interface-list", "!wan"},
       {"out-interface-list", "!wan"},
       {"src-address", "!10.0.0.0/8"},
       {"dst-address", "!10.0.0.1-10.0.0.9"},
       {"src-address-list", "!a"},
       {"dst-address-list", "!b"},
       {"protocol", "!tcp"},
       {"connection-state", "!new,invalid"},
       {"connection-nat-state", "!dstnat"}});
  add(b.tree, kFilter,
      {{"chain", "forward"},
       {"protocol", "tcp"},
       {"src-port", "!1-1023"},
       {"dst-port", "!80,443"}});
  add(b.tree, kFilter, {{"chain", "forward"}, {"protocol", "icmp"}, {"icmp-options", "!3:4"}});
  b.must_compile();
  const auto rules = b.chain(*b.now.snapshot->filter, "forward");
  ASSERT_EQ(rules.size(), 3u);
  EXPECT_EQ(rules[0].match, rules[0].negate);
  EXPECT_EQ(rules[0].match, Rule::kInInterface | Rule::kOutInterface | Rule::kInList |
                                Rule::kOutList | Rule::kSrc | Rule::kDst | Rule::kSrcList |
                                Rule::kDstList | Rule::kProtocol | Rule::kState | Rule::kNatState);
  EXPECT_EQ(rules[0].dst.last, ip("10.0.0.9"));
  EXPECT_EQ(rules[0].protocol, 6);
  EXPECT_EQ(rules[0].state_mask, 0b1001);
  EXPECT_EQ(rules[0].nat_mask, 2);
  EXPECT_EQ(rules[1].negate, Rule::kSrcPort | Rule::kDstPort);
  EXPECT_EQ(rules[1].src_port_count, 1);
  EXPECT_EQ(rules[1].dst_port_count, 2);
  EXPECT_EQ(rules[2].negate, Rule::kIcmp);
  EXPECT_EQ(rules[2].icmp_type, 3);
  EXPECT_EQ(rules[2].icmp_code_first, 4);
  EXPECT_EQ(rules[2].icmp_code_last, 4);
}

TEST(CompileFirewall, CustomChainsStandTogetherInOrder) {
  Bench b;
  add(b.tree, kFilter, {{"chain", "forward"}, {"action", "jump"}, {"jump-target", "mine"}});
  add(b.tree, kFilter, {{"chain", "mine"}, {"protocol", "tcp"}, {"action", "return"}});
  add(b.tree, kFilter, {{"chain", "forward"}, {"action", "jump"}, {"jump-target", "idle"}});
  add(b.tree, kFilter,
      {{"chain", "mine"}, {"action", "reject"}, {"reject-with", "icmp-admin-prohibited"}});
  add(b.tree, kFilter, {{"chain", "idle"}, {"action", "drop"}, {"disabled", "yes"}});
  add(b.tree, kFilter, {{"chain", "output"}, {"action", "drop"}, {"disabled", "yes"}});
  b.must_compile();
  const RuleSet& filter = *b.now.snapshot->filter;
  const auto forward = b.chain(filter, "forward");
  ASSERT_EQ(forward.size(), 2u);
  EXPECT_EQ(filter.chains[filter.more_of(forward[0]).jump_chain].name, "mine");
  EXPECT_EQ(filter.chains[filter.more_of(forward[1]).jump_chain].name, "idle");
  const auto mine = b.chain(filter, "mine");
  ASSERT_EQ(mine.size(), 2u);
  EXPECT_EQ(mine[0].action, Action::kReturn);
  EXPECT_EQ(filter.more_of(mine[1]).reject, RejectWith::kAdminProhibited);
  EXPECT_TRUE(b.chain(filter, "idle").empty());
  EXPECT_EQ(filter.output, RuleSet::kNoChain);
}

TEST(CompileFirewall, NatActions) {
  Bench b;
  b.ethernet("ether1");
  add(b.tree, kNat,
      {{"chain", "srcnat"},
       {"action", "src-nat"},
       {"protocol", "udp"},
       {"to-addresses", "192.0.2.1-192.0.2.4"},
       {"to-ports", "1024-2047"}});
  add(b.tree, kNat,
      {{"chain", "dstnat"},
       {"action", "dst-nat"},
       {"protocol", "tcp"},
       {"dst-port", "8080"},
       {"to-addresses", "10.0.0.2"},
       {"to-ports", "80"}});
  add(b.tree, kNat,
      {{"chain", "dstnat"}, {"action", "redirect"}, {"protocol", "udp"}, {"to-ports", "53"}});
  add(b.tree, kNat,
      {{"chain", "srcnat"},
       {"action", "same"},
       {"to-addresses", "192.0.2.0/24"},
       {"same-not-by-dst", "yes"},
       {"randomise-ports", "yes"}});
  b.must_compile();
  const RuleSet& nat = *b.now.snapshot->nat;
  const auto srcnat = b.chain(nat, "srcnat");
  EXPECT_EQ(srcnat[1].action, Action::kSame);
  EXPECT_EQ(nat.more_of(srcnat[1]).to_addresses.last, ip("192.0.2.255"));
  EXPECT_TRUE(nat.more_of(srcnat[1]).same_not_by_dst && nat.more_of(srcnat[1]).randomise_ports);
  EXPECT_EQ(srcnat[0].action, Action::kSrcNat);
  EXPECT_EQ(nat.more_of(srcnat[0]).to_addresses.first, ip("192.0.2.1"));
  EXPECT_EQ(nat.more_of(srcnat[0]).to_addresses.last, ip("192.0.2.4"));
  EXPECT_EQ(nat.more_of(srcnat[0]).to_port_first, 1024);
  EXPECT_EQ(nat.more_of(srcnat[0]).to_port_last, 2047);
  const auto dstnat = b.chain(nat, "dstnat");
  EXPECT_EQ(nat.more_of(dstnat[0]).to_addresses.first, ip("10.0.0.2"));
  EXPECT_EQ(nat.more_of(dstnat[0]).to_port_first, 80);
  EXPECT_EQ(nat.more_of(dstnat[0]).to_port_last, 80);
  EXPECT_EQ(dstnat[1].action, Action::kRedirect);
  EXPECT_EQ(nat.more_of(dstnat[1]).to_addresses.first, 0u);
}

TEST(CompileFirewall, TrackingAndSettings) {
  Bench b;
  b.must_compile();
  EXPECT_FALSE(b.now.snapshot->tracking);  // auto, and no rule
  EXPECT_TRUE(b.now.snapshot->ip_forward);
  EXPECT_TRUE(b.now.snapshot->loose_tcp);
  EXPECT_EQ(b.now.snapshot->max_sleep_us, 100u);
  const auto timeout = [&](TimeoutClass of) {
    return b.now.snapshot->timeouts[static_cast<size_t>(of)];
  };
  EXPECT_EQ(timeout(TimeoutClass::kTcpSynSent), 500u);
  EXPECT_EQ(timeout(TimeoutClass::kTcpEstablished), 8640000u);
  EXPECT_EQ(timeout(TimeoutClass::kUdpStream), 18000u);
  EXPECT_EQ(timeout(TimeoutClass::kGeneric), 60000u);

  const uint32_t rule = add(b.tree, kFilter, {{"chain", "input"}, {"disabled", "yes"}});
  b.must_compile();
  EXPECT_FALSE(b.now.snapshot->tracking);
  testing::set(b.tree, kFilter, rule, {{"disabled", "no"}});
  b.must_compile();
  EXPECT_TRUE(b.now.snapshot->tracking);

  constexpr std::string_view kTracking = "/ip/firewall/connection/tracking";
  testing::set(b.tree, kTracking, 0,
               {{"enabled", "no"}, {"udp-timeout", "7101w"}, {"loose-tcp-tracking", "no"}});
  testing::set(b.tree, "/ip/settings", 0, {{"ip-forward", "no"}});
  testing::set(b.tree, "/dataplane", 0, {{"max-sleep-us", "0"}});
  b.must_compile();
  EXPECT_FALSE(b.now.snapshot->tracking);
  EXPECT_FALSE(b.now.snapshot->loose_tcp);
  EXPECT_FALSE(b.now.snapshot->ip_forward);
  EXPECT_EQ(b.now.snapshot->max_sleep_us, 0u);
  EXPECT_EQ(timeout(TimeoutClass::kUdp), 1u << 30);  // workers compare by signed difference
}

// B-36, N-5, N-19, N-26, N-37: what nat-profile=rfc changes; a timeout that is set holds in it too.
TEST(CompileFirewall, NatProfileRfc) {
  Bench b;
  b.ethernet("ether1");
  b.must_compile();
  const auto timeout = [&](TimeoutClass cls) {
    return b.now.snapshot->timeouts[static_cast<unsigned>(cls)];
  };
  EXPECT_FALSE(b.now.snapshot->endpoint_independent);
  EXPECT_EQ(timeout(TimeoutClass::kUdp), 3000u);
  constexpr std::string_view kTracking = "/ip/firewall/connection/tracking";
  testing::set(b.tree, kTracking, 0, {{"nat-profile", "rfc"}});
  b.must_compile();
  EXPECT_TRUE(b.now.snapshot->endpoint_independent);
  EXPECT_TRUE(b.now.snapshot->address_filtering);
  EXPECT_FALSE(b.now.snapshot->inbound_refresh);
  for (const TimeoutClass cls : {TimeoutClass::kUdp, TimeoutClass::kUdpStream})
    EXPECT_EQ(timeout(cls), 5 * 6000u);
  for (const TimeoutClass cls :
       {TimeoutClass::kTcpSynSent, TimeoutClass::kTcpSynReceived, TimeoutClass::kTcpFinWait,
        TimeoutClass::kTcpCloseWait, TimeoutClass::kTcpLastAck, TimeoutClass::kTcpTimeWait,
        TimeoutClass::kTcpClose}) {
    EXPECT_EQ(timeout(cls), 4 * 6000u);
  }
  for (const TimeoutClass cls :
       {TimeoutClass::kTcpEstablished, TimeoutClass::kTcpUnacked, TimeoutClass::kTcpMaxRetrans}) {
    EXPECT_GE(timeout(cls), 124 * 6000u);
  }
  EXPECT_EQ(timeout(TimeoutClass::kIcmp), 6000u);
  testing::set(b.tree, kTracking, 0,
               {{"nat-filtering", "endpoint-independent"},
                {"nat-inbound-refresh", "yes"},
                {"udp-timeout", "30s"}});
  b.must_compile();
  EXPECT_FALSE(b.now.snapshot->address_filtering);
  EXPECT_TRUE(b.now.snapshot->inbound_refresh);
  EXPECT_EQ(timeout(TimeoutClass::kUdp), 3000u);
  EXPECT_EQ(timeout(TimeoutClass::kUdpStream), 5 * 6000u);
}

TEST(CompileFirewall, EndpointIndependentNat) {  // B-32
  Bench b;
  b.ethernet("ether1");
  add(b.tree, kNat,
      {{"chain", "srcnat"},
       {"protocol", "udp"},
       {"out-interface", "ether1"},
       {"action", "endpoint-independent-nat"},
       {"to-ports", "2000-3000"}});
  add(b.tree, kFilter,
      {{"chain", "forward"}, {"connection-nat-state", "ein-snat,ein-dnat"}, {"action", "accept"}});
  b.must_compile();
  const auto rules = b.chain(*b.now.snapshot->nat, "srcnat");
  ASSERT_EQ(rules.size(), 1u);
  EXPECT_EQ(rules[0].action, Action::kEndpointIndependent);
  EXPECT_EQ(b.now.snapshot->nat->more_of(rules[0]).to_port_first, 2000);
  EXPECT_EQ(b.chain(*b.now.snapshot->filter, "forward")[0].nat_mask, 12);
}

TEST(CompileFirewall, InterfaceListsIncludeAndExclude) {
  Bench b;
  b.ethernet("wan1");
  b.ethernet("lan1");
  b.ethernet("lan2");
  b.ethernet("guest");
  add(b.tree, "/interface/list", {{"name", "lan"}});
  add(b.tree, "/interface/list", {{"name", "guests"}});
  add(b.tree, "/interface/list", {{"name", "inside"}, {"include", "lan,guests"}});
  add(b.tree, "/interface/list",
      {{"name", "trusted"}, {"include", "all"}, {"exclude", "guests,wan"}});
  add(b.tree, "/interface/list", {{"name", "wan"}});
  for (std::string_view name : {"lan1", "lan2", "guest"}) {
    add(b.tree, "/interface/list/member",
        {{"list", name == "guest" ? "guests" : "lan"}, {"interface", name}});
  }
  add(b.tree, "/interface/list/member", {{"list", "wan"}, {"interface", "wan1"}});
  add(b.tree, "/interface/list/member",
      {{"list", "lan"}, {"interface", "guest"}, {"disabled", "yes"}});
  for (std::string_view list : {"lan", "inside", "trusted", "all", "none", "dynamic", "static"}) {
    add(b.tree, kFilter, {{"chain", "forward"}, {"in-interface-list", list}});
  }
  b.must_compile();
  const RuleSet& filter = *b.now.snapshot->filter;
  const auto rules = b.chain(filter, "forward");
  const auto members = [&](size_t rule) {
    std::string text;
    for (std::string_view name : {"wan1", "lan1", "lan2", "guest"}) {
      if (!contains(filter.interface_sets[rules[rule].in_list], b.index(name))) continue;
      text += std::string(text.empty() ? "" : " ") + std::string(name);
    }
    return text;
  };
  EXPECT_EQ(members(0), "lan1 lan2");
  EXPECT_EQ(members(1), "lan1 lan2 guest");
  EXPECT_EQ(members(2), "lan1 lan2");
  EXPECT_EQ(members(3), "wan1 lan1 lan2 guest");
  EXPECT_EQ(members(4), "");
  EXPECT_EQ(members(5), "");
  EXPECT_EQ(members(6), members(3));
  EXPECT_FALSE(contains(filter.interface_sets[rules[3].in_list], kNoIf));
}

TEST(CompileFirewall, UnknownInterfaceIsAnErrorAtTheRule) {
  Bench b;
  b.ethernet("ether1");
  add(b.tree, kFilter, {{"chain", "forward"}, {"in-interface", "ether1"}});
  b.tree.edit(*model::find_menu("/interface/ethernet")).clear();
  const Errors errors = b.compile();
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].path, kFilter);
  EXPECT_EQ(errors[0].row, "*1");
  EXPECT_EQ(errors[0].property, "in-interface");
}

}  // namespace
}  // namespace maclane::compile
