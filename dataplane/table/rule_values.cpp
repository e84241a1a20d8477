#include "dataplane/table/rule_values.h"

#include <algorithm>
#include <limits>
#include <span>

namespace maclane {
namespace {

constexpr uint32_t kGreatest = std::numeric_limits<uint32_t>::max();
/// When a field has so many ranges, further lists are taken roughly, for the time a build takes.
constexpr size_t kManyRanges = 65536;
constexpr size_t kRoughly = 4;

using Ranges = RuleValues::Ranges;

/// The interfaces of a set as ranges of numbers.
Ranges runs_of(const InterfaceSet& set) {
  Ranges runs;
  for (uint32_t i = 0; i < kMaxInterfaces; ++i) {
    if ((i & 63) == 0 && set[i >> 6] == 0) {
      i += 63;
      continue;
    }
    if (!contains(set, static_cast<IfIndex>(i))) continue;
    if (!runs.empty() && runs.back().last + 1 == i)
      runs.back().last = i;
    else
      runs.push_back({i, i});
  }
  return runs;
}

/// Appends what of `list` (sorted, disjoint) lies within `range`, in `most` pieces. These may take
/// in what lies between: a candidate too many is no mistake.
void clip(std::span<const AddressRange> list, AddressRange range, size_t most, Ranges& out) {
  const auto begin = std::lower_bound(list.begin(), list.end(), range.first,
                                      [](const AddressRange& r, uint32_t a) { return r.last < a; });
  const auto end = std::upper_bound(begin, list.end(), range.last,
                                    [](uint32_t a, const AddressRange& r) { return a < r.first; });
  const auto count = static_cast<size_t>(end - begin);
  const size_t pieces = std::min(count, most);
  for (size_t i = 0; i < pieces; ++i) {
    const AddressRange& low = begin[static_cast<ptrdiff_t>(count * i / pieces)];
    const AddressRange& high = begin[static_cast<ptrdiff_t>(count * (i + 1) / pieces - 1)];
    out.push_back({std::max(low.first, range.first), std::min(high.last, range.last)});
  }
}

}  // namespace

bool RuleValues::append(const Rule& rule, RuleIndex::Field field, Ranges& out) {
  const size_t most = out.size() < kManyRanges ? RuleIndex::kMaxCopies : kRoughly;
  const auto has = [&](Rule::Match what) {
    return (rule.match & what) != 0 && (rule.negate & what) == 0;
  };
  // What comes into a list by itself is not known here.
  const auto has_list = [&](Rule::Match what, uint16_t number) {
    return has(what) && (set_.dynamic_lists.empty() || set_.dynamic_lists[number] == 0);
  };
  const auto addresses = [&](bool one, const AddressRange& range, bool list, uint16_t number) {
    const AddressRange within = one ? range : AddressRange{0, kGreatest};
    if (list)
      clip(*set_.address_sets[number], within, most, out);
    else if (within.first <= within.last)
      out.push_back(within);
    return one || list;
  };
  const auto interfaces = [&](bool one, IfIndex i, bool list, uint16_t number) {
    const AddressRange within = one ? AddressRange{i, i} : AddressRange{0, kGreatest};
    if (list)
      clip(runs(number), within, most, out);
    else
      out.push_back(within);
    return one || list;
  };
  const auto ports = [&](bool any, uint32_t first, uint32_t count) {
    if (any) add_ports(first, count, out);
    return any;
  };
  switch (field) {
    case RuleIndex::kDst:
      return addresses(has(Rule::kDst), rule.dst, has_list(Rule::kDstList, rule.dst_list),
                       rule.dst_list);
    case RuleIndex::kSrc:
      return addresses(has(Rule::kSrc), rule.src, has_list(Rule::kSrcList, rule.src_list),
                       rule.src_list);
    case RuleIndex::kDstPort:
      return ports(has(Rule::kDstPort), rule.dst_ports, rule.dst_port_count);
    case RuleIndex::kSrcPort:
      return ports(has(Rule::kSrcPort), rule.src_ports, rule.src_port_count);
    case RuleIndex::kInIf:
      return interfaces(has(Rule::kInInterface), rule.in_if, has(Rule::kInList), rule.in_list);
    case RuleIndex::kOutIf:
      return interfaces(has(Rule::kOutInterface), rule.out_if, has(Rule::kOutList), rule.out_list);
    case RuleIndex::kProto:
      out.push_back({rule.protocol, rule.protocol});
      return has(Rule::kProtocol);
    case RuleIndex::kFields:
      break;
  }
  return false;
}

void RuleValues::add_ports(uint32_t first, uint32_t count, Ranges& out) const {
  const size_t begin = out.size();
  for (uint32_t i = first; i < first + count; ++i)
    if (set_.ports[i].first <= set_.ports[i].last)
      out.push_back({set_.ports[i].first, set_.ports[i].last});
  if (out.size() < begin + 2) return;
  // A list may name a port twice; the rule must stand in each interval once.
  const auto own = std::span(out).subspan(begin);
  std::sort(own.begin(), own.end(), [](auto& a, auto& b) { return a.first < b.first; });
  size_t end = begin;
  for (size_t i = begin + 1; i < out.size(); ++i) {
    if (out[i].first <= out[end].last)
      out[end].last = std::max(out[end].last, out[i].last);
    else
      out[++end] = out[i];
  }
  out.resize(end + 1);
}

const RuleValues::Ranges& RuleValues::runs(uint16_t number) {
  if (runs_.empty()) runs_.resize(set_.interface_sets.size());
  if (!runs_[number]) runs_[number] = runs_of(set_.interface_sets[number]);
  return *runs_[number];
}

}  // namespace maclane
