// Tables from and to JSON: the replies of the console socket, and --json. See table.h.
#include "control/observe/table.h"

namespace maclane::observe {
namespace {

using Strings = std::vector<std::string>;

Strings strings_of(const nlohmann::ordered_json& object, const char* key) {
  Strings out;
  const auto found = object.find(key);
  if (found == object.end()) return out;
  for (const auto& item : *found)
    if (item.is_string()) out.push_back(item.get<std::string>());
  return out;
}

std::string string_at(const nlohmann::ordered_json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

}  // namespace

Table table_of(const nlohmann::ordered_json& reply) {
  Table table;
  if (const auto menu = reply.find("menu"); menu != reply.end() && menu->is_object()) {
    table.settings = string_at(*menu, "kind") == "settings";
    table.columns = strings_of(*menu, "columns");
    table.stats_columns = strings_of(*menu, "stats-columns");
    table.texts = strings_of(*menu, "texts");
    table.hidden = strings_of(*menu, "hidden");
    table.switches = strings_of(*menu, "switches");
    if (const auto flags = menu->find("flags"); flags != menu->end()) {
      for (const auto& f : *flags) {
        const std::string letter = string_at(f, "letter");
        if (letter.empty()) continue;
        table.flags.push_back({letter.front(), string_at(f, "property"), string_at(f, "meaning")});
      }
    }
  }
  const auto rows = reply.find("rows");
  if (rows == reply.end() || !rows->is_array()) return table;
  for (const auto& item : *rows) {
    if (!item.is_object()) continue;
    TableRow row;
    row.id = string_at(item, ".id");
    const auto number = item.find("number");
    row.number = number != item.end() && number->is_number_unsigned() ? number->get<size_t>()
                                                                      : table.rows.size();
    const auto dynamic = item.find("dynamic");
    row.dynamic = dynamic != item.end() && dynamic->is_boolean() && dynamic->get<bool>();
    if (const auto fields = item.find("fields"); fields != item.end() && fields->is_object()) {
      for (const auto& field : fields->items()) {
        if (field.value().is_string()) row.fields.emplace_back(field.key(), field.value());
      }
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::string to_json(const Table& table) {
  using Json = nlohmann::ordered_json;
  const auto object_of = [&](const TableRow& row) {
    Json object = Json::object();
    if (!table.settings) object[".id"] = row.id;
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

}  // namespace maclane::observe
