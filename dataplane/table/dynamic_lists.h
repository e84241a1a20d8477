// Addresses that came into an address list by themselves: those that a rule put there
// (add-src-to-address-list, add-dst-to-address-list), and those with a timeout (behaviour.md B-13).
//
// One table for all workers, in memory that is fixed: an entry lives in one of two pairs of buckets
// of four. Any thread may ask and add, without waiting; control removes, and sweeps out what has
// run out of time. An entry counts from the moment add() returns and until its time is over.
//
// What a session's leg remembers of a walk may depend on these lists, so each change of what is in
// them moves the epoch, and the table remembers at which epoch an address changed last (by its
// hash: it may say so of one that did not). A worker that sees another epoch asks that of a leg's
// addresses before it uses the leg again, and judges only those anew (Worker::generation).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "dataplane/net/types.h"

namespace maclane {

class DynamicLists {
 public:
  static constexpr uint32_t kForever = 0;
  static constexpr uint32_t kLongest_cs = 2147483600;  // 35w3d13h13m56s
  /// For ever, and control is to make a row of the configuration of it (none-static).
  static constexpr uint32_t kToKeep = 0xffffffffu;

  struct Entry {
    uint16_t list = 0;  // its number (compile::Names); never 0
    uint32_t address = 0;
    uint32_t expires_cs = 0;  // 0: never; kToKeep: the configuration is to have it
    uint32_t created_cs = 0;
  };
  enum class Added : uint8_t { kNew, kKnown, kFull };

  /// Room for about half of `slots`, a power of two; beyond that some find none.
  explicit DynamicLists(uint32_t slots = 1u << 18);

  // any thread
  [[nodiscard]] bool contains(uint16_t list, uint32_t address, uint32_t now_cs) const noexcept;
  /// Adds an address for `timeout_cs` from now on (kForever, kToKeep), or gives one that is there
  /// another timeout; one that is there for ever stays so.
  Added add(uint16_t list, uint32_t address, uint32_t timeout_cs, uint32_t now_cs) noexcept;
  [[nodiscard]] uint32_t epoch() const noexcept { return epoch_.load(std::memory_order_acquire); }
  /// Whether what lists an address is in may have changed after `epoch`.
  [[nodiscard]] bool changed_since(uint32_t address, uint32_t epoch) const noexcept {
    const uint32_t at = changed_[place(address)].load(std::memory_order_relaxed);
    return static_cast<int32_t>(at - epoch) > 0;
  }
  /// Additions that found no room.
  [[nodiscard]] uint64_t full() const noexcept { return full_.load(std::memory_order_relaxed); }
  /// Counts up when an entry came that is to be kept.
  [[nodiscard]] uint32_t to_keep() const noexcept {
    return to_keep_.load(std::memory_order_acquire);
  }

  // control
  /// An entry whose time is not over; its list is 0 if there is none.
  [[nodiscard]] Entry get(uint16_t list, uint32_t address, uint32_t now_cs) const noexcept;
  bool remove(uint16_t list, uint32_t address) noexcept;
  /// Removes what a list has.
  void clear(uint16_t list) noexcept;
  /// Looks at `most` slots, going on where it stopped, and frees entries whose time is over.
  void sweep(uint32_t now_cs, uint32_t most) noexcept;
  /// Entries in no order.
  void for_each(const std::function<void(const Entry&)>& fn) const;
  [[nodiscard]] uint32_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
  [[nodiscard]] uint32_t slots() const noexcept { return (mask_ + 1) * kWays; }
  [[nodiscard]] size_t bytes() const noexcept;

 private:
  static constexpr unsigned kWays = 4;
  static constexpr uint64_t kBusy = 1;  // a slot that is being filled or emptied
  struct Slot {
    std::atomic<uint64_t> key{0};    // 0: free
    std::atomic<uint64_t> times{0};  // expires above, created below
  };
  struct alignas(64) Bucket {
    std::array<Slot, kWays> slots;
  };
  static_assert(sizeof(Bucket) == 64);
  static constexpr uint32_t kPlaces = 1u << 14;

  [[nodiscard]] static uint64_t key_of(uint16_t list, uint32_t address) noexcept {
    return uint64_t{1} << 63 | uint64_t{list} << 32 | address;
  }
  [[nodiscard]] static uint64_t hash(uint64_t key) noexcept;
  [[nodiscard]] static uint32_t place(uint32_t address) noexcept {
    return (address * 0x9e3779b1u) >> 18;
  }
  [[nodiscard]] static bool lasts(uint32_t expires) noexcept {
    return expires == kForever || expires == kToKeep;
  }
  [[nodiscard]] static bool is_over(uint64_t times, uint32_t now_cs) noexcept {
    const auto expires = static_cast<uint32_t>(times >> 32);
    return !lasts(expires) && static_cast<int32_t>(now_cs - expires) >= 0;
  }
  /// The buckets a key may be in, two pairs.
  [[nodiscard]] std::array<uint32_t, 4> places_of(uint64_t key) const noexcept;
  [[nodiscard]] unsigned taken(uint32_t bucket) const noexcept;
  [[nodiscard]] Slot* find(uint64_t key) const noexcept;
  void changed(uint32_t address) noexcept;
  /// Frees a slot that has this key, if its times still are these; false: they are not.
  bool free(Slot& slot, uint64_t key, const uint64_t* times) noexcept;

  uint32_t mask_;
  std::unique_ptr<Bucket[]> buckets_;
  std::unique_ptr<std::atomic<uint32_t>[]> changed_;
  std::atomic<uint32_t> epoch_{1};
  std::atomic<uint32_t> size_{0};
  std::atomic<uint64_t> full_{0};
  std::atomic<uint32_t> to_keep_{0};
  uint32_t sweep_next_ = 0;
};
static_assert((1u << 14) == 1u << (32 - 18));

}  // namespace maclane
