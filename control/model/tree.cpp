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

size_t Tree::number(const Menu& menu) {
  return static_cast<size_t>(&menu - menus().data());
}

Tree::Tree() {
  tables_.reserve(menus().size());
  for (const Menu& menu : menus()) {
    auto table = std::make_shared<Table>();
    table->rows = Rows(key_of(menu));
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
    tables_.push_back(std::move(table));
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
  return tables_[number(menu)]->rows;
}

const Tree::Rows& Tree::rows(std::string_view path) const {
  return rows(*find_menu(path));
}

View Tree::settings(std::string_view path) const {
  return View(*find_menu(path), *rows(path).front());
}

namespace {

/// Ids of rows that are state are above those of stored ones by far: no need to look for them.
constexpr uint32_t kStateIds = 0x80000000;

std::optional<uint32_t> parse_id(std::string_view text) {
  uint32_t id = 0;
  const char* end = text.data() + text.size();
  auto [stop, code] = std::from_chars(text.data() + 1, end, id, 16);
  if (text.size() < 2 || code != std::errc{} || stop != end) return std::nullopt;
  return id;
}

}  // namespace

RowPtr Tree::find(const Menu& menu, std::string_view name_or_id) const {
  if (name_or_id.starts_with('*')) {
    const auto id = parse_id(name_or_id);
    return id && *id < kStateIds ? rows(menu).by_id(*id) : nullptr;
  }
  const int name = name_index(menu);
  RowPtr found;
  if (name < 0 || name_or_id.empty()) return found;
  rows(menu).with_key(name_hash(name_or_id), [&](const RowPtr& row) {
    if (found == nullptr && row->at(name) == name_or_id) found = row;
  });
  return found;
}

std::optional<size_t> Tree::place_of(const Menu& menu, std::string_view name_or_id) const {
  const RowPtr row = find(menu, name_or_id);
  return row == nullptr ? std::nullopt : rows(menu).place_of(row->id);
}

Tree::Table& Tree::own(const Menu& menu) {
  std::shared_ptr<Table>& table = tables_[number(menu)];
  if (table.use_count() > 1) table = std::make_shared<Table>(*table);
  return *table;
}

Tree::Rows& Tree::edit(const Menu& menu) {
  return own(menu).rows;
}

uint32_t Tree::next_id(const Menu& menu) {
  return own(menu).next_id++;
}

uint32_t Tree::coming_id(const Menu& menu) const {
  return tables_[number(menu)]->next_id;
}

void Tree::start_ids(const Menu& menu, uint32_t first) {
  if (coming_id(menu) < first) own(menu).next_id = first;
}

void Tree::start_ids_after(const Tree& other) {
  for (const Menu& menu : menus()) start_ids(menu, other.coming_id(menu));
}

}  // namespace maclane::model
