// Tables of a menu's rows. See table.h.
#include <algorithm>

#include "control/observe/table.h"

namespace maclane::observe {

using model::Menu;
using model::Property;

namespace {

/// What the router itself says in words, and RouterOS writes in quotes.
constexpr std::string_view kTexts[] = {"type",    "default-name", "host-name", "message",
                                       "version", "board-name",   "contents",  "comment"};

}  // namespace

Table table_of(const Menu& menu, const std::vector<model::PrintRow>& rows) {
  Table table;
  table.settings = menu.kind == Menu::Kind::kSettings;
  for (std::string_view column : menu.columns) table.columns.emplace_back(column);
  for (std::string_view column : menu.stats_columns) table.stats_columns.emplace_back(column);
  for (const auto& flag : menu.letters) {
    table.flags.push_back({flag.letter, std::string(flag.property), std::string(flag.meaning)});
  }
  for (const Property& p : menu.properties) {
    // RouterOS quotes what people write, except the names of chains.
    const bool is_chain = p.name == "chain" || p.name == "jump-target";
    const bool says = !p.has(Property::kReadOnly) || p.has(Property::kName) ||
                      std::find(std::begin(kTexts), std::end(kTexts), p.name) != std::end(kTexts);
    if (p.type == model::Type::kString && says && !is_chain) table.texts.emplace_back(p.name);
    if (p.has(Property::kCounter)) table.counters.emplace_back(p.name);
    if (!p.unit.empty()) table.units.emplace_back(p.name, p.unit);
    if (p.type == model::Type::kBool) table.switches.emplace_back(p.name);
    if (p.has(Property::kHidden)) table.hidden.emplace_back(p.name);
  }
  table.rows.reserve(rows.size());
  for (const model::PrintRow& row : rows) {
    table.rows.push_back({row.id, row.number, row.dynamic, row.fields});
  }
  return table;
}

Table table_of(const std::vector<model::PrintRow>& rows) {
  Table table;
  for (const model::PrintRow& row : rows) {
    for (const auto& [name, value] : row.fields) {
      if (std::find(table.columns.begin(), table.columns.end(), name) == table.columns.end()) {
        table.columns.push_back(name);
      }
      const bool is_switch = value == "true" || value == "false";
      if (is_switch) table.switches.push_back(name);
    }
    table.rows.push_back({row.id, table.rows.size(), row.dynamic, row.fields});
  }
  return table;
}

}  // namespace maclane::observe
