// What a snapshot shares with the one before, a whole configuration from YAML, and large ones.
#include <fmt/format.h>

#include <random>

#include "control/door/yaml.h"
#include "dataplane/table/rule_index.h"
#include "tests/unit/compile/testing.h"

namespace maclane::compile {
namespace {

using testing::add;
using testing::Bench;

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

/// What a rule set says, but for what is kept apart from it.
void expect_same_rules(const RuleSet& a, const RuleSet& b) {
  EXPECT_EQ(a.rules, b.rules);
  EXPECT_EQ(a.ports, b.ports);
  EXPECT_EQ(a.texts, b.texts);
  EXPECT_EQ(a.log_prefixes, b.log_prefixes);
  ASSERT_EQ(a.chains.size(), b.chains.size());
  for (size_t i = 0; i < a.chains.size(); ++i) {
    EXPECT_EQ(a.chains[i].name, b.chains[i].name);
    EXPECT_EQ(a.chains[i].first, b.chains[i].first);
    EXPECT_EQ(a.chains[i].count, b.chains[i].count);
  }
  EXPECT_EQ(a.forward, b.forward);
  EXPECT_EQ(a.input, b.input);
  ASSERT_EQ(a.more.size(), b.more.size());
  for (size_t i = 0; i < a.more.size(); ++i) {
    RuleMore one = a.more[i];
    EXPECT_EQ(one.state == nullptr, b.more[i].state == nullptr);
    EXPECT_EQ(one.list_set == nullptr, b.more[i].list_set == nullptr);
    one.state = b.more[i].state;
    one.list_set = b.more[i].list_set;
    EXPECT_EQ(one, b.more[i]) << i;
  }
}

TEST(CompileSharing, RulesThatAreTakenOverSayWhatTheyWouldSayIfMadeAnew) {
  using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;
  const std::vector<Pairs> kinds = {
      {{"src-address", "10.1.0.0/16"}, {"action", "drop"}},
      {{"protocol", "tcp"}, {"dst-port", "80,443,1000-2000"}, {"src-port", "5"}},
      {{"protocol", "udp"}, {"port", "53,67-68"}, {"log", "true"}},
      {{"action", "jump"}, {"jump-target", "mine"}},
      {{"chain", "mine"}, {"in-interface", "ether1"}, {"action", "return"}},
      {{"in-interface-list", "all"}, {"ttl", "less-than:5"}},
      {{"in-interface", "!all-ppp"}, {"action", "reject"}, {"reject-with", "tcp-reset"}},
      {{"src-address-list", "bad"}, {"action", "drop"}},
      {{"log", "true"}, {"log-prefix", "seen"}, {"connection-mark", "m1"}},
      {{"limit", "5,5:packet"}, {"dst-address", "!10.0.0.1"}},
      {{"content", "secret"}, {"action", "drop"}},
      {{"time", "8h-17h,mon,tue"}, {"action", "drop"}},
      {{"action", "add-src-to-address-list"}, {"address-list", "bad"}},
      {{"chain", "input"}, {"connection-state", "established,related"}}};
  std::mt19937 random(7);
  Bench b;
  b.ethernet("ether1");
  std::vector<uint32_t> ids;
  size_t taken = 0;
  for (unsigned round = 0; round < 60; ++round) {
    for (auto n = random() % 6; n > 0; --n) {
      Pairs values{{"chain", "forward"}};
      for (const auto& value : kinds[random() % kinds.size()]) {
        if (value.first == "chain")
          values.front() = value;
        else
          values.push_back(value);
      }
      ids.push_back(add(b.tree, kFilter, {}));
      for (const auto& value : values) testing::set(b.tree, kFilter, ids.back(), {value});
      if (random() % 3 == 0) {
        auto& rows = b.tree.edit(*model::find_menu(kFilter));
        rows.move(rows.size() - 1, random() % rows.size());
      }
    }
    if (!ids.empty() && random() % 2 == 0) {
      const size_t place = random() % ids.size();
      testing::remove(b.tree, kFilter, ids[place]);
      ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(place));
    }
    if (!ids.empty() && random() % 2 == 0)
      testing::set(b.tree, kFilter, ids[random() % ids.size()], {{"protocol", "icmp"}});
    if (round % 20 == 19) b.ethernet("more" + std::to_string(round));
    decltype(CompileState::Rules::rows) rows;
    if (b.now.state != nullptr) rows = std::exchange(b.now.state->filter.rows, nullptr);
    if (rows != nullptr)
      taken += static_cast<size_t>(std::count_if(rows->begin(), rows->end(),
                                                 [](const auto& one) { return one.stands_alone; }));
    int fibs = 0;
    auto other = compile_tree(b.tree, b.learned, b.now.state.get(), testing::counting_fib(fibs));
    ASSERT_TRUE(other) << other.error().front().text();
    if (b.now.state != nullptr) b.now.state->filter.rows = std::move(rows);
    b.must_compile();
    expect_same_rules(*b.now.snapshot->filter, *other->snapshot->filter);
  }
  EXPECT_GT(taken, 1000u);
}

TEST(CompileSharing, IndexesArePatchedWhileRulesAreEditedAndBuiltAnewWhenTheyRest) {
  Bench b;
  b.ethernet("ether1");
  const auto rule = [&](int n) {
    return add(
        b.tree, kFilter,
        {{"chain", "forward"}, {"src-address", fmt::format("10.1.{}.{}", n / 256, n % 256)}});
  };
  const auto index = [&] { return b.now.snapshot->filter->chains[0].index; };
  const auto outdated = [&] { return is_outdated(*b.now.state, b.learned.clock); };
  for (int n = 0; n < 200; ++n) rule(n);
  b.must_compile();
  EXPECT_EQ(index()->late(), 0u);
  EXPECT_FALSE(outdated());
  rule(500);
  b.must_compile();
  EXPECT_EQ(index()->late(), 1u);
  add(b.tree, kNat, {{"chain", "srcnat"}, {"action", "masquerade"}});
  b.must_compile();
  EXPECT_EQ(index()->late(), 1u) << "rules are still edited";
  EXPECT_TRUE(outdated());
  b.must_compile();
  EXPECT_EQ(index()->late(), 0u);
  EXPECT_EQ(index()->rest(), 0u);
  EXPECT_FALSE(outdated());
  const auto settled = b.now.snapshot->filter;
  b.must_compile();
  EXPECT_EQ(b.now.snapshot->filter, settled);
}

TEST(CompileSharing, AnAddressOfAListLeavesTheIndexesOfRulesAlone) {
  Bench b;
  b.ethernet("ether1");
  const auto list_row = [&](const char* list, const char* address) {
    add(b.tree, "/ip/firewall/address-list", {{"list", list}, {"address", address}});
    b.must_compile();
  };
  const auto index = [&] { return b.now.snapshot->filter->chains[0].index; };
  add(b.tree, kFilter, {{"chain", "forward"}, {"src-address-list", "some"}});
  for (int n = 0; n < 200; ++n)
    add(b.tree, kFilter, {{"chain", "forward"}, {"src-address", fmt::format("10.1.0.{}", n)}});
  b.must_compile();
  const auto built = index();
  list_row("other", "10.9.0.1");
  EXPECT_EQ(index(), built);
  add(b.tree, kFilter, {{"chain", "forward"}, {"src-address", "10.1.1.1"}});
  b.must_compile();
  const auto patched = index();
  EXPECT_EQ(patched->late(), 1u);
  list_row("other", "10.9.0.2");
  EXPECT_EQ(index(), patched) << "more may come";
  list_row("some", "10.9.0.3");
  EXPECT_EQ(index()->late(), 2u) << "one rule names it";
  b.must_compile();
  EXPECT_EQ(index()->late(), 0u);
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
