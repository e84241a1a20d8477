#include "dataplane/table/session.h"

#include <rte_prefetch.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace maclane {

namespace {

constexpr unsigned kWays = 8;
constexpr uint32_t kMaxCapacity = 1u << 30;  // a reference is session << 1 | direction

// What create() may clear: `sequence` belongs to the readers of copy().
constexpr size_t kClearedBytes = offsetof(Session, sequence);
static_assert(kClearedBytes + sizeof(std::atomic<uint32_t>) == sizeof(Session));
// match() compares the twelve bytes of a leg's tuple at once.
static_assert(offsetof(Leg, src) == 0 && offsetof(Leg, dst) == 4 && offsetof(Leg, sport) == 8 &&
              offsetof(Leg, dport) == 10);
static_assert(sizeof(Tuple) == 13 && offsetof(Tuple, proto) == 12);

__extension__ using Wide = unsigned __int128;

/// The multiply-and-fold step of wyhash: every input bit reaches every output bit.
uint64_t mix(uint64_t a, uint64_t b) noexcept {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

uint16_t tag_of(uint32_t hash) noexcept {
  const auto tag = static_cast<uint16_t>(hash >> 16);
  return tag == 0 ? uint16_t{1} : tag;  // 0 is an empty place
}

void* map_memory(size_t bytes) noexcept {
  void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) return nullptr;
  madvise(p, bytes, MADV_HUGEPAGE);  // a wish: without it all still works
  return p;
}

/// The seqlock's writing side: odd from here to the end of the scope.
class Change {
 public:
  explicit Change(Session& s) noexcept : sequence_(s.sequence) {
    sequence_.store(sequence_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
  }
  ~Change() {
    sequence_.store(sequence_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;

 private:
  std::atomic<uint32_t>& sequence_;
};

}  // namespace

struct alignas(64) SessionTable::Bucket {
  uint16_t tags[kWays];  // 0: empty
  uint32_t references[kWays];
  uint32_t spilled;  // keys whose first bucket this is and that live in their second
  uint32_t reserved[3];

  /// Bit i is set where tags[i] == tag.
  [[nodiscard]] unsigned matching(uint16_t tag) const noexcept {
#ifdef __SSE2__
    const __m128i all = _mm_load_si128(reinterpret_cast<const __m128i*>(tags));
    const __m128i equal = _mm_cmpeq_epi16(all, _mm_set1_epi16(static_cast<short>(tag)));
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128())));
#else
    unsigned bits = 0;
    for (unsigned i = 0; i < kWays; ++i) bits |= (tags[i] == tag ? 1u : 0u) << i;
    return bits;
#endif
  }
  bool put(uint16_t tag, uint32_t reference) noexcept {
    const unsigned empty = matching(0);
    if (empty == 0) return false;
    const auto i = static_cast<unsigned>(std::countr_zero(empty));
    tags[i] = tag;
    references[i] = reference;
    return true;
  }
  bool take(uint16_t tag, uint32_t reference) noexcept {
    for (unsigned bits = matching(tag); bits != 0; bits &= bits - 1) {
      const auto i = static_cast<unsigned>(std::countr_zero(bits));
      if (references[i] != reference) continue;
      tags[i] = 0;
      return true;
    }
    return false;
  }
};

SessionTable::SessionTable(uint32_t capacity, uint64_t seed)
    : capacity_(capacity),
      seeds_{mix(seed ^ 0xa0761d6478bd642fULL, 0xe7037ed1a0b428dbULL),
             mix(seed ^ 0x8ebc6af09c88c6e3ULL, 0x589965cc75374cc3ULL)} {
  static_assert(sizeof(Bucket) == 64 && offsetof(Bucket, references) == 16);
  if (capacity == 0 || capacity > kMaxCapacity) return;
  // Two keys a session and four keys a bucket: between a quarter and half full at capacity.
  const uint32_t buckets = std::max(2u, std::bit_ceil((capacity + 1) / 2));
  bucket_mask_ = buckets - 1;
  void* index = map_memory(size_t{buckets} * sizeof(Bucket));
  void* slots = map_memory(size_t{capacity} * sizeof(Session));
  if (index == nullptr || slots == nullptr) {
    if (index != nullptr) munmap(index, size_t{buckets} * sizeof(Bucket));
    if (slots != nullptr) munmap(slots, size_t{capacity} * sizeof(Session));
    return;
  }
  buckets_ = static_cast<Bucket*>(index);  // zero pages are empty buckets and free sessions
  sessions_ = static_cast<Session*>(slots);
}

SessionTable::~SessionTable() {
  if (!valid()) return;
  munmap(buckets_, (size_t{bucket_mask_} + 1) * sizeof(Bucket));
  munmap(sessions_, size_t{capacity_} * sizeof(Session));
}

uint64_t SessionTable::memory_bytes() const noexcept {
  if (!valid()) return 0;
  return (uint64_t{bucket_mask_} + 1) * sizeof(Bucket) + uint64_t{capacity_} * sizeof(Session);
}

uint32_t SessionTable::hash(const Tuple& t) const noexcept {
  uint64_t addresses = 0;
  uint64_t rest = 0;
  std::memcpy(&addresses, &t, 8);
  std::memcpy(&rest, reinterpret_cast<const uint8_t*>(&t) + 8, 5);
  const uint64_t h =
      mix(mix(addresses ^ seeds_[0], rest ^ seeds_[1]) ^ seeds_[0], 0x589965cc75374cc3ULL);
  return static_cast<uint32_t>(h ^ (h >> 32));
}

SessionTable::Bucket& SessionTable::bucket(uint32_t hash) const noexcept {
  return buckets_[hash & bucket_mask_];
}

SessionTable::Bucket& SessionTable::second_bucket(uint32_t hash) const noexcept {
  uint32_t h = (hash ^ (hash >> 15)) * 0x85ebca6bu;
  h ^= h >> 13;
  if (((h ^ hash) & bucket_mask_) == 0) h ^= 1;  // never the first one
  return buckets_[h & bucket_mask_];
}

void SessionTable::prefetch_bucket(uint32_t hash) const noexcept {
  rte_prefetch0(&bucket(hash));
}

void SessionTable::prefetch_session(uint32_t session) const noexcept {
  rte_prefetch0(&sessions_[session]);
  rte_prefetch0(&sessions_[session].reply);
}

SessionTable::Hit SessionTable::match(const Bucket& b, const Tuple& t,
                                      uint32_t hash) const noexcept {
  for (unsigned bits = b.matching(tag_of(hash)); bits != 0; bits &= bits - 1) {
    const uint32_t reference = b.references[std::countr_zero(bits)];
    const Session& s = sessions_[reference >> 1];
    const auto direction = static_cast<uint8_t>(reference & 1);
    if (std::memcmp(&s.leg(direction), &t, 12) == 0 && s.proto == t.proto)
      return {reference >> 1, direction};
  }
  return {};
}

SessionTable::Hit SessionTable::find(const Tuple& t, uint32_t hash) const noexcept {
  const Bucket& first = bucket(hash);
  const Hit hit = match(first, t, hash);
  if (hit || first.spilled == 0) return hit;
  return match(second_bucket(hash), t, hash);
}

bool SessionTable::insert_key(uint32_t hash, uint32_t reference) noexcept {
  Bucket& first = bucket(hash);
  if (first.put(tag_of(hash), reference)) return true;
  if (!second_bucket(hash).put(tag_of(hash), reference)) return false;
  ++first.spilled;
  return true;
}

void SessionTable::erase_key(uint32_t hash, uint32_t reference) noexcept {
  Bucket& first = bucket(hash);
  if (first.take(tag_of(hash), reference)) return;
  if (second_bucket(hash).take(tag_of(hash), reference)) --first.spilled;
}

uint32_t SessionTable::create(const Tuple& original, const Tuple& reply, TimeoutClass timeout_class,
                              uint32_t now_cs) noexcept {
  if (original == reply || original.proto != reply.proto) return kNone;
  const bool recycled = free_head_ != kNone;
  if (!recycled && never_used_ == capacity_) return kNone;
  const uint32_t session = recycled ? free_head_ : never_used_;
  const uint32_t original_hash = hash(original);
  const uint32_t reply_hash = hash(reply);
  if (find(original, original_hash) || find(reply, reply_hash)) return kNone;
  if (!insert_key(original_hash, session << 1 | kOriginal)) return kNone;
  if (!insert_key(reply_hash, session << 1 | kReply)) {
    erase_key(original_hash, session << 1 | kOriginal);
    return kNone;
  }
  Session& s = recycled ? sessions_[session] : *new (&sessions_[session]) Session;
  if (recycled)
    free_head_ = s.next;
  else
    ++never_used_;
  {
    const Change change(s);
    std::memset(static_cast<void*>(&s), 0, kClearedBytes);
    std::memcpy(static_cast<void*>(&s.original), &original, 12);
    std::memcpy(static_cast<void*>(&s.reply), &reply, 12);
    s.original.neighbour = s.reply.neighbour = kNoNeighbour;
    s.proto = original.proto;
    s.timeout_class = timeout_class;
    s.last_seen_cs = now_cs;
    s.flags = Session::kUsed;
    push(static_cast<unsigned>(timeout_class) * kLevels, session, now_cs);
  }
  size_.store(size() + 1, std::memory_order_relaxed);
  return session;
}

void SessionTable::release(uint32_t session) noexcept {
  Session& s = sessions_[session];
  if (!s.has(Session::kUsed)) return;
  erase_key(hash(s.tuple(kOriginal)), session << 1 | kOriginal);
  erase_key(hash(s.tuple(kReply)), session << 1 | kReply);
  unlink(session);
  uint32_t& list = s.has(Session::kClaimed) ? parked_head_ : free_head_;
  {
    const Change change(s);
    s.flags = 0;
    s.next = list;
  }
  list = session;
  size_.store(size() - 1, std::memory_order_relaxed);
}

void SessionTable::free_parked() noexcept {
  const uint32_t session = parked_head_;
  parked_head_ = sessions_[session].next;
  sessions_[session].next = free_head_;
  free_head_ = session;
}

bool SessionTable::copy(uint32_t session, Session& out) const noexcept {
  if (session >= capacity_) return false;
  const Session& s = sessions_[session];
  const uint32_t before = s.sequence.load(std::memory_order_acquire);
  if ((before & 1) != 0) return false;
  std::memcpy(static_cast<void*>(&out), &s, kClearedBytes);
  std::atomic_thread_fence(std::memory_order_acquire);
  if (s.sequence.load(std::memory_order_relaxed) != before) return false;
  out.sequence.store(before, std::memory_order_relaxed);
  return out.has(Session::kUsed);
}

}  // namespace maclane
