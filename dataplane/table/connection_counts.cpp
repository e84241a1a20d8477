#include "dataplane/table/connection_counts.h"

namespace maclane {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

}  // namespace

ConnectionCounts::ConnectionCounts(uint32_t words)
    : mask_(words / kWays - 1), buckets_(std::make_unique<Bucket[]>(words / kWays)) {}

uint64_t ConnectionCounts::key_of(uint32_t rule, uint32_t block, uint8_t length) noexcept {
  uint64_t h = (uint64_t{rule} << 40 ^ uint64_t{length} << 32 ^ block) * 0x9e3779b97f4a7c15ULL;
  h ^= h >> 32;
  h *= 0xd6e8feb86659fd93ULL;
  h ^= h >> 32;
  return h * 0xd6e8feb86659fd93ULL;
}

uint32_t ConnectionCounts::count(uint64_t key) const noexcept {
  const uint64_t tag = tag_of(key);
  const auto [first, second] = buckets_of(key);
  uint32_t sum = 0;
  for (const uint32_t bucket : {first, second}) {
    for (const auto& one : buckets_[bucket].words) {
      const uint64_t word = one.load(kRelaxed);
      if ((word & ~kCountMask) == tag) sum += static_cast<uint32_t>(word & kCountMask);
    }
    if (first == second) break;
  }
  return sum;
}

uint32_t ConnectionCounts::add(uint64_t key) noexcept {
  const uint64_t tag = tag_of(key);
  const auto buckets = buckets_of(key);
  const auto try_words = [&](bool own) {
    for (const uint32_t bucket : buckets) {
      for (unsigned way = 0; way < kWays; ++way) {
        std::atomic<uint64_t>& one = buckets_[bucket].words[way];
        uint64_t word = one.load(kRelaxed);
        while (own ? (word & ~kCountMask) == tag && (word & kCountMask) != kCountMask : word == 0) {
          if (one.compare_exchange_weak(word, (own ? word : tag) + 1, kRelaxed))
            return bucket * kWays + way;
        }
      }
    }
    return kNone;
  };
  const uint32_t word = try_words(true);
  return word != kNone ? word : try_words(false);
}

void ConnectionCounts::remove(uint32_t word) noexcept {
  std::atomic<uint64_t>& one = buckets_[word / kWays].words[word % kWays];
  uint64_t seen = one.load(kRelaxed);
  while (!one.compare_exchange_weak(seen, (seen & kCountMask) <= 1 ? 0 : seen - 1, kRelaxed)) {
  }
}

void ConnectionCounts::remove_one(uint64_t key) noexcept {
  const uint64_t tag = tag_of(key);
  for (const uint32_t bucket : buckets_of(key)) {
    for (auto& one : buckets_[bucket].words) {
      uint64_t seen = one.load(kRelaxed);
      while ((seen & ~kCountMask) == tag) {
        if (one.compare_exchange_weak(seen, (seen & kCountMask) <= 1 ? 0 : seen - 1, kRelaxed))
          return;
      }
    }
  }
}

uint32_t ConnectionCounts::used() const noexcept {
  uint32_t n = 0;
  for (uint32_t bucket = 0; bucket <= mask_; ++bucket)
    for (const auto& one : buckets_[bucket].words) n += one.load(kRelaxed) != 0 ? 1 : 0;
  return n;
}

}  // namespace maclane
