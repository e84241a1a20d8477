// Destination MAC to interface for one L2 domain: buckets of four entries of eight bytes, at most
// half full, so that its cost does not depend on the number of vports and nearly every lookup is
// one bucket compared without a branch (4096 vports: 64 KiB; 24: 512 bytes). Built by control
// inside a snapshot, immutable afterwards; read by workers.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dataplane/net/types.h"

namespace maclane {

class MacTable {
 public:
  /// A duplicate MAC replaces the entry before it (the model refuses duplicates beforehand).
  void insert(const MacAddr& mac, IfIndex interface);
  /// kNoIf if the MAC is nobody's.
  [[nodiscard]] IfIndex find(uint64_t mac_key) const noexcept {
    if (buckets_.empty()) return kNoIf;
    for (uint32_t i = hash(mac_key) & mask_;; i = (i + 1) & mask_) {
      const Bucket& b = buckets_[i];
      uint64_t found = 0;
      for (const uint64_t entry : b.entries) found |= (entry << 16) == mac_key << 16 ? entry : 0;
      if ((found >> 48) != 0) return static_cast<IfIndex>(found >> 48);
      if (b.entries[kWays - 1] == 0) return kNoIf;  // filled in order: no later bucket has more
    }
  }
  [[nodiscard]] size_t size() const noexcept { return size_; }

 private:
  static constexpr unsigned kWays = 4;
  struct alignas(32) Bucket {
    std::array<uint64_t, kWays> entries{};  // interface << 48 | MAC; 0: free
  };
  [[nodiscard]] static uint32_t hash(uint64_t key) noexcept {
    return static_cast<uint32_t>((key * 0x9e3779b97f4a7c15ULL) >> 40);
  }
  void grow();
  void put(uint64_t entry);
  std::vector<Bucket> buckets_;
  uint32_t mask_ = 0;
  size_t size_ = 0;
};

}  // namespace maclane
