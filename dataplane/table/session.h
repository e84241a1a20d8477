// One worker's connections: sessions (table/session_types.h), a two-choice bucket index over both
// tuples of each, and lazy expiry queues. The owning worker is the only writer; memory is fixed at
// construction.
//
// Index: 64-byte buckets of eight 16-bit tags and eight 32-bit references (session << 1 |
// direction). A key lives in its first bucket or, when that was full, in its second; when both are,
// another key moves to its other one. The first bucket counts how many it sent away, so that a
// lookup reads the second only when it must. Hashing
// is seeded: an attacker cannot choose collisions.
//
// Expiry: a packet only writes last_seen. Each timeout class has FIFOs of falling delay: the whole
// timeout, a quarter, a sixteenth, a sixty-fourth. The head of a queue is looked at when queued_at
// + delay has passed, and is released or, if it was seen since, queued again by what it has left.
// So no list is ever sorted, and a session goes at most a sixty-fourth of its timeout late. One
// that turns out to deserve a longer timeout than its queue's (effective_class) is moved there
// instead, and has to be looked at again when it carries packets.
//
// Full: evict() gives up the oldest of those that are not assured. The limit may be lower than the
// memory, and changes live.
//
// Control may read a session while its worker writes it (the console's listing); copy(), and
// nothing else, is made for that.
#pragma once

#include <rte_prefetch.h>

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "dataplane/table/session_types.h"

namespace maclane {

class SessionTable {
 public:
  static constexpr uint32_t kNone = 0xffffffffu;
  struct Hit {
    uint32_t session = kNone;
    uint8_t direction = kOriginal;
    [[nodiscard]] explicit operator bool() const noexcept { return session != kNone; }
  };

  /// capacity sessions (the index is rounded up to a power of two); maps its memory at once. Check
  /// valid(): false if the memory could not be had.
  /// huge_pages: in reserved huge pages, as long as there are any; else in ordinary ones that the
  /// kernel may join.
  SessionTable(uint32_t capacity, uint64_t seed, bool huge_pages = false);
  ~SessionTable();
  [[nodiscard]] bool valid() const noexcept { return sessions_ != nullptr; }
  SessionTable(const SessionTable&) = delete;
  SessionTable& operator=(const SessionTable&) = delete;

  [[nodiscard]] uint32_t hash(const Tuple& t) const noexcept {
    uint64_t addresses = 0;
    uint32_t ports = 0;
    std::memcpy(&addresses, &t, 8);
    std::memcpy(&ports, reinterpret_cast<const uint8_t*>(&t) + 8, 4);
    const uint64_t rest = ports | uint64_t{t.proto} << 32;
    const uint64_t h =
        mix(mix(addresses ^ seeds_[0], rest ^ seeds_[1]) ^ seeds_[0], 0x589965cc75374cc3ULL);
    return static_cast<uint32_t>(h ^ (h >> 32));
  }
  void prefetch_bucket(uint32_t hash) const noexcept { rte_prefetch0(&bucket(hash)); }
  /// The session and direction that a tuple with this hash most likely has, from its bucket alone:
  /// to be prefetched, and compared when it is there. kNone does not say that there is none.
  [[nodiscard]] Hit candidate(uint32_t hash) const noexcept {
    const Bucket& b = bucket(hash);
    const unsigned bits = b.matching(tag_of(hash));
    if (bits == 0) return {};
    const uint32_t reference = b.references[std::countr_zero(bits)];
    return {reference >> 1, static_cast<uint8_t>(reference & 1)};
  }
  [[nodiscard]] Hit find(const Tuple& t, uint32_t hash) const noexcept;
  [[nodiscard]] Hit find(const Tuple& t) const noexcept { return find(t, hash(t)); }
  /// True if some session already has t as one of its tuples.
  [[nodiscard]] bool exists(const Tuple& t) const noexcept { return static_cast<bool>(find(t)); }
  void prefetch_session(uint32_t session) const noexcept {
    rte_prefetch0(&sessions_[session]);
    rte_prefetch0(&sessions_[session].reply);
  }
  [[nodiscard]] Session& at(uint32_t session) noexcept { return sessions_[session]; }
  [[nodiscard]] const Session& at(uint32_t session) const noexcept { return sessions_[session]; }
  [[nodiscard]] SessionSide& side(uint32_t session) noexcept { return sides_[session]; }
  [[nodiscard]] const SessionSide& side(uint32_t session) const noexcept { return sides_[session]; }
  /// Tells a session from others that had its slot before.
  [[nodiscard]] uint32_t sequence(uint32_t session) const noexcept {
    return sides_[session].sequence.load(std::memory_order_relaxed);
  }
  /// Counts a packet of a session's direction.
  void count(Leg& leg, uint32_t session, uint8_t direction, uint32_t bytes) noexcept {
    leg.bytes += bytes;
    if (++leg.packets == 0) ++sides_[session].packets_high[direction];
  }
  [[nodiscard]] static uint64_t packets(const Session& s, const SessionSide& side,
                                        uint8_t direction) noexcept {
    return uint64_t{side.packets_high[direction]} << 32 | s.leg(direction).packets;
  }

  /// A new session with both tuples in the index, queued in `timeout_class`; kNone if the limit is
  /// reached, a bucket pair is full or either tuple exists. The session is zeroed but for tuples
  /// and times.
  uint32_t create(const Tuple& original, const Tuple& reply, TimeoutClass timeout_class,
                  uint32_t now_cs) noexcept;
  void release(uint32_t session) noexcept;
  /// Gives up the oldest session that is not assured, as far as a look at the first few of each
  /// queue tells. False: there is none.
  bool evict(uint32_t now_cs, const Timeouts& timeouts) noexcept;
  /// A released session with one of Session::kParks keeps its slot, tuples and flags (but kUsed)
  /// until free_parked() gives the slot back; kNone: there is none.
  [[nodiscard]] uint32_t parked() const noexcept { return parked_head_; }
  void free_parked() noexcept;
  /// Moves a session to another class's queue (state change); does nothing if it is there already.
  void set_class(uint32_t session, TimeoutClass timeout_class, uint32_t now_cs) noexcept;
  /// Releases what is due, looking at no more than `budget` sessions. Returns how many were
  /// released.
  unsigned expire(uint32_t now_cs, const Timeouts& timeouts, unsigned budget) noexcept;
  /// Centiseconds left of a session under these timeouts (for people).
  [[nodiscard]] static uint32_t remaining_cs(const Session& s, const SessionSide& side,
                                             uint32_t now_cs, const Timeouts& timeouts) noexcept;

  /// Who is told when a session with one of Session::kTold is released, before it is.
  void on_release(void (*fn)(void*, uint32_t session), void* context) noexcept {
    told_ = fn;
    told_context_ = context;
  }

  [[nodiscard]] uint32_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
  [[nodiscard]] uint32_t capacity() const noexcept { return capacity_; }
  /// Slots from here on never held a session.
  [[nodiscard]] uint32_t ever_used() const noexcept {
    return never_used_.load(std::memory_order_relaxed);
  }
  /// How many there may be; at most the capacity. Those above a new limit live out their lives.
  void set_limit(uint32_t limit) noexcept { limit_ = limit < capacity_ ? limit : capacity_; }
  [[nodiscard]] bool full() const noexcept { return size() >= limit_; }
  [[nodiscard]] uint64_t memory_bytes() const noexcept;
  [[nodiscard]] static uint64_t bytes_for(uint32_t capacity) noexcept;
  /// Control: a consistent copy of one slot; false if it is free or was changing.
  bool copy(uint32_t session, Session& out, SessionSide& side) const noexcept;

 private:
  static constexpr unsigned kWays = 8;
  struct alignas(64) Bucket {
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
    bool put(uint16_t tag, uint32_t reference) noexcept;
    bool take(uint16_t tag, uint32_t reference) noexcept;
  };
  static_assert(sizeof(Bucket) == 64);
  struct Queue {
    uint32_t head = kNone;
    uint32_t tail = kNone;
  };
  static constexpr unsigned kLevels = 4;  // queues per class; level n waits timeout / 4^n
  static constexpr unsigned kQueues = kTimeoutClasses * kLevels;
  static constexpr unsigned kWords = (kQueues + 63) / 64;  // of waiting_

  __extension__ using Wide = unsigned __int128;
  /// The multiply-and-fold step of wyhash: every input bit reaches every output bit.
  [[nodiscard]] static uint64_t mix(uint64_t a, uint64_t b) noexcept {
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  }
  [[nodiscard]] static uint16_t tag_of(uint32_t hash) noexcept {
    const auto tag = static_cast<uint16_t>(hash >> 16);
    return tag == 0 ? uint16_t{1} : tag;  // 0 is an empty place
  }
  [[nodiscard]] Bucket& bucket(uint32_t hash) const noexcept {
    return buckets_[hash & bucket_mask_];
  }
  [[nodiscard]] Bucket& second_bucket(uint32_t hash) const noexcept;
  [[nodiscard]] Hit match(const Bucket& b, const Tuple& t, uint32_t hash) const noexcept;
  bool insert_key(uint32_t hash, uint32_t reference) noexcept;
  /// Moves one key of a full bucket to its other one, if there is room in that.
  bool make_room(Bucket& full) noexcept;
  void erase_key(uint32_t hash, uint32_t reference) noexcept;
  void mark_waiting(unsigned queue, bool waits) noexcept {
    const uint64_t bit = uint64_t{1} << (queue % 64);
    waiting_[queue / 64] = waits ? waiting_[queue / 64] | bit : waiting_[queue / 64] & ~bit;
  }
  void push(unsigned queue, uint32_t session, uint32_t now_cs) noexcept;
  void unlink(uint32_t session) noexcept;
  void release(uint32_t session, uint32_t original_hash, uint32_t reply_hash) noexcept;
  /// Releases sessions from the head of a queue while they are due, `most` at the most.
  unsigned release_due(unsigned queue, uint32_t now_cs, uint32_t timeout_cs,
                       unsigned most) noexcept;
  unsigned expire_queue(unsigned queue, uint32_t now_cs, const Timeouts& timeouts,
                        unsigned* budget) noexcept;
  /// Moves a session whose effective class is not that of its queue. False: it is.
  bool move_on(uint32_t session, const Timeouts& timeouts, uint32_t now_cs) noexcept;
  void wait_again(uint32_t session, TimeoutClass cls, const Timeouts& timeouts,
                  uint32_t now_cs) noexcept;

  void (*told_)(void*, uint32_t) = nullptr;
  void* told_context_ = nullptr;
  uint32_t capacity_;
  uint32_t bucket_mask_ = 0;
  std::array<uint64_t, 2> seeds_;
  Session* sessions_ = nullptr;
  SessionSide* sides_ = nullptr;
  Bucket* buckets_ = nullptr;
  uint32_t limit_ = 0;
  uint32_t free_head_ = kNone;  // through SessionSide::next
  uint32_t parked_head_ = kNone;
  std::atomic<uint32_t> never_used_{0};  // sessions from here on were never touched
  std::atomic<uint32_t> size_{0};
  std::array<uint64_t, kWords> waiting_{};  // bit per queue: it is not empty
  unsigned expire_from_ = 0;                // the queue that the next expire() looks at first
  std::array<Queue, kQueues> queues_{};
};

}  // namespace maclane
