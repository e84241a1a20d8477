// An index taken over from a rule set to the one that takes its place: of 10,000 rules it costs
// more to build than all else of a change. Control thread.
#include <algorithm>

#include "dataplane/snapshot.h"
#include "dataplane/table/rule_index.h"

namespace maclane {
namespace {

bool same_ports(const RuleSet& a, uint32_t first_a, const RuleSet& b, uint32_t first_b,
                uint16_t count) {
  const auto from = a.ports.begin() + first_a;
  return std::equal(from, from + count, b.ports.begin() + first_b);
}

bool same_addresses(const RuleSet& a, uint16_t list_a, const RuleSet& b, uint16_t list_b) {
  const auto by_itself = [](const RuleSet& set, uint16_t list) {
    return !set.dynamic_lists.empty() && set.dynamic_lists[list] != 0;
  };
  return a.address_sets[list_a] == b.address_sets[list_b] &&
         by_itself(a, list_a) == by_itself(b, list_b);
}

/// Whether two rules of two sets are filed alike, whatever else they ask and do.
bool filed_alike(const RuleSet& a, const Rule& x, const RuleSet& b, const Rule& y) {
  const uint32_t has = x.match;
  if (has != y.match || x.negate != y.negate || x.protocol != y.protocol || x.in_if != y.in_if ||
      x.out_if != y.out_if || !(x.src == y.src) || !(x.dst == y.dst) ||
      x.src_port_count != y.src_port_count || x.dst_port_count != y.dst_port_count)
    return false;
  constexpr uint32_t kElsewhere = Rule::kSrcPort | Rule::kDstPort | Rule::kInList | Rule::kOutList |
                                  Rule::kSrcList | Rule::kDstList;
  if ((has & kElsewhere) == 0) return true;
  return same_ports(a, x.src_ports, b, y.src_ports, x.src_port_count) &&
         same_ports(a, x.dst_ports, b, y.dst_ports, x.dst_port_count) &&
         ((has & Rule::kInList) == 0 ||
          a.interface_sets[x.in_list] == b.interface_sets[y.in_list]) &&
         ((has & Rule::kOutList) == 0 ||
          a.interface_sets[x.out_list] == b.interface_sets[y.out_list]) &&
         ((has & Rule::kSrcList) == 0 || same_addresses(a, x.src_list, b, y.src_list)) &&
         ((has & Rule::kDstList) == 0 || same_addresses(a, x.dst_list, b, y.dst_list));
}

/// What became of the positions of a chain: those before `kept` are the same, those from `gone` on
/// have moved by `shift`, and between them the rules are others.
struct Moved {
  uint32_t kept, gone;
  int32_t shift;

  /// The positions of a list, which ends with kEnd, as they are now.
  void append(const uint16_t* list, std::vector<uint16_t>& out) const {
    for (; *list != RuleIndex::kEnd; ++list) {
      if (*list < kept)
        out.push_back(*list);
      else if (*list >= gone)
        out.push_back(static_cast<uint16_t>(*list + shift));
    }
  }
};

}  // namespace

std::shared_ptr<const RuleIndex> RuleIndex::bring_up(const std::shared_ptr<const RuleIndex>& index,
                                                     const RuleSet& before, uint32_t first_before,
                                                     uint32_t count_before, const RuleSet& set,
                                                     uint32_t first, uint32_t count) {
  if (count > kEnd) return nullptr;
  const auto alike = [&](uint32_t was, uint32_t is) {
    return filed_alike(before, before.rules[first_before + was], set, set.rules[first + is]);
  };
  const uint32_t least = std::min(count, count_before);
  uint32_t kept = 0;
  while (kept < least && alike(kept, kept)) ++kept;
  uint32_t behind = 0;
  while (kept + behind < least && alike(count_before - 1 - behind, count - 1 - behind)) ++behind;
  const uint32_t fresh = count - kept - behind;
  const uint32_t lost = count_before - kept - behind;
  if (fresh == 0 && lost == 0) return index;
  if (index->late_ + fresh > kMostLate || lost > kMostLate) return nullptr;
  const Moved moved{kept, count_before - behind,
                    static_cast<int32_t>(count) - static_cast<int32_t>(count_before)};
  auto next = std::make_shared<RuleIndex>();
  next->late_ = index->late_ + fresh;
  next->tables_.reserve(index->tables_.size());
  for (const Table& table : index->tables_) {
    Table& to = next->tables_.emplace_back();
    to.field = table.field;
    to.starts = table.starts;
    to.direct = table.direct;
    to.lists.reserve(table.lists.size());
    to.positions.reserve(table.positions.size());
    for (const uint32_t list : table.lists) {
      to.lists.push_back(static_cast<uint32_t>(to.positions.size()));
      moved.append(table.positions.data() + list, to.positions);
      to.positions.push_back(kEnd);
    }
  }
  next->rest_.reserve(index->rest_.size() + fresh);
  moved.append(index->rest_.data(), next->rest_);
  const auto place = std::lower_bound(next->rest_.begin(), next->rest_.end(), kept);
  std::vector<uint16_t> later(fresh);
  for (uint32_t i = 0; i < fresh; ++i) later[i] = static_cast<uint16_t>(kept + i);
  next->rest_.insert(place, later.begin(), later.end());
  next->rest_.push_back(kEnd);
  return next;
}

void index_rules(RuleSet& set, const RuleSet* before, bool renew) {
  for (size_t i = 0; i < set.chains.size(); ++i) {
    RuleSet::Chain& chain = set.chains[i];
    chain.index = nullptr;
    if (chain.count < RuleIndex::kFewRules) continue;
    const RuleSet::Chain* was = nullptr;
    if (before != nullptr) {
      const auto found =
          i < before->chains.size() && before->chains[i].name == chain.name
              ? before->chains.begin() + static_cast<std::ptrdiff_t>(i)
              : std::find_if(before->chains.begin(), before->chains.end(),
                             [&](const RuleSet::Chain& one) { return one.name == chain.name; });
      if (found != before->chains.end()) was = &*found;
    }
    if (was != nullptr && was->index != nullptr && !(renew && was->index->late() != 0))
      chain.index = RuleIndex::bring_up(was->index, *before, was->first, was->count, set,
                                        chain.first, chain.count);
    if (chain.index == nullptr) chain.index = RuleIndex::build(set, chain.first, chain.count);
  }
}

}  // namespace maclane
