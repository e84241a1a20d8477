// The small tables and pure functions: MACs, multicast filters, NAT ports, address sets, drops.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "dataplane/snapshot.h"
#include "dataplane/table/home.h"
#include "dataplane/table/mac_table.h"
#include "dataplane/table/mc_filter.h"
#include "dataplane/table/nat_ports.h"
#include "dataplane/worker/drop.h"

namespace maclane {
namespace {

TEST(MacTable, Holds4096AndNothingElse) {
  MacTable t;
  EXPECT_EQ(t.find(0), kNoIf);
  std::mt19937_64 random(1);
  std::map<uint64_t, IfIndex> model;
  while (model.size() < 4096) {
    // Neighbouring MACs of one maker, and any others.
    const uint64_t key = random() % 2 == 0
                             ? (model.size() << 40 | 0xef5634120002ULL) & 0xffffffffffff
                             : random() & 0xffffffffffff;
    const auto interface = static_cast<IfIndex>(1 + model.size());
    model[key] = interface;
    t.insert(MacAddr::from_key(key), interface);
  }
  EXPECT_EQ(t.size(), model.size());
  for (const auto& [key, interface] : model) ASSERT_EQ(t.find(key), interface);
  for (unsigned i = 0; i < 100000; ++i) {
    const uint64_t key = random() & 0xffffffffffff;
    if (model.count(key) == 0) {
      ASSERT_EQ(t.find(key), kNoIf);
    }
  }
  const uint64_t again = model.begin()->first;
  t.insert(MacAddr::from_key(again), 7777);
  EXPECT_EQ(t.find(again), 7777);
  EXPECT_EQ(t.size(), model.size());
  t.insert(MacAddr::from_key(1), kNoIf);
  EXPECT_EQ(t.size(), model.size());
}

TEST(McFilters, SetClearAndFalsePositives) {
  McFilters filters(42);
  std::mt19937_64 random(2);
  const auto group = [](uint64_t low) { return low << 16 | 0x0001; };  // 01:00:…
  EXPECT_FALSE(filters.accepts(5, group(1)));
  const std::vector<uint64_t> joined{group(0x0100005e), group(0xfb00005e), group(0x1234)};
  filters.set(5, joined);
  for (uint64_t g : joined) EXPECT_TRUE(filters.accepts(5, g));
  unsigned passed = 0;
  unsigned others = 0;
  for (unsigned i = 0; i < 20000; ++i) {
    const uint64_t g = group(random() & 0xffffffff);
    passed += filters.accepts(5, g);
    others += filters.accepts(6, g);
  }
  EXPECT_GT(passed, 20u);  // 3 of 256 bits are 234; a filter without any would be exact
  EXPECT_LT(passed, 500u);
  EXPECT_EQ(others, 0u);
  filters.set_all(6);
  EXPECT_TRUE(filters.accepts(6, group(99)));
  filters.set(6, std::vector<uint64_t>{});
  EXPECT_FALSE(filters.accepts(6, group(99)));
  filters.clear(5);
  for (uint64_t g : joined) EXPECT_FALSE(filters.accepts(5, g));
}

TEST(McFilters, InterfacesHashDifferently) {
  McFilters filters(42);
  unsigned together = 0;
  for (IfIndex i = 1; i < 1001; ++i) {
    filters.set(i, std::vector<uint64_t>{0x11110000});
    together += filters.accepts(i, 0x22220000);
  }
  EXPECT_LT(together, 30u);
}

Tuple to_port_80(uint16_t sport) {
  return {be32::from(0x0a000001), be32::from(0x0a000002), be16::from(sport), be16::from(80),
          kProtoTcp};
}
constexpr auto all = [](uint16_t) { return true; };

TEST(NatPorts, ClassesOfB33) {
  for (uint32_t p = 0; p <= 65535; ++p) {
    const auto port = static_cast<uint16_t>(p);
    const PortSpan span = port_class(port);
    if (p < 512) {
      ASSERT_TRUE(span.first == 1 && span.last == 511);
    } else if (p < 1024) {
      ASSERT_TRUE(span.first == 600 && span.last == 1023);
    } else {
      ASSERT_TRUE(span.first == 1024 && span.last == 65535);
    }
  }
}

TEST(NatPorts, StaysInSpanAndComesHome) {
  Random random(3);
  for (const unsigned workers : {1u, 2u, 3u, 16u}) {
    const HomeMap home(workers, 77);
    for (const PortSpan span : {PortSpan{1, 511}, {600, 1023}, {1024, 65535}, {0, 65535}}) {
      for (unsigned worker = 0; worker < workers; ++worker) {
        const auto mine = [&](uint16_t port) { return home.of(to_port_80(port)) == worker; };
        std::set<uint16_t> seen;
        for (unsigned i = 0; i < 200; ++i) {
          uint16_t port = 0;
          ASSERT_TRUE(pick_port(span, random, &port, mine, all));
          ASSERT_TRUE(port >= span.first && port <= span.last);
          ASSERT_EQ(home.of(to_port_80(port)), worker);
          seen.insert(port);
        }
        EXPECT_GT(seen.size(), 10u);  // not the same ones over and over (RFC 6056)
      }
    }
  }
}

TEST(NatPorts, ExhaustionGivesUpAndFreePortsAreFound) {
  Random random(4);
  uint16_t port = 0;
  unsigned asked = 0;
  EXPECT_FALSE(pick_port({1024, 65535}, random, &port, all, [&](uint16_t) {
    ++asked;
    return false;
  }));
  EXPECT_EQ(asked, 128u + 64 + 32 + 16);
  // A small span is looked through entirely: its last port is found.
  for (unsigned i = 0; i < 100; ++i) {
    ASSERT_TRUE(pick_port({2000, 2099}, random, &port, all, [](uint16_t p) { return p == 2042; }));
    ASSERT_EQ(port, 2042);
  }
  const auto odd = [](uint16_t p) { return (p & 1) != 0; };
  EXPECT_FALSE(pick_port({2000, 2000}, random, &port, odd, all));
  EXPECT_TRUE(pick_port({65535, 65535}, random, &port, odd, all));
  EXPECT_EQ(port, 65535);
}

TEST(AddressSet, BinarySearchAgreesWithLinear) {
  EXPECT_FALSE(contains(AddressSet{}, 5));
  std::mt19937 random(5);
  for (unsigned round = 0; round < 200; ++round) {
    AddressSet set;
    uint32_t at = static_cast<uint32_t>(random() % 10);
    for (unsigned i = 0; i < random() % 20; ++i) {
      const auto last = static_cast<uint32_t>(at + random() % 4);
      set.push_back({at, last});
      at = static_cast<uint32_t>(last + 1 + random() % 5);
    }
    for (uint32_t a = 0; a < at + 5; ++a) {
      bool expected = false;
      for (const AddressRange& r : set) expected |= a >= r.first && a <= r.last;
      ASSERT_EQ(contains(set, a), expected);
    }
  }
  const AddressSet all{{0, 0xffffffff}};
  EXPECT_TRUE(contains(all, 0));
  EXPECT_TRUE(contains(all, 0xffffffff));
}

TEST(Drops, EveryOneHasItsOwnNameAndHelp) {
  std::set<std::string_view> names;
  std::set<std::string_view> help;
  for (unsigned i = 0; i < kDropCount; ++i) {
    names.insert(drop_name(static_cast<Drop>(i)));
    help.insert(drop_help(static_cast<Drop>(i)));
    EXPECT_FALSE(drop_help(static_cast<Drop>(i)).empty());
  }
  EXPECT_EQ(names.size(), kDropCount);
  EXPECT_EQ(help.size(), kDropCount);
  EXPECT_EQ(drop_name(Drop::short_frame), "short_frame");
  EXPECT_EQ(drop_name(Drop::shutdown), "shutdown");
  EXPECT_EQ(drop_name(static_cast<Drop>(kDropCount)), "unknown");
}

}  // namespace
}  // namespace maclane
