// Reply tuples whose home is this worker although their session is another's: tuple -> its worker.
//
// A translation that changes ports can move the reply to another home; the session's worker then
// claims the tuple here (worker/claim.h). Looked at only when a packet found no session. Open
// addressing without tombstones: an entry that goes is filled from behind. Fixed memory; the
// owning worker only, but for size().
#pragma once

#include <atomic>
#include <cstdint>

#include "dataplane/table/session.h"

namespace maclane {

class ClaimTable {
 public:
  struct Entry {
    Tuple tuple;
    bool taken = false;
    uint8_t worker = 0;  // whose session it is
    uint8_t padding = 0;
    uint32_t session = 0;  // in that worker's table
    uint32_t hash = 0;
  };
  static_assert(sizeof(Entry) == 24);

  ClaimTable() noexcept = default;  // with room for none: one worker never has any
  ~ClaimTable();
  ClaimTable(const ClaimTable&) = delete;
  ClaimTable& operator=(const ClaimTable&) = delete;
  /// Maps the memory for `capacity` entries; false if it could not be had. Once, before use.
  [[nodiscard]] bool reserve(uint32_t capacity) noexcept;

  /// `hash` is SessionTable::hash(t), here and below. nullptr: no entry.
  [[nodiscard]] const Entry* find(const Tuple& t, uint32_t hash) const noexcept;
  /// False: full. The tuple must not be there.
  [[nodiscard]] bool insert(const Tuple& t, uint32_t hash, unsigned worker,
                            uint32_t session) noexcept;
  /// Of an entry that find() gave.
  void set_session(const Entry& entry, uint32_t session) noexcept;
  void erase(const Entry& entry) noexcept;

  [[nodiscard]] uint32_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
  [[nodiscard]] uint32_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] uint64_t memory_bytes() const noexcept;

 private:
  Entry* entries_ = nullptr;  // mask_ + 1 places, at most half of them taken; zeros are free
  uint32_t mask_ = 0;
  uint32_t capacity_ = 0;
  std::atomic<uint32_t> size_{0};
};

}  // namespace maclane
