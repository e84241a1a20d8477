// Trees to YAML: only what was set, in the menus' order, a row a line.
#include <fmt/format.h>

#include <algorithm>
#include <map>

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

class Writer {
 public:
  explicit Writer(const model::Tree& tree) : tree_(tree) {
    for (model::InterfaceFacts& one : model::interfaces(tree)) {
      actual_mtu_.emplace(one.name, one.actual_mtu);
    }
  }

  std::string write() {
    for (const Menu& menu : model::menus()) {
      if (!is_writable(menu)) continue;
      if (menu.kind == Menu::Kind::kSettings) {
        write_settings(menu);
      } else {
        write_rows(menu);
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
    if (tree_.rows(menu).empty()) return;
    const size_t indent = open(menu);
    for (const model::RowPtr& row : tree_.rows(menu)) {
      std::string line;
      for (size_t i = 0; i < menu.properties.size(); ++i) {
        if (row->values[i].empty()) continue;
        if (!line.empty()) line += ", ";
        const Property& property = menu.properties[i];
        line += fmt::format("{}: {}", property.name, stored(menu, *row, property, i));
      }
      out_ += fmt::format("{:{}}- {{{}}}\n", "", indent, line);
    }
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

std::vector<std::string> yaml_keys(const Menu& menu) {
  std::vector<std::string> keys;
  std::string so_far;
  bool sibling = false;
  std::string_view rest = menu.path;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view word = rest.substr(0, rest.find('/'));
    rest.remove_prefix(word.size());
    if (sibling) {
      keys.back() += fmt::format("/{}", word);
    } else {
      keys.emplace_back(word);
    }
    so_far += fmt::format("/{}", word);
    const Menu* here = model::find_menu(so_far);
    sibling = here != nullptr && here->path != "/interface" && here->kind != Menu::Kind::kSettings;
  }
  return keys;
}

bool is_writable(const Menu& menu) {
  return menu.kind != Menu::Kind::kState &&
         std::any_of(menu.properties.begin(), menu.properties.end(),
                     [](const Property& property) { return !property.has(Property::kReadOnly); });
}

std::string to_yaml(const model::Tree& tree) {
  return Writer(tree).write();
}

}  // namespace maclane::door
