// Which devices a tree needs, and the steps from one plan to another.
#include "control/compile/port_plan.h"

#include "tests/unit/compile/testing.h"

namespace maclane::compile {
namespace {

using testing::add;
using testing::mac;
using testing::set;

constexpr std::string_view kEthernet = "/interface/ethernet";
constexpr std::string_view kMacvlan = "/interface/macvlan";
constexpr std::string_view kOwn = "0A:00:00:00:00:EE";

struct Lan {
  model::Tree tree;
  uint32_t ether1 = add(tree, kEthernet, {{"name", "ether1"}, {"device", "net_tap0"}});
  uint32_t ether2 = add(tree, kEthernet,
                        {{"name", "ether2"},
                         {"device", "0000:03:00.1"},
                         {"mtu", "9000"},
                         {"disabled", "yes"},
                         {"mac-address", kOwn}});
  uint32_t vlan =
      add(tree, "/interface/vlan", {{"name", "v10"}, {"interface", "ether1"}, {"vlan-id", "10"}});
  uint32_t m1 =
      add(tree, kMacvlan, {{"name", "m1"}, {"interface", "ether1"}, {"mac-address", kMacA}});
  uint32_t m2 = add(tree, kMacvlan, {{"name", "m2"}, {"interface", "v10"}, {"mac-address", kMacB}});
  uint32_t web = add(tree, kMacvlan,
                     {{"name", "web"},
                      {"interface", "v10"},
                      {"mac-address", kMacA},  // as m1's, in another VLAN
                      {"attach", "tap"},
                      {"netns", "web"}});
  [[nodiscard]] PortPlan plan() const { return plan_ports(tree); }
};

TEST(PortPlan, SaysWhatEveryPortNeeds) {
  Lan lan;
  add(lan.tree, kMacvlan,
      {{"name", "off"},
       {"interface", "ether1"},
       {"mac-address", "0A:00:00:00:00:09"},
       {"disabled", "yes"}});
  const PortPlan plan = lan.plan();
  ASSERT_EQ(plan.ethernets.size(), 2u);
  EXPECT_EQ(plan.ethernets[0].name, "ether1");
  EXPECT_EQ(plan.ethernets[0].config.device, "net_tap0");
  EXPECT_EQ(plan.ethernets[0].config.mtu, 1500);
  EXPECT_FALSE(plan.ethernets[0].config.set_mac);
  EXPECT_EQ(plan.ethernets[0].config.macs, (std::vector<MacAddr>{mac(kMacA), mac(kMacB)}));
  EXPECT_EQ(plan.ethernets[1].config.mtu, 9000);
  EXPECT_TRUE(plan.ethernets[1].config.set_mac);
  EXPECT_EQ(plan.ethernets[1].config.macs, (std::vector<MacAddr>{mac(kOwn)}));
  ASSERT_EQ(plan.attachments.size(), 1u);
  EXPECT_EQ(plan.attachments[0].name, "web");
  EXPECT_EQ(plan.attachments[0].mac, mac(kMacA));
  EXPECT_EQ(plan.attachments[0].mtu, 1500);
  EXPECT_EQ(plan.attachments[0].netns, "web");
}

TEST(PortPlan, MacvlansOnADisabledVlanNeedNoFilter) {
  Lan lan;
  set(lan.tree, "/interface/vlan", lan.vlan, {{"disabled", "yes"}});
  EXPECT_EQ(lan.plan().ethernets[0].config.macs, (std::vector<MacAddr>{mac(kMacA)}));
  EXPECT_EQ(lan.plan().attachments.size(), 1u);
}

TEST(PortPlan, FirstPlanAddsAllAndSamePlanNothing) {
  const Lan lan;
  const PortChanges first = diff({}, lan.plan());
  EXPECT_EQ(first.add_ethernets.size(), 2u);
  EXPECT_EQ(first.add_attachments.size(), 1u);
  EXPECT_TRUE(diff(lan.plan(), lan.plan()).empty());
  const PortChanges last = diff(lan.plan(), {});
  EXPECT_EQ(last.remove_ethernets.size(), 2u);
  EXPECT_EQ(last.remove_attachments.size(), 1u);
}

TEST(PortPlan, MtuMacAndMacvlansAreConfigured) {
  Lan lan;
  const PortPlan before = lan.plan();
  set(lan.tree, kEthernet, lan.ether1, {{"mtu", "1400"}});
  set(lan.tree, kEthernet, lan.ether2, {{"mac-address", "0A:00:00:00:00:EF"}});
  PortChanges changes = diff(before, lan.plan());
  ASSERT_EQ(changes.configure_ethernets.size(), 2u);
  EXPECT_EQ(changes.configure_ethernets[0].config.mtu, 1400);
  ASSERT_EQ(changes.configure_attachments.size(), 1u);
  EXPECT_EQ(changes.configure_attachments[0].mtu, 1400);
  EXPECT_TRUE(changes.remove_ethernets.empty() && changes.add_ethernets.empty());

  const PortPlan between = lan.plan();
  set(lan.tree, kMacvlan, lan.m2, {{"disabled", "yes"}});
  changes = diff(between, lan.plan());
  ASSERT_EQ(changes.configure_ethernets.size(), 1u);
  EXPECT_EQ(changes.configure_ethernets[0].config.macs, (std::vector<MacAddr>{mac(kMacA)}));

  // The order of macvlans means nothing to a filter.
  const PortPlan unordered = lan.plan();
  auto& rows = lan.tree.edit(*model::find_menu(kMacvlan));
  for (size_t i = 1; i < rows.size(); ++i) rows.move(i, 0);
  EXPECT_TRUE(diff(unordered, lan.plan()).empty());
}

TEST(PortPlan, NewDeviceOrLostOwnMacIsRemovedAndAdded) {
  Lan lan;
  const PortPlan before = lan.plan();
  set(lan.tree, kEthernet, lan.ether1, {{"device", "net_tap7"}});
  set(lan.tree, kEthernet, lan.ether2, {{"mac-address", ""}});
  const PortChanges changes = diff(before, lan.plan());
  EXPECT_EQ(changes.remove_ethernets, (std::vector<std::string>{"ether1", "ether2"}));
  ASSERT_EQ(changes.add_ethernets.size(), 2u);
  EXPECT_EQ(changes.add_ethernets[0].config.device, "net_tap7");
  EXPECT_TRUE(changes.configure_ethernets.empty());
  EXPECT_TRUE(changes.remove_attachments.empty());
}

TEST(PortPlan, AttachmentMovesByRemovalAndAddition) {
  Lan lan;
  const PortPlan before = lan.plan();
  set(lan.tree, kMacvlan, lan.web, {{"netns", "other"}});
  PortChanges changes = diff(before, lan.plan());
  EXPECT_EQ(changes.remove_attachments, (std::vector<std::string>{"web"}));
  ASSERT_EQ(changes.add_attachments.size(), 1u);
  EXPECT_EQ(changes.add_attachments[0].netns, "other");
  EXPECT_TRUE(changes.configure_ethernets.empty());

  set(lan.tree, kMacvlan, lan.web, {{"netns", "web"}, {"mac-address", "0A:00:00:00:00:0A"}});
  changes = diff(before, lan.plan());
  EXPECT_EQ(changes.remove_attachments.size(), 1u);
  EXPECT_EQ(changes.add_attachments.size(), 1u);
  EXPECT_EQ(changes.configure_ethernets.size(), 1u);  // the filter has one MAC more
}

}  // namespace
}  // namespace maclane::compile
