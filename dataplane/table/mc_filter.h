// The limited multicast of a macvlan: a 256-bit filter per interface (behaviour.md A-44), one bit
// per group, hashed over the low four bytes of the group MAC mixed with a per-interface random
// value. False positives are possible, as in the kernel; the consumer filters finally.
//
// Control writes (joins and leaves of the router's own interfaces, IGMP and MLD reports of attached
// vports), workers read; each 64-bit word is atomic, so a reader sees a bit either way, never
// garbage.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "dataplane/net/types.h"

namespace maclane {

class McFilters {
 public:
  explicit McFilters(uint64_t seed) : seed_(seed), filters_(new Filter[kMaxInterfaces]) {}

  [[nodiscard]] bool accepts(IfIndex interface, uint64_t group_key) const noexcept {
    const uint8_t bit = bit_of(interface, group_key);
    return (filters_[interface][bit >> 6].load(std::memory_order_relaxed) >> (bit & 63)) & 1;
  }
  /// Control: replaces the whole filter of an interface by these groups' bits.
  template <typename Groups>
  void set(IfIndex interface, const Groups& group_keys) noexcept {
    std::array<uint64_t, 4> bits{};
    for (uint64_t g : group_keys) {
      const uint8_t bit = bit_of(interface, g);
      bits[bit >> 6] |= uint64_t{1} << (bit & 63);
    }
    store(interface, bits);
  }
  /// Control: everything passes.
  void set_all(IfIndex interface) noexcept { store(interface, {~0ULL, ~0ULL, ~0ULL, ~0ULL}); }
  void clear(IfIndex interface) noexcept { store(interface, {}); }

 private:
  using Filter = std::array<std::atomic<uint64_t>, 4>;
  [[nodiscard]] uint8_t bit_of(IfIndex interface, uint64_t group_key) const noexcept {
    const uint64_t low = (group_key >> 16) ^ (seed_ * (interface + 1u));
    return static_cast<uint8_t>((low * 0x9e3779b97f4a7c15ULL) >> 56);
  }
  void store(IfIndex interface, const std::array<uint64_t, 4>& bits) noexcept {
    for (size_t i = 0; i < 4; ++i) filters_[interface][i].store(bits[i], std::memory_order_relaxed);
  }
  uint64_t seed_;
  std::unique_ptr<Filter[]> filters_;
};

}  // namespace maclane
