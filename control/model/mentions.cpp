#include "control/model/mentions.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "control/model/gateway.h"
#include "control/model/value.h"

namespace maclane::model {
namespace {

std::string in_gateway(const std::string& value, const std::string& from, const std::string& to,
                       bool table) {
  const auto [way, in] = gateway_parts(value);
  const std::string rest = value.substr(way.size());  // "@table", or nothing
  if (table) return in == from && !rest.empty() ? fmt::format("{}@{}", way, to) : value;
  if (way == from) return to + rest;
  const size_t percent = way.find('%');
  const bool same = percent != std::string::npos && way.substr(percent + 1) == from;
  return same ? value.substr(0, percent + 1) + to + rest : value;
}

std::string in_list(const std::string& value, const std::string& from, const std::string& to) {
  const Negatable parts = split_negation(value);
  std::string out = parts.negated ? "!" : "";
  bool first = true;
  for (std::string_view name : split_list(parts.value)) {
    if (!std::exchange(first, false)) out += ',';
    out += name == from ? std::string_view(to) : name;
  }
  return out;
}

/// table: `from` is the name of a routing table.
void replace(Tree& tree, const Menu& menu, size_t property, const std::string& from,
             const std::string& to, bool table) {
  const bool gateway = menu.properties[property].type == Type::kGateway;
  const Rows rows = tree.rows(menu);  // a copy: the original is edited
  size_t place = 0;
  for (const RowPtr& row : rows) {
    const size_t here = place++;
    const std::string& before = row->values[property];
    if (before.size() < from.size()) continue;
    std::string value = gateway ? in_gateway(before, from, to, table) : in_list(before, from, to);
    if (value == before) continue;
    auto next = std::make_shared<Row>(*row);
    next->values[property] = std::move(value);
    tree.edit(menu).replace(here, std::move(next));
  }
}

}  // namespace

void replace_mention(Tree& tree, const Menu& menu, size_t property, const std::string& from,
                     const std::string& to) {
  replace(tree, menu, property, from, to, false);
}

void rename_mentions(Tree& tree, std::string_view path, const std::string& from,
                     const std::string& to) {
  const bool table = path == "/routing/table";
  const bool interface = path.starts_with("/interface/") && path != "/interface/list";
  for (const Menu& menu : menus()) {
    for (size_t i = 0; i < menu.properties.size(); ++i) {
      const Property& property = menu.properties[i];
      const bool refers = property.type == Type::kReference &&
                          std::ranges::find(property.reference, path) != property.reference.end();
      const bool gateway = property.type == Type::kGateway && (interface || table);
      if (refers || gateway) replace(tree, menu, i, from, to, table);
    }
  }
}

}  // namespace maclane::model
