// Interfaces, domains, ports and queues.
#include "tests/unit/compile/testing.h"

namespace maclane::compile {
namespace {

using testing::Bench;

constexpr std::string_view kMacC = "0A:00:00:00:00:03";

TEST(CompileInterfaces, EthernetWithMacvlansIsOneDomain) {
  Bench b;
  b.ethernet("ether1");
  b.macvlan("m1", "ether1", kMacA);
  b.macvlan("p1", "ether1", kMacB, {{"mode", "private"}, {"multicast", "all"}});
  b.address("192.0.2.1/24", "m1", {{"disabled", "yes"}});
  b.address("192.0.2.2/24", "m1");
  b.address("192.0.2.3/24", "m1");
  b.must_compile();

  const Interface& ether = b.interface("ether1");
  EXPECT_EQ(ether.kind, IfKind::kEthernet);
  EXPECT_TRUE(ether.up);
  EXPECT_EQ(ether.mac, testing::mac("02:00:00:00:00:01"));
  EXPECT_EQ(ether.port, 0);
  const Interface& m1 = b.interface("m1");
  EXPECT_EQ(m1.kind, IfKind::kMacvlan);
  EXPECT_EQ(m1.parent, b.index("ether1"));
  EXPECT_EQ(m1.domain, ether.domain);
  EXPECT_EQ(m1.port, ether.port);
  EXPECT_EQ(m1.primary_address.host(), testing::ip("192.0.2.2"));
  EXPECT_FALSE(m1.multicast_all);
  EXPECT_TRUE(b.interface("p1").multicast_all);
  EXPECT_EQ(b.interface("p1").mode, VportMode::kPrivate);

  const Domain& domain = b.domain("ether1");
  EXPECT_EQ(domain.parent, b.index("ether1"));
  EXPECT_EQ(domain.macs.find(ether.mac.key()), b.index("ether1"));
  EXPECT_EQ(domain.macs.find(testing::mac(kMacA).key()), b.index("m1"));
  EXPECT_EQ(domain.vports, (std::vector<IfIndex>{b.index("m1"), b.index("p1")}));
  EXPECT_EQ(domain.bridge_vports, (std::vector<IfIndex>{b.index("m1")}));
  EXPECT_TRUE(domain.has_bridge_vports);

  ASSERT_EQ(b.now.snapshot->ports.size(), 1u);
  EXPECT_EQ(b.now.snapshot->ports[0].interface, b.index("ether1"));
  EXPECT_EQ(b.now.snapshot->ports[0].domain, ether.domain);
}

TEST(CompileInterfaces, DownMacvlanIsNotInTheTable) {
  Bench b;
  b.ethernet("ether1");
  b.macvlan("m1", "ether1", kMacA, {{"disabled", "yes"}});
  b.must_compile();
  EXPECT_FALSE(b.interface("m1").up);
  EXPECT_EQ(b.domain("ether1").macs.find(testing::mac(kMacA).key()), kNoIf);
  EXPECT_TRUE(b.domain("ether1").vports.empty());
  EXPECT_FALSE(b.domain("ether1").has_bridge_vports);
}

TEST(CompileInterfaces, ParentDisabledOrWithoutLinkTakesItsChildrenDown) {
  Bench b;
  b.ethernet("ether1", {{"disabled", "yes"}});
  b.ethernet("ether2", {}, false);
  b.ethernet("ether3", {}, false);
  b.learned.ethernets["ether3"].info.gates_on_link = false;  // net_tap: its link means nothing
  b.vlan("v1", "ether1", "10");
  b.macvlan("m1", "v1", kMacA);
  b.macvlan("m2", "ether2", kMacB);
  b.macvlan("m3", "ether3", kMacC);
  b.must_compile();
  EXPECT_FALSE(b.interface("v1").up);
  EXPECT_FALSE(b.interface("m1").up);
  EXPECT_FALSE(b.interface("m2").up);
  EXPECT_TRUE(b.interface("m3").up);
  // The parent still answers for its MAC, so that its frames end as those of a down interface.
  EXPECT_EQ(b.domain("ether1").macs.size(), 1u);
}

TEST(CompileInterfaces, MissingDeviceIsDownNotAnError) {
  Bench b;
  b.ethernet("ether1");
  b.learned.ethernets.clear();
  b.macvlan("m1", "ether1", kMacA);
  b.must_compile();
  EXPECT_FALSE(b.interface("ether1").up);
  EXPECT_FALSE(b.interface("m1").up);
  EXPECT_EQ(b.interface("m1").port, kNoPort);
  EXPECT_TRUE(b.now.snapshot->ports.empty());
}

TEST(CompileInterfaces, VlanIsADomainOfItsOwn) {
  Bench b;
  b.ethernet("ether1");
  b.vlan("outer", "ether1", "100", {{"use-service-tag", "yes"}});
  b.vlan("inner", "outer", "7");
  b.vlan("off", "ether1", "8", {{"disabled", "yes"}});
  b.macvlan("m1", "inner", kMacA);
  b.macvlan("m2", "ether1", kMacA);  // the same MAC on another wire
  b.must_compile();

  const Interface& inner = b.interface("inner");
  ASSERT_EQ(inner.tag_count, 2);
  EXPECT_EQ(inner.tags[0].tpid, 0x88a8);
  EXPECT_EQ(inner.tags[0].vid, 100);
  EXPECT_EQ(inner.tags[1].tpid, 0x8100);
  EXPECT_EQ(inner.tags[1].vid, 7);
  EXPECT_EQ(inner.mac, b.interface("ether1").mac);
  EXPECT_EQ(b.interface("m1").tag_count, 2);
  EXPECT_EQ(b.interface("m1").domain, inner.domain);
  EXPECT_EQ(b.domain("inner").macs.find(testing::mac(kMacA).key()), b.index("m1"));
  EXPECT_EQ(b.domain("ether1").macs.find(testing::mac(kMacA).key()), b.index("m2"));

  const auto& vlans = b.domain("ether1").vlans;
  ASSERT_EQ(vlans.size(), 2u);
  EXPECT_EQ(vlans[0].tag.vid, 100);
  EXPECT_EQ(vlans[0].domain, b.interface("outer").domain);
  EXPECT_EQ(vlans[1].tag.vid, 8);  // down, and still takes its frames
  EXPECT_FALSE(b.interface("off").up);
  ASSERT_EQ(b.domain("outer").vlans.size(), 1u);
  EXPECT_EQ(b.domain("outer").vlans[0].domain, inner.domain);
}

TEST(CompileInterfaces, ThirdTagIsRefused) {
  Bench b;
  b.ethernet("ether1");
  b.vlan("v1", "ether1", "1");
  b.vlan("v2", "v1", "2");
  b.vlan("v3", "v2", "3");
  const Errors errors = b.compile();
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].row, "v3");
  EXPECT_EQ(errors[0].property, "interface");
}

TEST(CompileInterfaces, MtuIsClampedToWhatIsBelow) {
  Bench b;
  b.ethernet("ether1", {{"mtu", "9000"}});
  b.learned.ethernets["ether1"].info.max_mtu = 4000;
  b.vlan("v1", "ether1", "1", {{"mtu", "9000"}});
  b.macvlan("m1", "v1", kMacA, {{"mtu", "5000"}});
  b.macvlan("m2", "ether1", kMacA);
  b.must_compile();
  EXPECT_EQ(b.interface("ether1").mtu, 4000);
  EXPECT_EQ(b.interface("v1").mtu, 4000);
  EXPECT_EQ(b.interface("m1").mtu, 4000);
  EXPECT_EQ(b.interface("m2").mtu, 1500);
}

TEST(CompileInterfaces, AttachmentHasItsPort) {
  Bench b;
  b.ethernet("ether1");
  b.macvlan("web1", "ether1", kMacA, {{"attach", "tap"}});
  b.macvlan("web2", "ether1", kMacB, {{"attach", "tap"}});
  PortInfo info;
  info.ethdev = 9;
  b.learned.attachments["web1"] = info;
  b.must_compile();
  const Interface& web1 = b.interface("web1");
  EXPECT_TRUE(web1.attached);
  EXPECT_TRUE(web1.up);
  ASSERT_EQ(web1.attach_port, 1);
  const Port& port = b.now.snapshot->ports[1];
  EXPECT_TRUE(port.attachment);
  EXPECT_EQ(port.ethdev, 9);
  EXPECT_EQ(port.interface, b.index("web1"));
  EXPECT_EQ(port.domain, web1.domain);
  EXPECT_FALSE(b.interface("web2").up);  // its tap does not stand yet
  EXPECT_EQ(b.interface("web2").attach_port, kNoPort);
}

TEST(CompileInterfaces, QueuesAreDealtToWorkers) {
  Bench b;
  b.ethernet("ether1");
  b.learned.ethernets["ether1"].info.queues = 5;
  b.learned.workers = 2;
  b.must_compile();
  ASSERT_EQ(b.now.snapshot->rx[0].size(), 3u);
  ASSERT_EQ(b.now.snapshot->rx[1].size(), 2u);
  EXPECT_EQ(b.now.snapshot->rx[0][2].queue, 4);
  EXPECT_EQ(b.now.snapshot->rx[1][0].queue, 1);
  EXPECT_TRUE(b.now.snapshot->rx[2].empty());
}

TEST(CompileInterfaces, DevicesMacIsNotAMacvlans) {
  Bench b;
  b.ethernet("ether1");
  b.macvlan("m1", "ether1", "02:00:00:00:00:01");
  const Errors errors = b.compile();
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].row, "m1");
  EXPECT_EQ(errors[0].property, "mac-address");
}

TEST(CompileInterfaces, ArpMode) {
  Bench b;
  b.ethernet("ether1", {{"arp", "disabled"}});
  b.macvlan("m1", "ether1", kMacA);
  b.must_compile();
  EXPECT_EQ(b.interface("ether1").arp, ArpMode::kDisabled);
  EXPECT_EQ(b.interface("m1").arp, ArpMode::kEnabled);
}

// what loop protect keeps down is down, with all that stands on it.
TEST(CompileInterfaces, HeldInterfacesAreDown) {
  Bench b;
  b.ethernet("ether1");
  b.macvlan("m1", "ether1", kMacA);
  b.macvlan("m2", "ether1", kMacB);
  b.vlan("v10", "ether1", "10");
  b.learned.held = {"m1", "v10"};
  b.must_compile();
  EXPECT_TRUE(b.interface("ether1").up);
  EXPECT_FALSE(b.interface("m1").up);
  EXPECT_TRUE(b.interface("m2").up);
  EXPECT_FALSE(b.interface("v10").up);
  EXPECT_EQ(b.domain("ether1").vports, std::vector<IfIndex>{b.index("m2")});
  b.learned.held = {"ether1"};
  b.must_compile();
  EXPECT_FALSE(b.interface("ether1").up);
  EXPECT_FALSE(b.interface("m2").up);
}

TEST(CompileInterfaces, TooManyIsAnErrorAtARow) {
  Bench b;
  b.ethernet("ether1");
  for (unsigned i = 1; i < kMaxInterfaces; ++i) {
    b.macvlan("m" + std::to_string(i), "ether1", testing::nth_mac(i));
  }
  const Errors errors = b.compile();
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].path, "/interface/macvlan");
  EXPECT_EQ(b.now.state, nullptr);
}

}  // namespace
}  // namespace maclane::compile
