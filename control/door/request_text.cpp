// JSON values as texts, errors as replies. See request_text.h.
#include "control/door/request_text.h"

#include <algorithm>

#include "control/model/value.h"

namespace maclane::door {

Json json_of(const Errors& errors) {
  Json list = Json::array();
  for (const Error& e : errors) {
    list.push_back({{"message", e.message},
                    {"path", e.path},
                    {"row", e.row},
                    {"property", e.property},
                    {"text", e.text()}});
  }
  return {{"ok", false}, {"errors", std::move(list)}};
}

Json refuse(std::string message, std::string_view path, std::string_view property) {
  return json_of({Error{std::move(message), std::string(path), {}, std::string(property), {}}});
}

std::optional<std::string> text_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  if (value.is_number_integer()) return value.dump();
  if (value.is_null()) return "";
  return std::nullopt;
}

std::string text_at(const Json& object, std::string_view key) {
  const auto found = object.find(key);
  return found == object.end() ? std::string{} : text_of(*found).value_or("");
}

bool is_on(const Json& arguments, std::string_view key) {
  const auto found = arguments.find(key);
  if (found == arguments.end()) return false;
  const std::string text = text_of(*found).value_or("");
  return text.empty() || model::parse_bool(text).value_or(false);
}

std::vector<std::string> list_of(const Json& value) {
  std::vector<std::string> out;
  if (value.is_array()) {
    for (const Json& item : value) out.push_back(text_of(item).value_or(""));
  } else if (const auto text = text_of(value)) {
    for (std::string_view part : model::split_list(*text)) out.emplace_back(part);
  }
  return out;
}

bool is_edit(std::string_view command) {
  constexpr std::string_view kEdits[] = {"add",    "set",     "unset",   "remove",
                                         "enable", "disable", "comment", "move"};
  return std::find(std::begin(kEdits), std::end(kEdits), command) != std::end(kEdits);
}

model::Caller console_caller() {
  model::Caller caller;
  caller.user = "admin";
  caller.via = "console";
  return caller;
}

}  // namespace maclane::door
