#include "dataplane/table/dynamic_lists.h"

#include <utility>

namespace maclane {

DynamicLists::DynamicLists(uint32_t slots)
    : mask_(slots / kWays - 1),
      buckets_(std::make_unique<Bucket[]>(slots / kWays)),
      changed_(std::make_unique<std::atomic<uint32_t>[]>(kPlaces)) {}

size_t DynamicLists::bytes() const noexcept {
  return (mask_ + size_t{1}) * sizeof(Bucket) + kPlaces * sizeof(changed_[0]);
}

uint64_t DynamicLists::hash(uint64_t key) noexcept {
  uint64_t h = key * 0x9e3779b97f4a7c15ULL;
  h ^= h >> 32;
  h *= 0xd6e8feb86659fd93ULL;
  return h ^ h >> 32;
}

std::array<uint32_t, 4> DynamicLists::places_of(uint64_t key) const noexcept {
  const uint64_t h = hash(key);
  const auto one = static_cast<uint32_t>(h) & mask_;
  const auto two = static_cast<uint32_t>(h >> 32) & mask_;
  return {one, (one ^ 1) & mask_, two, (two ^ 1) & mask_};
}

unsigned DynamicLists::taken(uint32_t bucket) const noexcept {
  unsigned count = 0;
  for (const Slot& slot : buckets_[bucket].slots)
    count += slot.key.load(std::memory_order_relaxed) != 0 ? 1u : 0u;
  return count;
}

DynamicLists::Slot* DynamicLists::find(uint64_t key) const noexcept {
  for (const uint64_t bucket : places_of(key))
    for (Slot& slot : buckets_[bucket].slots)
      if (slot.key.load(std::memory_order_acquire) == key) return &slot;
  return nullptr;
}

void DynamicLists::changed(uint32_t address) noexcept {
  std::atomic<uint32_t>& at = changed_[place(address)];
  uint32_t now = epoch_.load(std::memory_order_relaxed);
  do {
    // The place first: whoever sees the epoch sees what changed at it.
    uint32_t seen = at.load(std::memory_order_relaxed);
    while (static_cast<int32_t>(now + 1 - seen) > 0 &&
           !at.compare_exchange_weak(seen, now + 1, std::memory_order_relaxed)) {
    }
  } while (!epoch_.compare_exchange_weak(now, now + 1, std::memory_order_acq_rel));
}

bool DynamicLists::contains(uint16_t list, uint32_t address, uint32_t now_cs) const noexcept {
  const uint64_t key = key_of(list, address);
  for (const uint64_t bucket : places_of(key)) {
    for (const Slot& slot : buckets_[bucket].slots) {
      // All of them: a key may for a while have two slots, one of them out of time.
      if (slot.key.load(std::memory_order_acquire) == key &&
          !is_over(slot.times.load(std::memory_order_acquire), now_cs))
        return true;
    }
  }
  return false;
}

DynamicLists::Added DynamicLists::add(uint16_t list, uint32_t address, uint32_t timeout_cs,
                                      uint32_t now_cs) noexcept {
  const uint64_t key = key_of(list, address);
  uint32_t expires = lasts(timeout_cs) ? timeout_cs : now_cs + timeout_cs;
  if (!lasts(timeout_cs) && lasts(expires)) expires = 1;
  // A few times: a slot may be taken, or freed, between looking and doing.
  for (unsigned round = 0; round < 4; ++round) {
    if (Slot* slot = find(key); slot != nullptr) {
      const uint64_t before = slot->times.load(std::memory_order_acquire);
      const bool over = is_over(before, now_cs);
      const auto known = static_cast<uint32_t>(before >> 32);
      if (known == kToKeep || (known == kForever && expires != kToKeep))
        return Added::kKnown;  // it is there to stay
      const uint32_t created = over ? now_cs : static_cast<uint32_t>(before);
      slot->times.store(uint64_t{expires} << 32 | created, std::memory_order_release);
      if (slot->key.load(std::memory_order_acquire) != key) continue;
      if (expires == kToKeep) to_keep_.fetch_add(1, std::memory_order_release);
      if (!over) return Added::kKnown;
      changed(address);
      return Added::kNew;
    }
    // Of two pairs of buckets the emptier: so none is full while the table is half empty.
    std::array<uint32_t, 4> places = places_of(key);
    if (taken(places[2]) + taken(places[3]) < taken(places[0]) + taken(places[1])) {
      std::swap(places[0], places[2]);
      std::swap(places[1], places[3]);
    }
    bool free = false;
    for (const uint32_t bucket : places) {
      for (Slot& slot : buckets_[bucket].slots) {
        uint64_t none = 0;
        if (slot.key.load(std::memory_order_relaxed) != 0) continue;
        free = true;
        if (!slot.key.compare_exchange_strong(none, kBusy, std::memory_order_acq_rel)) continue;
        slot.times.store(uint64_t{expires} << 32 | now_cs, std::memory_order_release);
        slot.key.store(key, std::memory_order_release);
        size_.fetch_add(1, std::memory_order_relaxed);
        if (expires == kToKeep) to_keep_.fetch_add(1, std::memory_order_release);
        changed(address);
        return Added::kNew;
      }
    }
    if (!free) break;
  }
  full_.fetch_add(1, std::memory_order_relaxed);
  return Added::kFull;
}

DynamicLists::Entry DynamicLists::get(uint16_t list, uint32_t address,
                                      uint32_t now_cs) const noexcept {
  Entry e;
  const Slot* slot = find(key_of(list, address));
  if (slot == nullptr) return e;
  const uint64_t times = slot->times.load(std::memory_order_acquire);
  if (is_over(times, now_cs)) return e;
  e.list = list;
  e.address = address;
  e.expires_cs = static_cast<uint32_t>(times >> 32);
  e.created_cs = static_cast<uint32_t>(times);
  return e;
}

bool DynamicLists::free(Slot& slot, uint64_t key, const uint64_t* times) noexcept {
  uint64_t expected = key;
  if (!slot.key.compare_exchange_strong(expected, kBusy, std::memory_order_acq_rel)) return false;
  if (times != nullptr && slot.times.load(std::memory_order_acquire) != *times) {
    slot.key.store(key, std::memory_order_release);  // it was given more time meanwhile
    return false;
  }
  slot.key.store(0, std::memory_order_release);
  size_.fetch_sub(1, std::memory_order_relaxed);
  changed(static_cast<uint32_t>(key));
  return true;
}

bool DynamicLists::remove(uint16_t list, uint32_t address) noexcept {
  const uint64_t key = key_of(list, address);
  bool removed = false;
  // Two workers that add an address at once may give it two slots.
  while (Slot* slot = find(key)) removed |= free(*slot, key, nullptr);
  return removed;
}

void DynamicLists::clear(uint16_t list) noexcept {
  for (uint32_t bucket = 0; bucket <= mask_; ++bucket) {
    for (Slot& slot : buckets_[bucket].slots) {
      const uint64_t key = slot.key.load(std::memory_order_acquire);
      if (key > kBusy && static_cast<uint16_t>(key >> 32) == list) (void)free(slot, key, nullptr);
    }
  }
}

void DynamicLists::sweep(uint32_t now_cs, uint32_t most) noexcept {
  if (size() == 0) return;
  for (uint32_t i = 0; i < most / kWays; ++i) {
    for (Slot& slot : buckets_[sweep_next_].slots) {
      const uint64_t key = slot.key.load(std::memory_order_acquire);
      if (key <= kBusy) continue;
      const uint64_t times = slot.times.load(std::memory_order_acquire);
      if (is_over(times, now_cs)) (void)free(slot, key, &times);
    }
    sweep_next_ = (sweep_next_ + 1) & mask_;
  }
}

void DynamicLists::for_each(const std::function<void(const Entry&)>& fn) const {
  for (uint32_t bucket = 0; bucket <= mask_; ++bucket) {
    for (const Slot& slot : buckets_[bucket].slots) {
      const uint64_t key = slot.key.load(std::memory_order_acquire);
      const uint64_t times = slot.times.load(std::memory_order_acquire);
      if (key <= kBusy || slot.key.load(std::memory_order_acquire) != key) continue;
      Entry e;
      e.list = static_cast<uint16_t>(key >> 32);
      e.address = static_cast<uint32_t>(key);
      e.expires_cs = static_cast<uint32_t>(times >> 32);
      e.created_cs = static_cast<uint32_t>(times);
      fn(e);
    }
  }
}

}  // namespace maclane
