// Homes of connections, and the table of replies that another worker claimed.
#include "dataplane/table/home.h"

#include <gtest/gtest.h>
#include <rte_thash.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <tuple>
#include <vector>

#include "dataplane/table/claims.h"
#include "dataplane/table/nat_ports.h"

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

// The key repeated over 40 bytes, as a NIC has it, and DPDK's own hash over whole tuples.
TEST(Home, OfRssIsTheHashOfANic) {
  std::array<uint8_t, 40> key{};
  for (unsigned i = 0; i < key.size(); ++i) key[i] = i % 2 == 0 ? 0x6d : 0x5a;
  std::mt19937 random(4);
  for (unsigned i = 0; i < 5000; ++i) {
    const Tuple t = any_tuple(random, i % 2 == 0 ? kProtoTcp : kProtoUdp);
    std::array<uint32_t, 3> words = {t.src.host(), t.dst.host(),
                                     uint32_t{t.sport.host()} << 16 | t.dport.host()};
    const uint32_t nic = rte_softrss(words.data(), words.size(), key.data());
    ASSERT_EQ(rss_hash(t), nic);
    for (const unsigned workers : {2u, 3u, 8u, 16u}) {
      const HomeMap home(workers, 5, Spread::kRss);
      // A table of any size that is a multiple of kRssTable leads to the same worker.
      for (const unsigned table : {128u, 512u, 2048u})
        ASSERT_EQ(home.of(t), nic % table % kRssTable % workers);
      ASSERT_EQ(home.of(t), home.of(t.reversed()));
    }
  }
}

TEST(Home, OfRssLeavesAPortForEveryReply) {
  Random random(6);
  const HomeMap home(16, 5, Spread::kRss);
  for (unsigned n = 0; n < 500; ++n) {
    const Tuple t = {be32::from(0x0a000000 + n), be32::from(0xc6120001),
                     be16::from(static_cast<uint16_t>(1024 + n)), be16::from(443), kProtoTcp};
    Tuple out = t;
    out.src = be32::from(0xcb007102);
    uint16_t port = 0;
    const auto at = [&](uint16_t p) {
      out.sport = be16::from(p);
      return home.of(out.reversed()) == home.of(t);
    };
    ASSERT_TRUE(pick_port(port_class(1024), random, &port, at, [](uint16_t) { return true; }));
    ASSERT_TRUE(at(port));
  }
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
