// Names: the numbers that interfaces and firewall rules keep from one snapshot to the next.
//
// An interface has its IfIndex while its name exists, a rule its counter slot while its row exists.
// A number that was given back is the last to be given out again, so that workers and counters have
// long forgotten its former owner. Workers never set a counter back: control keeps what a slot
// showed when its present owner came (or when it was reset) and subtracts.
//
// A value: compile_tree() works on a copy, which takes the place of the original when the snapshot
// is published. Control thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dataplane/net/types.h"
#include "dataplane/worker/counters.h"

namespace maclane::compile {

/// Hands out numbers from 1 to below a limit; those given back come last, the oldest first.
class NumberPool {
 public:
  explicit NumberPool(uint32_t limit) : limit_(limit) {}
  std::optional<uint32_t> take();
  void give_back(uint32_t number) { free_.push_back(number); }
  /// Whether the next number taken had an owner before.
  [[nodiscard]] bool exhausted() const { return next_ >= limit_; }

 private:
  uint32_t limit_;
  uint32_t next_ = 1;
  std::deque<uint32_t> free_;
};

class Names {
 public:
  Names();

  // interfaces
  [[nodiscard]] IfIndex index_of(std::string_view name) const;  // kNoIf: no such interface
  [[nodiscard]] std::string_view name_of(IfIndex index) const;  // "": nobody's
  /// One past the highest index in use.
  [[nodiscard]] size_t interface_limit() const { return names_.size(); }
  /// What the last compile changed: indexes that came and that went (their neighbours, multicast
  /// filters and interface counters belong to nobody now).
  [[nodiscard]] const std::vector<IfIndex>& added() const { return added_; }
  [[nodiscard]] const std::vector<IfIndex>& removed() const { return removed_; }

  // rules
  /// The counter slot of a row of a firewall menu ("/ip/firewall/filter"); nullopt: no such row.
  [[nodiscard]] std::optional<uint32_t> slot_of(std::string_view path, uint32_t row) const;
  /// A rule's count since it exists or was reset, from what Dataplane::rule_counters() gave.
  [[nodiscard]] RuleCounter count(std::string_view path, uint32_t row,
                                  std::span<const RuleCounter> raw) const;
  /// reset-counters of one rule.
  void reset(std::string_view path, uint32_t row, std::span<const RuleCounter> raw);
  /// Slots that changed owner start at zero. Once per commit, just before publish().
  void start_reused(std::span<const RuleCounter> raw);
  [[nodiscard]] bool has_reused() const { return !reused_.empty(); }

  // marks of connections and packets, and address lists that fill by themselves: numbers that a
  // name keeps as long as the router runs
  [[nodiscard]] std::string_view mark_name(uint32_t mark) const;    // "": no-mark
  [[nodiscard]] std::string_view list_name(uint16_t list) const;    // "": no such list
  [[nodiscard]] uint16_t list_number(std::string_view name) const;  // 0: it has none

  // compile_tree() only
  [[nodiscard]] uint32_t mark(std::string_view name);  // "no-mark": 0
  /// 0: there are 65535 lists already.
  [[nodiscard]] uint16_t list(std::string_view name);
  /// They keep their numbers under other names, all at once. After forget_changes().
  void rename(const std::map<std::string, std::string, std::less<>>& names);
  /// These interfaces and no others; false if they are more than kMaxInterfaces - 1.
  bool set_interfaces(std::span<const std::string_view> names);
  /// These rows of a menu and no others; false if there are not enough slots.
  bool set_rules(std::string_view path, std::span<const uint32_t> rows);
  /// Nothing was added or removed since here.
  void forget_changes();

 private:
  void set_baseline(uint32_t slot, const RuleCounter& raw);

  NumberPool index_pool_{kMaxInterfaces};
  NumberPool slot_pool_{kMaxRuleCounters};
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
  };
  std::unordered_map<std::string, IfIndex, Hash, std::equal_to<>> indexes_;
  std::vector<std::string> names_;  // by IfIndex; [0] is ""
  std::vector<IfIndex> added_, removed_;
  struct Slot {
    uint32_t row = 0, slot = 0;
  };
  std::map<std::string, std::vector<Slot>, std::less<>> slots_;  // by row
  std::vector<std::string> marks_{"no-mark"}, lists_{""};        // by number
  std::unordered_map<std::string, uint32_t> mark_numbers_, list_numbers_;
  std::vector<RuleCounter> baselines_;  // by slot
  std::vector<uint32_t> reused_;        // whose baseline is due
};

}  // namespace maclane::compile
