#include "dataplane/table/rule_index.h"

#include <algorithm>
#include <limits>
#include <span>

#include "dataplane/snapshot.h"
#include "dataplane/table/rule_values.h"

namespace maclane {
namespace {

constexpr uint32_t kMaxValue = std::numeric_limits<uint32_t>::max();
constexpr uint32_t kNever = kMaxValue;  // a cost: the rule cannot be filed so
/// A field of 16 bits with more intervals than this has them by value, one load instead of a
/// search.
constexpr size_t kManyIntervals = 512;
constexpr size_t kValues16 = 65536;

}  // namespace

/// Files the rules of one chain: estimates for every field how crowded it would be where a rule's
/// values lie, and files each rule where it is least crowded.
class RuleIndexBuilder {
 public:
  RuleIndexBuilder(const RuleSet& set, std::span<const Rule> rules) : values_(set), rules_(rules) {}

  std::shared_ptr<const RuleIndex> run() {
    for (unsigned field = 0; field < RuleIndex::kFields; ++field)
      plan(static_cast<RuleIndex::Field>(field));
    // Among single hosts a wide range would be copied into very many intervals. Wide ranges are
    // filed by themselves, under few.
    for (RuleIndex::Field field :
         {RuleIndex::kDst, RuleIndex::kSrc, RuleIndex::kDstPort, RuleIndex::kSrcPort})
      plan_wide(field);
    auto index = std::make_shared<RuleIndex>();
    std::vector<std::vector<uint16_t>> filed(plans_.size());
    for (uint32_t rule = 0; rule < rules_.size(); ++rule) {
      size_t best = 0;
      for (size_t i = 1; i < plans_.size(); ++i)
        if (plans_[i].cost[rule] < plans_[best].cost[rule]) best = i;
      const uint32_t cost = plans_[best].cost[rule];
      (cost == kNever ? index->rest_ : filed[best]).push_back(static_cast<uint16_t>(rule));
    }
    for (size_t i = 0; i < plans_.size(); ++i)
      if (!filed[i].empty()) index->tables_.push_back(table(plans_[i], filed[i]));
    if (index->tables_.empty()) return nullptr;
    index->rest_.push_back(RuleIndex::kEnd);
    index->rest_.shrink_to_fit();
    return index;
  }

 private:
  struct Part {
    uint32_t first = 0, count = 0;  // of Plan::ranges
  };
  struct Plan {
    RuleIndex::Field field = RuleIndex::kDst;
    bool wide = false;  // no more than kMaxCopies intervals, hence room for every rule
    std::vector<AddressRange> ranges;
    std::vector<Part> parts;     // by rule: what values it allows
    std::vector<uint32_t> cost;  // by rule: how many others it would meet at most; kNever: none
  };

  void plan(RuleIndex::Field field) {
    Plan& p = plans_.emplace_back();
    p.field = field;
    p.parts.resize(rules_.size());
    p.cost.resize(rules_.size(), kNever);
    for (uint32_t rule = 0; rule < rules_.size(); ++rule) {
      const size_t begin = p.ranges.size();
      if (!values_.append(rules_[rule], field, p.ranges)) {
        p.ranges.resize(begin);
        continue;
      }
      p.parts[rule] = {static_cast<uint32_t>(begin),
                       static_cast<uint32_t>(p.ranges.size() - begin)};
      p.cost[rule] = 0;
    }
    estimate(p);
  }

  void plan_wide(RuleIndex::Field field) {
    Plan wide;
    wide.field = field;
    wide.wide = true;
    wide.parts.resize(rules_.size());
    wide.cost.resize(rules_.size(), kNever);
    const Plan& narrow = plans_[field];
    for (uint32_t rule = 0; rule < rules_.size(); ++rule) {
      const Part part = narrow.parts[rule];
      if (narrow.cost[rule] != kNever || part.count == 0) continue;
      const auto own = std::span(narrow.ranges).subspan(part.first, part.count);
      wide.parts[rule] = {static_cast<uint32_t>(wide.ranges.size()), part.count};
      wide.cost[rule] = 0;
      wide.ranges.insert(wide.ranges.end(), own.begin(), own.end());
    }
    estimate(wide);
    plans_.push_back(std::move(wide));
  }

  /// Where intervals begin: so that every one of the rules covers an interval whole or not at all,
  /// or of so many every n-th.
  template <typename Rules>
  static std::vector<uint32_t> starts_of(const Plan& p, const Rules& rules) {
    std::vector<uint32_t> starts{0};
    for (uint32_t rule : rules) {
      for (uint32_t i = 0; i < p.parts[rule].count; ++i) {
        const AddressRange& range = p.ranges[p.parts[rule].first + i];
        starts.push_back(range.first);
        if (range.last != kMaxValue) starts.push_back(range.last + 1);
      }
    }
    std::sort(starts.begin(), starts.end());
    starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
    if (p.wide && starts.size() > RuleIndex::kMaxCopies) {
      for (size_t i = 0; i < RuleIndex::kMaxCopies; ++i)
        starts[i] = starts[i * starts.size() / RuleIndex::kMaxCopies];
      starts.resize(RuleIndex::kMaxCopies);
    }
    return starts;
  }

  /// The intervals that a range meets: the first, and the one after the last.
  struct Span {
    uint32_t first = 0, end = 0;
  };
  static Span span_of(const std::vector<uint32_t>& starts, const AddressRange& range) {
    const auto after_first = std::upper_bound(starts.begin(), starts.end(), range.first);
    const auto end = std::upper_bound(after_first, starts.end(), range.last);
    return {static_cast<uint32_t>(after_first - starts.begin() - 1),
            static_cast<uint32_t>(end - starts.begin())};
  }

  /// Fills in the costs, given which rules take part.
  void estimate(Plan& p) const {
    std::vector<uint32_t> rules;
    for (uint32_t rule = 0; rule < rules_.size(); ++rule)
      if (p.cost[rule] != kNever) rules.push_back(rule);
    if (rules.empty()) return;
    const std::vector<uint32_t> starts = starts_of(p, rules);
    std::vector<Span> spans;
    for (const AddressRange& range : p.ranges) spans.push_back(span_of(starts, range));
    const auto own = [&](uint32_t rule) {
      return std::span(spans).subspan(p.parts[rule].first, p.parts[rule].count);
    };
    std::vector<uint32_t> crowd(starts.size() + 1);  // first the change from one to the next
    for (uint32_t rule : rules) {
      uint64_t copies = 0;
      for (const Span& s : own(rule)) copies += s.end - s.first;
      if (!p.wide && copies > RuleIndex::kMaxCopies) {
        p.cost[rule] = kNever;
        continue;
      }
      for (const Span& s : own(rule)) {
        ++crowd[s.first];
        --crowd[s.end];
      }
    }
    for (size_t i = 1; i < crowd.size(); ++i) crowd[i] += crowd[i - 1];
    for (uint32_t rule : rules) {
      if (p.cost[rule] == kNever) continue;
      for (const Span& s : own(rule))
        for (uint32_t i = s.first; i < s.end; ++i) p.cost[rule] = std::max(p.cost[rule], crowd[i]);
    }
  }

  static RuleIndex::Table table(const Plan& p, const std::vector<uint16_t>& rules) {
    RuleIndex::Table t;
    t.field = p.field;
    t.starts = starts_of(p, rules);
    t.starts.shrink_to_fit();
    std::vector<Span> spans;  // of the rules' ranges, one after another
    for (uint16_t rule : rules)
      for (uint32_t i = 0; i < p.parts[rule].count; ++i)
        spans.push_back(span_of(t.starts, p.ranges[p.parts[rule].first + i]));
    const Span* own = spans.data();
    const auto each_interval = [&](uint16_t rule, auto&& what) {
      uint32_t next = 0;
      for (uint32_t i = 0; i < p.parts[rule].count; ++i) {
        const Span s = *own++;
        // Two ranges of a rule may meet in one interval; the rule stands there once.
        for (uint32_t interval = std::max(s.first, next); interval < s.end; ++interval)
          what(interval);
        next = s.end;
      }
    };
    std::vector<uint32_t> length(t.starts.size(), 1);  // the end counts
    for (uint16_t rule : rules) each_interval(rule, [&](uint32_t i) { ++length[i]; });
    t.lists.resize(t.starts.size());
    uint32_t size = 0;
    for (size_t i = 0; i < length.size(); ++i) {
      t.lists[i] = size;
      size += length[i];
    }
    t.positions.resize(size, RuleIndex::kEnd);
    std::vector<uint32_t> next = t.lists;
    own = spans.data();
    for (uint16_t rule : rules)
      each_interval(rule, [&](uint32_t i) { t.positions[next[i]++] = rule; });
    if (p.field > RuleIndex::kSrc && t.starts.size() > kManyIntervals) {
      t.direct.resize(kValues16);
      for (size_t interval = 0; interval < t.starts.size() && t.starts[interval] < kValues16;
           ++interval) {
        const size_t end = interval + 1 < t.starts.size() ? t.starts[interval + 1] : kValues16;
        std::fill(t.direct.begin() + t.starts[interval],
                  t.direct.begin() + static_cast<ptrdiff_t>(std::min(end, kValues16)),
                  static_cast<uint16_t>(interval));
      }
    }
    return t;
  }

  RuleValues values_;
  std::span<const Rule> rules_;
  std::vector<Plan> plans_;
};

const uint16_t* RuleIndex::Table::find(uint32_t value) const noexcept {
  if (!direct.empty()) return positions.data() + lists[direct[value]];
  // Without branches: which way a packet goes cannot be foretold, and the steps of several tables
  // can then overlap.
  const uint32_t* base = starts.data();
  for (size_t n = starts.size(); n > 1;) {
    const size_t half = n / 2;
    base += base[half] <= value ? half : 0;
    n -= half;
  }
  return positions.data() + lists[static_cast<size_t>(base - starts.data())];
}

void RuleIndex::Cursor::start(const RuleIndex& index, const Key& key) noexcept {
  heads_[0] = index.rest_.data();
  count_ = 1;
  for (const Table& table : index.tables_) {
    const uint16_t* head = table.find(key[table.field]);
    heads_[count_] = head;
    count_ += *head != kEnd ? 1 : 0;
  }
}

std::shared_ptr<const RuleIndex> RuleIndex::build(const RuleSet& set, uint32_t first,
                                                  uint32_t count, uint32_t few) {
  if (count < few || count > kEnd) return nullptr;
  return RuleIndexBuilder(set, std::span(set.rules).subspan(first, count)).run();
}

size_t RuleIndex::bytes() const noexcept {
  size_t sum = sizeof(*this) + rest_.capacity() * sizeof(uint16_t);
  for (const Table& t : tables_) {
    sum += sizeof(t) + t.starts.capacity() * sizeof(uint32_t) +
           t.lists.capacity() * sizeof(uint32_t) +
           (t.positions.capacity() + t.direct.capacity()) * sizeof(uint16_t);
  }
  return sum;
}

}  // namespace maclane
