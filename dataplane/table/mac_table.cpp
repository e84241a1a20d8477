#include "dataplane/table/mac_table.h"

namespace maclane {

void MacTable::insert(const MacAddr& mac, IfIndex interface) {
  if (interface == kNoIf) return;  // that is what an empty slot holds
  if ((size_ + 1) * 2 > slots_.size()) grow();
  const uint64_t key = mac.key();
  for (uint32_t i = hash(key) & mask_;; i = (i + 1) & mask_) {
    Slot& s = slots_[i];
    if (s.interface != kNoIf && s.key != key) continue;
    if (s.interface == kNoIf) ++size_;
    s = {key, interface};
    return;
  }
}

void MacTable::grow() {
  std::vector<Slot> old(slots_.empty() ? 4 : slots_.size() * 2);
  old.swap(slots_);
  mask_ = static_cast<uint32_t>(slots_.size() - 1);
  for (const Slot& s : old) {
    if (s.interface == kNoIf) continue;
    uint32_t i = hash(s.key) & mask_;
    while (slots_[i].interface != kNoIf) i = (i + 1) & mask_;
    slots_[i] = s;
  }
}

}  // namespace maclane
