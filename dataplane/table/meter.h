// Meters: how often something may happen, for all workers together (behaviour.md B-11: limit,
// dst-limit).
//
// A meter is one word, the time at which everything it has let through will be paid for (the
// generic cell rate algorithm): asking is a load and a comparison, taking a compare-and-swap. The
// rate is therefore the router's, not a worker's; what several workers let through between asking
// and taking is paid for afterwards, so the average holds and a burst is longer by one event for
// each worker more, at most. Times are centiseconds of the dataplane's clock in 32.32 bits; they
// are compared by signed difference, so a meter may rest for 248 days. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "dataplane/net/types.h"

namespace maclane {

/// A rate, as what one event costs and what may be owed at most.
struct MeterRate {
  uint64_t cost = 0;      // of one unit (a packet or a bit), in 2^-fraction of a 2^-32 centisecond
  uint64_t most = 0;      // in 2^-32 centiseconds: the burst
  uint8_t fraction = 16;  // 0 where a unit costs more than ten minutes
  friend bool operator==(const MeterRate&, const MeterRate&) = default;

  /// `units` in `period_ms`, `burst` of them at once.
  [[nodiscard]] static MeterRate of(uint64_t units, uint64_t period_ms, uint64_t burst) noexcept;
  [[nodiscard]] uint64_t cost_of(uint64_t units) const noexcept {
    __extension__ using Wide = unsigned __int128;
    const Wide paid = (Wide{cost} * units) >> fraction;
    return paid > (uint64_t{1} << 62) ? uint64_t{1} << 62 : static_cast<uint64_t>(paid);
  }
};

class Meter {
 public:
  /// Whether `cost` more may be taken now. A meter that was never used is full.
  [[nodiscard]] bool allows(const MeterRate& rate, uint64_t cost, uint64_t now) const noexcept {
    return ahead(paid_until_.load(std::memory_order_relaxed), now) + cost <= rate.most;
  }
  void take(uint64_t cost, uint64_t now) noexcept {
    uint64_t seen = paid_until_.load(std::memory_order_relaxed);
    uint64_t next = 0;
    do {
      next = now + ahead(seen, now) + cost;
      if (next == 0) next = 1;  // 0: never used
    } while (!paid_until_.compare_exchange_weak(seen, next, std::memory_order_relaxed));
  }
  void reset() noexcept { paid_until_.store(0, std::memory_order_relaxed); }

 private:
  /// How far the meter is ahead of now; 0 if it owes nothing.
  [[nodiscard]] static uint64_t ahead(uint64_t paid_until, uint64_t now) noexcept {
    if (paid_until == 0) return 0;
    const auto owed = static_cast<int64_t>(paid_until - now);
    return owed > 0 ? static_cast<uint64_t>(owed) : 0;
  }
  std::atomic<uint64_t> paid_until_{0};
};

/// A meter for each of many keys, in memory that is fixed: a key lives in one bucket of four, and
/// where all four are others' the one that was used longest ago gives way. A key is 64 bits of a
/// seeded hash, which stands for what was hashed.
class KeyedMeters {
 public:
  explicit KeyedMeters(uint32_t buckets);  // a power of two

  /// `expire_cs`: a key that was not used for so long begins anew.
  [[nodiscard]] bool allows(uint64_t key, const MeterRate& rate, uint64_t cost, Now now,
                            uint32_t expire_cs) const noexcept;
  void take(uint64_t key, uint64_t cost, Now now, uint32_t expire_cs) noexcept;

  [[nodiscard]] size_t bytes() const noexcept { return (mask_ + size_t{1}) * sizeof(Bucket); }

 private:
  static constexpr unsigned kWays = 4;
  struct Slot {
    std::atomic<uint64_t> key{0};
    Meter meter;
    std::atomic<uint32_t> used_cs{0};
  };
  struct alignas(64) Bucket {
    std::array<Slot, kWays> slots;
  };
  [[nodiscard]] Bucket& bucket(uint64_t key) const noexcept { return buckets_[key & mask_]; }

  uint32_t mask_;
  std::unique_ptr<Bucket[]> buckets_;
};

}  // namespace maclane
