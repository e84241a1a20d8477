// Rows and rules taken from one compile to the next. See rule_reuse.h.
#include "control/compile/rule_reuse.h"

#include <algorithm>

namespace maclane::compile {
namespace {

using KnownRow = CompileState::KnownRow;

/// How far rows may have moved on, or gone, to be found still.
constexpr size_t kLookAhead = 32;

KnownRow read_row(const model::Row& row, const Columns& columns) {
  const std::string_view action = row.at(columns.action);
  KnownRow known;
  known.row = &row;
  known.id = row.id;
  known.enabled = row.at(columns.disabled) != "true";
  known.jumps = action == "jump";
  known.fills = action == "add-src-to-address-list" || action == "add-dst-to-address-list";
  return known;
}

uint32_t copy_ports(const RuleSet& from, uint32_t first, uint16_t count, RuleSet& to) {
  const auto at = static_cast<uint32_t>(to.ports.size());
  const auto begin = from.ports.begin() + first;
  to.ports.insert(to.ports.end(), begin, begin + count);
  return at;
}

}  // namespace

KnownRows known_rows(const model::Rows& rows, const Columns& columns, const KnownRows* before) {
  KnownRows out;
  out.reserve(rows.size());
  const KnownRows none;
  const KnownRows& known = before != nullptr ? *before : none;
  size_t next = 0;
  for (const model::RowPtr& row : rows) {
    const auto begin = known.begin() + static_cast<std::ptrdiff_t>(next);
    const auto end = begin + static_cast<std::ptrdiff_t>(std::min(kLookAhead, known.size() - next));
    const auto found =
        std::find_if(begin, end, [&](const KnownRow& one) { return one.row == row.get(); });
    if (found == end) {
      out.push_back(read_row(*row, columns));
      continue;
    }
    out.push_back(*found);
    next = static_cast<size_t>(found - known.begin()) + 1;
  }
  return out;
}

bool stands_alone(const Rule& rule, const RuleMore& more) {
  constexpr uint32_t kLists = Rule::kInList | Rule::kOutList | Rule::kSrcList | Rule::kDstList;
  constexpr uint32_t kTexts = RuleMore::kContent | RuleMore::kTlsHost;
  return (rule.match & kLists) == 0 && (more.match & kTexts) == 0 && more.state == nullptr &&
         more.log_prefix == 0 && more.list_set == nullptr && rule.action != Action::kJump;
}

void take_rule(const RuleSet& from, uint32_t index, RuleSet& into) {
  Rule rule = from.rules[index];
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
}

}  // namespace maclane::compile
