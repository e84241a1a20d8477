// One worker's connections: 128-byte sessions, a two-choice bucket index over both tuples of each,
// and lazy expiry queues. The owning worker is the only writer; memory is fixed at construction.
//
// Index: 64-byte buckets of eight 16-bit tags and eight 32-bit references (session << 1 |
// direction). A key lives in its first bucket or, when that was full, in its second; the first
// bucket counts how many it sent away, so that a lookup reads the second only when it must. Hashing
// is seeded: an attacker cannot choose collisions.
//
// Expiry: a packet only writes last_seen. Each timeout class has FIFOs of falling delay: the whole
// timeout, a quarter, a sixteenth, a sixty-fourth. The head of a queue is looked at when queued_at
// + delay has passed, and is released or, if it was seen since, queued again by what it has left.
// So no list is ever sorted, and a session goes at most a sixty-fourth of its timeout late.
//
// Control may read a session while its worker writes it (the console's listing); copy(), and
// nothing else, is made for that.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "dataplane/net/types.h"
#include "dataplane/table/neighbour.h"

namespace maclane {

struct Tuple {
  be32 src;
  be32 dst;
  be16 sport;  // ICMP queries: the id in both ports
  be16 dport;
  uint8_t proto = 0;
  friend bool operator==(const Tuple&, const Tuple&) noexcept = default;
  [[nodiscard]] Tuple reversed() const noexcept { return {dst, src, dport, sport, proto}; }
};

enum Direction : uint8_t { kOriginal = 0, kReply = 1 };

/// conntrack's TCP states as RouterOS names them (behaviour.md B-23), then the other protocols.
enum class TcpState : uint8_t {
  kNone,
  kSynSent,
  kSynRecv,
  kEstablished,
  kFinWait,
  kCloseWait,
  kLastAck,
  kTimeWait,
  kClose,
  kSynSent2,  // simultaneous open
};

/// Timeout classes: one expiry queue each; the times come from the snapshot (B-18).
enum class TimeoutClass : uint8_t {
  kTcpSynSent,
  kTcpSynReceived,
  kTcpEstablished,
  kTcpFinWait,
  kTcpCloseWait,
  kTcpLastAck,
  kTcpTimeWait,
  kTcpClose,
  kTcpMaxRetrans,
  kTcpUnacked,
  kUdp,
  kUdpStream,
  kIcmp,
  kGeneric,
  kCount,
};
inline constexpr unsigned kTimeoutClasses = static_cast<unsigned>(TimeoutClass::kCount);

/// The state of a packet against its connection (B-16).
enum class ConnState : uint8_t {
  kNew = 0,
  kEstablished = 1,
  kRelated = 2,
  kInvalid = 3,
  kUntracked = 4
};

/// One direction of a session: the tuple its packets arrive with and, while `generation` is that of
/// the current snapshot, everything decided about them.
struct Leg {
  be32 src;
  be32 dst;
  be16 sport;
  be16 dport;
  uint16_t l3_delta = 0;  // RFC 1624 delta of the address rewrite, for the IPv4 header checksum
  uint16_t l4_delta = 0;  // and for the L4 checksum, ports included
  IfIndex in_if = kNoIf;
  IfIndex out_if = kNoIf;  // kIfLocal: for the router
  NeighbourRef neighbour = kNoNeighbour;
  uint32_t generation = 0;  // 0 = not judged
  uint16_t walk = 0;        // index into the worker's walk table: verdict and rules to count
  ConnState walk_state = ConnState::kNew;
  uint8_t reserved = 0;
  uint64_t packets = 0;
  uint64_t bytes = 0;
};
static_assert(sizeof(Leg) == 48);

struct alignas(128) Session {
  enum Flag : uint8_t {
    kUsed = 1,
    kSeenReply = 2,
    kAssured = 4,
    kSrcNat = 8,
    kDstNat = 16,
    kMasquerade = 32,
    kDying = 64,
    kClaimed = 128,  // its reply tuple is claimed at another worker (worker/claim.h)
  };
  // line 0
  Leg original;
  uint32_t last_seen_cs = 0;
  uint8_t proto = 0;
  TcpState tcp_state = TcpState::kNone;
  TimeoutClass timeout_class = TimeoutClass::kGeneric;
  uint8_t flags = 0;
  uint8_t icmp_type = 0;
  uint8_t icmp_code = 0;
  uint16_t tcp_flags = 0;  // FIN seen per direction, and what window tracking will want
  uint32_t mark = 0;
  // line 1
  Leg reply;
  uint32_t queued_at_cs = 0;
  uint32_t next = 0;
  uint32_t prev = 0;
  std::atomic<uint32_t> sequence{0};  // odd while being created or released; see copy()

  [[nodiscard]] Leg& leg(uint8_t direction) noexcept {
    return direction == kOriginal ? original : reply;
  }
  [[nodiscard]] const Leg& leg(uint8_t direction) const noexcept {
    return direction == kOriginal ? original : reply;
  }
  [[nodiscard]] bool has(Flag f) const noexcept { return (flags & f) != 0; }
  [[nodiscard]] Tuple tuple(uint8_t direction) const noexcept {
    const Leg& l = leg(direction);
    return {l.src, l.dst, l.sport, l.dport, proto};
  }
};
static_assert(sizeof(Session) == 128 && offsetof(Session, reply) == 64);

using Timeouts = std::array<uint32_t, kTimeoutClasses>;  // centiseconds, by TimeoutClass

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
  SessionTable(uint32_t capacity, uint64_t seed);
  ~SessionTable();
  [[nodiscard]] bool valid() const noexcept { return sessions_ != nullptr; }
  SessionTable(const SessionTable&) = delete;
  SessionTable& operator=(const SessionTable&) = delete;

  [[nodiscard]] uint32_t hash(const Tuple& t) const noexcept;
  void prefetch_bucket(uint32_t hash) const noexcept;
  [[nodiscard]] Hit find(const Tuple& t, uint32_t hash) const noexcept;
  [[nodiscard]] Hit find(const Tuple& t) const noexcept { return find(t, hash(t)); }
  /// True if some session already has t as one of its tuples.
  [[nodiscard]] bool exists(const Tuple& t) const noexcept { return static_cast<bool>(find(t)); }
  void prefetch_session(uint32_t session) const noexcept;
  [[nodiscard]] Session& at(uint32_t session) noexcept { return sessions_[session]; }
  [[nodiscard]] const Session& at(uint32_t session) const noexcept { return sessions_[session]; }

  /// A new session with both tuples in the index, queued in `timeout_class`; kNone if the table or
  /// a bucket pair is full or either tuple exists. The session is zeroed but for tuples and times.
  uint32_t create(const Tuple& original, const Tuple& reply, TimeoutClass timeout_class,
                  uint32_t now_cs) noexcept;
  void release(uint32_t session) noexcept;
  /// A released session with kClaimed keeps its slot and its tuples until free_parked() gives the
  /// slot back; kNone: there is none.
  [[nodiscard]] uint32_t parked() const noexcept { return parked_head_; }
  void free_parked() noexcept;
  /// Moves a session to another class's queue (state change); does nothing if it is there already.
  void set_class(uint32_t session, TimeoutClass timeout_class, uint32_t now_cs) noexcept;
  /// Releases what is due, looking at no more than `budget` sessions. Returns how many were
  /// released.
  unsigned expire(uint32_t now_cs, const Timeouts& timeouts, unsigned budget) noexcept;
  /// Seconds left of a session under these timeouts (for people).
  [[nodiscard]] static uint32_t remaining_cs(const Session& s, uint32_t now_cs,
                                             const Timeouts& timeouts) noexcept;

  [[nodiscard]] uint32_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
  [[nodiscard]] uint32_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] uint64_t memory_bytes() const noexcept;
  /// Control: a consistent copy of one slot; false if it is free or was changing.
  bool copy(uint32_t session, Session& out) const noexcept;

 private:
  struct Bucket;
  struct Queue {
    uint32_t head = kNone;
    uint32_t tail = kNone;
  };
  static constexpr unsigned kLevels = 4;  // queues per class; level n waits timeout / 4^n
  static constexpr unsigned kQueues = kTimeoutClasses * kLevels;
  static_assert(kQueues <= 64);  // bits of waiting_

  [[nodiscard]] Bucket& bucket(uint32_t hash) const noexcept;
  [[nodiscard]] Bucket& second_bucket(uint32_t hash) const noexcept;
  [[nodiscard]] Hit match(const Bucket& b, const Tuple& t, uint32_t hash) const noexcept;
  bool insert_key(uint32_t hash, uint32_t reference) noexcept;
  void erase_key(uint32_t hash, uint32_t reference) noexcept;
  void push(unsigned queue, uint32_t session, uint32_t now_cs) noexcept;
  void unlink(uint32_t session) noexcept;
  unsigned expire_queue(unsigned queue, uint32_t now_cs, uint32_t timeout_cs,
                        unsigned* budget) noexcept;

  uint32_t capacity_;
  uint32_t bucket_mask_ = 0;
  std::array<uint64_t, 2> seeds_;
  Session* sessions_ = nullptr;
  Bucket* buckets_ = nullptr;
  uint32_t free_head_ = kNone;  // through Session::next
  uint32_t parked_head_ = kNone;
  uint32_t never_used_ = 0;  // sessions from here on were never touched
  std::atomic<uint32_t> size_{0};
  uint64_t waiting_ = 0;      // bit per queue: it is not empty
  unsigned expire_from_ = 0;  // the queue that the next expire() looks at first
  std::array<Queue, kQueues> queues_{};
};

}  // namespace maclane
