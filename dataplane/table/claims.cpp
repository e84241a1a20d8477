#include "dataplane/table/claims.h"

#include <sys/mman.h>

#include <bit>

namespace maclane {

ClaimTable::~ClaimTable() {
  if (entries_ != nullptr) munmap(entries_, memory_bytes());
}

bool ClaimTable::reserve(uint32_t capacity) noexcept {
  if (capacity == 0 || capacity > 1u << 24 || entries_ != nullptr) return false;
  const uint32_t places = std::bit_ceil(2 * capacity);
  void* p = mmap(nullptr, size_t{places} * sizeof(Entry), PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) return false;
  entries_ = static_cast<Entry*>(p);
  mask_ = places - 1;
  capacity_ = capacity;
  return true;
}

uint64_t ClaimTable::memory_bytes() const noexcept {
  return entries_ == nullptr ? 0 : (uint64_t{mask_} + 1) * sizeof(Entry);
}

const ClaimTable::Entry* ClaimTable::find(const Tuple& t, uint32_t hash) const noexcept {
  if (size() == 0) return nullptr;
  for (uint32_t place = hash & mask_; entries_[place].taken; place = (place + 1) & mask_) {
    if (entries_[place].hash == hash && entries_[place].tuple == t) return &entries_[place];
  }
  return nullptr;
}

bool ClaimTable::insert(const Tuple& t, uint32_t hash, unsigned worker, uint32_t session) noexcept {
  if (size() >= capacity_) return false;
  uint32_t place = hash & mask_;
  while (entries_[place].taken) place = (place + 1) & mask_;
  entries_[place] = {t, true, static_cast<uint8_t>(worker), 0, session, hash};
  size_.store(size() + 1, std::memory_order_relaxed);
  return true;
}

void ClaimTable::set_session(const Entry& entry, uint32_t session) noexcept {
  entries_[&entry - entries_].session = session;
}

void ClaimTable::erase(const Entry& entry) noexcept {
  auto hole = static_cast<uint32_t>(&entry - entries_);
  // What stands behind moves into the hole if its search begins at or before it.
  for (uint32_t at = (hole + 1) & mask_; entries_[at].taken; at = (at + 1) & mask_) {
    const uint32_t first = entries_[at].hash & mask_;
    if (((at - first) & mask_) < ((at - hole) & mask_)) continue;
    entries_[hole] = entries_[at];
    hole = at;
  }
  entries_[hole].taken = false;
  size_.store(size() - 1, std::memory_order_relaxed);
}

}  // namespace maclane
