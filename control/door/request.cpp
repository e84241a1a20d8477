// Requests to commands to replies. See request.h.
#include "control/door/request.h"

#include <algorithm>

#include "control/door/json_bounds.h"
#include "control/door/request_text.h"
#include "control/door/where.h"

namespace maclane::door {
namespace {

using model::Menu;

Json json_of(const model::PrintRow& row) {
  Json fields = Json::object();
  auto& pairs = fields.get_ref<Json::object_t&>();
  // A provider may name a field twice, so keys are not looked up: the first stands.
  for (const auto& [name, value] : row.fields) pairs.emplace(name, value);
  return {{".id", row.id}, {"number", row.number}, {"dynamic", row.dynamic}, {"fields", fields}};
}

/// What a command had to say, for the reply's "result".
Json result_of(const model::Outcome& outcome) {
  if (!outcome.text.empty()) return outcome.text;
  if (!outcome.rows.empty()) {
    Json list = Json::array();
    for (const model::PrintRow& row : outcome.rows) list.push_back(json_of(row));
    return list;
  }
  Json out = Json::object();
  for (const auto& [name, value] : outcome.result) out[name] = value;
  return out;
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
  if (command.empty()) return refuse("The request has no command.");
  if (command == "menus") return menus();
  Json& arguments = request["arguments"];
  if (arguments.is_null()) arguments = Json::object();
  if (!arguments.is_object()) return refuse("The arguments of a request are a JSON object.");
  if (command == "apply" && !arguments.contains("file")) return apply(arguments);
  return run(request);
}

Json Requests::run(const Json& request) {
  const std::string command = text_at(request, "command");
  const Menu* menu = model::find_menu(text_at(request, "path"));
  if (menu != nullptr && command == "schema") return schema(*menu);
  if (menu != nullptr && command == "print") {
    model::Call call;
    call.path = menu->path;
    call.command = command;
    return print(std::move(call), *menu, request["arguments"]);
  }
  auto outcome = edit(request);
  if (!outcome) return door::json_of(outcome.error().errors);
  if (command == "get") {
    if (!outcome->rows.empty()) return {{"ok", true}, {"row", json_of(outcome->rows.front())}};
    return {{"ok", true}, {"value", outcome->ret()}};
  }
  if (menu != nullptr && is_edit(command)) {
    Json ids = Json::array();
    if (!outcome->ret().empty()) ids.push_back(outcome->ret());
    return {{"ok", true}, {"ids", std::move(ids)}};
  }
  return {{"ok", true}, {"result", result_of(*outcome)}};
}

Json Requests::print(model::Call call, const Menu& menu, const Json& arguments) {
  const auto where = Where::parse(menu, text_at(arguments, "where"));
  if (!where) {
    Json out = refuse(where.error().message, menu.path, "where");
    out["errors"][0]["position"] = where.error().position;
    return out;
  }
  call.filter = [&where](const model::PrintRow& row) { return where->matches(row); };
  for (const auto& item : arguments.items()) {
    const std::string& key = item.key();
    if (key == "where" || key == "all") continue;
    if (key == "proplist" || key == ".proplist") {
      call.proplist = list_of(item.value());
    } else {
      call.arguments.emplace_back(key, text_of(item.value()).value_or(""));
    }
  }
  auto outcome = commands_.run(call, console_caller());
  if (!outcome) return door::json_of(outcome.error().errors);
  if (!outcome->result.empty()) {
    return {{"ok", true}, {"count", model::parse_integer(outcome->ret()).value_or(0)}};
  }
  Json list = Json::array();
  for (const model::PrintRow& row : outcome->rows) list.push_back(json_of(row));
  return {{"ok", true}, {"menu", describe(menu)}, {"rows", std::move(list)}};
}

}  // namespace maclane::door
