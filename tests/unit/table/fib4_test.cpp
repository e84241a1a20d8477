#include "dataplane/table/fib4.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
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
