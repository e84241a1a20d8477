// Differences of trees, and their words. See diff.h.
#include "control/model/diff.h"

#include <fmt/format.h>

#include <algorithm>

namespace maclane::model {
namespace {

constexpr size_t kMostNamed = 8;  // rows that are named one by one

std::string several(std::string_view noun) {
  std::string out(noun);
  if (out.ends_with("s") || out.ends_with("x") || out.ends_with("ch")) return out + "es";
  if (out.ends_with("y") && out.size() > 1 &&
      std::string_view("aeiou").find(out[out.size() - 2]) == std::string_view::npos) {
    out.pop_back();
    return out + "ies";
  }
  return out + "s";
}

void say(std::string& out, const Menu& menu, size_t count, std::string_view what) {
  if (count == 0) return;
  if (!out.empty()) out += ", ";
  const std::string_view noun = noun_of(menu);
  out += count == 1 ? fmt::format("{} {}", noun, what)
                    : fmt::format("{} {} {}", count, several(noun), what);
}

std::string shown(const Property& property, std::string_view value, bool sensitive) {
  if (value.empty()) return "\"\"";
  if (property.has(Property::kWriteOnly)) return "*****";
  if (property.has(Property::kSecret) && !sensitive) return "*****";
  return console_value(value);
}

/// How a line names a row: by its name, what it is told by, or its id.
std::string named(const Menu& menu, const Row& row) {
  if (menu.kind == Menu::Kind::kSettings) return {};
  const int name = name_index(menu);
  if (name >= 0) return " " + console_value(row.at(name));
  return " " + row_id(row.id);
}

std::string values_of(const Menu& menu, const Row& row, bool sensitive) {
  std::string out;
  for (size_t i = 0; i < menu.properties.size(); ++i) {
    if (row.values[i].empty()) continue;
    out += fmt::format(" {}={}", menu.properties[i].name,
                       shown(menu.properties[i], row.values[i], sensitive));
  }
  return out;
}

std::string changed_values(const Menu& menu, const Row& before, const Row& after, bool sensitive) {
  std::string out;
  for (size_t i = 0; i < menu.properties.size(); ++i) {
    const Property& property = menu.properties[i];
    if (before.values[i] == after.values[i] || property.has(Property::kDerived)) continue;
    const auto text = [&](const std::string& value) {
      return value.empty() ? std::string("unset") : shown(property, value, sensitive);
    };
    const bool unset = after.values[i].empty();
    out += unset ? fmt::format(" !{}", property.name)
                 : fmt::format(" {}={}", property.name, text(after.values[i]));
    out += fmt::format(" (was {})", text(before.values[i]));
  }
  return out;
}

}  // namespace

std::string console_value(std::string_view value) {
  const bool plain = !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_.:/,%!*").find(c) != std::string_view::npos;
  });
  if (plain) return std::string(value);
  std::string out = "\"";
  for (char c : value) {
    if (c == '"' || c == '\\' || c == '$') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::vector<MenuDiff> diff(const Tree& before, const Tree& after) {
  std::vector<MenuDiff> out;
  for (const Menu& menu : menus()) {
    const Rows& then = before.rows(menu);
    const Rows& now = after.rows(menu);
    if (&then == &now) continue;
    MenuDiff one{&menu, compare(then, now)};
    if (menu.kind != Menu::Kind::kOrdered) one.rows.moved = false;
    // The same content in another object is no change.
    std::erase_if(one.rows.changed,
                  [](const auto& row) { return row.before->values == row.after->values; });
    if (!one.rows.empty()) out.push_back(std::move(one));
  }
  return out;
}

std::string summary(const std::vector<MenuDiff>& changes) {
  std::string out;
  for (const auto& [menu, rows] : changes) {
    say(out, *menu, rows.added.size(), "added");
    say(out, *menu, rows.removed.size(), "removed");
    say(out, *menu, rows.changed.size(), "changed");
    if (rows.moved) say(out, *menu, 1, "moved");
  }
  return out;
}

std::string rows_of(const std::vector<MenuDiff>& changes) {
  std::string out;
  size_t count = 0;
  const auto add = [&](const RowPtr& row) {
    if (++count <= kMostNamed) out += (out.empty() ? "" : ",") + row_id(row->id);
  };
  for (const auto& [menu, rows] : changes) {
    if (menu->kind == Menu::Kind::kSettings) continue;
    for (const RowPtr& row : rows.added) add(row);
    for (const RowPtr& row : rows.removed) add(row);
    for (const RowsDiff::Changed& row : rows.changed) add(row.after);
  }
  if (count > kMostNamed) out += fmt::format(" and {} more", count - kMostNamed);
  return out;
}

std::vector<std::string> lines(const std::vector<MenuDiff>& changes, const Tree& after,
                               bool sensitive) {
  std::vector<std::string> out;
  for (const auto& [menu, rows] : changes) {
    for (const RowPtr& row : rows.removed) {
      // An id alone would not tell a person which row it was.
      std::string values = name_index(*menu) >= 0 ? "" : values_of(*menu, *row, sensitive);
      if (!values.empty()) values = fmt::format(" ({})", values.substr(1));
      out.push_back(fmt::format("- {} remove{}{}", menu->path, named(*menu, *row), values));
    }
    for (const RowsDiff::Changed& row : rows.changed) {
      out.push_back(fmt::format("~ {} set{}{}", menu->path, named(*menu, *row.before),
                                changed_values(*menu, *row.before, *row.after, sensitive)));
    }
    for (const RowPtr& row : rows.added) {
      out.push_back(fmt::format("+ {} add{}", menu->path, values_of(*menu, *row, sensitive)));
    }
    if (!rows.moved) continue;
    std::string order;
    for (const RowPtr& row : after.rows(*menu))
      order += (order.empty() ? "" : ",") + row_id(row->id);
    out.push_back(fmt::format("~ {} move: the order is {}", menu->path, order));
  }
  return out;
}

}  // namespace maclane::model
