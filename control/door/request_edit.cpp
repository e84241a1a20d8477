// The requests that change something: JSON to calls, one request one change. See request.h.
#include <algorithm>

#include "control/door/request.h"
#include "control/door/request_text.h"

namespace maclane::door {
namespace {

/// Takes the members of an object for arguments. The names that older consoles used are known too.
bool take(const Json& object, const std::string& command, model::Call& call, std::string& wrong) {
  for (const auto& item : object.items()) {
    std::string key = item.key();
    if (item.value().is_object()) {
      if (key != "values") return wrong = key, false;
      if (!take(item.value(), command, call, wrong)) return false;
      continue;
    }
    std::string value;
    if (item.value().is_array()) {
      for (const std::string& part : list_of(item.value()))
        value += (value.empty() ? "" : ",") + part;
    } else if (const auto text = text_of(item.value())) {
      value = *text;
    } else {
      return wrong = key, false;
    }
    if (key == "target") key = "numbers";
    if (key == "before") key = command == "move" ? "destination" : "place-before";
    call.arguments.emplace_back(std::move(key), std::move(value));
  }
  return true;
}

}  // namespace

model::Answer<model::Outcome> Requests::edit(const Json& request) {
  model::Call call;
  call.path = text_at(request, "path");
  call.command = text_at(request, "command");
  std::string wrong;
  Json beside = request;  // an edit of apply may write its members beside path and command
  for (const char* key : {"path", "command", "id", "arguments"}) beside.erase(key);
  bool right = take(beside, call.command, call, wrong);
  if (const auto arguments = request.find("arguments");
      right && arguments != request.end() && arguments->is_object()) {
    right = take(*arguments, call.command, call, wrong);
  }
  if (!right) {
    return model::refuse(Errors{Error{"The value is not a text, a number, yes or no.",
                                      call.path,
                                      {},
                                      wrong,
                                      {},
                                      Trouble::kBadArgument}});
  }
  return commands_.run(call, console_caller());
}

Json Requests::apply(const Json& arguments) {
  const auto list = arguments.find("edits");
  if (list == arguments.end() || !list->is_array()) {
    return refuse("apply needs edits: a list of {\"path\", \"command\", \"values\"}.");
  }
  Errors errors;
  Json ids = Json::array();
  commands_.model().begin_batch(console_caller());
  for (const Json& one : *list) {
    if (!one.is_object() || !is_edit(text_at(one, "command"))) {
      errors.push_back(Error{"Each of the edits is a JSON object with an edit for its command.",
                             text_at(one, "path"),
                             {},
                             {},
                             {},
                             Trouble::kBadArgument});
      continue;
    }
    auto outcome = edit(one);
    if (!outcome) {
      Errors& more = outcome.error().errors;
      std::move(more.begin(), more.end(), std::back_inserter(errors));
    } else if (!outcome->ret().empty()) {
      ids.push_back(outcome->ret());
    }
  }
  if (!errors.empty()) {
    commands_.model().drop_batch();
    return json_of(errors);
  }
  if (Status status = commands_.model().commit_batch(); !status) return json_of(status.error());
  return {{"ok", true}, {"ids", std::move(ids)}};
}

}  // namespace maclane::door
