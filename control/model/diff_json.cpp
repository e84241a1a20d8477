// Differences of trees for programs. See diff.h.
#include <nlohmann/json.hpp>

#include "control/model/diff.h"

namespace maclane::model {
namespace {

using Json = nlohmann::ordered_json;

Json value_of(const Property& property, const std::string& value, bool sensitive) {
  if (value.empty()) return {};
  const bool hidden =
      property.has(Property::kWriteOnly) || (property.has(Property::kSecret) && !sensitive);
  return hidden ? "*****" : value;
}

Json change_of(const Menu& menu, std::string_view action, const Row& row) {
  Json out = {{"menu", menu.path}, {"action", action}};
  if (menu.kind != Menu::Kind::kSettings) out["id"] = row_id(row.id);
  if (const int name = name_index(menu); name >= 0) out["name"] = row.at(name);
  return out;
}

Json properties_of(const Menu& menu, const Row& row, bool sensitive) {
  Json out = Json::object();
  for (size_t i = 0; i < menu.properties.size(); ++i) {
    const Property& property = menu.properties[i];
    if (!row.values[i].empty())
      out[std::string(property.name)] = value_of(property, row.values[i], sensitive);
  }
  return out;
}

Json set_of(const Menu& menu, const Row& before, const Row& after, bool sensitive) {
  Json out = change_of(menu, "set", before);
  Json now = Json::object();
  Json was = Json::object();
  for (size_t i = 0; i < menu.properties.size(); ++i) {
    const Property& property = menu.properties[i];
    if (before.values[i] == after.values[i] || property.has(Property::kDerived)) continue;
    now[std::string(property.name)] = value_of(property, after.values[i], sensitive);
    was[std::string(property.name)] = value_of(property, before.values[i], sensitive);
  }
  out["properties"] = std::move(now);
  out["was"] = std::move(was);
  return out;
}

}  // namespace

std::string to_json(const std::vector<MenuDiff>& changes, const Tree& after, bool sensitive,
                    const std::vector<std::vector<std::pair<std::string, std::string>>>& more) {
  Json out = Json::array();
  for (const auto& [menu, rows] : changes) {
    for (const auto& [action, list] :
         {std::pair("remove", &rows.removed), std::pair("add", &rows.added)}) {
      for (const RowPtr& row : *list) {
        out.push_back(change_of(*menu, action, *row));
        out.back()["properties"] = properties_of(*menu, *row, sensitive);
      }
    }
    for (const RowsDiff::Changed& row : rows.changed)
      out.push_back(set_of(*menu, *row.before, *row.after, sensitive));
    if (!rows.moved) continue;
    Json order = Json::array();
    for (const RowPtr& row : after.rows(*menu)) order.push_back(row_id(row->id));
    out.push_back({{"menu", menu->path}, {"action", "move"}, {"order", std::move(order)}});
  }
  for (const auto& fields : more) {
    Json one = Json::object();
    for (const auto& [name, value] : fields) one[name] = value;
    out.push_back(std::move(one));
  }
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace maclane::model
