#include "dataplane/table/mappings.h"

#include <sys/mman.h>

namespace maclane {
namespace {

constexpr uint64_t kCount = 0xffffffff;

[[nodiscard]] constexpr uint64_t tag_of(uint64_t key) noexcept {
  return key & ~kCount;
}

}  // namespace

Mappings::Mappings(uint32_t slots, uint64_t seed)
    : mask_(slots / kWays - 1), seed_(seed), allowed_(slots / 2) {
  // Zeros, and pages that no mapping was ever written to are not there at all.
  void* memory = mmap(nullptr, (mask_ + size_t{1}) * sizeof(Bucket), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory != MAP_FAILED) buckets_ = static_cast<Bucket*>(memory);
}

Mappings::~Mappings() {
  if (buckets_ != nullptr) munmap(buckets_, (mask_ + size_t{1}) * sizeof(Bucket));
}

size_t Mappings::bytes() const noexcept {
  return (mask_ + size_t{1}) * sizeof(Bucket) + allowed_.bytes();
}

uint64_t Mappings::mix(uint64_t a, uint64_t b) const noexcept {
  __extension__ using Wide = unsigned __int128;
  const auto fold = [](uint64_t x, uint64_t y) {
    const Wide product = static_cast<Wide>(x) * y;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  };
  return fold(fold(a ^ seed_, b ^ 0xd6e8feb86659fd93ULL) ^ seed_, 0x9e3779b97f4a7c15ULL);
}

uint64_t Mappings::inside_key(const Mapping& m) const noexcept {
  return (mix(inside_of(m), m.out_address.raw) & ~kPending) | kValid;
}

uint64_t Mappings::outside_key(const Mapping& m) const noexcept {
  const uint64_t what = uint64_t{m.out_port.raw} << 8 | m.proto | uint64_t{1} << 40;
  return (mix(what, m.out_address.raw) & ~kPending) | kValid;
}

std::array<uint32_t, 2> Mappings::places_of(uint64_t key) const noexcept {
  const auto one = static_cast<uint32_t>(key) & mask_;
  return {one, static_cast<uint32_t>(key >> 24) & mask_};
}

Mappings::Entry* Mappings::find(uint64_t key, const Entry* but) const noexcept {
  for (const uint32_t place : places_of(key))
    for (Entry& entry : buckets_[place].entries)
      if ((entry.key.load() & ~kPending) == key && &entry != but) return &entry;
  return nullptr;
}

Mappings::Held Mappings::enter(uint64_t key, uint64_t inside, uint64_t outside) noexcept {
  if (const Entry* known = find(key); known != nullptr)
    return (known->key.load() & kPending) != 0 ? Held::kBusy : Held::kTaken;
  for (const uint32_t place : places_of(key)) {
    for (Entry& entry : buckets_[place].entries) {
      uint64_t none = 0;
      if (!entry.key.compare_exchange_strong(none, key | kPending)) continue;
      // Of two that enter a key at once one at least sees the other, and gives way.
      if (find(key, &entry) != nullptr) {
        entry.key.store(0);
        return Held::kBusy;
      }
      entry.inside.store(inside);
      entry.outside.store(outside);
      entry.count.store(tag_of(key) | 1);
      entry.key.store(key);
      return Held::kHeld;
    }
  }
  return Held::kFull;
}

void Mappings::erase(uint64_t key) noexcept {
  if (Entry* entry = find(key); entry != nullptr) entry->key.store(0);
}

Mappings::Held Mappings::hold(Mapping& m) noexcept {
  const uint64_t key = inside_key(m);
  for (unsigned round = 0; round < kRounds; ++round) {
    Entry* const entry = find(key);
    if (entry == nullptr) return Held::kNone;
    uint64_t count = entry->count.load();
    if ((entry->key.load() & kPending) != 0) continue;
    if (tag_of(count) != tag_of(key) || (count & kCount) == 0) continue;  // it is about to go
    if (!entry->count.compare_exchange_strong(count, count + 1)) continue;
    const uint64_t outside = entry->outside.load();
    m.out_port = be16::from(static_cast<uint16_t>(outside >> 16));
    m.out_if = static_cast<IfIndex>(outside);
    return Held::kHeld;
  }
  return Held::kBusy;
}

Mappings::Held Mappings::create(const Mapping& m) noexcept {
  const uint64_t outer = outside_key(m);
  Held held = Held::kBusy;
  for (unsigned round = 0; held == Held::kBusy && round < kRounds; ++round)
    held = enter(outer, inside_of(m), outside_of(m));
  if (held != Held::kHeld) return held;
  held = enter(inside_key(m), inside_of(m), outside_of(m));
  if (held == Held::kHeld) {
    size_.fetch_add(1, std::memory_order_relaxed);
    return held;
  }
  erase(outer);
  return held == Held::kFull ? Held::kFull : Held::kBusy;  // another worker has just made one
}

void Mappings::release(const Mapping& m) noexcept {
  const uint64_t key = inside_key(m);
  Entry* const entry = find(key);
  if (entry == nullptr) return;
  uint64_t count = entry->count.load();
  while (tag_of(count) == tag_of(key) && (count & kCount) != 0) {
    if (!entry->count.compare_exchange_weak(count, count - 1)) continue;
    if ((count & kCount) != 1) return;
    // Nobody can hold it any more; the outer port first, so that no other mapping leads here.
    erase(outside_key(m));
    entry->key.store(0);
    size_.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
}

bool Mappings::find_outside(Mapping& m) const noexcept {
  if (size() == 0) return false;
  const uint64_t key = outside_key(m);
  const Entry* const entry = find(key);
  if (entry == nullptr) return false;
  const uint64_t inside = entry->inside.load();
  const uint64_t outside = entry->outside.load();
  if (entry->key.load() != key) return false;
  if ((outside & ~uint64_t{0xffff}) != (outside_of(m) & ~uint64_t{0xffff})) return false;
  m.in_address = be32::from(static_cast<uint32_t>(inside >> 32));
  m.in_port = be16::from(static_cast<uint16_t>(inside >> 16));
  m.out_if = static_cast<IfIndex>(outside);
  return true;
}

void Mappings::allow(const Mapping& m, be32 remote) noexcept {
  (void)allowed_.add(mix(outside_key(m), remote.raw));
}

void Mappings::disallow(const Mapping& m, be32 remote) noexcept {
  allowed_.remove_one(mix(outside_key(m), remote.raw));
}

bool Mappings::allows(const Mapping& m, be32 remote) const noexcept {
  return allowed_.count(mix(outside_key(m), remote.raw)) != 0;
}

}  // namespace maclane
