// Rule index: which rules of a chain can match a packet at all, without a look at the others.
//
// Every rule of an indexed chain is filed in one place: under the values one of its matchers allows
// (address range, ports, interfaces, protocol), or among the rest. Filed is only by what cannot
// change within a session and is not negated. A table cuts the numbers of one field of the packet
// into intervals, and holds for each the rules filed under it, in order. A packet's candidates are
// its intervals' rules, one list per table, merged in the order of the chain; each is still asked
// whether it matches, so a walk finds what it would find without the index, only sooner. Hence a
// rule may stand under more values than it allows, where exact tables would grow too large.
//
// Control builds an index when it finishes a rule set; it never changes after, nor may the rules of
// its chain. Workers, and control for itself, read it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace maclane {

struct RuleSet;

class RuleIndex {
 public:
  /// The fields of a packet that rules are filed by, addresses and ports in host order.
  enum Field : uint8_t { kDst, kSrc, kDstPort, kSrcPort, kInIf, kOutIf, kProto, kFields };
  using Key = std::array<uint32_t, kFields>;
  static constexpr uint16_t kEnd = 0xffff;
  /// A table per field, and one more for wide ranges of addresses and of ports.
  static constexpr unsigned kMaxTables = kFields + 4;
  /// A rule filed under more intervals than this would cost more memory than it saves time.
  static constexpr uint32_t kMaxCopies = 128;
  /// Fewer rules than this are asked one after another as fast as an index finds them.
  static constexpr uint32_t kFewRules = 8;
  /// So many rules may stand among the rest because they came later than the index was built. Each
  /// costs every new connection about as much as all of the index (bench/micro/rules.cpp), which is
  /// why they are not for long: whoever takes indexes over has them built when edits rest.
  static constexpr uint32_t kMostLate = 16;

  /// The candidates of one packet, in the order of the chain. Left uninitialized on purpose: a walk
  /// has a stack of them, most never used.
  class Cursor {
   public:
    void start(const RuleIndex& index, const Key& key) noexcept;
    /// The next candidate's position in the chain; kEnd: no more.
    uint16_t next() noexcept {
      unsigned best = 0;
      uint16_t position = *heads_[0];
      for (unsigned i = 1; i < count_; ++i) {
        if (*heads_[i] >= position) continue;
        position = *heads_[i];
        best = i;
      }
      if (position != kEnd) ++heads_[best];
      return position;
    }

   private:
    std::array<const uint16_t*, kMaxTables + 1> heads_;  // each list ends with kEnd
    unsigned count_;
  };

  /// Control: the index of `count` rules from `first` on; nullptr if it would not help.
  static std::shared_ptr<const RuleIndex> build(const RuleSet& set, uint32_t first, uint32_t count,
                                                uint32_t few = kFewRules);

  /// Control: the index of a chain, which was `count_before` rules of `before` from `first_before`
  /// on and is `count` of `set` from `first` on, if few of them came and went, all in one place:
  /// those that came stand among the rest. nullptr: it has to be built.
  static std::shared_ptr<const RuleIndex> bring_up(const std::shared_ptr<const RuleIndex>& index,
                                                   const RuleSet& before, uint32_t first_before,
                                                   uint32_t count_before, const RuleSet& set,
                                                   uint32_t first, uint32_t count);

  /// Control: the memory it takes.
  [[nodiscard]] size_t bytes() const noexcept;
  /// Control: at most so many rules came since it was built, and are compared with every packet.
  [[nodiscard]] uint32_t late() const noexcept { return late_; }
  /// Control: how many rules every packet is compared with, filed under nothing.
  [[nodiscard]] size_t rest() const noexcept { return rest_.size() - 1; }

 private:
  friend class RuleIndexBuilder;
  struct Table {
    Field field = kDst;
    std::vector<uint32_t> starts;     // where intervals begin, sorted; the first is 0
    std::vector<uint32_t> lists;      // per interval: where its list begins in `positions`
    std::vector<uint16_t> positions;  // lists of positions in the chain, each ended with kEnd
    std::vector<uint16_t> direct;     // by value: its interval, where there are many; else empty
    [[nodiscard]] const uint16_t* find(uint32_t value) const noexcept;
  };
  std::vector<Table> tables_;
  std::vector<uint16_t> rest_;  // ends with kEnd
  uint32_t late_ = 0;           // at most so many of the rest came later
};

/// Control: indexes those chains of a finished rule set that are long enough to gain by it. before:
/// the finished set it takes the place of, whose indexes are taken over where they can be; renew:
/// but for those that have late rules.
void index_rules(RuleSet& set, const RuleSet* before = nullptr, bool renew = false);

}  // namespace maclane
