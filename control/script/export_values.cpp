#include "control/script/export_values.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "control/model/idle.h"

namespace maclane::script {
namespace {

using Json = nlohmann::ordered_json;
using model::Menu;
using model::Property;
using model::View;

bool exported(const Property& property, const ExportOptions& options) {
  if (property.has(Property::kReadOnly) || property.has(Property::kNotYet)) return false;
  const bool secret = property.has(Property::kSecret) || property.has(Property::kWriteOnly);
  return options.sensitive || !secret;
}

std::string initial_value(const model::InitialRow* initial, std::string_view property) {
  if (initial == nullptr) return {};
  for (const auto& one : initial->values) {
    if (one.property == property) return std::string(one.value);
  }
  return {};
}

/// Whether the default of a property says anything: not where another one says it instead.
bool says_default(const View& row, const Property& property) {
  if (row.get(property.name).empty() || model::is_idle_default(row, property)) return false;
  return property.name != "type" || row.menu().index("blackhole") < 0 || !row.get_bool("blackhole");
}

Json properties_of(const Said& said) {
  Json out = Json::object();
  for (const auto& [property, value] : said) {
    out[std::string(property->name)] = value.empty() ? Json() : Json(value);
  }
  return out;
}

void add_rows(Json& out, const model::Tree& tree, const Menu& menu, const ExportOptions& options) {
  for (const model::InitialRow& initial : menu.initial) {
    const auto& rows = tree.rows(menu);
    const bool there = std::any_of(rows.begin(), rows.end(), [&](const model::RowPtr& row) {
      return model::initial_row(menu, *row) == &initial;
    });
    if (there || options.left_out) continue;
    Json gone = Json::object();
    for (const auto& one : initial.values) gone[std::string(one.property)] = one.value;
    out.push_back({{"menu", menu.path}, {"action", "remove"}, {"properties", std::move(gone)}});
  }
  const bool settings = menu.kind == Menu::Kind::kSettings;
  for (const model::RowPtr& row : tree.rows(menu)) {
    if (options.left_out && (settings || options.left_out(menu, *row))) continue;
    const model::InitialRow* initial = model::initial_row(menu, *row);
    const Said said = said_of(View(menu, *row), initial, options);
    const bool there = settings || initial != nullptr || menu.has(Menu::kMachine);
    if (said.empty() && there) continue;
    Json one = {{"menu", menu.path}, {"action", there ? "set" : "add"}};
    if (!settings) one["id"] = model::row_id(row->id);
    if (const int name = model::name_index(menu); name >= 0) one["name"] = row->at(name);
    one["properties"] = properties_of(said);
    out.push_back(std::move(one));
  }
}

}  // namespace

Said said_of(const View& row, const model::InitialRow* initial, const ExportOptions& options) {
  Said out;
  for (const Property& property : row.menu().properties) {
    if (!exported(property, options)) continue;
    const std::string_view raw = row.raw(property.name);
    const std::string begin = initial_value(initial, property.name);
    const bool same = raw == begin || (begin.empty() && raw == property.default_value);
    const bool written = property.has(Property::kWritten) && !row.get(property.name).empty();
    if (same && !written && !(options.verbose && says_default(row, property))) continue;
    out.emplace_back(&property, options.verbose || written ? row.get(property.name) : raw);
  }
  return out;
}

std::string export_json(const model::Tree& tree, std::string_view path,
                        const ExportOptions& options) {
  const std::string below = path == "/" ? "/" : std::string(path) + "/";
  Json out = Json::array();
  for (const Menu& menu : model::menus()) {
    const bool wanted = menu.path == path || menu.path.starts_with(below);
    if (wanted && menu.has_rows()) add_rows(out, tree, menu, options);
  }
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace maclane::script
