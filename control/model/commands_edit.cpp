// The commands that change rows: a call to edits of the model, one change each. See commands.h.
#include <fmt/format.h>

#include <algorithm>

#include "control/model/commands_parts.h"
#include "control/model/gathered.h"
#include "control/model/value.h"

namespace maclane::model {
namespace {

Error wrong(const Job& job, Trouble trouble, std::string message, std::string row = {}) {
  return Error{std::move(message), std::string(job.menu.path), std::move(row), {}, {}, trouble};
}

/// Takes an argument away and returns it.
std::string take(Job& job, std::string_view name) {
  auto& arguments = job.call.arguments;
  const auto found = std::find_if(arguments.begin(), arguments.end(),
                                  [&](const auto& one) { return one.first == name; });
  if (found == arguments.end()) return {};
  std::string value = std::move(found->second);
  arguments.erase(found);
  return value;
}

/// A row that is referred to by its identifier, as a script has it of find, is meant by its name.
void name_referred(const Job& job, std::string_view property, std::string& value) {
  const Property* known = job.menu.find(property);
  const bool negated = value.starts_with('!');
  const std::string id = value.substr(negated ? 1 : 0);
  if (known == nullptr || known->type != Type::kReference || !id.starts_with('*')) return;
  for (std::string_view path : known->reference) {
    const Menu& menu = *find_menu(path);
    RowPtr row = gathered_row(job.model.tree(), menu, id);
    if (row == nullptr && known->reference.size() == 1) row = job.model.tree().find(menu, id);
    if (row == nullptr || name_index(menu) < 0) continue;
    value = (negated ? "!" : "") + std::string(row->at(name_index(menu)));
    return;
  }
}

/// What is left of the arguments are properties; "!name" takes a value away.
std::vector<std::pair<std::string, std::string>> take_values(Job& job) {
  std::vector<std::pair<std::string, std::string>> values = std::move(job.call.arguments);
  job.call.arguments.clear();
  for (auto& [name, value] : values) {
    name_referred(job, name, value);
    if (name.size() < 2 || name.front() != '!') continue;
    name.erase(0, 1);
    value.clear();
  }
  return values;
}

/// What a command sets, whichever row it is for.
std::vector<std::pair<std::string, std::string>> values_of(Job& job) {
  const std::string_view command = job.command.name;
  std::vector<std::pair<std::string, std::string>> values;
  if (command == "enable") values.emplace_back("disabled", "no");
  if (command == "disable") values.emplace_back("disabled", "yes");
  if (command == "comment") values.emplace_back("comment", take(job, "comment"));
  if (command == "unset") {
    const std::string names = take(job, "value-name");
    for (std::string_view name : split_list(names)) values.emplace_back(name, "");
  }
  if (command == "set") values = take_values(job);
  return values;
}

/// The menu a row of a gathering menu is stored in, and its name there; nullptr if in none.
const Menu* own_menu(const Model& model, const Menu& menu, std::string_view name) {
  for (std::string_view path : menu.gathers) {
    const Menu* own = find_menu(path);
    if (own != nullptr && model.tree().find(*own, name) != nullptr) return own;
  }
  return nullptr;
}

/// Edits of rows that are shown in one menu and stored in others go to those.
Answer<std::vector<Edit>> forward(Job& job, const std::vector<std::string>& rows,
                                  const Edit& pattern) {
  const std::vector<PrintRow> shown = job.model.dynamic_rows(job.menu);
  std::vector<Edit> edits;
  Errors errors;
  for (const std::string& id : rows) {
    const auto row =
        std::find_if(shown.begin(), shown.end(), [&](const PrintRow& one) { return one.id == id; });
    const std::string name(row == shown.end() ? std::string_view{} : row->get("name"));
    const Menu* own = own_menu(job.model, job.menu, name);
    if (own == nullptr) {
      errors.push_back(
          wrong(job, Trouble::kGeneral,
                fmt::format("failure: can not change a dynamic item: {} is made by the "
                            "router itself",
                            name.empty() ? id : name),
                name));
      continue;
    }
    edits.push_back(pattern);
    edits.back().path = own->path;
    edits.back().target = name;
  }
  if (!errors.empty()) return refuse(std::move(errors));
  return edits;
}

Answer<std::vector<Edit>> row_edits(Job& job) {
  Edit pattern;
  pattern.kind = job.command.name == "remove" ? Edit::Kind::kRemove
                 : job.command.name == "move" ? Edit::Kind::kMove
                                              : Edit::Kind::kSet;
  pattern.path = std::string(job.menu.path);
  const std::string destination =
      pattern.kind == Edit::Kind::kMove ? take(job, "destination") : std::string{};
  std::vector<std::string> rows;
  if (job.menu.kind == Menu::Kind::kSettings) {
    rows.emplace_back();
  } else {
    auto selected = select_rows(job, true);
    if (!selected) return tl::make_unexpected(std::move(selected.error()));
    rows = std::move(*selected);
  }
  if (!destination.empty()) {
    auto before = find_place(job.model, job.menu, destination);
    if (!before) {
      Error error = wrong(job, Trouble::kMissing,
                          fmt::format("no such item: there is no row \"{}\" to move to",
                                      destination.substr(0, 64)));
      error.property = "destination";
      return refuse(Errors{std::move(error)});
    }
    pattern.before = std::move(*before);
  }
  pattern.values = values_of(job);
  // As in RouterOS: nothing to set is nothing to do, of rows that are there.
  if (job.command.name == "set" && pattern.values.empty()) return std::vector<Edit>{};
  if (!job.menu.gathers.empty() && pattern.kind == Edit::Kind::kSet) {
    return forward(job, rows, pattern);
  }
  std::vector<Edit> edits;
  Errors errors;
  for (std::string& id : rows) {
    const bool stored =
        job.menu.kind == Menu::Kind::kSettings || job.model.tree().find(job.menu, id) != nullptr;
    const bool removes = pattern.kind == Edit::Kind::kRemove;
    if (!stored && (removes ? job.menu.gathers.empty() && !job.model.removes_state(job.menu)
                            : job.model.live_rows(job.menu) == nullptr)) {
      errors.push_back(
          wrong(job, Trouble::kGeneral,
                fmt::format("failure: can not {} a dynamic item: the router made it itself",
                            removes ? "remove" : "change"),
                id));
      continue;
    }
    if (id == pattern.before && !id.empty()) continue;  // before itself: where it is
    edits.push_back(pattern);
    edits.back().target = std::move(id);
  }
  if (!errors.empty()) return refuse(std::move(errors));
  return edits;
}

Answer<std::vector<Edit>> add_edits(Job& job) {
  Edit edit;
  edit.path = std::string(job.menu.path);
  for (auto& [argument, target] :
       {std::pair<std::string_view, std::string*>{"place-before", &edit.before},
        std::pair<std::string_view, std::string*>{"copy-from", &edit.copy_from}}) {
    const std::string written = take(job, argument);
    if (written.empty()) continue;
    auto row = argument == "place-before" ? find_place(job.model, job.menu, written)
                                          : std::optional(find_row(job.model, job.menu, written));
    if (row && (argument == "place-before" || !row->empty())) {
      *target = std::move(*row);
    } else {
      return refuse(
          Errors{Error{fmt::format("no such item: there is no row \"{}\"", written.substr(0, 64)),
                       std::string(job.menu.path),
                       {},
                       std::string(argument),
                       {},
                       Trouble::kMissing}});
    }
  }
  edit.values = take_values(job);
  return std::vector{std::move(edit)};
}

}  // namespace

Answer<Outcome> edit(Job& job) {
  const bool adds = job.command.name == "add";
  auto edits = adds ? add_edits(job) : row_edits(job);
  if (!edits) return tl::make_unexpected(std::move(edits.error()));
  Outcome out;
  if (edits->empty()) return out;  // no row was meant
  auto made = apply_edits(job, std::move(*edits));
  if (!made) return tl::make_unexpected(std::move(made.error()));
  if (adds && !made->empty()) out.result.emplace_back("ret", made->front());
  if (const Confirm* waiting = job.model.waiting()) {
    out.warnings.push_back(
        fmt::format("what {} applied waits for its confirm: without, the router goes back to what "
                    "it was before, and this change goes with it",
                    waiting->by.text()));
  }
  return out;
}

}  // namespace maclane::model
