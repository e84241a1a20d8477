// Rows as print shows them: stored values, defaults, derived values, state, dynamic rows.
#include "tests/unit/model/model_test_help.h"

namespace maclane::model {
namespace {

TEST(Print, StoredDefaultsAndState) {
  Model model;
  model.provide("/interface/macvlan", [](const View& row, Fields& out) {
    out.emplace_back("running", row.disabled() ? "false" : "true");
    out.emplace_back("mtu", "9");  // what is configured is never overruled
  });
  ASSERT_TRUE(model.replace(load(with_ethers(
      "  macvlan: [{name: m1, interface: ether1, mtu: 1400, mac-address: 02:00:00:00:00:0a}]\n"))));
  const auto rows = model.print(*find_menu("/interface/macvlan"));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].id, "*1");
  EXPECT_EQ(rows[0].fields[0].first, "name");
  EXPECT_EQ(rows[0].get("mtu"), "1400");
  EXPECT_EQ(rows[0].get("mode"), "bridge");
  EXPECT_EQ(rows[0].get("arp-timeout"), "auto");
  EXPECT_EQ(rows[0].get("disabled"), "false");
  EXPECT_EQ(rows[0].get("running"), "true");
  EXPECT_EQ(rows[0].get("comment"), "") << "unset ones are left out";
}

TEST(Print, DerivedValues) {
  Model model;
  ASSERT_TRUE(model.replace(load(with_ethers("  macvlan: [{name: m1, interface: ether2}]\n") +
                                 "ip:\n  address: [{address: 10.1.2.3/24, interface: m1}]\n"
                                 "  route: [{gateway: 10.1.2.1}]\n"
                                 "  firewall: {filter: [{chain: input}, {chain: input, action: "
                                 "reject}]}\n")));
  EXPECT_EQ(model.print(*find_menu("/interface/macvlan"))[0].get("mtu"), "1500");
  EXPECT_EQ(model.print(*find_menu("/ip/address"))[0].get("network"), "10.1.2.0");  // C-1
  const auto routes = model.print(*find_menu("/ip/route"));
  EXPECT_EQ(routes[0].get("static"), "true");
  // D-31: shown only where they are set, or clients that compare would unset them for ever.
  EXPECT_EQ(routes[0].get("blackhole"), "");
  EXPECT_EQ(routes[0].get("check-gateway"), "");
  const auto rules = model.print(*find_menu("/ip/firewall/filter"));
  EXPECT_EQ(rules[0].get("action"), "accept");
  EXPECT_EQ(rules[0].get("bytes"), "0");
  EXPECT_EQ(rules[0].get("reject-with"), "");
  EXPECT_EQ(rules[1].get("reject-with"), "icmp-network-unreachable");
}

/// The properties of one that is added by itself, "a=1 b=2", without what all rows have.
std::string shown_of(std::string_view path,
                     std::vector<std::pair<std::string, std::string>> values) {
  Model model;
  EXPECT_TRUE(model.replace(load(with_ethers(""))));
  Edit edit;
  edit.path = path;
  edit.values = std::move(values);
  const auto done = model.apply({edit});
  EXPECT_TRUE(done) << (done ? "" : all_text(done.error()));
  std::string out;
  const auto rows = model.print(*find_menu(path));
  for (const auto& [name, value] : rows.at(0).fields) {
    if (name == "disabled" || name == "dynamic") continue;
    out += (out.empty() ? "" : " ") + name + "=" + value;
  }
  return out;
}

// D-31: clients that compare would set for ever what RouterOS does not show of such a row.
TEST(Print, WhatBelongsToTheTypeOfANameAlone) {
  constexpr const char* kNames = "/ip/dns/static";
  EXPECT_EQ(shown_of(kNames, {{"name", "a.lan"}, {"address", "10.0.0.1"}}),
            "name=a.lan address=10.0.0.1 ttl=1d");
  EXPECT_EQ(shown_of(kNames, {{"name", "a.lan"}, {"address", "10.0.0.1"}, {"type", "A"}}),
            "name=a.lan type=A address=10.0.0.1 ttl=1d")
      << "who wrote it finds it again";
  EXPECT_EQ(shown_of(kNames, {{"name", "a.lan"},
                              {"address", "10.0.0.1"},
                              {"mx-preference", "10"},
                              {"srv-port", "0"},
                              {"match-subdomain", "yes"}}),
            "name=a.lan address=10.0.0.1 ttl=1d match-subdomain=true");
  EXPECT_EQ(shown_of(kNames, {{"name", "a.lan"}, {"type", "MX"}, {"mx-exchange", "b.lan"}}),
            "name=a.lan type=MX mx-exchange=b.lan mx-preference=10 ttl=1d");
  EXPECT_EQ(shown_of(kNames, {{"name", "a.lan"}, {"type", "SRV"}, {"srv-target", "b.lan"}}),
            "name=a.lan type=SRV srv-target=b.lan srv-port=0 srv-priority=0 srv-weight=0 ttl=1d");
  EXPECT_EQ(shown_of(kNames, {{"name", "a.lan"}, {"type", "CNAME"}, {"cname", "b.lan"}}),
            "name=a.lan type=CNAME cname=b.lan ttl=1d");
}

TEST(Print, NoOptionSetOfANetworkWithoutOne) {
  const std::string network = shown_of("/ip/dhcp-server/network", {{"address", "10.0.0.0/24"}});
  EXPECT_EQ(network.find("dhcp-option-set"), std::string::npos) << network;
}

TEST(Print, NoDefaultsThatClientsWouldTakeAway) {
  const std::string lease = shown_of(
      "/ip/dhcp-server/lease", {{"address", "10.0.0.9"}, {"mac-address", "02:00:00:00:00:09"}});
  EXPECT_EQ(lease.find("always-broadcast"), std::string::npos) << lease;
  EXPECT_EQ(lease.find("insert-queue-before"), std::string::npos) << lease;
  constexpr const char* kNat = "/ip/firewall/nat";
  const std::string nat = shown_of(kNat, {{"chain", "srcnat"}, {"action", "masquerade"}});
  EXPECT_EQ(nat.find("same-not-by-dst"), std::string::npos) << nat;
  const std::string same = shown_of(
      kNat, {{"chain", "srcnat"}, {"action", "same"}, {"to-addresses", "10.0.0.1-10.0.0.4"}});
  EXPECT_NE(same.find("same-not-by-dst=false"), std::string::npos) << same;
}

TEST(Print, DynamicRowsFollow) {
  Model model;
  model.provide_rows("/ip/route", [] {
    PrintRow row;
    row.id = "*80000001";
    row.dynamic = true;
    row.fields = {{"dst-address", "10.0.0.0/24"}};
    return std::vector<PrintRow>{row};
  });
  ASSERT_TRUE(model.replace(load("ip: {route: [{gateway: 10.0.0.1}]}")));
  const auto rows = model.print(*find_menu("/ip/route"));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_TRUE(rows[1].dynamic);
  EXPECT_EQ(model.print(*find_menu("/system/identity"))[0].get("name"), "Maclane");
  EXPECT_EQ(model.print(*find_menu("/system/identity"))[0].id, "");
}

}  // namespace
}  // namespace maclane::model
