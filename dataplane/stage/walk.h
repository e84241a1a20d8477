// Walks: what a chain decided about a packet, and which rules it counted on the way.
//
// A walk over a rule set is recorded as the counter slots of the rules that matched and the
// verdict. Walks whose every visited rule depends on nothing but the session, its direction and its
// state are interned per worker, so that a session's leg holds a 16-bit number, an established
// packet bumps one counter, and rule counters stay exact: a rule's count is its own plus those of
// the walks it is in. When the snapshot changes, the worker folds the walks into the rules' own
// counters and starts anew.
//
// The worker writes; control reads rule counts through rule_count(), which retries over a fold.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/snapshot.h"
#include "dataplane/worker/counters.h"

namespace maclane {

struct Verdict {
  Action action = Action::kAccept;  // kAccept, kDrop or kReject; nat: also the nat actions
  RejectWith reject = RejectWith::kNetUnreachable;
  const Rule* rule = nullptr;  // the rule that decided; nullptr: end of the chain
};

/// One walk as it is being made. Reused; holds no more than kMaxHits rules.
struct WalkRecord {
  static constexpr unsigned kMaxHits = 256;
  Verdict verdict;
  bool cacheable = true;
  bool logs = false;  // some matched rule wants a log line
  unsigned hits = 0;
  std::array<const Rule*, kMaxHits> rules;  // in order of matching
  std::array<uint16_t, kMaxHits> chains;    // the chain each stood in, for the log line
  void clear() noexcept {
    verdict = {};
    cacheable = true;
    logs = false;
    hits = 0;
  }
};

class WalkTable {
 public:
  static constexpr uint16_t kNone = 0xffff;
  static constexpr unsigned kMaxWalks = 4096;
  static constexpr unsigned kMaxArena = 65536;

  WalkTable();

  /// Worker: the number of an equal walk, interned if new; kNone if it is not cacheable or there is
  /// no room (then count it with count_once).
  uint16_t intern(const WalkRecord& record) noexcept;
  [[nodiscard]] const Verdict& verdict(uint16_t walk) const noexcept {
    return walks_[walk].verdict;
  }
  void count(uint16_t walk, uint32_t packets, uint64_t bytes) noexcept {
    walks_[walk].packets += packets;
    walks_[walk].bytes += bytes;
  }
  /// Worker: counts a walk that is not interned.
  static void count_once(const WalkRecord& record, uint32_t bytes, Counters& counters) noexcept;
  /// Worker, when the snapshot changed: adds all walks to the rules' own counters and forgets them.
  void fold(Counters& counters) noexcept;

  /// Control: counts of all rule slots, own and through walks, consistent over a concurrent fold.
  void read(const Counters& counters, std::span<RuleCounter> out) const;

 private:
  struct Walk {
    Verdict verdict;
    uint32_t first = 0;  // in arena_
    uint32_t hits = 0;
    uint64_t hash = 0;
    uint64_t packets = 0;
    uint64_t bytes = 0;
  };
  std::vector<Walk> walks_;
  std::vector<uint32_t> arena_;  // counter slots
  std::vector<uint16_t> index_;  // open addressing by hash
  std::atomic<uint32_t> walk_count_{0};
  uint32_t arena_used_ = 0;
  std::atomic<uint32_t> fold_sequence_{0};  // odd while folding
};

}  // namespace maclane
