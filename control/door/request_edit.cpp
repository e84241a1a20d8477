// The requests that change the model: JSON to edits, one request one change. See request.h.
#include <algorithm>
#include <cstdio>
#include <optional>

#include "control/door/request.h"
#include "control/door/request_text.h"
#include "control/model/nearest.h"
#include "control/model/value.h"

namespace maclane::door {

using model::Menu;

namespace {

/// One edit request taken apart.
class EditReader {
 public:
  EditReader(const Menu& menu, std::string command) : menu_(menu), command_(std::move(command)) {
    edit_.path = std::string(menu.path);
  }

  /// Takes the members of an object: which rows, where to, and values.
  void read(const Json& object) {
    for (const auto& item : object.items()) {
      const std::string& key = item.key();
      if (item.value().is_object()) {
        if (key != "values") return refuse_value(key);
        read(item.value());
        continue;
      }
      std::string value;
      if (item.value().is_array()) {
        for (const std::string& part : list_of(item.value()))
          value += (value.empty() ? "" : ",") + part;
      } else if (const auto text = text_of(item.value())) {
        value = *text;
      } else {
        return refuse_value(key);
      }
      take(key, value);
    }
  }

  /// The edit without its target, or what is wrong with it.
  tl::expected<model::Edit, Error> finish() {
    using Kind = model::Edit::Kind;
    auto& values = edit_.values;
    if (command_ == "add") {
      if (!numbers.empty()) fail("add makes a new row: it takes no numbers.");
    } else if (command_ == "set") {
      edit_.kind = Kind::kSet;
      if (values.empty()) fail("set was given nothing to set.");
    } else if (command_ == "comment") {
      edit_.kind = Kind::kSet;
      if (values.size() != 1 || values[0].first != "comment") {
        fail("comment takes the text as comment=\"...\".", "comment");
      }
    } else if (command_ == "enable" || command_ == "disable") {
      edit_.kind = Kind::kSet;
      no_values();
      values = {{"disabled", command_ == "enable" ? "no" : "yes"}};
    } else if (command_ == "remove" || command_ == "move") {
      edit_.kind = command_ == "move" ? Kind::kMove : Kind::kRemove;
      no_values();
    } else {
      fail("\"" + command_ + "\" is not an edit; it can be " + model::any_of(kEdits) + ".");
    }
    if (numbers.empty() && command_ != "add" && menu_.kind != Menu::Kind::kSettings) {
      fail(command_ + " needs to know which rows: numbers is a name, an *ID or an index.");
    }
    if (error_) return tl::make_unexpected(*error_);
    return std::move(edit_);
  }

  std::string numbers;
  std::string before;

 private:
  static constexpr std::string_view kEdits[] = {"add",    "set",     "remove", "move",
                                                "enable", "disable", "comment"};

  void take(const std::string& key, const std::string& value) {
    if (std::find(std::begin(kTargetKeys), std::end(kTargetKeys), key) != std::end(kTargetKeys)) {
      numbers = value;
    } else if (key == "place-before" || key == "before" || key == "destination") {
      before = value;
    } else if (key.size() > 1 && key.front() == '!') {
      edit_.values.emplace_back(key.substr(1), "");
    } else {
      edit_.values.emplace_back(key, value);
    }
  }
  void no_values() {
    if (!edit_.values.empty()) {
      fail(command_ + " takes no properties.", edit_.values.front().first);
    }
  }
  void refuse_value(const std::string& key) {
    fail("The value is not a text, a number, yes or no.", key);
  }
  void fail(std::string message, std::string property = {}) {
    if (!error_) error_ = Error{std::move(message), edit_.path, numbers, std::move(property), {}};
  }

  const Menu& menu_;
  std::string command_;
  model::Edit edit_;
  std::optional<Error> error_;
};

}  // namespace

std::vector<std::string> Requests::targets(const Menu& menu, const std::string& numbers) const {
  if (menu.kind == Menu::Kind::kSettings) return {""};
  if (model_.tree().find(menu, numbers)) return {numbers};
  std::vector<std::string> out;
  const auto& rows = model_.tree().rows(menu);
  for (std::string_view part : model::split_list(numbers)) {
    std::string target(part);
    // An index means the row that has it now, before any row of this change is removed.
    if (is_index(target) && !model_.tree().find(menu, target)) {
      const size_t index = std::stoul(target);
      if (index < rows.size()) {
        char id[16];
        std::snprintf(id, sizeof id, "*%X", rows[index]->id);
        target = id;
      } else if (const auto shown = model_.print(menu); index < shown.size()) {
        target = shown[index].id;  // a row that exists only as state
      }
    }
    out.push_back(std::move(target));
  }
  return out;
}

Result<std::vector<model::Edit>> Requests::edits_of(const Json& request) const {
  const std::string path = text_at(request, "path");
  const Menu* menu = model::find_menu(path);
  if (menu == nullptr) {
    return tl::make_unexpected(Errors{Error{"There is no such menu.", path, {}, {}, {}}});
  }
  EditReader reader(*menu, text_at(request, "command"));
  Json beside = request;  // an edit of apply may write its members beside path and command
  for (const char* key : {"path", "command", "id", "arguments"}) beside.erase(key);
  reader.read(beside);
  if (const auto arguments = request.find("arguments");
      arguments != request.end() && arguments->is_object()) {
    reader.read(*arguments);
  }
  auto edit = reader.finish();
  if (!edit) return tl::make_unexpected(Errors{std::move(edit.error())});
  if (!reader.before.empty()) {
    const auto before = targets(*menu, reader.before);
    if (!before.empty()) edit->before = before.front();
  }
  if (edit->kind == model::Edit::Kind::kAdd) return std::vector{std::move(*edit)};
  std::vector<model::Edit> out;
  for (std::string& target : targets(*menu, reader.numbers)) {
    out.push_back(*edit);
    out.back().target = std::move(target);
  }
  return out;
}

Json Requests::edit(const Json& request) {
  std::vector<model::Edit> all;
  Errors errors;
  const auto collect = [&](const Json& one) {
    auto edits = edits_of(one);
    if (!edits) {
      errors.insert(errors.end(), edits.error().begin(), edits.error().end());
      return;
    }
    std::move(edits->begin(), edits->end(), std::back_inserter(all));
  };
  if (text_at(request, "command") != "apply") {
    collect(request);
  } else {
    const Json& arguments = request["arguments"];
    const auto list = arguments.find("edits");
    if (list == arguments.end() || !list->is_array()) {
      return refuse("apply needs edits: a list of {\"path\", \"command\", \"values\"}.");
    }
    for (const Json& one : *list) {
      if (!one.is_object()) return refuse("Each of the edits is a JSON object.");
      collect(one);
    }
  }
  if (!errors.empty()) return json_of(errors);
  const auto ids = model_.apply(all);
  if (!ids) return json_of(ids.error());
  return {{"ok", true}, {"ids", *ids}};
}

}  // namespace maclane::door
