#include "dataplane/table/expectations.h"

#include <algorithm>
#include <cstring>

namespace maclane {
namespace {

[[nodiscard]] bool is_over(const Expectation& e, uint32_t now_cs) noexcept {
  return static_cast<int32_t>(now_cs - e.expires_cs) >= 0;
}

}  // namespace

Expectations::Expectations(uint32_t slots)
    : mask_(std::max(slots / kWays, 1u) - 1), slots_(new Slot[(mask_ + size_t{1}) * kWays]) {}

uint32_t Expectations::bucket_of(uint8_t proto, be32 dst, be16 dport) const noexcept {
  const uint64_t key = uint64_t{dst.raw} << 24 | uint64_t{dport.raw} << 8 | proto;
  return static_cast<uint32_t>((key * 0x9e3779b97f4a7c15ULL) >> 40) & mask_;
}

uint32_t Expectations::look(const Slot& slot, Expectation& out) const noexcept {
  const uint32_t version = slot.version.load(std::memory_order_acquire);
  if ((version & 1) != 0 || slot.taken.load(std::memory_order_relaxed) == 0) return 0;
  std::array<uint64_t, kWords> words;
  for (unsigned i = 0; i < kWords; ++i) words[i] = slot.words[i].load(std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_acquire);
  if (slot.version.load(std::memory_order_relaxed) != version) return 0;
  std::memcpy(static_cast<void*>(&out), words.data(), sizeof(out));
  return version;
}

Expectations::Ref Expectations::find(const Tuple& t, uint32_t now_cs,
                                     Expectation& out) const noexcept {
  const uint32_t first = bucket_of(t.proto, t.dst, t.dport) * kWays;
  for (uint32_t i = first; i < first + kWays; ++i) {
    const uint32_t version = look(slots_[i], out);
    if (version != 0 && out.fits(t) && !is_over(out, now_cs)) return {i, version};
  }
  return {};
}

be16 Expectations::sender_of(const Tuple& t, uint32_t now_cs) const noexcept {
  const uint32_t first = bucket_of(t.proto, t.dst, t.dport) * kWays;
  Expectation e;
  for (uint32_t i = first; i < first + kWays; ++i) {
    if (look(slots_[i], e) != 0 && e.proto == t.proto && e.dst == t.dst && e.dport == t.dport &&
        e.src == t.src && e.sport.raw != 0 && !is_over(e, now_cs)) {
      return e.sport;
    }
  }
  return {};
}

bool Expectations::clashes(const Expectation& e, uint32_t now_cs) const noexcept {
  const uint32_t first = bucket_of(e.proto, e.dst, e.dport) * kWays;
  Expectation other;
  for (uint32_t i = first; i < first + kWays; ++i) {
    if (look(slots_[i], other) != 0 && other.clashes(e) && other.master != e.master &&
        !is_over(other, now_cs)) {
      return true;
    }
  }
  return false;
}

Expectations::Ref Expectations::add(const Expectation& e, uint32_t now_cs) noexcept {
  const uint32_t first = bucket_of(e.proto, e.dst, e.dport) * kWays;
  Expectation old;
  for (uint32_t i = first; i < first + kWays; ++i) {
    Slot& slot = slots_[i];
    uint32_t version = slot.version.load(std::memory_order_acquire);
    if ((version & 1) != 0) continue;
    const bool taken = slot.taken.load(std::memory_order_relaxed) != 0;
    if (taken && (look(slot, old) != version || !is_over(old, now_cs))) continue;
    if (!slot.version.compare_exchange_strong(version, version + 1, std::memory_order_acq_rel))
      continue;
    std::atomic_thread_fence(std::memory_order_release);
    std::array<uint64_t, kWords> words;
    std::memcpy(words.data(), &e, sizeof(e));
    for (unsigned k = 0; k < kWords; ++k) slot.words[k].store(words[k], std::memory_order_relaxed);
    if (!taken) used_.fetch_add(1, std::memory_order_relaxed);
    slot.taken.store(1, std::memory_order_relaxed);
    slot.version.store(version + 2, std::memory_order_release);
    return {i, version + 2};
  }
  return {};
}

bool Expectations::take(Ref ref) noexcept {
  if (!ref) return false;
  Slot& slot = slots_[ref.slot];
  uint32_t version = ref.version;
  if (!slot.version.compare_exchange_strong(version, version + 1, std::memory_order_acq_rel))
    return false;
  slot.taken.store(0, std::memory_order_relaxed);
  used_.fetch_sub(1, std::memory_order_relaxed);
  // Versions come round after two thousand million uses; 0 says that there is none.
  const uint32_t next = ref.version + 2;
  slot.version.store(next == 0 ? 2 : next, std::memory_order_release);
  return true;
}

bool Expectations::read(Ref ref, Expectation& out) const noexcept {
  return ref && look(slots_[ref.slot], out) == ref.version;
}

void Expectations::sweep(uint32_t now_cs) noexcept {
  if (empty()) return;
  Expectation e;
  for (uint32_t i = 0; i < (mask_ + 1) * kWays; ++i) {
    const uint32_t version = look(slots_[i], e);
    if (version != 0 && is_over(e, now_cs)) (void)take({i, version});
  }
}

}  // namespace maclane
