// Which rows a command is for (D-28), and which a caller may see. See commands.h.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "control/model/commands_parts.h"
#include "control/model/gathered.h"
#include "control/model/value.h"

namespace maclane::model {
namespace {

std::optional<size_t> index_of(std::string_view text) {
  if (text.empty() || text.size() > 9) return std::nullopt;
  size_t value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<size_t>(c - '0');
  }
  return value;
}

/// The property that names a row, also one the router fills in.
std::string_view name_property(const Menu& menu) {
  for (const Property& property : menu.properties) {
    if (property.has(Property::kName)) return property.name;
  }
  return {};
}

/// Comma separated; what `find` gave in a script or over the API has semicolons.
std::vector<std::string_view> split_numbers(std::string_view written) {
  const bool of_find = written.starts_with('*') && written.find(',') == std::string_view::npos;
  if (!of_find || written.find(';') == std::string_view::npos) return split_list(written);
  std::vector<std::string_view> out;
  while (!written.empty()) {
    const size_t end = std::min(written.find(';'), written.size());
    out.push_back(written.substr(0, end));
    written.remove_prefix(std::min(end + 1, written.size()));
  }
  return out;
}

/// Finds rows by what is written of them. Those that the router made are looked up once for all.
class RowFinder {
 public:
  RowFinder(const Model& model, const Menu& menu) : model_(model), menu_(menu) {}

  /// As find_row.
  [[nodiscard]] std::string find(std::string_view written) {
    if (written.empty()) return {};
    if (menu_.has_rows()) {
      if (const RowPtr row = model_.tree().find(menu_, written)) return row_id(row->id);
      if (const RowPtr row = gathered_row(model_.tree(), menu_, written)) return row_id(row->id);
    }
    const Tree::Rows& stored = model_.tree().rows(menu_);
    const auto index = index_of(written);
    // In an ordered menu a row that the router made may stand before those that are stored.
    if (index && menu_.kind == Menu::Kind::kOrdered && !loaded_) load();
    if (index && *index >= leading_ && *index - leading_ < stored.size())
      return row_id(stored[*index - leading_]->id);
    if (!loaded_) load();
    if (const auto row = by_word_.find(written); row != by_word_.end())
      return more_[row->second].id;
    if (!index) return {};
    const size_t place = *index < leading_ ? *index : *index - stored.size();
    return place < more_.size() ? more_[place].id : std::string{};
  }

 private:
  void load() {
    loaded_ = true;
    more_ = model_.dynamic_rows(menu_);
    const std::string_view name = name_property(menu_);
    for (size_t i = 0; i < more_.size(); ++i) {
      if (more_[i].leads) ++leading_;
      by_word_.emplace(more_[i].id, i);
      if (!name.empty()) by_word_.emplace(more_[i].get(name), i);
    }
  }

  const Model& model_;
  const Menu& menu_;
  bool loaded_ = false;
  size_t leading_ = 0;  // of more_, those before the stored rows
  std::vector<PrintRow> more_;
  std::unordered_map<std::string_view, size_t> by_word_;
};

}  // namespace

std::string find_row(const Model& model, const Menu& menu, std::string_view written) {
  return RowFinder(model, menu).find(written);
}

std::optional<std::string> find_place(const Model& model, const Menu& menu,
                                      std::string_view written) {
  std::string id = find_row(model, menu, written);
  if (id.empty()) return std::nullopt;
  if (model.tree().find(menu, id) != nullptr) return id;
  // Beside a row that the router made: at the beginning or the end of those that are stored.
  const std::vector<PrintRow> more = model.dynamic_rows(menu);
  const bool leads = std::any_of(more.begin(), more.end(),
                                 [&](const PrintRow& row) { return row.leads && row.id == id; });
  const Tree::Rows& stored = model.tree().rows(menu);
  return leads && !stored.empty() ? row_id(stored.front()->id) : std::string{};
}

std::vector<PrintRow> visible_rows(const Model& model, const Menu& menu, const Caller& caller) {
  std::vector<PrintRow> rows = model.print(menu);
  const bool sensitive = caller.may(Policy::kSensitive);
  const auto hidden = [&](const Property& property) {
    return property.has(Property::kWriteOnly) || (property.has(Property::kSecret) && !sensitive);
  };
  for (const Property& property : menu.properties) {
    if (!hidden(property)) continue;
    for (PrintRow& row : rows) {
      std::erase_if(row.fields, [&](const auto& field) { return field.first == property.name; });
    }
  }
  return rows;
}

Answer<std::vector<std::string>> select_rows(Job& job, bool required) {
  std::vector<std::string> out;
  auto& arguments = job.call.arguments;
  const auto numbers = std::find_if(arguments.begin(), arguments.end(),
                                    [](const auto& one) { return one.first == "numbers"; });
  const bool named = numbers != arguments.end();
  const std::string written = named ? std::move(numbers->second) : std::string{};
  if (named) arguments.erase(numbers);
  if (!named) {
    if (!job.call.filter && required) {
      return refuse(
          Errors{Error{fmt::format("missing =numbers=: {} needs to know which rows: names, "
                                   "*IDs or numbers",
                                   job.command.name),
                       std::string(job.menu.path),
                       {},
                       "numbers",
                       {},
                       Trouble::kMissing}});
    }
    for (const PrintRow& row : visible_rows(job.model, job.menu, job.caller)) {
      if (!job.call.filter || job.call.filter(row)) out.push_back(row.id);
    }
    return out;
  }
  // A name may contain a comma, if the menu lets it.
  if (std::string whole = find_row(job.model, job.menu, written); !whole.empty()) {
    out.push_back(std::move(whole));
  } else {
    Errors errors;
    RowFinder finder(job.model, job.menu);
    std::unordered_set<std::string> seen;
    const std::vector<std::string_view> parts = split_numbers(written);
    // Of many that come and go by themselves some may be gone, which is what was asked for.
    const bool may_be_gone =
        job.command.name == "remove" && !job.menu.has_rows() && parts.size() > 1;
    for (std::string_view part : parts) {
      std::string id = finder.find(part);
      if (id.empty() && may_be_gone && part.starts_with('*')) continue;
      if (id.empty()) {
        errors.push_back(
            Error{fmt::format("no such item: there is no row \"{}\"", part.substr(0, 64)),
                  std::string(job.menu.path),
                  std::string(part.substr(0, 64)),
                  {},
                  {},
                  Trouble::kMissing});
      } else if (seen.insert(id).second) {
        out.push_back(std::move(id));
      }
    }
    if (!errors.empty()) return refuse(std::move(errors));
  }
  if (job.call.filter) {  // both: those of the named that match
    std::vector<std::string> matching;
    const std::unordered_set<std::string_view> those(out.begin(), out.end());
    for (const PrintRow& row : visible_rows(job.model, job.menu, job.caller)) {
      if (those.contains(row.id) && job.call.filter(row)) matching.push_back(row.id);
    }
    return matching;
  }
  return out;
}

}  // namespace maclane::model
