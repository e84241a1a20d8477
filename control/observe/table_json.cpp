// Tables as JSON. See table.h.
#include <nlohmann/json.hpp>

#include "control/observe/table.h"

namespace maclane::observe {

std::string to_json(const Table& table) {
  using Json = nlohmann::ordered_json;
  const auto object_of = [&](const TableRow& row) {
    Json object = Json::object();
    if (!table.settings && !row.id.empty()) object[".id"] = row.id;
    for (const auto& [name, value] : row.fields) object[name] = value;
    if (row.dynamic) object["dynamic"] = "true";
    return object;
  };
  Json out = table.settings ? Json::object() : Json::array();
  if (table.settings && !table.rows.empty()) {
    out = object_of(table.rows.front());
  } else {
    for (const auto& row : table.rows) out.push_back(object_of(row));
  }
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string to_json_object(const std::vector<std::pair<std::string, std::string>>& fields) {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  for (const auto& [name, value] : fields) out[name] = value;
  return out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace maclane::observe
