#include "dataplane/table/fib4.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

namespace maclane {
namespace {

uint32_t mask_of(unsigned length) {
  return length == 0 ? 0 : ~uint32_t{0} << (32 - length);
}

/// What longest prefix match means, slowly. Of equal prefixes the last given.
uint16_t linear(const std::vector<Fib4Route>& routes, uint32_t address) {
  int best = -1;
  uint16_t next_hop = 0;
  for (const Fib4Route& r : routes) {
    if (((address ^ r.network) & mask_of(r.length)) != 0 || r.length < best) continue;
    best = r.length;
    next_hop = r.next_hop;
  }
  return next_hop;
}

std::vector<Fib4Route> random_routes(std::mt19937& random, unsigned count, bool with_default) {
  std::vector<Fib4Route> routes;
  if (with_default) routes.push_back({0, 0, 17});
  while (routes.size() < count) {
    // Few bits vary, so that prefixes nest and meet.
    const auto network =
        static_cast<uint32_t>(0x0a000000 | (random() & 0x000307ff) | ((random() & 3) << 26));
    const auto length =
        static_cast<uint8_t>(random() % 4 == 0 ? random() % 33 : 20 + random() % 13);
    routes.push_back({network, length, static_cast<uint16_t>(random() % 0x8000)});
  }
  return routes;
}

class Fib4Kinds : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Kinds, Fib4Kinds, testing::Bool(), [](const auto& info) {
  return std::string(info.param ? "Small" : "Dir24");
});

TEST_P(Fib4Kinds, AgreesWithLinearSearch) {
  std::mt19937 random(5);
  for (unsigned round = 0; round < 6; ++round) {
    std::vector<Fib4Route> routes = random_routes(random, 40 * (round + 1), round % 2 == 0);
    std::string error;
    const auto fib = Fib4::build(routes, &error, GetParam());
    ASSERT_NE(fib, nullptr) << error;
    std::vector<uint32_t> addresses;
    for (const Fib4Route& r : routes) {  // the edges of every prefix
      const uint32_t first = r.network & mask_of(r.length);
      const uint32_t last = first | ~mask_of(r.length);
      addresses.insert(addresses.end(), {first, last, first - 1, last + 1});
    }
    for (unsigned i = 0; i < 3000; ++i)
      addresses.push_back(static_cast<uint32_t>(0x0a000000 | (random() & 0x0c0307ff)));
    std::vector<uint64_t> found(addresses.size());
    for (size_t i = 0, n = 1; i < addresses.size(); i += n) {  // bursts of all sizes
      n = std::min<size_t>(random() % 65, addresses.size() - i);
      fib->lookup(addresses.data() + i, found.data() + i, static_cast<unsigned>(n));
    }
    for (size_t i = 0; i < addresses.size(); ++i) {
      ASSERT_EQ(found[i], linear(routes, addresses[i])) << std::hex << addresses[i];
      ASSERT_EQ(fib->lookup(addresses[i]), found[i]);
    }
  }
}

TEST_P(Fib4Kinds, EmptyDefaultAndHostRoutes) {
  std::string error;
  auto fib = Fib4::build({}, &error, GetParam());
  ASSERT_NE(fib, nullptr) << error;
  EXPECT_EQ(fib->lookup(0x01020304), 0);
  const std::vector<Fib4Route> routes{
      {0, 0, 1}, {0xc0a80105, 32, 2}, {0xc0a80100, 24, 3}, {0xffffffff, 32, 4}, {0, 32, 5}};
  fib = Fib4::build(routes, &error, GetParam());
  ASSERT_NE(fib, nullptr) << error;
  EXPECT_EQ(fib->lookup(0x08080808), 1);
  EXPECT_EQ(fib->lookup(0xc0a80105), 2);
  EXPECT_EQ(fib->lookup(0xc0a80104), 3);
  EXPECT_EQ(fib->lookup(0xffffffff), 4);
  EXPECT_EQ(fib->lookup(0), 5);
  EXPECT_EQ(fib->lookup(1), 1);
}

TEST(Fib4, ManyBuildsLeakNothing) {
  std::mt19937 random(6);
  const auto routes = random_routes(random, 100, true);
  std::shared_ptr<const Fib4> current;
  for (unsigned i = 0; i < 20; ++i) {  // two at a time, as snapshots overlap
    std::string error;
    auto next = Fib4::build(routes, &error);
    ASSERT_NE(next, nullptr) << error;
    current = std::move(next);
  }
}

/// Changes routes at random and compares each table with one set up from nothing.
void change_and_compare(bool small, Fib4Maker& maker, std::mt19937& random) {
  std::vector<Fib4Route> routes = random_routes(random, 60, true);
  std::shared_ptr<const Fib4> current;
  std::shared_ptr<const Fib4> before;
  for (unsigned round = 0; round < 120; ++round) {
    const std::vector<Fib4Route> others = random_routes(random, 3, round % 7 == 0);
    routes.insert(routes.end(), others.begin(), others.end());
    for (auto i = random() % 5; i > 0 && !routes.empty(); --i)
      routes.erase(routes.begin() + static_cast<int>(random() % routes.size()));
    if (!routes.empty()) routes[random() % routes.size()].next_hop = 99;
    if (round % 30 == 29) routes.clear();
    std::string error;
    before = std::exchange(current, nullptr);  // who reads the last one reads on
    current = maker.make(routes, &error);
    ASSERT_NE(current, nullptr) << error;
    const auto fresh = Fib4::build(routes, &error, small);
    ASSERT_NE(fresh, nullptr) << error;
    const auto agree = [&](uint32_t address) {
      ASSERT_EQ(current->lookup(address), fresh->lookup(address)) << round << " " << address;
    };
    for (const Fib4Route& r : routes) {
      agree(r.network);
      agree(r.network - 1);
      agree(r.network + static_cast<uint32_t>(uint64_t{1} << (32 - r.length)));
    }
    for (unsigned i = 0; i < 500; ++i) {
      agree(i % 8 == 0 ? static_cast<uint32_t>(random())
                       : static_cast<uint32_t>(0x0a000000 | (random() & 0x000307ff) |
                                               ((random() & 3) << 26)));
    }
  }
}

TEST(Fib4Maker, AChangedTableAnswersAsANewOneDoes) {
  std::mt19937 random(11);
  // Several tables in turn, as a router with /routing/table has them.
  for (const bool small : {false, true, true}) {
    Fib4Maker maker(small);
    change_and_compare(small, maker, random);
    EXPECT_LE(maker.built(), 8u);  // some were outgrown
    EXPECT_EQ(maker.changed() + maker.built(), 120u);
  }
}

TEST(Fib4Maker, ATableThatIsReadIsLeftAlone) {
  Fib4Maker maker;
  std::vector<Fib4Route> routes = {{0x0a000000, 8, 1}};
  std::vector<std::shared_ptr<const Fib4>> held;
  for (uint16_t i = 1; i <= 4; ++i) {
    routes[0].next_hop = i;
    held.push_back(maker.make(routes, nullptr));
    ASSERT_NE(held.back(), nullptr);
  }
  for (uint16_t i = 1; i <= 4; ++i) EXPECT_EQ(held[i - 1u]->lookup(0x0a000001), i);
  EXPECT_EQ(maker.changed(), 0u);
  held.erase(held.begin());
  routes[0].next_hop = 5;
  EXPECT_EQ(maker.make(routes, nullptr)->lookup(0x0a000001), 5);
  EXPECT_EQ(maker.changed(), 1u);
  EXPECT_EQ(held.front()->lookup(0x0a000001), 2);
}

TEST(Fib4Maker, MoreThanThereIsRoomForMakesANewOne) {
  Fib4Maker maker;
  std::vector<Fib4Route> routes = {{0x0a000000, 8, 1}};
  (void)maker.make(routes, nullptr);
  for (uint32_t i = 0; i < 3000; ++i) routes.push_back({0x0b000000 + (i << 8), 32, 2});
  const auto table = maker.make(routes, nullptr);
  ASSERT_NE(table, nullptr);
  EXPECT_EQ(maker.built(), 2u);
  EXPECT_EQ(table->lookup(0x0b000000 + (2999u << 8)), 2);
  EXPECT_EQ(table->lookup(0x0b000001), 0);
}

TEST(Fib4, SaysWhyNot) {
  std::string error;
  const std::vector<Fib4Route> long_prefix{{0, 33, 1}};
  EXPECT_EQ(Fib4::build(long_prefix, &error), nullptr);
  EXPECT_FALSE(error.empty());
  error.clear();
  const std::vector<Fib4Route> far{{0, 8, 0x8000}};
  EXPECT_EQ(Fib4::build(far, &error, true), nullptr);
  EXPECT_FALSE(error.empty());
  error.clear();
  std::vector<Fib4Route> hosts;
  for (uint32_t i = 0; i < 40000; ++i) hosts.push_back({i << 8, 32, 1});
  EXPECT_EQ(Fib4::build(hosts, &error), nullptr);
  EXPECT_FALSE(error.empty());
}

TEST(Fib4, TellsWhenMemoryLacks) {
  std::vector<std::shared_ptr<const Fib4>> hoard;
  std::string error;
  for (unsigned i = 0; i < 20; ++i) {  // 32 MiB each of 256
    auto fib = Fib4::build({}, &error);
    if (fib == nullptr) break;
    hoard.push_back(std::move(fib));
  }
  EXPECT_LT(hoard.size(), 20u);
  EXPECT_FALSE(error.empty());
  hoard.clear();
  EXPECT_NE(Fib4::build({}, &error), nullptr);
}

}  // namespace
}  // namespace maclane
