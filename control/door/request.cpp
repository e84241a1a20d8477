// Requests to model calls to replies. See request.h.
#include "control/door/request.h"

#include <algorithm>
#include <optional>

#include "control/door/json_bounds.h"
#include "control/door/request_text.h"
#include "control/door/where.h"
#include "control/model/nearest.h"
#include "control/model/value.h"

namespace maclane::door {
namespace {

using model::Menu;

Json json_of(const model::PrintRow& row, size_t number, const std::vector<std::string>& only) {
  Json fields = Json::object();
  auto& pairs = fields.get_ref<Json::object_t&>();
  // A provider may name a field twice, so keys are not looked up: the first stands.
  for (const auto& [name, value] : row.fields) {
    if (!only.empty() && std::find(only.begin(), only.end(), name) == only.end()) continue;
    pairs.emplace(name, value);
  }
  return {{".id", row.id}, {"number", number}, {"dynamic", row.dynamic}, {"fields", fields}};
}

}  // namespace

std::string Requests::refusal(std::string message) {
  return refuse(std::move(message)).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string Requests::answer(std::string_view line) {
  Json id;
  try {
    Json out = reply(line, id);
    if (!id.is_null()) out["id"] = std::move(id);
    return out.dump(-1, ' ', false, Json::error_handler_t::replace);
  } catch (const std::exception& e) {
    return refusal(std::string("The request could not be carried out: ") + e.what() + ".");
  }
}

Json Requests::reply(std::string_view line, Json& id) {
  if (line.size() > kMaxLine) return refuse("The request is longer than 1 MiB.");
  auto parsed = parse_bounded(line);
  if (!parsed) return refuse(std::move(parsed.error()));
  Json& request = *parsed;
  if (!request.is_object()) {
    return refuse("A request is a JSON object with path, command and arguments.");
  }
  if (const auto found = request.find("id"); found != request.end()) {
    if (found->is_structured()) return refuse("The id of a request is a number or a string.");
    id = *found;
  }
  const std::string command = text_at(request, "command");
  const std::string path = text_at(request, "path");
  if (command.empty()) return refuse("The request has no command.");
  if (command == "menus") return menus();
  Json& arguments = request["arguments"];
  if (arguments.is_null()) arguments = Json::object();
  if (!arguments.is_object()) return refuse("The arguments of a request are a JSON object.");
  if (command == "apply") return edit(request);

  if (const auto found = handlers_.find({path, command}); found != handlers_.end()) {
    auto result = found->second(arguments);
    if (!result) return json_of(result.error());
    return {{"ok", true}, {"result", std::move(*result)}};
  }
  const Menu* menu = model::find_menu(path);
  if (menu == nullptr) {
    std::vector<std::string_view> names;
    for (const Menu& m : model::menus()) names.push_back(m.path);
    const std::string hint = model::did_you_mean(path, names);
    return refuse("There is no menu \"" + path + "\"" + (hint.empty() ? "." : hint));
  }
  if (const auto found = handlers_.find({std::string(menu->path), command});
      found != handlers_.end()) {
    auto result = found->second(arguments);
    if (!result) return json_of(result.error());
    return {{"ok", true}, {"result", std::move(*result)}};
  }
  const auto commands = commands_of(*menu);
  if (std::find(commands.begin(), commands.end(), command) == commands.end()) {
    return refuse(
        "There is no command \"" + command + "\" here; it can be " + model::any_of(commands) + ".",
        menu->path);
  }
  if (command == "print") return print(*menu, arguments);
  if (command == "get") return get(*menu, arguments);
  if (command == "schema") return schema(*menu);
  return edit(request);
}

Json Requests::print(const Menu& menu, const Json& arguments) const {
  constexpr std::string_view kKnown[] = {"where", "count-only", "proplist",      "detail",
                                         "stats", "terse",      "value-list",    "brief",
                                         "all",   ".proplist",  "without-paging"};
  for (const auto& item : arguments.items()) {
    if (std::find(std::begin(kKnown), std::end(kKnown), item.key()) == std::end(kKnown)) {
      return refuse("print has no argument \"" + item.key() + "\"; rows are chosen with where.",
                    menu.path);
    }
  }
  const auto where = Where::parse(menu, text_at(arguments, "where"));
  if (!where) {
    Json out = refuse(where.error().message, menu.path, "where");
    out["errors"][0]["position"] = where.error().position;
    return out;
  }
  std::vector<std::string> only;
  for (const char* key : {"proplist", ".proplist"}) {
    if (const auto found = arguments.find(key); found != arguments.end()) only = list_of(*found);
  }
  const auto rows = model_.print(menu);
  if (is_on(arguments, "count-only")) {
    const auto count =
        std::count_if(rows.begin(), rows.end(), [&](const auto& r) { return where->matches(r); });
    return {{"ok", true}, {"count", count}};
  }
  Json list = Json::array();
  for (size_t i = 0; i < rows.size(); ++i) {
    if (where->matches(rows[i])) list.push_back(json_of(rows[i], i, only));
  }
  return {{"ok", true}, {"menu", describe(menu)}, {"rows", std::move(list)}};
}

Json Requests::get(const Menu& menu, const Json& arguments) const {
  const auto rows = model_.print(menu);
  std::string wanted;
  for (auto key : kTargetKeys) {
    if (arguments.contains(key)) wanted = text_at(arguments, key);
  }
  std::optional<size_t> found;
  if (menu.kind == Menu::Kind::kSettings && !rows.empty()) found = 0;
  for (size_t i = 0; i < rows.size() && !found; ++i) {
    if (!wanted.empty() && (rows[i].id == wanted || rows[i].get("name") == wanted)) found = i;
  }
  if (!found && is_index(wanted) && std::stoul(wanted) < rows.size()) found = std::stoul(wanted);
  if (!found) {
    return refuse(wanted.empty() ? "get needs the row: its name, its *ID or its number."
                                 : "There is no row \"" + wanted + "\".",
                  menu.path);
  }
  const std::string property = text_at(arguments, "value-name");
  if (property.empty()) return {{"ok", true}, {"row", json_of(rows[*found], *found, {})}};
  if (menu.find(property) == nullptr && property != ".id") {
    return refuse("There is no property \"" + property + "\".", menu.path, property);
  }
  const std::string_view value = property == ".id" ? rows[*found].id : rows[*found].get(property);
  return {{"ok", true}, {"value", value}};
}

}  // namespace maclane::door
