// The neighbour table (RFC 826 results): one for the router, control its only writer, read by every
// worker without locks.
//
// Open addressing over (interface, IPv4 address); a slot is two atomic words, so a reader sees the
// key and the state each whole. A removed entry keeps its key with state kNone until the slot is
// reused or no probe has to pass it. A slot keeps its place as long as the entry lives;
// `generation` changes whenever the slot is given to another entry, so that a session may cache
// NeighbourRef and notice reuse. Memory is fixed at construction: 16 bytes a slot.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "dataplane/net/types.h"

namespace maclane {

enum class NeighState : uint8_t {
  kNone,        // no entry
  kIncomplete,  // who-has sent, packets are punted to the hold queue
  kFull,        // incomplete and its hold queue is full: drop here
  kReachable,
  kStale,      // usable; tell control that it is used
  kProbe,      // usable, control is asking again (Linux delay and probe)
  kFailed,     // no answer: drop here until control tries again
  kPermanent,  // static
};
[[nodiscard]] constexpr bool usable(NeighState s) noexcept {
  return s == NeighState::kReachable || s == NeighState::kStale || s == NeighState::kProbe ||
         s == NeighState::kPermanent;
}

/// Slot in the low 24 bits, generation in the high 8. kNoNeighbour = none.
using NeighbourRef = uint32_t;
inline constexpr NeighbourRef kNoNeighbour = 0xffffffffu;

struct Neighbour {
  NeighState state = NeighState::kNone;
  MacAddr mac;
  NeighbourRef ref = kNoNeighbour;
};

class NeighbourTable {
 public:
  /// capacity: most entries at once; the table takes twice as many slots, a power of two.
  explicit NeighbourTable(uint32_t capacity);

  /// Workers: by address. state kNone and ref kNoNeighbour if there is no entry.
  [[nodiscard]] Neighbour find(IfIndex interface, be32 address) const noexcept;
  /// Workers: by a cached reference; state kNone if the slot belongs to another entry now.
  [[nodiscard]] Neighbour get(NeighbourRef ref) const noexcept;

  /// Control: creates or changes. kNoNeighbour if the table is full.
  NeighbourRef set(IfIndex interface, be32 address, const MacAddr& mac, NeighState state) noexcept;
  /// Control: forgets an entry.
  void remove(IfIndex interface, be32 address) noexcept;
  [[nodiscard]] uint32_t size() const noexcept { return size_; }
  [[nodiscard]] uint32_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] uint64_t memory_bytes() const noexcept;

 private:
  struct Slot {
    std::atomic<uint64_t> key{0};    // interface << 32 | address; 0 = never used
    std::atomic<uint64_t> value{0};  // mac, generation, state
  };
  [[nodiscard]] uint32_t home(uint64_t key) const noexcept;
  [[nodiscard]] Slot* locate(uint64_t key) const noexcept;
  void sweep_back(uint32_t slot) noexcept;
  uint32_t capacity_;
  uint32_t mask_;
  uint32_t size_ = 0;
  // The farthest from its home that an entry ever stood: absent addresses cost no more than this,
  // however many removed keys have gathered.
  std::atomic<uint32_t> farthest_{0};
  std::unique_ptr<Slot[]> slots_;
};

}  // namespace maclane
