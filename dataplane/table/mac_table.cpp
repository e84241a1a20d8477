#include "dataplane/table/mac_table.h"

namespace maclane {

namespace {
constexpr uint64_t kKeyBits = 0xffffffffffffULL;
}  // namespace

void MacTable::insert(const MacAddr& mac, IfIndex interface) {
  if (interface == kNoIf) return;  // that is what a free entry holds
  const uint64_t entry = uint64_t{interface} << 48 | mac.key();
  if (find(mac.key()) != kNoIf) {
    for (Bucket& b : buckets_) {
      for (uint64_t& e : b.entries) {
        if ((e & kKeyBits) == mac.key() && e != 0) e = entry;
      }
    }
    return;
  }
  if ((size_ + 1) * 2 > buckets_.size() * kWays) grow();
  put(entry);
  ++size_;
}

void MacTable::put(uint64_t entry) {
  for (uint32_t i = hash(entry & kKeyBits) & mask_;; i = (i + 1) & mask_) {
    for (uint64_t& e : buckets_[i].entries) {
      if (e != 0) continue;
      e = entry;
      return;
    }
  }
}

void MacTable::grow() {
  std::vector<Bucket> old(buckets_.empty() ? 1 : buckets_.size() * 2);
  old.swap(buckets_);
  mask_ = static_cast<uint32_t>(buckets_.size() - 1);
  for (const Bucket& b : old) {
    for (const uint64_t e : b.entries) {
      if (e != 0) put(e);
    }
  }
}

}  // namespace maclane
