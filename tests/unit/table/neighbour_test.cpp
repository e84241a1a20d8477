#include "dataplane/table/neighbour.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <thread>
#include <utility>

namespace maclane {
namespace {

be32 address(uint32_t n) {
  return be32::from(0x0a000000 + n);
}

/// A MAC that tells whose it is.
MacAddr mac_of(IfIndex interface, uint32_t n) {
  return MacAddr::from_key(uint64_t{interface} << 32 | address(n).raw);
}

TEST(NeighbourTable, SetFindGetRemove) {
  NeighbourTable t(8);
  EXPECT_EQ(t.find(1, address(1)).state, NeighState::kNone);
  EXPECT_EQ(t.find(1, address(1)).ref, kNoNeighbour);
  const NeighbourRef ref = t.set(1, address(1), {}, NeighState::kIncomplete);
  ASSERT_NE(ref, kNoNeighbour);
  EXPECT_EQ(t.set(1, address(1), mac_of(1, 1), NeighState::kReachable), ref);  // keeps its place
  EXPECT_EQ(t.size(), 1u);
  EXPECT_EQ(t.find(1, address(1)).mac, mac_of(1, 1));
  EXPECT_EQ(t.find(1, address(1)).ref, ref);
  EXPECT_EQ(t.get(ref).state, NeighState::kReachable);
  EXPECT_EQ(t.get(ref).mac, mac_of(1, 1));
  EXPECT_EQ(t.find(2, address(1)).state, NeighState::kNone);
  t.remove(1, address(1));
  t.remove(1, address(1));
  EXPECT_EQ(t.size(), 0u);
  EXPECT_EQ(t.find(1, address(1)).state, NeighState::kNone);
  EXPECT_EQ(t.get(ref).state, NeighState::kNone);
  EXPECT_EQ(t.get(ref).ref, kNoNeighbour);
  EXPECT_EQ(t.get(kNoNeighbour).state, NeighState::kNone);
  const NeighbourRef again = t.set(1, address(1), mac_of(1, 1), NeighState::kStale);
  EXPECT_NE(again, ref);  // another entry, another generation
  EXPECT_EQ(t.get(ref).state, NeighState::kNone);
  EXPECT_EQ(t.set(1, address(1), {}, NeighState::kNone), kNoNeighbour);
  EXPECT_EQ(t.size(), 0u);
}

TEST(NeighbourTable, FullAndBack) {
  NeighbourTable t(100);
  for (uint32_t n = 0; n < 100; ++n)
    ASSERT_NE(t.set(1, address(n), mac_of(1, n), NeighState::kReachable), kNoNeighbour);
  EXPECT_EQ(t.set(1, address(100), mac_of(1, 100), NeighState::kReachable), kNoNeighbour);
  EXPECT_NE(t.set(1, address(5), mac_of(1, 5), NeighState::kStale), kNoNeighbour);
  t.remove(1, address(50));
  EXPECT_NE(t.set(1, address(100), mac_of(1, 100), NeighState::kReachable), kNoNeighbour);
  EXPECT_EQ(t.memory_bytes(), 256u * 16);
}

TEST(NeighbourTable, Model) {
  NeighbourTable t(64);
  std::mt19937 random(7);
  std::map<std::pair<IfIndex, uint32_t>, std::pair<NeighState, NeighbourRef>> model;
  for (unsigned i = 0; i < 300000; ++i) {
    const auto interface = static_cast<IfIndex>(1 + random() % 3);
    const uint32_t n = static_cast<uint32_t>(random() % 60);
    const auto it = model.find({interface, n});
    switch (random() % 3) {
      case 0: {
        const auto state = static_cast<NeighState>(1 + random() % 7);
        const NeighbourRef ref = t.set(interface, address(n), mac_of(interface, n), state);
        ASSERT_EQ(ref == kNoNeighbour, it == model.end() && model.size() == 64);
        if (it != model.end()) {
          ASSERT_EQ(ref, it->second.second);
        }
        if (ref != kNoNeighbour) model[{interface, n}] = {state, ref};
        break;
      }
      case 1:
        t.remove(interface, address(n));
        if (it == model.end()) break;
        ASSERT_EQ(t.get(it->second.second).state, NeighState::kNone);
        model.erase(it);
        break;
      default: {
        const Neighbour found = t.find(interface, address(n));
        if (it == model.end()) {
          ASSERT_EQ(found.state, NeighState::kNone);
          break;
        }
        ASSERT_EQ(found.state, it->second.first);
        ASSERT_EQ(found.ref, it->second.second);
        ASSERT_EQ(found.mac, mac_of(interface, n));
        ASSERT_EQ(t.get(found.ref).mac, found.mac);
      }
    }
    ASSERT_EQ(t.size(), model.size());
  }
}

TEST(NeighbourTable, AReaderNeverSeesAnotherEntrysMac) {
  constexpr uint32_t kNames = 8;  // many names over few slots: reuse all the time
  NeighbourTable t(2);
  ASSERT_NE(t.set(9, address(1000), mac_of(9, 1000), NeighState::kPermanent), kNoNeighbour);
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> hits{0};
  std::atomic<uint64_t> wrong{0};
  const auto read = [&](uint32_t seed) {
    std::mt19937 random(seed);
    while (!stop.load(std::memory_order_relaxed)) {
      const uint32_t n = static_cast<uint32_t>(random() % kNames);
      const Neighbour found = t.find(1, address(n));
      if (found.state != NeighState::kNone) {
        hits.fetch_add(1, std::memory_order_relaxed);
        if (!(found.mac == mac_of(1, n))) wrong.fetch_add(1);
      }
      // One that stays is never missed, whatever happens around it.
      if (!(t.find(9, address(1000)).mac == mac_of(9, 1000))) wrong.fetch_add(1);
    }
  };
  std::thread a(read, 1);
  std::thread b(read, 2);
  for (uint32_t i = 0; i < 4000000 || hits.load() < 10000; ++i) {
    (void)t.set(1, address(i % kNames), mac_of(1, i % kNames), NeighState::kReachable);
    t.remove(1, address(i % kNames));
  }
  stop = true;
  a.join();
  b.join();
  EXPECT_EQ(wrong, 0u);
}

}  // namespace
}  // namespace maclane
