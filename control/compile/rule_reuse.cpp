// Rules taken from one set to the next. See rule_reuse.h.
#include "control/compile/rule_reuse.h"

#include <algorithm>

namespace maclane::compile {
namespace {

/// How far rows may have moved on, or gone, to be found still.
constexpr size_t kLookAhead = 32;

uint32_t copy_ports(const RuleSet& from, uint32_t first, uint16_t count, RuleSet& to) {
  const auto at = static_cast<uint32_t>(to.ports.size());
  const auto begin = from.ports.begin() + first;
  to.ports.insert(to.ports.end(), begin, begin + count);
  return at;
}

}  // namespace

bool stands_alone(const Rule& rule, const RuleMore& more) {
  constexpr uint32_t kLists = Rule::kInList | Rule::kOutList | Rule::kSrcList | Rule::kDstList;
  constexpr uint32_t kTexts = RuleMore::kContent | RuleMore::kTlsHost;
  return (rule.match & kLists) == 0 && (more.match & kTexts) == 0 && more.state == nullptr &&
         more.log_prefix == 0 && more.list_set == nullptr && rule.action != Action::kJump;
}

bool FormerRules::take(const model::RowPtr& row, RuleSet& into) {
  if (before_ == nullptr) return false;
  const auto begin = before_->alone.begin() + static_cast<std::ptrdiff_t>(next_);
  const auto end =
      begin + static_cast<std::ptrdiff_t>(std::min(kLookAhead, before_->alone.size() - next_));
  const auto found = std::find_if(begin, end, [&](const auto& one) { return one.row == row; });
  if (found == end) return false;
  next_ = static_cast<size_t>(found - before_->alone.begin()) + 1;
  const RuleSet& from = *before_->set;
  Rule rule = from.rules[found->rule];
  if (rule.src_port_count != 0)
    rule.src_ports = copy_ports(from, rule.src_ports, rule.src_port_count, into);
  if (rule.dst_port_count != 0)
    rule.dst_ports = copy_ports(from, rule.dst_ports, rule.dst_port_count, into);
  if (rule.more != 0) {
    RuleMore more = from.more[rule.more];
    if (more.port_count != 0) more.ports = copy_ports(from, more.ports, more.port_count, into);
    into.add_more(rule, more);
  }
  into.rules.push_back(rule);
  return true;
}

}  // namespace maclane::compile
