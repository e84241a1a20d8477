// Destination MAC to interface for one L2 domain: a small open-addressed table, at most half full,
// so that its cost does not depend on the number of vports (4096 entries: 128 KiB; 24: one KiB).
// Built by control inside a snapshot, immutable afterwards; read by workers.
#pragma once

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
    if (slots_.empty()) return kNoIf;
    for (uint32_t i = hash(mac_key) & mask_;; i = (i + 1) & mask_) {
      const Slot& s = slots_[i];
      if (s.interface == kNoIf) return kNoIf;
      if (s.key == mac_key) return s.interface;
    }
  }
  [[nodiscard]] size_t size() const noexcept { return size_; }

 private:
  struct Slot {
    uint64_t key = 0;
    IfIndex interface = kNoIf;
  };
  [[nodiscard]] static uint32_t hash(uint64_t key) noexcept {
    return static_cast<uint32_t>((key * 0x9e3779b97f4a7c15ULL) >> 40);
  }
  void grow();
  std::vector<Slot> slots_;
  uint32_t mask_ = 0;
  size_t size_ = 0;
};

}  // namespace maclane
