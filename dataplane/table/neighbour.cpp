#include "dataplane/table/neighbour.h"

#include <algorithm>
#include <bit>

namespace maclane {

namespace {

constexpr uint32_t kMaxSlots = 1u << 23;  // below 2^24, so that no reference is kNoNeighbour
constexpr uint32_t kSlotMask = 0xffffff;

// value: MAC in bits 0-47, generation in 48-55, state in 56-63.
constexpr uint64_t make_value(const uint64_t mac, uint8_t generation, NeighState state) noexcept {
  return mac | uint64_t{generation} << 48 | uint64_t{static_cast<uint8_t>(state)} << 56;
}
constexpr uint8_t generation_of(uint64_t value) noexcept {
  return static_cast<uint8_t>(value >> 48);
}
constexpr NeighState state_of(uint64_t value) noexcept {
  return static_cast<NeighState>(value >> 56);
}
constexpr NeighbourRef make_ref(uint32_t slot, uint64_t value) noexcept {
  return slot | uint32_t{generation_of(value)} << 24;
}
constexpr uint64_t make_key(IfIndex interface, be32 address) noexcept {
  return uint64_t{interface} << 32 | address.raw;
}
Neighbour unpack(uint32_t slot, uint64_t value) noexcept {
  if (state_of(value) == NeighState::kNone) return {};
  return {state_of(value), MacAddr::from_key(value), make_ref(slot, value)};
}

}  // namespace

NeighbourTable::NeighbourTable(uint32_t capacity)
    : capacity_(std::min(capacity, kMaxSlots / 2)),
      mask_(std::bit_ceil(std::max(2u, 2 * capacity_)) - 1),
      slots_(std::make_unique<Slot[]>(size_t{mask_} + 1)) {}

uint64_t NeighbourTable::memory_bytes() const noexcept {
  return (uint64_t{mask_} + 1) * sizeof(Slot);
}

uint32_t NeighbourTable::home(uint64_t key) const noexcept {
  key ^= key >> 29;
  key *= 0xbf58476d1ce4e5b9ULL;
  return static_cast<uint32_t>(key >> 32) & mask_;
}

Neighbour NeighbourTable::find(IfIndex interface, be32 address) const noexcept {
  const uint64_t wanted = make_key(interface, address);
  uint32_t i = home(wanted);
  const uint32_t farthest = farthest_.load(std::memory_order_relaxed);
  for (uint32_t away = 0; away <= farthest; ++away, i = (i + 1) & mask_) {
    const Slot& slot = slots_[i];
    uint64_t key = slot.key.load(std::memory_order_acquire);
    // The same value before and after seeing our key: generations differ between entries, so the
    // value is of this key's entry and not of one that had the slot before or has it since.
    while (key == wanted && wanted != 0) {
      const uint64_t value = slot.value.load(std::memory_order_acquire);
      key = slot.key.load(std::memory_order_acquire);
      if (key == wanted && slot.value.load(std::memory_order_acquire) == value)
        return unpack(i, value);
    }
    if (key == 0) break;
  }
  return {};
}

Neighbour NeighbourTable::get(NeighbourRef ref) const noexcept {
  const uint32_t i = ref & kSlotMask;
  if (i > mask_) return {};
  const uint64_t value = slots_[i].value.load(std::memory_order_acquire);
  if (make_ref(i, value) != ref) return {};
  return unpack(i, value);
}

NeighbourTable::Slot* NeighbourTable::locate(uint64_t key) const noexcept {
  uint32_t i = home(key);
  const uint32_t farthest = farthest_.load(std::memory_order_relaxed);
  for (uint32_t away = 0; away <= farthest; ++away, i = (i + 1) & mask_) {
    const uint64_t found = slots_[i].key.load(std::memory_order_relaxed);
    if (found == 0) break;
    const uint64_t value = slots_[i].value.load(std::memory_order_relaxed);
    if (found == key && state_of(value) != NeighState::kNone) return &slots_[i];
  }
  return nullptr;
}

NeighbourRef NeighbourTable::set(IfIndex interface, be32 address, const MacAddr& mac,
                                 NeighState state) noexcept {
  const uint64_t key = make_key(interface, address);
  if (key == 0) return kNoNeighbour;
  if (state == NeighState::kNone) {
    remove(interface, address);
    return kNoNeighbour;
  }
  if (Slot* slot = locate(key)) {
    const uint8_t generation = generation_of(slot->value.load(std::memory_order_relaxed));
    const uint64_t value = make_value(mac.key(), generation, state);
    slot->value.store(value, std::memory_order_release);
    return make_ref(static_cast<uint32_t>(slot - slots_.get()), value);
  }
  if (size_ == capacity_) return kNoNeighbour;
  uint32_t i = home(key);  // at least half of the slots are free
  uint32_t away = 0;
  for (; state_of(slots_[i].value.load(std::memory_order_relaxed)) != NeighState::kNone; ++away)
    i = (i + 1) & mask_;
  if (away > farthest_.load(std::memory_order_relaxed))
    farthest_.store(away, std::memory_order_release);
  Slot& slot = slots_[i];
  const auto generation =
      static_cast<uint8_t>(generation_of(slot.value.load(std::memory_order_relaxed)) + 1);
  const uint64_t value = make_value(mac.key(), generation, state);
  slot.key.store(key, std::memory_order_release);  // still kNone: nobody uses it yet
  slot.value.store(value, std::memory_order_release);
  ++size_;
  return make_ref(i, value);
}

void NeighbourTable::remove(IfIndex interface, be32 address) noexcept {
  Slot* slot = locate(make_key(interface, address));
  if (slot == nullptr) return;
  const uint64_t value = slot->value.load(std::memory_order_relaxed);
  slot->value.store(make_value(0, generation_of(value), NeighState::kNone),
                    std::memory_order_release);
  --size_;
  sweep_back(static_cast<uint32_t>(slot - slots_.get()));
}

/// Forgets the keys of removed slots that no probe has to pass any more, so that probes for absent
/// addresses end early. Their generation stays.
void NeighbourTable::sweep_back(uint32_t slot) noexcept {
  if (slots_[(slot + 1) & mask_].key.load(std::memory_order_relaxed) != 0) return;
  for (uint32_t i = slot;; i = (i - 1) & mask_) {
    Slot& s = slots_[i];
    if (s.key.load(std::memory_order_relaxed) == 0) return;
    if (state_of(s.value.load(std::memory_order_relaxed)) != NeighState::kNone) return;
    s.key.store(0, std::memory_order_release);
  }
}

}  // namespace maclane
