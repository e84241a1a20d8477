#include "dataplane/table/session.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

namespace maclane {

namespace {

constexpr uint32_t kMaxCapacity = 1u << 30;  // a reference is session << 1 | direction

// What create() clears of a side, and copy() copies: `sequence` belongs to the readers of copy(),
// and what stands before it to the lists.
constexpr size_t kClearedFrom = offsetof(SessionSide, sequence) + sizeof(std::atomic<uint32_t>);
constexpr size_t kClearedBytes = sizeof(SessionSide) - kClearedFrom;
// match() compares the twelve bytes of a leg's tuple at once.
static_assert(offsetof(Leg, src) == 0 && offsetof(Leg, dst) == 4 && offsetof(Leg, sport) == 8 &&
              offsetof(Leg, dport) == 10);
static_assert(sizeof(Tuple) == 13 && offsetof(Tuple, proto) == 12);

constexpr size_t kHugePage = size_t{2} << 20;

size_t whole_pages(size_t bytes) noexcept {
  return bytes < kHugePage ? bytes : (bytes + kHugePage - 1) & ~(kHugePage - 1);
}

/// Reserved huge pages if so wanted and there; else ordinary ones that the kernel may join to huge
/// ones, which takes a start on their boundary. A random line of a large table costs a third less
/// in huge pages.
void* map_memory(size_t bytes, bool huge_pages) noexcept {
  constexpr int kProtection = PROT_READ | PROT_WRITE;
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS;
  const size_t whole = whole_pages(bytes);
  if (huge_pages && whole >= kHugePage) {
    constexpr int kOf2Mb = 21 << 26;  // MAP_HUGE_SHIFT: whatever the kernel's default is
    void* p = mmap(nullptr, whole, kProtection, kFlags | MAP_HUGETLB | kOf2Mb, -1, 0);
    if (p != MAP_FAILED) return p;
  }
  const size_t slack = whole >= kHugePage ? kHugePage : 0;
  void* p = mmap(nullptr, whole + slack, kProtection, kFlags | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) return nullptr;
  if (slack == 0) return p;
  auto* const begin = static_cast<std::byte*>(p);
  const size_t before = (kHugePage - reinterpret_cast<uintptr_t>(p) % kHugePage) % kHugePage;
  if (before != 0) munmap(begin, before);
  if (slack != before) munmap(begin + before + whole, slack - before);
  madvise(begin + before, whole, MADV_HUGEPAGE);  // a wish: without it all still works
  return begin + before;
}

/// Two keys a session and four keys a bucket: between a quarter and half full at capacity.
uint32_t buckets_for(uint32_t capacity) noexcept {
  return std::max(2u, std::bit_ceil((capacity + 1) / 2));
}

void unmap_memory(void* p, size_t bytes) noexcept {
  munmap(p, whole_pages(bytes));
}

/// The seqlock's writing side: odd from here to the end of the scope.
class Change {
 public:
  explicit Change(SessionSide& s) noexcept : sequence_(s.sequence) {
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

bool SessionTable::Bucket::put(uint16_t tag, uint32_t reference) noexcept {
  const unsigned empty = matching(0);
  if (empty == 0) return false;
  const auto i = static_cast<unsigned>(std::countr_zero(empty));
  tags[i] = tag;
  references[i] = reference;
  return true;
}

bool SessionTable::Bucket::take(uint16_t tag, uint32_t reference) noexcept {
  for (unsigned bits = matching(tag); bits != 0; bits &= bits - 1) {
    const auto i = static_cast<unsigned>(std::countr_zero(bits));
    if (references[i] != reference) continue;
    tags[i] = 0;
    return true;
  }
  return false;
}

SessionTable::SessionTable(uint32_t capacity, uint64_t seed, bool huge_pages)
    : capacity_(capacity),
      seeds_{mix(seed ^ 0xa0761d6478bd642fULL, 0xe7037ed1a0b428dbULL),
             mix(seed ^ 0x8ebc6af09c88c6e3ULL, 0x589965cc75374cc3ULL)},
      limit_(capacity) {
  if (capacity == 0 || capacity > kMaxCapacity) return;
  const uint32_t buckets = buckets_for(capacity);
  bucket_mask_ = buckets - 1;
  void* index = map_memory(size_t{buckets} * sizeof(Bucket), huge_pages);
  void* slots = map_memory(size_t{capacity} * sizeof(Session), huge_pages);
  void* sides = map_memory(size_t{capacity} * sizeof(SessionSide), huge_pages);
  if (index == nullptr || slots == nullptr || sides == nullptr) {
    if (index != nullptr) unmap_memory(index, size_t{buckets} * sizeof(Bucket));
    if (slots != nullptr) unmap_memory(slots, size_t{capacity} * sizeof(Session));
    if (sides != nullptr) unmap_memory(sides, size_t{capacity} * sizeof(SessionSide));
    return;
  }
  buckets_ = static_cast<Bucket*>(index);  // zero pages are empty buckets and free sessions
  sessions_ = static_cast<Session*>(slots);
  sides_ = static_cast<SessionSide*>(sides);
}

SessionTable::~SessionTable() {
  if (!valid()) return;
  unmap_memory(buckets_, (size_t{bucket_mask_} + 1) * sizeof(Bucket));
  unmap_memory(sessions_, size_t{capacity_} * sizeof(Session));
  unmap_memory(sides_, size_t{capacity_} * sizeof(SessionSide));
}

uint64_t SessionTable::bytes_for(uint32_t capacity) noexcept {
  return uint64_t{buckets_for(capacity)} * sizeof(Bucket) +
         uint64_t{capacity} * (sizeof(Session) + sizeof(SessionSide));
}

uint64_t SessionTable::memory_bytes() const noexcept {
  if (!valid()) return 0;
  return bytes_for(capacity_);
}

SessionTable::Bucket& SessionTable::second_bucket(uint32_t hash) const noexcept {
  uint32_t h = (hash ^ (hash >> 15)) * 0x85ebca6bu;
  h ^= h >> 13;
  if (((h ^ hash) & bucket_mask_) == 0) h ^= 1;  // never the first one
  return buckets_[h & bucket_mask_];
}

SessionTable::Hit SessionTable::match(const Bucket& b, const Tuple& t,
                                      uint32_t hash) const noexcept {
  for (unsigned bits = b.matching(tag_of(hash)); bits != 0; bits &= bits - 1) {
    const uint32_t reference = b.references[std::countr_zero(bits)];
    const auto direction = static_cast<uint8_t>(reference & 1);
    if (sessions_[reference >> 1].is(direction, t)) return {reference >> 1, direction};
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
  Bucket& second = second_bucket(hash);
  if (!second.put(tag_of(hash), reference)) {
    if (make_room(first)) return first.put(tag_of(hash), reference);
    if (!make_room(second)) return false;
    (void)second.put(tag_of(hash), reference);
  }
  ++first.spilled;
  return true;
}

bool SessionTable::make_room(Bucket& full) noexcept {
  for (unsigned i = 0; i < kWays; ++i) {
    const uint32_t reference = full.references[i];
    const auto direction = static_cast<uint8_t>(reference & 1);
    const uint32_t its = hash(sessions_[reference >> 1].tuple(direction));
    Bucket& first = bucket(its);
    const bool at_home = &first == &full;
    if (!(at_home ? second_bucket(its) : first).put(full.tags[i], reference)) continue;
    first.spilled = at_home ? first.spilled + 1 : first.spilled - 1;
    full.tags[i] = 0;
    return true;
  }
  return false;
}

void SessionTable::erase_key(uint32_t hash, uint32_t reference) noexcept {
  Bucket& first = bucket(hash);
  if (first.take(tag_of(hash), reference)) return;
  if (second_bucket(hash).take(tag_of(hash), reference)) --first.spilled;
}

uint32_t SessionTable::create(const Tuple& original, const Tuple& reply, TimeoutClass timeout_class,
                              uint32_t now_cs) noexcept {
  if (original == reply || original.proto != reply.proto || full()) return kNone;
  const bool recycled = free_head_ != kNone;
  const uint32_t fresh = ever_used();
  if (!recycled && fresh == capacity_) return kNone;
  const uint32_t session = recycled ? free_head_ : fresh;
  const uint32_t original_hash = hash(original);
  const uint32_t reply_hash = hash(reply);
  if (find(original, original_hash) || find(reply, reply_hash)) return kNone;
  Session& s = sessions_[session];
  SessionSide& side = sides_[session];
  const uint32_t next_free = side.next;
  {
    const Change change(side);
    // Filled before its keys are inserted: to make room for the second, the first may be moved.
    std::memset(static_cast<void*>(&s), 0, sizeof(Session));
    std::memset(reinterpret_cast<uint8_t*>(&side) + kClearedFrom, 0, kClearedBytes);
    std::memcpy(static_cast<void*>(&s.original), &original, 12);
    std::memcpy(static_cast<void*>(&s.reply), &reply, 12);
    s.original.neighbour = s.reply.neighbour = kNoNeighbour;
    s.unsettle();
    s.proto = original.proto;
    s.last_seen_cs = now_cs;
    side.created_cs = now_cs;
    side.timeout_class = timeout_class;
    const bool first = insert_key(original_hash, session << 1 | kOriginal);
    if (!first || !insert_key(reply_hash, session << 1 | kReply)) {
      if (first) erase_key(original_hash, session << 1 | kOriginal);
      return kNone;
    }
    s.flags = Session::kUsed;
    if (recycled)
      free_head_ = next_free;
    else
      never_used_.store(fresh + 1, std::memory_order_relaxed);
    // The next to be given out arrives while this connection is being seen to.
    const uint32_t following = free_head_ != kNone ? free_head_ : ever_used();
    if (following != capacity_) {
      prefetch_session(following);
      rte_prefetch0(&sides_[following]);
    }
    push(static_cast<unsigned>(timeout_class) * kLevels, session, now_cs);
  }
  size_.store(size() + 1, std::memory_order_relaxed);
  return session;
}

void SessionTable::release(uint32_t session) noexcept {
  const Session& s = sessions_[session];
  if (!s.has(Session::kUsed)) return;
  release(session, hash(s.tuple(kOriginal)), hash(s.tuple(kReply)));
}

void SessionTable::release(uint32_t session, uint32_t original_hash, uint32_t reply_hash) noexcept {
  Session& s = sessions_[session];
  if ((s.flags & Session::kTold) != 0 && told_ != nullptr) told_(told_context_, session);
  erase_key(original_hash, session << 1 | kOriginal);
  erase_key(reply_hash, session << 1 | kReply);
  unlink(session);
  const bool parks = (s.flags & Session::kParks) != 0;
  uint32_t& list = parks ? parked_head_ : free_head_;
  {
    const Change change(sides_[session]);
    s.flags = static_cast<uint16_t>(parks ? s.flags & ~Session::kUsed : 0);
    s.unsettle();
    sides_[session].next = list;
  }
  list = session;
  size_.store(size() - 1, std::memory_order_relaxed);
}

void SessionTable::free_parked() noexcept {
  const uint32_t session = parked_head_;
  parked_head_ = sides_[session].next;
  sessions_[session].flags = 0;
  sides_[session].next = free_head_;
  free_head_ = session;
}

bool SessionTable::copy(uint32_t session, Session& out, SessionSide& side) const noexcept {
  if (session >= capacity_) return false;
  const SessionSide& from = sides_[session];
  const uint32_t before = from.sequence.load(std::memory_order_acquire);
  if ((before & 1) != 0) return false;
  std::memcpy(static_cast<void*>(&out), &sessions_[session], sizeof(Session));
  std::memcpy(reinterpret_cast<uint8_t*>(&side) + kClearedFrom,
              reinterpret_cast<const uint8_t*>(&from) + kClearedFrom, kClearedBytes);
  std::atomic_thread_fence(std::memory_order_acquire);
  if (from.sequence.load(std::memory_order_relaxed) != before) return false;
  side.sequence.store(before, std::memory_order_relaxed);
  return out.has(Session::kUsed);
}

}  // namespace maclane
