// From the words of a print to how its rows are laid out. See print_text.h.
#include "control/script/print_text.h"

#include "control/model/value.h"
#include "control/observe/ping_text.h"
#include "control/observe/table.h"

namespace maclane::script {
namespace {

using observe::PrintOptions;
using observe::Style;
using observe::Table;

PrintOptions options_of(const MenuCall& call, const Screen& screen) {
  PrintOptions options;
  options.width = screen.width;
  options.bold = screen.bold;
  if (call.has("stats")) options.style = Style::kStats;
  if (call.has("value-list")) options.style = Style::kValueList;
  if (call.has("detail") || call.has("stats-detail")) options.style = Style::kDetail;
  if (call.has("terse")) options.style = Style::kTerse;
  if (const auto* proplist = call.find("proplist")) {
    for (std::string_view name : model::split_list(proplist->text)) {
      if (!name.empty()) options.properties.emplace_back(name);
    }
  }
  return options;
}

}  // namespace

std::string print_text(const MenuCall& call, const model::Menu& menu, const Screen& screen,
                       const std::vector<model::PrintRow>& rows, bool head) {
  const bool print = call.command->name == "print";
  Table table = print || call.command->name == "listen" ? observe::table_of(menu, rows)
                                                        : observe::table_of(rows);
  if (screen.json) return observe::to_json(table);
  if (call.command->name == "ping") return observe::ping_text(rows, head);
  if (call.command->name == "traceroute") return observe::traceroute_text(rows);
  PrintOptions options = options_of(call, screen);
  options.head = head;
  if (call.has("brief") && table.columns.empty() && !table.settings) {
    // A table of a menu whose usual form is another one: all that is not hidden.
    for (const auto& property : menu.properties) {
      if (!property.has(model::Property::kHidden)) table.columns.emplace_back(property.name);
    }
  }
  if (call.has("show-ids") && !table.settings) {
    for (auto& row : table.rows) row.fields.emplace(row.fields.begin(), ".id", row.id);
    // A menu whose usual form is detail has no columns: there it is the first of the pairs.
    auto& columns = options.properties.empty() ? table.columns : options.properties;
    if (!columns.empty()) columns.insert(columns.begin(), ".id");
  }
  if (!print && call.command->name.starts_with("monitor")) {
    std::string out;
    for (const auto& row : rows) out += observe::to_lines(row.fields);
    return out;
  }
  return observe::to_text(table, options);
}

}  // namespace maclane::script
