// Walks: what the chains a packet passes decided about it, and which rules it counted on the way.
//
// The walk of one packet is recorded over all the chains it passes: the rules that matched, what
// they want done, and the last verdict. Records that are true of every packet of a session,
// direction and state are interned per worker, as counter slots and what is done to each packet, so
// that a session's leg holds a 16-bit number, an established packet bumps one counter, and rule
// counters stay exact: a rule's count is its own plus those of the walks it is in. When the
// snapshot changes, the worker folds the walks into the rules' own counters and starts anew.
//
// The worker writes; control reads rule counts through read(), which retries over a fold.
#pragma once

#include <algorithm>
#include <array>
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

/// Whether a walk is true of the other packets of its session, direction and state as well: of all,
/// of those whose TCP flags say no more than that the connection goes on, or of none.
enum class Holds : uint8_t { kForAll, kWhileSteady, kForOne };

/// What a rule counts or remembers once it is settled what becomes of the packet.
struct Effect {
  enum class Kind : uint8_t { kLimit, kDstLimit, kNth, kCount, kFastTrack, kAddToList } kind;
  const Rule* rule = nullptr;
  const RuleMore* more = nullptr;
  uint64_t a = 0;  // kLimit: the cost; kDstLimit, kCount: the key; kAddToList: the address
  uint64_t b = 0;  // kDstLimit: the cost
};

/// A line that a rule writes to the log: what it looked at when it matched.
struct LoggedHit {
  RuleTable table = RuleTable::kFilter;
  ConnState state = ConnState::kNew;
  bool known = false;  // the packet's connection was there already, with its translation
  uint16_t chain = 0;
  uint16_t prefix = 0;
  uint32_t src = 0, dst = 0;
  uint16_t sport = 0, dport = 0;
  IfIndex in_if = kNoIf, out_if = kNoIf;
};

/// One packet's walk as it is being made. Reused and large: a list has what its count says.
struct WalkRecord {
  static constexpr unsigned kMaxHits = 256;
  static constexpr unsigned kMaxEffects = 32;
  static constexpr unsigned kMaxLogged = 16;
  static constexpr uint8_t kSameDscp = 0xff;
  static constexpr uint8_t kNoPriority = 0xff;

  Verdict verdict;  // of the last chain
  Holds holds = Holds::kForAll;
  uint8_t dscp = kSameDscp;  // what every packet gets
  bool new_ttl = false;      // the packet gets the key's
  bool clear_df = false;
  bool strip_options = false;
  uint8_t priority = kNoPriority;  // what every packet leaves with: in its VLAN tag
  uint16_t mss = 0;                // a SYN gets this MSS at most; 0: as it is
  unsigned hits = 0;
  unsigned effects = 0;
  unsigned logged = 0;
  std::array<const Rule*, kMaxHits> rules;  // in order of matching
  std::array<Effect, kMaxEffects> effect;
  std::array<LoggedHit, kMaxLogged> log;

  void clear() noexcept {
    verdict = {};
    holds = Holds::kForAll;
    dscp = kSameDscp;
    priority = kNoPriority;
    new_ttl = clear_df = strip_options = false;
    mss = 0;
    hits = effects = logged = 0;
  }
  void at_most(Holds other) noexcept { holds = std::max(holds, other); }
  void hit(const Rule& rule) noexcept {
    if (hits < kMaxHits) rules[hits++] = &rule;
  }
  /// Where there is no more room an effect is left out: 32 rules of one packet that count.
  void note(const Effect& e) noexcept {
    if (effects < kMaxEffects) effect[effects++] = e;
  }
};

class WalkTable {
 public:
  static constexpr uint16_t kNone = 0xffff;
  static constexpr unsigned kMaxWalks = 4096;
  static constexpr unsigned kMaxArena = 65536;

  WalkTable();

  /// Worker: the number of an equal walk, interned if new; kNone if it holds for one packet alone
  /// or there is no room (then count it with count_once).
  uint16_t intern(const WalkRecord& record) noexcept;
  /// What is done to the packets of a walk: they get this DSCP (kSameDscp: they keep theirs).
  [[nodiscard]] uint8_t dscp(uint16_t walk) const noexcept { return walks_[walk].dscp; }
  /// And leave with this priority (kNoPriority: with none).
  [[nodiscard]] uint8_t priority(uint16_t walk) const noexcept { return walks_[walk].priority; }
  /// Whether it holds only of packets with an established connection's TCP flags.
  [[nodiscard]] bool while_steady(uint16_t walk) const noexcept { return walks_[walk].steady; }
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
    uint8_t dscp = WalkRecord::kSameDscp;
    uint8_t priority = WalkRecord::kNoPriority;
    bool steady = false;
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
