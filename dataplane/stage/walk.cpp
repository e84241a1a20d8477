#include "dataplane/stage/walk.h"

#include <rte_pause.h>

#include <algorithm>

namespace maclane {

namespace {

constexpr size_t kIndexSize = 2 * WalkTable::kMaxWalks;  // a power of two, half empty at most
static_assert((kIndexSize & (kIndexSize - 1)) == 0 && WalkTable::kMaxWalks < WalkTable::kNone);

uint64_t hash_of(const WalkRecord& record) noexcept {
  uint64_t h = uint64_t{record.priority} << 16 | uint64_t{record.dscp} << 8 |
               static_cast<uint64_t>(record.holds);
  for (unsigned i = 0; i < record.hits; ++i) {
    h = (h ^ record.rules[i]->counter) * 0x9e3779b97f4a7c15ULL;
    h ^= h >> 32;
  }
  return h;
}

/// A word that another thread may write: whole and read once, if not of one moment with the next.
template <typename Word>
Word load(const Word& word) noexcept {
  return __atomic_load_n(&word, __ATOMIC_RELAXED);
}

}  // namespace

WalkTable::WalkTable() : walks_(kMaxWalks), arena_(kMaxArena), index_(kIndexSize, kNone) {}

uint16_t WalkTable::intern(const WalkRecord& record) noexcept {
  // A rule that logs has to be met by every packet, and so has one that changes it.
  if (record.holds == Holds::kForOne || record.logged != 0 || record.effects != 0 ||
      record.new_ttl || record.clear_df || record.strip_options) {
    return kNone;
  }
  const bool steady = record.holds == Holds::kWhileSteady;
  const uint64_t hash = hash_of(record);
  size_t place = hash & (kIndexSize - 1);
  for (; index_[place] != kNone; place = (place + 1) & (kIndexSize - 1)) {
    const Walk& w = walks_[index_[place]];
    if (w.hash != hash || w.hits != record.hits || w.dscp != record.dscp ||
        w.priority != record.priority || w.steady != steady)
      continue;
    const bool same = std::equal(
        record.rules.begin(), record.rules.begin() + record.hits, arena_.begin() + w.first,
        [](const Rule* rule, uint32_t counter) { return rule->counter == counter; });
    if (same) return index_[place];
  }
  const uint32_t number = walk_count_.load(std::memory_order_relaxed);
  if (number == kMaxWalks || kMaxArena - arena_used_ < record.hits) return kNone;
  Walk& w = walks_[number];
  w = {record.dscp, record.priority, steady, arena_used_, record.hits, hash, 0, 0};
  for (unsigned i = 0; i < record.hits; ++i) arena_[arena_used_++] = record.rules[i]->counter;
  index_[place] = static_cast<uint16_t>(number);
  walk_count_.store(number + 1, std::memory_order_release);  // whole before control can see it
  return static_cast<uint16_t>(number);
}

void WalkTable::count_once(const WalkRecord& record, uint32_t bytes, Counters& counters) noexcept {
  const unsigned hits = std::min(record.hits, WalkRecord::kMaxHits);
  for (unsigned i = 0; i < hits; ++i) {
    RuleCounter& c = counters.rules[record.rules[i]->counter];
    c.packets += 1;
    c.bytes += bytes;
  }
}

void WalkTable::fold(Counters& counters) noexcept {
  const uint32_t count = walk_count_.load(std::memory_order_relaxed);
  if (count == 0) return;
  const uint32_t sequence = fold_sequence_.load(std::memory_order_relaxed);
  fold_sequence_.store(sequence + 1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  for (uint32_t n = 0; n < count; ++n) {
    const Walk& w = walks_[n];
    for (uint32_t i = w.first; i < w.first + w.hits; ++i) {
      counters.rules[arena_[i]].packets += w.packets;
      counters.rules[arena_[i]].bytes += w.bytes;
    }
  }
  walk_count_.store(0, std::memory_order_relaxed);
  arena_used_ = 0;
  std::fill(index_.begin(), index_.end(), kNone);
  fold_sequence_.store(sequence + 2, std::memory_order_release);
}

void WalkTable::read(const Counters& counters, std::span<RuleCounter> out) const {
  const size_t slots = std::min(out.size(), counters.rules.size());
  for (;;) {
    const uint32_t sequence = fold_sequence_.load(std::memory_order_acquire);
    if ((sequence & 1) != 0) {
      rte_pause();
      continue;
    }
    for (size_t i = 0; i < slots; ++i)
      out[i] = {load(counters.rules[i].packets), load(counters.rules[i].bytes)};
    const uint32_t count = walk_count_.load(std::memory_order_acquire);
    for (uint32_t n = 0; n < count; ++n) {
      const Walk& w = walks_[n];
      const uint64_t packets = load(w.packets);
      const uint64_t bytes = load(w.bytes);
      // Should a fold have begun meanwhile, these may be of two walks: read within bounds, and
      // the sequence tells below.
      const uint32_t first = std::min(load(w.first), kMaxArena);
      const uint32_t hits = std::min(load(w.hits), kMaxArena - first);
      for (uint32_t i = first; i < first + hits; ++i) {
        const uint32_t slot = load(arena_[i]);
        if (slot >= slots) continue;
        out[slot].packets += packets;
        out[slot].bytes += bytes;
      }
    }
    std::atomic_thread_fence(std::memory_order_acquire);
    if (fold_sequence_.load(std::memory_order_relaxed) == sequence) return;
  }
}

}  // namespace maclane
