// What DHCP clients are called in the DNS (C2 add-dns-entries).
#include "control/service/lease_names.h"

#include <gmock/gmock.h>

#include "tests/unit/service/dhcp_server_fixture.h"

namespace maclane::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(LeaseNameTest, IsOnePartWithTheSuffix) {
  EXPECT_EQ(lease_name("laptop", "lan", ""), "laptop.lan");
  EXPECT_EQ(lease_name("LapTop", "Home.Arpa", ""), "laptop.home.arpa");
  EXPECT_EQ(lease_name("laptop.LAN", "lan", ""), "laptop.lan");
  EXPECT_EQ(lease_name("laptop.corp.example", "lan", "corp.example"), "laptop.lan");
  EXPECT_EQ(lease_name("a_b-1", "lan", ""), "a_b-1.lan");
  EXPECT_EQ(lease_name("7", "lan", ""), "7.lan");
  const std::string longest(63, 'x');
  EXPECT_EQ(lease_name(longest, "lan", ""), longest + ".lan");
}

TEST(LeaseNameTest, IsNoneOfWhatIsNoName) {
  const std::string_view nul("a\0b", 3);
  for (const std::string_view bad :
       {std::string_view(), std::string_view("."), std::string_view(".."), std::string_view("*"),
        std::string_view("a b"), std::string_view("a.b"), std::string_view("www.example"),
        std::string_view("a."), std::string_view(".lan"), std::string_view("-a"),
        std::string_view("a-"), std::string_view("a\nb"), std::string_view("a/b"),
        std::string_view("a#b"), std::string_view("\xc3\xa4"), std::string_view("localhost"),
        std::string_view("WPAD"), std::string_view("isatap.lan"), nul})
    EXPECT_EQ(lease_name(bad, "lan", ""), "") << bad;
  EXPECT_EQ(lease_name(std::string(64, 'x'), "lan", ""), "");
  const std::string part(63, 's');
  const std::string suffix = part + "." + part + "." + part;
  EXPECT_EQ(lease_name(std::string(61, 'x'), suffix, "").size(), 253u);
  EXPECT_EQ(lease_name(std::string(62, 'x'), suffix, ""), "");
}

class LeaseNamesTest : public DhcpServerTest {
 protected:
  void SetUp() override {
    DhcpServerTest::SetUp();
    first().add_dns_entries = true;
    first().dns_suffix = "lan";
    publish();
    names.emplace(servers());
  }
  uint32_t bind_as(uint8_t who, const std::string& name) {
    hear(named(Type::kDiscover, who, name));
    advance(kSecond);
    const uint32_t address = one().message.yiaddr.host();
    hear(named(Type::kRequest, who, name, address, ip4(192, 168, 1, 1)));
    EXPECT_EQ(one().message.type(), Type::kAck);
    return address;
  }
  void renew_as(uint8_t who, const std::string& name, uint32_t address) {
    Message m = named(Type::kRequest, who, name);
    m.ciaddr = be32::from(address);
    hear(m);
    (void)said();
  }
  void release(uint8_t who, uint32_t address) {
    Message m = message(Type::kRelease, who, 0, ip4(192, 168, 1, 1));
    m.ciaddr = be32::from(address);
    hear(m);
  }
  static Message named(Type type, uint8_t who, const std::string& name, uint32_t requested = 0,
                       uint32_t server_id = 0) {
    Message m = message(type, who, requested, server_id);
    m.set(Option::kHostName, dhcp::Bytes(name.begin(), name.end()));
    return m;
  }
  std::string hosts() {
    advance(kSecond);
    (void)names->tick();
    return names->hosts();
  }

  std::optional<LeaseNames> names;
};

TEST_F(LeaseNamesTest, AreOfClientsThatAreBound) {
  EXPECT_FALSE(names->tick());
  hear(named(Type::kDiscover, 1, "one"));
  advance(kSecond);
  (void)said();
  EXPECT_EQ(hosts(), "") << "offered is not bound";
  EXPECT_EQ(bind_as(1, "one"), kTop);
  EXPECT_TRUE(names->tick());
  EXPECT_FALSE(names->tick());
  EXPECT_EQ(names->hosts(), "192.168.1.110 one.lan\n");
  bind(2);
  EXPECT_EQ(hosts(), "192.168.1.110 one.lan\n") << "it says no name";
  renew_as(1, "other", kTop);
  EXPECT_EQ(hosts(), "192.168.1.110 other.lan\n");
  Message quiet = message(Type::kRequest, 1);
  quiet.ciaddr = be32::from(kTop);
  hear(quiet);
  (void)said();
  EXPECT_EQ(hosts(), "192.168.1.110 other.lan\n") << "a name that is not said again stays";
  release(1, kTop);
  EXPECT_EQ(hosts(), "");
}

TEST_F(LeaseNamesTest, EndWithTheLease) {
  bind_as(1, "one");
  EXPECT_EQ(hosts(), "192.168.1.110 one.lan\n");
  advance(600 * kSecond);
  EXPECT_EQ(hosts(), "");
}

TEST_F(LeaseNamesTest, AreOfServersThatWantThem) {
  bind_as(1, "one");
  EXPECT_EQ(hosts(), "192.168.1.110 one.lan\n");
  first().dns_suffix = "home.arpa";
  publish();
  names->on_config({});
  EXPECT_EQ(names->hosts(), "192.168.1.110 one.home.arpa\n");
  first().add_dns_entries = false;
  publish();
  names->on_config({});
  EXPECT_EQ(names->hosts(), "");
}

TEST_F(LeaseNamesTest, AreThoseOfWhoWasFirst) {
  const uint32_t one = bind_as(1, "nas");
  const uint32_t two = bind_as(2, "NAS.lan");
  EXPECT_NE(one, two);
  EXPECT_EQ(hosts(), "192.168.1.110 nas.lan\n");
  renew_as(1, "nas", one);
  renew_as(2, "nas", two);
  EXPECT_EQ(hosts(), "192.168.1.110 nas.lan\n");
  // Who calls himself something else for a while comes last.
  renew_as(1, "x", one);
  EXPECT_EQ(hosts(), "192.168.1.109 nas.lan\n192.168.1.110 x.lan\n");
  renew_as(1, "nas", one);
  EXPECT_EQ(hosts(), "192.168.1.109 nas.lan\n");
  release(2, two);
  EXPECT_EQ(hosts(), "192.168.1.110 nas.lan\n");
}

TEST_F(LeaseNamesTest, AreOfClientsWithARowBeforeOthers) {
  const uint32_t one = bind_as(1, "nas");
  const uint32_t two = bind_as(2, "nas");
  DhcpStaticLease row;
  row.id = 7;
  row.address = two;
  row.mac = client_mac(2);
  config.dhcp_server.leases = {row};
  publish();
  names->on_config({});
  EXPECT_EQ(names->hosts(), "192.168.1.109 nas.lan\n");
  config.dhcp_server.leases.clear();
  publish();
  names->on_config({});
  EXPECT_EQ(names->hosts(), "192.168.1.110 nas.lan\n") << one;
}

TEST_F(LeaseNamesTest, TakeNothingAndAreToldOfOnce) {
  names->on_config([](const std::string& name) { return name == "nas.lan"; });
  const uint32_t address = bind_as(1, "nas");
  EXPECT_EQ(hosts(), "");
  renew_as(1, "nas", address);
  EXPECT_EQ(hosts(), "");
  const auto lines = [](std::string_view text) {
    size_t count = 0;
    for (const auto& entry : log::recent())
      count += entry.message.find(text) != std::string::npos ? 1u : 0u;
    return count;
  };
  EXPECT_EQ(lines("calls itself \"nas\""), 1u);
  renew_as(1, "..", address);
  EXPECT_EQ(hosts(), "");
  EXPECT_EQ(lines("calls itself \"..\""), 1u);
  names->on_config({});
  renew_as(1, "nas", address);
  EXPECT_EQ(hosts(), "192.168.1.110 nas.lan\n");
}

// The suffix is the clients' domain where their network has none.
TEST_F(LeaseNamesTest, SuffixIsToldToClients) {
  bind_as(1, "one");
  hear(named(Type::kDiscover, 1, "one"));
  EXPECT_EQ(one().message.text(Option::kDomain), "lan.example");
  config.dhcp_server.networks.front().domain.clear();
  publish();
  hear(named(Type::kDiscover, 1, "one"));
  EXPECT_EQ(one().message.text(Option::kDomain), "lan");
  first().add_dns_entries = false;
  publish();
  hear(named(Type::kDiscover, 1, "one"));
  EXPECT_FALSE(one().message.options.contains(Option::kDomain));
}

}  // namespace
}  // namespace maclane::test
