// Connections that helpers expect (behaviour.md B-16, B-24): an FTP data connection, a TFTP answer,
// the media of a call. Each says what its first packet looks like, and everything that is to become
// of it, so that whichever worker receives that packet needs nothing of the worker that announced
// it.
//
// One table for all workers, in memory that is fixed: buckets of eight by destination and protocol.
// A slot is written under a version that is odd meanwhile; who reads it sees it whole or not at
// all, and nobody waits. Asked only for packets that open a connection, and only while there is
// any. Any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "dataplane/table/session_types.h"

namespace maclane {

struct Expectation {
  enum Flag : uint8_t {
    kStays = 1,    // as many connections as come until its time is over, not one
    kHelps = 2,    // they have the helper themselves
    kSleeps = 4,   // it holds its place, and lets nothing in yet
    kByRules = 8,  // srcnat rules say where the source goes
  };
  // its first packet; 0 is any source or source port
  be32 src{};
  be32 dst{};
  be16 sport{};
  be16 dport{};
  uint8_t proto = 0;
  Helper helper = Helper::kNone;
  uint8_t flags = 0;
  uint8_t padding = 0;  // words are copied
  // and what becomes of it
  be32 to_src{};  // 0: as it is
  be32 to_dst{};
  be16 to_sport{};  // 0: as it is, if that is free
  be16 to_dport{};
  uint32_t mark = 0;
  uint64_t master = 0;  // the connection that announced it: not those of others
  uint32_t expires_cs = 0;
  // A host that was promised this port (known_as) for its own (known_sport): it sends from there,
  // too, and is seen with the port that the other side was told.
  be32 known_src{};
  be16 known_sport{};
  be16 known_as{};  // 0: nobody was
  uint8_t unused[12] = {};

  [[nodiscard]] bool fits(const Tuple& t) const noexcept {
    return proto == t.proto && dst == t.dst && dport == t.dport && (src.raw == 0 || src == t.src) &&
           (sport.raw == 0 || sport == t.sport) && (flags & kSleeps) == 0;
  }
  /// Whether a packet can fit both.
  [[nodiscard]] bool clashes(const Expectation& o) const noexcept {
    return proto == o.proto && dst == o.dst && dport == o.dport &&
           (src.raw == 0 || o.src.raw == 0 || src == o.src) &&
           (sport.raw == 0 || o.sport.raw == 0 || sport == o.sport);
  }
};
static_assert(sizeof(Expectation) == 64);

class Expectations {
 public:
  /// A slot as somebody saw it: it is another's once that was taken or removed.
  struct Ref {
    uint32_t slot = 0;
    uint32_t version = 0;  // 0: none
    [[nodiscard]] explicit operator bool() const noexcept { return version != 0; }
  };

  /// Slots: a power of two.
  explicit Expectations(uint32_t slots = 1u << 11);

  [[nodiscard]] bool empty() const noexcept { return used_.load(std::memory_order_acquire) == 0; }
  [[nodiscard]] uint32_t size() const noexcept { return used_.load(std::memory_order_relaxed); }

  /// Who is expected with this tuple.
  [[nodiscard]] Ref find(const Tuple& t, uint32_t now_cs, Expectation& out) const noexcept;
  /// GRE: how the sender of a packet numbers its call, which the packet names as its receiver does
  /// (t.dport); 0: nobody is expected.
  [[nodiscard]] be16 sender_of(const Tuple& t, uint32_t now_cs) const noexcept;
  /// Whether one of another connection could be taken for this one; its own do not count.
  [[nodiscard]] bool clashes(const Expectation& e, uint32_t now_cs) const noexcept;
  /// None: its bucket is full.
  [[nodiscard]] Ref add(const Expectation& e, uint32_t now_cs) noexcept;
  /// Ends an expectation: true for the one who did it.
  bool take(Ref ref) noexcept;
  /// A copy, if it is still there.
  [[nodiscard]] bool read(Ref ref, Expectation& out) const noexcept;
  /// Control: frees what has run out of time.
  void sweep(uint32_t now_cs) noexcept;

 private:
  static constexpr unsigned kWays = 8;
  static constexpr unsigned kWords = sizeof(Expectation) / sizeof(uint64_t);
  struct alignas(64) Slot {
    std::array<std::atomic<uint64_t>, kWords> words{};
    std::atomic<uint32_t> version{2};  // odd: being written
    std::atomic<uint32_t> taken{0};
  };
  [[nodiscard]] uint32_t bucket_of(uint8_t proto, be32 dst, be16 dport) const noexcept;
  /// The version it was read at; 0: nothing is there.
  uint32_t look(const Slot& slot, Expectation& out) const noexcept;

  uint32_t mask_;  // of buckets
  std::unique_ptr<Slot[]> slots_;
  std::atomic<uint32_t> used_{0};
};

}  // namespace maclane
