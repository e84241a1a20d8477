#include "control/model/mentions.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "control/model/gateway.h"
#include "control/model/value.h"

namespace maclane::model {
namespace {

using NamesOfMenu = std::unordered_map<std::string, std::string>;
/// The names a property may hold: of each menu that it refers to.
using Asked = std::vector<const NamesOfMenu*>;

/// What a name is now; itself if it has not changed.
std::string_view now(const Asked& asked, std::string_view name) {
  const std::string key(name);
  for (const NamesOfMenu* names : asked) {
    const auto found = names->find(key);
    if (found != names->end()) return found->second;
  }
  return name;
}

std::string in_gateway(const std::string& value, const Asked& interfaces, const Asked& tables) {
  const auto [way, in] = gateway_parts(value);
  const size_t percent = way.find('%');
  const size_t begin = percent == std::string_view::npos ? 0 : percent + 1;  // of the interface
  std::string out = value.substr(0, begin);
  out += now(interfaces, way.substr(begin));
  const std::string rest = value.substr(way.size());  // "@table", or nothing
  if (rest.empty() || tables.empty()) return out + rest;
  return fmt::format("{}@{}", out, now(tables, in));
}

std::string in_list(const std::string& value, const Asked& asked) {
  const Negatable parts = split_negation(value);
  std::string out = parts.negated ? "!" : "";
  bool first = true;
  for (std::string_view name : split_list(parts.value)) {
    if (!std::exchange(first, false)) out += ',';
    out += now(asked, name);
  }
  return out;
}

/// Gives a property of all rows the value that change() makes of it.
template <typename Change>
void replace(Tree& tree, const Menu& menu, size_t property, Change&& change) {
  const Rows rows = tree.rows(menu);  // a copy: the original is edited
  size_t place = 0;
  for (const RowPtr& row : rows) {
    const size_t here = place++;
    const std::string& before = row->values[property];
    if (before.empty()) continue;
    std::string value = change(before);
    if (value == before) continue;
    auto next = std::make_shared<Row>(*row);
    next->values[property] = std::move(value);
    tree.edit(menu).replace(here, std::move(next));
  }
}

}  // namespace

void replace_mention(Tree& tree, const Menu& menu, size_t property, const std::string& from,
                     const std::string& to) {
  const NamesOfMenu names{{from, to}};
  const Asked asked{&names};
  replace(tree, menu, property, [&](const std::string& value) { return in_list(value, asked); });
}

void rename_mentions(Tree& tree, const Renamed& renamed) {
  Asked interfaces, tables;
  for (const auto& [path, names] : renamed) {
    if (path == "/routing/table") tables.push_back(&names);
    if (path.starts_with("/interface/") && path != "/interface/list") interfaces.push_back(&names);
  }
  for (const Menu& menu : menus()) {
    for (size_t i = 0; i < menu.properties.size(); ++i) {
      const Property& property = menu.properties[i];
      if (property.type == Type::kGateway) {
        if (interfaces.empty() && tables.empty()) continue;
        replace(tree, menu, i,
                [&](const std::string& value) { return in_gateway(value, interfaces, tables); });
      } else if (property.type == Type::kReference) {
        Asked asked;
        for (const std::string_view path : property.reference) {
          const auto found = renamed.find(path);
          if (found != renamed.end()) asked.push_back(&found->second);
        }
        if (asked.empty()) continue;
        replace(tree, menu, i, [&](const std::string& value) { return in_list(value, asked); });
      }
    }
  }
}

}  // namespace maclane::model
