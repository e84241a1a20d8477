// Homes of connections, and the table of replies that another worker claimed.
#include "dataplane/table/home.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <tuple>
#include <vector>

#include "dataplane/table/claims.h"

namespace maclane {
namespace {

Tuple any_tuple(std::mt19937& random, uint8_t proto) {
  const auto port = [&] { return be16::from(static_cast<uint16_t>(random())); };
  return {be32::from(static_cast<uint32_t>(random())), be32::from(static_cast<uint32_t>(random())),
          port(), port(), proto};
}

TEST(Home, IsTheSameForBothDirections) {
  std::mt19937 random(1);
  for (const unsigned workers : {1u, 2u, 3u, 7u, 16u}) {
    const HomeMap home(workers, random());
    for (const uint8_t proto : {kProtoTcp, kProtoUdp, kProtoIcmp, kProtoGre, uint8_t{50}}) {
      for (unsigned i = 0; i < 1000; ++i) {
        const Tuple t = any_tuple(random, proto);
        ASSERT_LT(home.of(t), workers);
        ASSERT_EQ(home.of(t), home.of(t.reversed()));
      }
    }
  }
}

TEST(Home, SurvivesATranslationThatKeepsThePorts) {
  std::mt19937 random(2);
  const HomeMap home(16, 99);
  for (unsigned i = 0; i < 1000; ++i) {
    Tuple t = any_tuple(random, kProtoUdp);
    const unsigned before = home.of(t);
    t.src = be32::from(static_cast<uint32_t>(random()));
    t.dst = be32::from(static_cast<uint32_t>(random()));
    ASSERT_EQ(home.of(t), before);
  }
}

void expect_even(const std::vector<unsigned>& counts, unsigned all) {
  const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
  const double even = static_cast<double>(all) / static_cast<double>(counts.size());
  EXPECT_GT(*least, even * 0.9);
  EXPECT_LT(*most, even * 1.1);
}

// What a client's ports look like: they count up, toward one port of a server.
TEST(Home, SpreadsEvenly) {
  constexpr unsigned kAll = 48000;
  for (const uint64_t seed : {uint64_t{0}, uint64_t{1}, uint64_t{0xdeadbeefcafef00d}}) {
    for (const unsigned workers : {2u, 3u, 4u, 16u}) {
      const HomeMap home(workers, seed);
      std::vector<unsigned> by_port(workers);
      std::vector<unsigned> by_address(workers);
      std::vector<unsigned> by_datagram(workers);
      for (unsigned i = 0; i < kAll; ++i) {
        const be16 port = be16::from(static_cast<uint16_t>(16000 + i));
        ++by_port[home.of({{}, {}, port, be16::from(443), kProtoTcp})];
        ++by_address[home.of({be32::from(0x0a000000 + i), be32::from(0xc6336407), {}, {}, 47})];
        Ip4Hdr ip{};
        ip.id = be16::from(static_cast<uint16_t>(i));
        ip.src = be32::from(0x0a000001);
        ++by_datagram[home.of_datagram(ip)];
      }
      expect_even(by_port, kAll);
      expect_even(by_address, kAll);
      expect_even(by_datagram, kAll);
    }
  }
}

// Against a map, through every kind of collision: the table has room for 64 and is kept full.
TEST(ClaimTable, AgreesWithAMap) {
  ClaimTable table;
  ASSERT_TRUE(table.reserve(64));
  std::mt19937 random(3);
  std::map<unsigned, uint32_t> model;
  const auto tuple = [](unsigned n) {
    return Tuple{be32::from(n), {}, be16::from(1), be16::from(2), kProtoUdp};
  };
  // Hashes of few values make long runs that wrap around the end.
  const auto hash = [](unsigned n) { return 120 + n % 13; };
  for (unsigned i = 0; i < 100000; ++i) {
    const auto n = static_cast<unsigned>(random() % 100);
    const ClaimTable::Entry* entry = table.find(tuple(n), hash(n));
    ASSERT_EQ(entry != nullptr, model.contains(n));
    if (entry == nullptr) {
      ASSERT_EQ(table.insert(tuple(n), hash(n), n % 16, i), model.size() < 64);
      if (model.size() < 64) model[n] = i;
    } else {
      ASSERT_EQ(entry->session, model[n]);
      ASSERT_EQ(entry->worker, n % 16);
      if (random() % 8 == 0) {
        table.set_session(*entry, i);
        model[n] = i;
      } else {
        table.erase(*entry);
        model.erase(n);
      }
    }
    ASSERT_EQ(table.size(), model.size());
  }
}

TEST(ClaimTable, WithoutMemoryHoldsNothing) {
  ClaimTable table;
  EXPECT_FALSE(table.insert({}, 1, 0, 0));
  EXPECT_EQ(table.find({}, 1), nullptr);
}

}  // namespace
}  // namespace maclane
