#include "dataplane/table/meter.h"

#include <algorithm>

namespace maclane {
namespace {

constexpr uint64_t kNeverPaid = uint64_t{1} << 62;  // longer than any rate owes

}  // namespace

MeterRate MeterRate::of(uint64_t units, uint64_t period_ms, uint64_t burst) noexcept {
  __extension__ using Wide = unsigned __int128;
  // A millisecond is a tenth of a centisecond: 2^48 / 10 of the unit of `cost`.
  const Wide period = (Wide{period_ms} << 48) / 10;
  const Wide cost = units == 0 ? Wide{kNeverPaid} << 16 : std::max<Wide>(period / units, 1);
  const Wide most = (cost * std::max<uint64_t>(burst, 1)) >> 16;
  MeterRate rate;
  if (cost > ~uint64_t{0}) rate.fraction = 0;
  rate.cost = static_cast<uint64_t>(std::min<Wide>(cost >> (16 - rate.fraction), ~uint64_t{0}));
  rate.most = most > kNeverPaid ? kNeverPaid : static_cast<uint64_t>(most);
  // Rounding must not take the last event from a burst.
  rate.most = std::max(rate.most, rate.cost_of(std::max<uint64_t>(burst, 1)));
  return rate;
}

KeyedMeters::KeyedMeters(uint32_t buckets)
    : mask_(buckets - 1), buckets_(std::make_unique<Bucket[]>(buckets)) {}

bool KeyedMeters::allows(uint64_t key, const MeterRate& rate, uint64_t cost, Now now,
                         uint32_t expire_cs) const noexcept {
  key |= uint64_t{1} << 63;  // 0 is a free slot
  for (const Slot& slot : bucket(key).slots) {
    if (slot.key.load(std::memory_order_acquire) != key) continue;
    if (now.cs - slot.used_cs.load(std::memory_order_relaxed) >= expire_cs) break;
    return slot.meter.allows(rate, cost, now.fine());
  }
  return cost <= rate.most;
}

void KeyedMeters::take(uint64_t key, uint64_t cost, Now now, uint32_t expire_cs) noexcept {
  key |= uint64_t{1} << 63;
  Slot* oldest = nullptr;
  uint32_t age = 0;
  for (Slot& slot : bucket(key).slots) {
    const uint64_t owner = slot.key.load(std::memory_order_acquire);
    const uint32_t unused = now.cs - slot.used_cs.load(std::memory_order_relaxed);
    if (owner == key) {
      if (unused >= expire_cs) slot.meter.reset();
      slot.used_cs.store(now.cs, std::memory_order_relaxed);
      return slot.meter.take(cost, now.fine());
    }
    const uint32_t rank = owner == 0 ? ~uint32_t{0} : unused;
    if (oldest == nullptr || rank > age) {
      oldest = &slot;
      age = rank;
    }
  }
  // Two workers may give one key two slots, or one slot two keys: a key then begins anew once.
  oldest->meter.reset();
  oldest->used_cs.store(now.cs, std::memory_order_relaxed);
  oldest->key.store(key, std::memory_order_release);
  oldest->meter.take(cost, now.fine());
}

}  // namespace maclane
