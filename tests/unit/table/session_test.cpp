#include "dataplane/table/session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace maclane {
namespace {

constexpr auto kUdp = TimeoutClass::kUdp;
constexpr auto kStream = TimeoutClass::kUdpStream;

Tuple make_tuple(uint32_t src, uint32_t dst, uint16_t sport, uint16_t dport, uint8_t proto = 17) {
  return {be32::from(src), be32::from(dst), be16::from(sport), be16::from(dport), proto};
}
Tuple numbered(uint32_t n) {
  return make_tuple(0x0a000000 + n, 0xc0000201, static_cast<uint16_t>(n * 7), 53);
}
uint32_t create(SessionTable& t, uint32_t n, TimeoutClass c = kUdp, uint32_t now = 0) {
  return t.create(numbered(n), numbered(n).reversed(), c, now);
}
std::string key(const Tuple& t) {
  return {reinterpret_cast<const char*>(&t), sizeof t};
}
Timeouts all_timeouts(uint32_t cs) {
  Timeouts t;
  t.fill(cs);
  return t;
}

TEST(SessionTable, CreatesAndFindsBothDirections) {
  SessionTable t(100, 1);
  ASSERT_TRUE(t.valid());
  const Tuple original = make_tuple(0xc0a80102, 0x08080808, 1234, 53);
  const Tuple reply = make_tuple(0x08080808, 0xcb007105, 53, 40000);
  const uint32_t s = t.create(original, reply, kUdp, 77);
  ASSERT_NE(s, SessionTable::kNone);
  EXPECT_EQ(t.find(original).session, s);
  EXPECT_EQ(t.find(original).direction, kOriginal);
  EXPECT_EQ(t.find(reply).session, s);
  EXPECT_EQ(t.find(reply).direction, kReply);
  EXPECT_FALSE(t.exists(original.reversed()));
  EXPECT_FALSE(t.exists(make_tuple(0xc0a80102, 0x08080808, 1234, 53, 1)));
  EXPECT_EQ(t.at(s).tuple(kOriginal), original);
  EXPECT_EQ(t.at(s).tuple(kReply), reply);
  EXPECT_EQ(t.at(s).last_seen_cs, 77u);
  EXPECT_EQ(t.at(s).original.neighbour, kNoNeighbour);
  EXPECT_EQ(t.size(), 1u);
  t.release(s);
  t.release(s);  // once is enough
  EXPECT_EQ(t.size(), 0u);
  EXPECT_FALSE(t.exists(original));
  EXPECT_FALSE(t.exists(reply));
}

TEST(SessionTable, RefusesTakenAndSenselessTuples) {
  SessionTable t(100, 1);
  ASSERT_NE(create(t, 1), SessionTable::kNone);
  EXPECT_EQ(create(t, 1), SessionTable::kNone);
  // A reply tuple that is another session's original, and the other way round.
  EXPECT_EQ(t.create(numbered(2), numbered(1), kUdp, 0), SessionTable::kNone);
  EXPECT_EQ(t.create(numbered(1).reversed(), numbered(2), kUdp, 0), SessionTable::kNone);
  EXPECT_FALSE(t.exists(numbered(2)));
  const Tuple self = make_tuple(1, 1, 5, 5);
  EXPECT_EQ(t.create(self, self.reversed(), kUdp, 0), SessionTable::kNone);
  EXPECT_EQ(t.size(), 1u);
  EXPECT_NE(create(t, 2), SessionTable::kNone);
}

TEST(SessionTable, InvalidWithoutMemory) {
  EXPECT_FALSE(SessionTable(0, 1).valid());
  EXPECT_FALSE(SessionTable(0xffffffff, 1).valid());
}

TEST(SessionTable, ANewSessionRemembersNothingOfTheOneBefore) {
  SessionTable t(1, 1);
  const uint32_t s = create(t, 1);
  t.at(s).original.packets = 9;
  t.at(s).mark = 7;
  t.at(s).flags |= Session::kAssured;
  t.at(s).reply.generation = 3;
  EXPECT_EQ(create(t, 2), SessionTable::kNone);  // full
  t.release(s);
  ASSERT_EQ(create(t, 2), s);
  EXPECT_EQ(t.at(s).original.packets, 0u);
  EXPECT_EQ(t.at(s).mark, 0u);
  EXPECT_EQ(t.at(s).flags, Session::kUsed);
  EXPECT_EQ(t.at(s).reply.generation, 0u);
  EXPECT_EQ(t.sequence(s) % 2, 0u);
}

/// Random operations beside a std::map that says what should be.
void run_model(uint32_t capacity, uint32_t population, unsigned operations, uint64_t seed) {
  SessionTable t(capacity, seed);
  ASSERT_TRUE(t.valid());
  std::mt19937 random(static_cast<uint32_t>(seed));
  std::map<std::string, SessionTable::Hit> model;
  std::vector<uint32_t> live;
  Timeouts timeouts = all_timeouts(500);
  uint32_t now = 0xffffff00;  // wraps soon
  unsigned overflows = 0;
  const auto forget = [&](uint32_t s) {
    ASSERT_EQ(model.erase(key(t.at(s).tuple(kOriginal))), 1u);
    ASSERT_EQ(model.erase(key(t.at(s).tuple(kReply))), 1u);
    live.erase(std::find(live.begin(), live.end(), s));
  };
  for (unsigned i = 0; i < operations; ++i) {
    const Tuple a = numbered(static_cast<uint32_t>(random() % population));
    const Tuple b = numbered(static_cast<uint32_t>(random() % population)).reversed();
    switch (random() % 8) {
      case 0:
      case 1:
      case 2: {
        const uint32_t s =
            t.create(a, b, static_cast<TimeoutClass>(random() % kTimeoutClasses), now);
        const bool may =
            model.count(key(a)) == 0 && model.count(key(b)) == 0 && live.size() < capacity;
        if (s == SessionTable::kNone) {
          overflows += may;
          break;
        }
        ASSERT_TRUE(may);
        model[key(a)] = {s, kOriginal};
        model[key(b)] = {s, kReply};
        live.push_back(s);
        break;
      }
      case 3:
        if (live.empty()) break;
        {
          const uint32_t s = live[random() % live.size()];
          forget(s);
          t.release(s);
        }
        break;
      case 4:
        if (live.empty()) break;
        t.set_class(live[random() % live.size()],
                    static_cast<TimeoutClass>(random() % kTimeoutClasses), now);
        break;
      case 5:
        if (live.empty()) break;
        t.at(live[random() % live.size()]).last_seen_cs = now;
        break;
      case 6: {
        now += static_cast<uint32_t>(random() % 20);
        timeouts[random() % kTimeoutClasses] = static_cast<uint32_t>(100 + random() % 1000);
        const std::vector<uint32_t> before = live;
        const unsigned released = t.expire(now, timeouts, static_cast<unsigned>(random() % 40));
        unsigned gone = 0;
        for (uint32_t s : before) {
          if (t.at(s).has(Session::kUsed)) continue;
          const uint32_t timeout = timeouts[static_cast<size_t>(t.side(s).timeout_class)];
          ASSERT_GE(now - t.at(s).last_seen_cs, timeout);
          forget(s);
          ++gone;
        }
        ASSERT_EQ(gone, released);
        break;
      }
      default:
        for (const Tuple& probe : {a, b}) {
          const auto it = model.find(key(probe));
          const SessionTable::Hit hit = t.find(probe);
          ASSERT_EQ(static_cast<bool>(hit), it != model.end());
          if (!hit) continue;
          ASSERT_EQ(hit.session, it->second.session);
          ASSERT_EQ(hit.direction, it->second.direction);
        }
    }
    ASSERT_EQ(t.size(), live.size());
  }
  EXPECT_LT(overflows, operations / 100);
  for (unsigned i = 0; i < 1000 && t.size() != 0; ++i) {
    now += 100;
    t.expire(now, timeouts, 1000);
  }
  EXPECT_EQ(t.size(), 0u);
  for (uint32_t n = 0; n < population; ++n) ASSERT_FALSE(t.exists(numbered(n)));
  // Everything came back: the table fills again to the last session.
  for (uint32_t n = 0; n < std::min(capacity, 4u); ++n)
    EXPECT_NE(create(t, n), SessionTable::kNone);
}

TEST(SessionTable, ModelTiny) {
  run_model(4, 12, 50000, 11);
}
TEST(SessionTable, ModelSmall) {
  run_model(60, 90, 100000, 12);
}
TEST(SessionTable, ModelLarge) {
  run_model(1000, 3000, 200000, 13);
}

TEST(SessionTable, SpillsIntoTheSecondBucketAndBack) {
  SessionTable t(64, 5);  // 32 buckets
  std::vector<uint32_t> numbers;
  for (uint32_t n = 0; numbers.size() < 40; ++n)
    if (t.hash(numbered(n)) % 32 == 3) numbers.push_back(n);
  std::mt19937 random(1);
  for (unsigned round = 0; round < 50; ++round) {
    std::vector<std::pair<uint32_t, uint32_t>> made;  // number, session
    for (uint32_t n : numbers) {
      const uint32_t s = create(t, n);
      if (s != SessionTable::kNone) made.emplace_back(n, s);
    }
    EXPECT_GT(made.size(), 8u);
    std::shuffle(made.begin(), made.end(), random);
    while (!made.empty()) {
      for (const auto& [n, s] : made) ASSERT_EQ(t.find(numbered(n)).session, s);
      t.release(made.back().second);
      ASSERT_FALSE(t.exists(numbered(made.back().first)));
      made.pop_back();
    }
    ASSERT_EQ(t.size(), 0u);
  }
}

TEST(SessionTable, FillsToCapacityAndForgetsAll) {
  constexpr uint32_t kCapacity = 65536;
  SessionTable t(kCapacity, 99);
  for (uint32_t n = 0; n < kCapacity; ++n) ASSERT_NE(create(t, n), SessionTable::kNone) << n;
  EXPECT_EQ(create(t, kCapacity), SessionTable::kNone);
  EXPECT_EQ(t.memory_bytes(), kCapacity * (128ull + 64) + kCapacity / 2 * 64ull);
  for (uint32_t n = 0; n < kCapacity; ++n) {
    ASSERT_TRUE(t.exists(numbered(n))) << n;
    ASSERT_TRUE(t.exists(numbered(n).reversed())) << n;
  }
  // Keys that were moved to make room are forgotten where they went.
  EXPECT_EQ(t.expire(5000, all_timeouts(1000), kCapacity), kCapacity);
  EXPECT_EQ(t.size(), 0u);
  for (uint32_t n = 0; n < kCapacity; ++n) ASSERT_FALSE(t.exists(numbered(n))) << n;
  for (uint32_t n = 0; n < kCapacity; ++n)
    ASSERT_NE(create(t, n + kCapacity), SessionTable::kNone) << n;
}

TEST(SessionTable, HashDependsOnSeedAndSpreads) {
  SessionTable a(16, 1);
  SessionTable b(16, 2);
  unsigned same = 0;
  std::array<unsigned, 256> low{};
  std::array<unsigned, 256> high{};
  for (uint32_t n = 0; n < 65536; ++n) {
    const uint32_t h = a.hash(numbered(n));
    same += h == b.hash(numbered(n));
    ++low[h & 255];
    ++high[h >> 24];
  }
  EXPECT_LT(same, 5u);
  for (unsigned i = 0; i < 256; ++i) {  // 256 expected, sigma 16
    EXPECT_NEAR(low[i], 256, 100);
    EXPECT_NEAR(high[i], 256, 100);
  }
}

TEST(SessionExpiry, GoesAtItsTimeAndNotBefore) {
  for (uint32_t start : {0u, 0xfffffe00u}) {  // the second wraps on the way
    SessionTable t(10, 1);
    const Timeouts timeouts = all_timeouts(1000);
    create(t, 1, kUdp, start);
    EXPECT_EQ(t.expire(start + 999, timeouts, 10), 0u);
    EXPECT_EQ(t.size(), 1u);
    EXPECT_EQ(t.expire(start + 1000, timeouts, 10), 1u);
    EXPECT_EQ(t.size(), 0u);
  }
}

TEST(SessionExpiry, APacketProlongsAndTheSessionGoesSoonAfterItsTime) {
  std::mt19937 random(3);
  for (unsigned round = 0; round < 200; ++round) {
    SessionTable t(10, 1);
    const Timeouts timeouts = all_timeouts(6400);
    const uint32_t s = create(t, 1);
    uint32_t last = 0;
    uint32_t now = 0;
    for (; t.size() != 0; now += 10) {
      ASSERT_LT(now, 100000u);
      if (now < 20000 && random() % 100 == 0) last = t.at(s).last_seen_cs = now;
      t.expire(now, timeouts, 5);
    }
    EXPECT_GE(now - 10 - last, 6400u);
    EXPECT_LE(now - 10 - last, 6400u + 6400 / 64 + 10);
  }
}

TEST(SessionExpiry, ClassesHaveTheirOwnTimesAndMayChange) {
  SessionTable t(10, 1);
  Timeouts timeouts = all_timeouts(100);
  timeouts[static_cast<size_t>(kStream)] = 1000;
  const uint32_t s = create(t, 1);
  create(t, 2);
  t.set_class(s, kStream, 0);
  t.set_class(s, kStream, 50);  // there already
  EXPECT_EQ(t.expire(100, timeouts, 10), 1u);
  EXPECT_TRUE(t.exists(numbered(1)));
  EXPECT_EQ(SessionTable::remaining_cs(t.at(s), t.side(s), 400, timeouts), 600u);
  EXPECT_EQ(SessionTable::remaining_cs(t.at(s), t.side(s), 5000, timeouts), 0u);
  timeouts[static_cast<size_t>(kStream)] = 300;  // a new configuration
  EXPECT_EQ(t.expire(299, timeouts, 10), 0u);
  EXPECT_EQ(t.expire(300, timeouts, 10), 1u);
  EXPECT_EQ(t.size(), 0u);
}

TEST(SessionExpiry, KeepsOrderAndBudget) {
  SessionTable t(1000, 1);
  const Timeouts timeouts = all_timeouts(100);
  for (uint32_t n = 0; n < 600; ++n) create(t, n, static_cast<TimeoutClass>(n % 3), n);
  EXPECT_EQ(t.expire(700, timeouts, 0), 0u);
  unsigned calls = 0;
  while (t.size() != 0) {
    const uint32_t before = t.size();
    const unsigned released = t.expire(700, timeouts, 10);
    ASSERT_LE(released, 10u);
    ASSERT_EQ(before - t.size(), released);
    ASSERT_LT(++calls, 100u);
    for (uint32_t c = 0; c < 3; ++c) {  // within a class the older ones went first
      bool seen = false;
      for (uint32_t n = c; n < 600; n += 3) {
        const bool here = t.exists(numbered(n));
        ASSERT_TRUE(here || !seen);
        seen |= here;
      }
    }
  }
}

TEST(SessionCopy, IsWholeUnderAWriter) {
  SessionTable t(1, 1);
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (uint32_t n = 0; !stop.load(std::memory_order_relaxed); ++n) {
      const uint32_t s = create(t, n % 50000);
      t.release(s);
    }
  });
  unsigned copies = 0;
  unsigned wrong = 0;
  // Until enough were had, however seldom the two threads are on two cores at once.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (unsigned i = 0; i < 3000000 || copies < 1000; ++i) {
    if (i % 4096 == 0) {
      if (std::chrono::steady_clock::now() > end) break;
      std::this_thread::yield();
    }
    Session s;
    SessionSide side;
    if (!t.copy(0, s, side)) continue;
    ++copies;
    const Tuple whole = numbered(s.original.src.host() - 0x0a000000);
    wrong += !(s.tuple(kOriginal) == whole) || !(s.tuple(kReply) == whole.reversed());
  }
  stop = true;
  writer.join();
  EXPECT_GE(copies, 1000u);
  EXPECT_EQ(wrong, 0u);
  Session out;
  SessionSide side;
  EXPECT_FALSE(t.copy(0, out, side));
  EXPECT_FALSE(t.copy(1, out, side));
  create(t, 1);
  EXPECT_TRUE(t.copy(0, out, side));
  t.side(0).sequence.fetch_add(1);  // in the middle of a change
  EXPECT_FALSE(t.copy(0, out, side));
}

}  // namespace
}  // namespace maclane
