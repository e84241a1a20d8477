// The tree's rows, and rows read by property name.
#include "control/model/tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "control/model/value.h"

namespace maclane::model {

std::string row_id(uint32_t id) {
  return fmt::format("*{:X}", id);
}

std::string_view View::raw(std::string_view property) const {
  return row_->at(menu_->index(property));
}

std::string_view View::get(std::string_view property) const {
  const int index = menu_->index(property);
  if (index < 0) return {};
  const std::string_view value = row_->at(index);
  return value.empty() ? menu_->properties[static_cast<size_t>(index)].default_value : value;
}

bool View::get_bool(std::string_view property) const {
  return get(property) == "true";
}

int64_t View::get_integer(std::string_view property) const {
  return parse_integer(get(property)).value_or(0);
}

int64_t View::get_time_ms(std::string_view property) const {
  return parse_time_ms(get(property)).value_or(0);
}

std::string View::label() const {
  if (menu_->kind == Menu::Kind::kSettings) return {};
  for (const Property& property : menu_->properties) {
    if (property.has(Property::kName) && is_set(property.name))
      return std::string(raw(property.name));
  }
  for (std::string_view key : {"address", "dst-address"}) {
    // In a rule an address is one matcher of many and names nothing.
    if (menu_->kind == Menu::Kind::kList && is_set(key)) return std::string(raw(key));
  }
  return row_id(row_->id);
}

Error View::error(std::string_view property, std::string message) const {
  const int index = menu_->index(property);
  Source source = row_->source;
  if (index >= 0 && static_cast<size_t>(index) < row_->sources.size()) {
    const Source& exact = row_->sources[static_cast<size_t>(index)];
    if (!exact.file.empty() || exact.line != 0) source = exact;
  }
  // In a file the line says which row it is, and "*A" would say nothing to a person.
  std::string name = label();
  if (name.starts_with('*') && !source.file.empty()) name.clear();
  return Error{std::move(message), std::string(menu_->path), std::move(name), std::string(property),
               std::move(source)};
}

Tree::Tree() {
  for (const Menu& menu : menus()) {
    auto table = std::make_shared<Table>();
    const auto add = [&] {
      auto row = std::make_shared<Row>();
      row->id = table->next_id++;
      row->values.resize(menu.properties.size());
      return row;
    };
    if (menu.kind == Menu::Kind::kSettings) table->rows.push_back(add());
    for (const InitialRow& initial : menu.initial) {
      auto row = add();
      for (const auto& [property, value] : initial.values) {
        row->values[static_cast<size_t>(menu.index(property))] = value;
      }
      table->rows.push_back(std::move(row));
    }
    tables_.emplace(menu.path, std::move(table));
  }
}

const InitialRow* initial_row(const Menu& menu, const Row& row) {
  const int name = name_index(menu);
  for (const InitialRow& initial : menu.initial) {
    const auto same = [&](const InitialValue& one) {
      return row.at(menu.index(one.property)) == one.value;
    };
    const auto names = [&](const InitialValue& one) {
      return menu.index(one.property) == name && same(one);
    };
    if (name >= 0 ? std::any_of(initial.values.begin(), initial.values.end(), names)
                  : std::all_of(initial.values.begin(), initial.values.end(), same)) {
      return &initial;
    }
  }
  return nullptr;
}

const Tree::Rows& Tree::rows(const Menu& menu) const {
  return rows(menu.path);
}

const Tree::Rows& Tree::rows(std::string_view path) const {
  return tables_.find(path)->second->rows;
}

View Tree::settings(std::string_view path) const {
  return View(*find_menu(path), *rows(path).front());
}

RowPtr Tree::find(const Menu& menu, std::string_view name_or_id) const {
  const Rows& all = rows(menu);
  if (name_or_id.starts_with('*')) {
    uint32_t id = 0;
    const char* end = name_or_id.data() + name_or_id.size();
    auto [stop, code] = std::from_chars(name_or_id.data() + 1, end, id, 16);
    if (code != std::errc{} || stop != end) return nullptr;
    auto it =
        std::find_if(all.begin(), all.end(), [&](const RowPtr& row) { return row->id == id; });
    return it == all.end() ? nullptr : *it;
  }
  for (size_t i = 0; i < menu.properties.size(); ++i) {
    if (!menu.properties[i].has(Property::kName)) continue;
    auto it = std::find_if(all.begin(), all.end(),
                           [&](const RowPtr& row) { return row->values[i] == name_or_id; });
    return it == all.end() || name_or_id.empty() ? nullptr : *it;
  }
  return nullptr;
}

Tree::Rows& Tree::edit(const Menu& menu) {
  std::shared_ptr<Table>& table = tables_.find(menu.path)->second;
  if (table.use_count() > 1) table = std::make_shared<Table>(*table);
  return table->rows;
}

uint32_t Tree::next_id(const Menu& menu) {
  edit(menu);  // the counter is part of the table, which another tree may share
  return tables_.find(menu.path)->second->next_id++;
}

uint32_t Tree::coming_id(const Menu& menu) const {
  return tables_.find(menu.path)->second->next_id;
}

void Tree::start_ids(const Menu& menu, uint32_t first) {
  edit(menu);
  uint32_t& next = tables_.find(menu.path)->second->next_id;
  next = std::max(next, first);
}

}  // namespace maclane::model
