// /routing/rule, and the numbers by which mangle's marks and rules know the tables of
// /routing/table (a mark is a table's name, as in RouterOS 7). Control thread.
#include <algorithm>
#include <iterator>

#include "control/compile/parts.h"
#include "control/compile/rule_columns.h"

namespace maclane::compile {
namespace {

constexpr Word<RoutingRule::Action> kRuleActions[] = {
    {"lookup", RoutingRule::Action::kLookup},
    {"lookup-only-in-table", RoutingRule::Action::kLookupOnly},
    {"drop", RoutingRule::Action::kDrop},
    {"unreachable", RoutingRule::Action::kUnreachable}};

AddressRange range_of(std::string_view prefix) {
  const auto parsed = model::parse_prefix(prefix);
  if (!parsed) return {0, 0xffffffff};
  return {parsed->network(), parsed->broadcast()};
}

/// A table without its prefixes of at most `hidden` bits, as if nobody had written them. nullptr:
/// there is an error more.
std::shared_ptr<const Fib4> narrowed(Work& work, std::string_view table,
                                     std::span<const Fib4Route> routes, uint8_t hidden) {
  std::pair<std::string, uint8_t> key{table, hidden};
  const auto [it, fresh] = work.state.narrowed.try_emplace(key);
  CompileState::Fib& fib = it->second;
  if (!fresh) return fib.fib;
  std::ranges::copy_if(routes, std::back_inserter(fib.routes),
                       [&](const Fib4Route& one) { return one.length > hidden; });
  make_fib(work, fib,
           work.previous != nullptr ? find_or_null(work.previous->narrowed, key) : nullptr);
  return fib.fib;
}

}  // namespace

void compile_policy(Work& work) {
  for (const auto& [name, table] : work.state.tables) {
    const uint32_t mark = work.state.names.mark(name);
    if (work.snapshot.tables.size() <= mark) work.snapshot.tables.resize(mark + 1);
    work.snapshot.tables[mark] = table.fib;
  }
  model::for_each(work.tree, "/routing/rule", [&](const model::View& row) {
    if (row.disabled()) return;
    RoutingRule rule;
    rule.action = value_of(kRuleActions, row.get("action"), RoutingRule::Action::kLookup);
    const bool looks_up = row.get("action").starts_with("lookup");
    const std::string_view table = looks_up ? row.raw("table") : std::string_view{};
    const auto known = work.state.tables.find(table);
    if (table == "main")
      rule.table = work.state.fib;
    else if (known != work.state.tables.end())
      rule.table = known->second.fib;
    else if (!table.empty())
      return;  // its table is disabled
    if (row.is_set("min-prefix") && rule.table != nullptr) {
      const auto hidden = model::parse_integer(row.raw("min-prefix")).value_or(0);
      rule.table =
          narrowed(work, table, table == "main" ? work.state.fib_routes : known->second.routes,
                   static_cast<uint8_t>(std::min<int64_t>(hidden, 32)));
    }
    if (row.is_set("routing-mark")) {
      rule.any_mark = false;
      rule.mark = work.state.names.mark(row.raw("routing-mark"));
    }
    if (row.is_set("interface")) rule.in_if = work.state.names.index_of(row.raw("interface"));
    rule.src = range_of(row.raw("src-address"));
    rule.dst = range_of(row.raw("dst-address"));
    work.snapshot.routing_rules.push_back(std::move(rule));
  });
}

}  // namespace maclane::compile
