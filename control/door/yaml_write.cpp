// Trees to YAML: only what was set, in the menus' order, a row a line.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "control/door/yaml.h"
#include "control/door/yaml_path.h"
#include "control/model/value.h"

namespace maclane::door {
namespace {

using model::Menu;
using model::Property;

/// Whether YAML reads the text back as it stands, in a flow map, without quotes. What has colons is
/// quoted for other readers' sake: some take 02:10:20:30:40:50 for a number to the base of 60.
bool is_plain(std::string_view text) {
  const auto word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  if (text.empty() || !word(text.front())) return false;
  if (text == "null" || text == "Null" || text == "NULL") return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return word(c) || c == '-' || c == '.' || c == '/' || c == '%';
  });
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string scalar(std::string_view text) {
  return is_plain(text) ? std::string(text) : quoted(text);
}

std::string value_text(const Property& property, std::string_view value) {
  // A whole list may be negated; then it stays one text.
  if (!property.has(Property::kList) || value.starts_with('!') ||
      value.find(',') == std::string_view::npos) {
    return scalar(value);
  }
  std::string out = "[";
  for (std::string_view part : model::split_list(value)) {
    if (out.size() > 1) out += ", ";
    out += scalar(part);
  }
  return out + "]";
}

/// The menus that can be written, in the schema's order, except that those under one key stand
/// together: a mapping has each key once.
std::vector<const Menu*> in_order() {
  struct Item {
    std::vector<size_t> ranks;  // of each key on the way: when it was first met
    const Menu* menu;
  };
  std::map<std::string, size_t> met;
  std::vector<Item> items;
  for (const Menu& menu : model::menus()) {
    if (!is_writable(menu)) continue;
    Item item{{}, &menu};
    std::string prefix;
    for (const std::string& key : yaml_keys(menu)) {
      prefix += key + '\n';
      item.ranks.push_back(met.emplace(prefix, met.size()).first->second);
    }
    items.push_back(std::move(item));
  }
  std::stable_sort(items.begin(), items.end(),
                   [](const Item& a, const Item& b) { return a.ranks < b.ranks; });
  std::vector<const Menu*> out;
  out.reserve(items.size());
  for (const Item& item : items) out.push_back(item.menu);
  return out;
}

class Writer {
 public:
  explicit Writer(const model::Tree& tree) : tree_(tree) {
    for (model::InterfaceFacts& one : model::interfaces(tree)) {
      actual_mtu_.emplace(one.name, one.actual_mtu);
    }
  }

  std::string write() {
    for (const Menu* menu : in_order()) {
      if (menu->kind == Menu::Kind::kSettings) {
        write_settings(*menu);
      } else {
        write_rows(*menu);
      }
    }
    return std::move(out_);
  }

 private:
  /// Opens the keys that lead to a menu, those already open left as they are.
  size_t open(const Menu& menu) {
    const std::vector<std::string> keys = yaml_keys(menu);
    size_t same = 0;
    while (same < keys.size() && same < open_.size() && keys[same] == open_[same]) ++same;
    for (size_t i = same; i < keys.size(); ++i) {
      out_ += fmt::format("{:{}}{}:\n", "", 2 * i, keys[i]);
    }
    open_ = keys;
    return 2 * keys.size();
  }

  void write_settings(const Menu& menu) {
    const model::Row& row = *tree_.rows(menu).front();
    const bool any = std::any_of(row.values.begin(), row.values.end(),
                                 [](const std::string& value) { return !value.empty(); });
    if (!any) return;
    const size_t indent = open(menu);
    for (size_t i = 0; i < menu.properties.size(); ++i) {
      if (row.values[i].empty()) continue;
      out_ += fmt::format("{:{}}{}: {}\n", "", indent, menu.properties[i].name,
                          value_text(menu.properties[i], row.values[i]));
    }
  }

  void write_rows(const Menu& menu) {
    std::vector<std::string> lines;
    std::set<const model::InitialRow*> seen;
    for (const model::RowPtr& row : tree_.rows(menu)) {
      const model::InitialRow* initial = model::initial_row(menu, *row);
      if (initial != nullptr && seen.insert(initial).second) {
        const std::string changes = changes_of(menu, *row, *initial);
        if (changes.empty() && !is_repeated(menu, *initial)) continue;
        lines.push_back(key_of(menu, *initial) + changes);
        continue;
      }
      std::string line;
      for (size_t i = 0; i < menu.properties.size(); ++i) {
        if (!row->values[i].empty()) append(line, menu, *row, i);
      }
      lines.push_back(std::move(line));
    }
    for (const model::InitialRow& initial : menu.initial) {
      if (seen.count(&initial) != 0) continue;
      lines.push_back(fmt::format("{}, {}: yes", key_of(menu, initial), kAbsent));
    }
    if (lines.empty()) return;
    const size_t indent = open(menu);
    for (const std::string& line : lines) out_ += fmt::format("{:{}}- {{{}}}\n", "", indent, line);
  }

  void append(std::string& line, const Menu& menu, const model::Row& row, size_t i) {
    const Property& property = menu.properties[i];
    line += fmt::format("{}{}: {}", line.empty() ? "" : ", ", property.name,
                        row.values[i].empty() ? "\"\"" : stored(menu, row, property, i));
  }

  /// What tells which initial row is meant: its name, or where rows have no names all of it.
  static std::string key_of(const Menu& menu, const model::InitialRow& initial) {
    const int name = model::name_index(menu);
    std::string out;
    for (const auto& [property, value] : initial.values) {
      const int index = menu.index(property);
      if (name >= 0 && index != name) continue;
      out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", property,
                         value_text(menu.properties[static_cast<size_t>(index)], value));
    }
    return out;
  }

  /// ", property: value" for each that is not as the schema made it.
  std::string changes_of(const Menu& menu, const model::Row& row,
                         const model::InitialRow& initial) {
    std::string out;
    for (size_t i = 0; i < menu.properties.size(); ++i) {
      std::string_view first;
      for (const auto& [property, value] : initial.values) {
        if (property == menu.properties[i].name) first = value;
      }
      if (row.values[i] == first) continue;
      std::string one;
      append(one, menu, row, i);
      out += ", " + one;
    }
    return out;
  }

  /// Whether another row would be taken for this one, if this one were not written.
  bool is_repeated(const Menu& menu, const model::InitialRow& initial) const {
    const auto& rows = tree_.rows(menu);
    return std::count_if(rows.begin(), rows.end(), [&](const model::RowPtr& row) {
             return model::initial_row(menu, *row) == &initial;
           }) > 1;
  }

  /// A row clamped by its shrunk parent is written as it is in effect: as it was configured, the
  /// file would be refused at the next start.
  std::string stored(const Menu& menu, const model::Row& row, const Property& property, size_t i) {
    if (property.name == "mtu") {
      const auto actual = actual_mtu_.find(std::string(row.at(menu.index("name"))));
      const auto mtu = model::parse_integer(row.values[i]);
      if (actual != actual_mtu_.end() && mtu && *mtu > actual->second) {
        return std::to_string(actual->second);
      }
    }
    return value_text(property, row.values[i]);
  }

  const model::Tree& tree_;
  std::map<std::string, int64_t> actual_mtu_;
  std::vector<std::string> open_;
  std::string out_;
};

}  // namespace

std::string to_yaml(const model::Tree& tree) {
  return Writer(tree).write();
}

}  // namespace maclane::door
