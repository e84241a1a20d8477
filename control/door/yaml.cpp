// YAML files to trees: the walk from keys to menus, rows and values, with a place for every
// mistake.
#include "control/door/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <set>

#include "control/door/yaml_path.h"
#include "control/door/yaml_report.h"
#include "control/model/nearest.h"
#include "control/model/value.h"

namespace maclane::door {
namespace {

using model::Menu;
using model::Property;

class Loader : public YamlReport {
 public:
  using YamlReport::YamlReport;

  void load(const YAML::Node& root) {
    if (root.IsNull()) return;  // an empty file is an empty configuration
    if (!root.IsMap()) {
      complain(root, "", "", "", "a configuration is a map of menus, such as \"interface:\"");
      return;
    }
    walk(root, "");
  }
  /// Adds what is wrong with the tree as a whole, so that all is said in one go; values that were
  /// found bad already are passed over.
  void add_whole() {
    for (Error& e : model::validate(loaded.tree)) {
      if (errors.size() >= kMostErrors) return;
      if (bad_.count({e.source.line, e.source.column}) == 0) errors.push_back(std::move(e));
    }
    std::stable_sort(errors.begin(), errors.end(),
                     [](const Error& a, const Error& b) { return a.source.line < b.source.line; });
  }

  Loaded loaded;

 private:
  /// A map of menus below a path.
  void walk(const YAML::Node& map, const std::string& path) {
    std::map<std::string, Source> seen;
    for (const auto& entry : map) {
      std::string key;
      if (!take_key(entry.first, path, "", seen, key)) continue;
      descend(entry.first, entry.second, path, key);
    }
  }

  void descend(const YAML::Node& key_node, const YAML::Node& value, const std::string& path,
               std::string key) {
    while (key.starts_with('/')) key.erase(0, 1);
    std::string below = fmt::format("{}/{}", path, key);
    const auto known = [](const std::string& p) {
      return model::find_menu(p) != nullptr || is_group(p) || model::is_later_menu(p);
    };
    if (key.size() > 128) {
      complain(key_node, path, "", "", "the key is too long to be a menu");
      return;
    }
    if (!known(below) && key.find('_') != std::string::npos) {
      std::string hyphens = below;
      std::replace(hyphens.begin(), hyphens.end(), '_', '-');
      if (known(hyphens)) {
        warn(key_node,
             fmt::format("\"{}\" is taken for \"{}\"", key, hyphens.substr(path.size() + 1)));
        below = hyphens;
      }
    }
    const Menu* menu = model::find_menu(below);
    if (menu != nullptr && menu->kind != Menu::Kind::kGroup) {
      take_menu(*menu, value);
    } else if (menu != nullptr || is_group(below)) {
      if (value.IsMap()) {
        walk(value, below);
      } else if (!value.IsNull()) {
        complain(value, below, "", "", "holds menus: write a map with their names as keys");
      }
    } else if (model::is_later_menu(below)) {
      complain(key_node, below, "", "", "known to RouterOS but not in this version of Maclane");
    } else {
      const auto keys = keys_below(path);
      std::string hint = model::did_you_mean(key, keys);
      if (hint.empty() && keys.size() <= 12)
        hint = fmt::format("; there is {}", model::any_of(keys));
      complain(key_node, path, "", "", fmt::format("unknown key \"{}\"{}", key, hint));
    }
  }

  void take_menu(const Menu& menu, const YAML::Node& value) {
    loaded.menus.insert(menu.path);
    if (value.IsNull()) return;
    if (menu.kind == Menu::Kind::kSettings) {
      if (!value.IsMap()) {
        complain(value, menu.path, "", "", "holds settings: write a map, not a list");
        return;
      }
      model::Rows& rows = loaded.tree.edit(menu);
      auto row = std::make_shared<model::Row>(*rows.front());
      take_row(menu, value, *row, "");
      rows.replace(0, std::move(row));
      return;
    }
    if (value.IsMap() && is_group(menu.path) && only_groups(value, menu.path)) {
      walk(value, std::string(menu.path));
      return;
    }
    if (menu.kind == Menu::Kind::kState && is_group(menu.path) && !value.IsSequence()) {
      complain(value, menu.path, "", "", "holds menus: write a map of them");
      return;
    }
    if (menu.kind == Menu::Kind::kState) {
      complain(value, menu.path, "", "",
               "the rows of this menu come from the router itself; leave it out");
      return;
    }
    if (!value.IsSequence()) {
      complain(value, menu.path, "", "",
               "holds rows: write a list, each row beginning with \"- \"");
      return;
    }
    take_rows(menu, value);
  }

  /// Whether a map in the place of a menu's rows leads to its sub-menus.
  static bool only_groups(const YAML::Node& map, std::string_view path) {
    if (path == "/interface") return true;
    const auto keys = keys_below(path);
    return std::any_of(map.begin(), map.end(), [&](const auto& entry) {
      return entry.first.IsScalar() &&
             std::find(keys.begin(), keys.end(), entry.first.Scalar()) != keys.end();
    });
  }

  void take_rows(const Menu& menu, const YAML::Node& list) {
    model::Rows& rows = loaded.tree.edit(menu);
    size_t number = 0;
    for (const auto& node : list) {
      ++number;
      if (!afford(64)) return;
      const std::string label = fmt::format("row {}", number);
      if (!node.IsMap()) {
        complain(node, menu.path, label, "",
                 "a row is a map of properties: {property: value, ...}");
        continue;
      }
      auto row = std::make_shared<model::Row>();
      row->id = loaded.tree.next_id(menu);
      row->values.resize(menu.properties.size());
      const size_t errors_before = errors.size();
      const std::string name = name_of(menu, node, label);
      take_row(menu, node, *row, name);
      if (errors.size() != errors_before) {
        note_bad(*row, errors_before);
      } else if (!menu.initial.empty() && take_initial(menu, node, *row, name)) {
        continue;
      }
      rows.push_back(std::move(row));
    }
  }

  /// A row that the menu has from the start is changed by the file, or taken away. Whether the row
  /// was such a one, or was wrong.
  bool take_initial(const Menu& menu, const YAML::Node& node, const model::Row& row,
                    const std::string& label) {
    model::Rows& rows = loaded.tree.edit(menu);
    const model::InitialRow* initial = model::initial_row(menu, row);
    size_t here = 0;
    for (const model::RowPtr& one : rows) {
      const bool same = initial != nullptr && one->source.file.empty() &&
                        model::initial_row(menu, *one) == initial;
      if (same) break;
      ++here;
    }
    if (absent_) {
      if (here == rows.size() || !initial->removable) {
        complain(node, menu.path, label, "absent",
                 here == rows.size() ? "only a row that is there from the start can be absent"
                                     : "is built in and cannot be absent");
      } else {
        rows.erase(here);
      }
      return true;
    }
    if (here == rows.size()) {
      if (!menu.has(Menu::kFixedRows)) return false;
      complain(
          node, menu.path, label, "",
          fmt::format("is none of the rows of this menu, which are fixed: {}", names_of(menu)));
      return true;
    }
    auto merged = std::make_shared<model::Row>(*rows[here]);
    merged->source = row.source;
    merged->sources.resize(menu.properties.size());
    for (size_t i = 0; i < menu.properties.size(); ++i) {
      if (!given_[i]) continue;
      merged->values[i] = row.values[i];
      merged->sources[i] = row.sources[i];
    }
    rows.replace(here, std::move(merged));
    return true;
  }

  [[nodiscard]] std::string names_of(const Menu& menu) const {
    std::vector<std::string> names;
    for (const model::RowPtr& row : loaded.tree.rows(menu)) {
      names.push_back(model::View(menu, *row).label());
    }
    return model::any_of(std::vector<std::string_view>(names.begin(), names.end()));
  }

  /// What add_whole() must not complain of once more: the row as such, and the values found bad.
  void note_bad(const model::Row& row, size_t first_error) {
    bad_.insert({row.source.line, row.source.column});
    for (size_t i = first_error; i < errors.size(); ++i)
      bad_.insert({errors[i].source.line, errors[i].source.column});
  }

  /// What errors call a row: its name if it has one, otherwise its place in the list.
  static std::string name_of(const Menu& menu, const YAML::Node& map,
                             const std::string& otherwise) {
    if (menu.find("name") == nullptr) return otherwise;
    for (const auto& entry : map) {
      if (entry.first.IsScalar() && entry.first.Scalar() == "name" && entry.second.IsScalar() &&
          !entry.second.Scalar().empty() && entry.second.Scalar().size() <= 64) {
        return entry.second.Scalar();
      }
    }
    return otherwise;
  }

  void take_row(const Menu& menu, const YAML::Node& map, model::Row& row,
                const std::string& label) {
    row.source = source(map.Mark());
    row.sources.resize(menu.properties.size());
    given_.assign(menu.properties.size(), false);
    absent_ = false;
    std::map<std::string, Source> seen;
    for (const auto& entry : map) {
      std::string key;
      if (!take_key(entry.first, menu.path, label, seen, key)) continue;
      if (key == kAbsent && !menu.initial.empty()) {
        absent_ = entry.second.IsScalar() && model::parse_bool(entry.second.Scalar()) == true;
        if (!absent_) complain(entry.second, menu.path, label, key, "is yes, or is left out");
      } else {
        take_property(menu, entry.first, entry.second, std::move(key), row, label);
      }
    }
  }

  void take_property(const Menu& menu, const YAML::Node& key_node, const YAML::Node& value,
                     std::string key, model::Row& row, const std::string& label) {
    int index = menu.index(key);
    if (index < 0 && key.find('_') != std::string::npos) {
      std::string hyphens = key;
      std::replace(hyphens.begin(), hyphens.end(), '_', '-');
      index = menu.index(hyphens);
      if (index >= 0) {
        warn(key_node,
             fmt::format("{} {}: \"{}\" is taken for \"{}\"", menu.path, label, key, hyphens));
        key = hyphens;
      }
    }
    if (index < 0) return unknown_property(menu, key_node, value, key, label);
    const Property& property = menu.properties[static_cast<size_t>(index)];
    if (property.has(Property::kReadOnly)) {
      complain(key_node, menu.path, label, key,
               "is read-only: the router fills it in; leave it out");
      return;
    }
    std::string& slot = row.values[static_cast<size_t>(index)];
    if (given_[static_cast<size_t>(index)]) {  // once with underscores, once with hyphens
      complain(key_node, menu.path, label, key, "is given twice; leave one out");
      return;
    }
    std::string raw;
    if (!take_text(menu, value, property, label, raw)) return;
    auto canonical = model::normalize(property, raw);
    if (!canonical) {
      complain(value, menu.path, label, key, std::move(canonical.error()));
      return;
    }
    slot = std::move(*canonical);
    given_[static_cast<size_t>(index)] = true;
    row.sources[static_cast<size_t>(index)] = source(value.Mark());
  }

  void unknown_property(const Menu& menu, const YAML::Node& key_node, const YAML::Node& value,
                        const std::string& key, const std::string& label) {
    // A settings menu may have menus below it, and they stand among its properties.
    const std::string below = fmt::format("{}/{}", menu.path, key.substr(0, 128));
    if (menu.kind == Menu::Kind::kSettings &&
        (model::find_menu(below) != nullptr || is_group(below))) {
      return descend(key_node, value, std::string(menu.path), key);
    }
    std::vector<std::string_view> names;
    for (const Property& property : menu.properties) {
      if (!property.has(Property::kReadOnly)) names.push_back(property.name);
    }
    complain(key_node, menu.path, label, "",
             fmt::format("unknown property \"{}\"{}", key.substr(0, 64),
                         model::did_you_mean(key, names)));
  }

  bool take_text(const Menu& menu, const YAML::Node& value, const Property& property,
                 const std::string& label, std::string& out) {
    // "src-address: !10.0.0.0/8" without quotes is a YAML tag on an empty value.
    if (value.Tag().size() > 1 && value.Tag().front() == '!') {
      complain(value, menu.path, label, property.name,
               fmt::format("'!' begins a YAML tag; put the value in quotes: \"{}\"",
                           value.Tag().substr(0, 64)));
      return false;
    }
    if (value.IsNull()) return true;
    if (value.IsScalar()) {
      out = value.Scalar();
      return afford(out.size());
    }
    if (value.IsMap() || !property.has(Property::kList)) {
      complain(value, menu.path, label, property.name,
               property.has(Property::kList) ? "takes a list or a comma-separated text, not a map"
                                             : "takes a single value, neither a list nor a map");
      return false;
    }
    for (const auto& part : value) {
      if (!part.IsScalar()) {
        complain(part, menu.path, label, property.name,
                 part.Tag().size() > 1 && part.Tag().front() == '!'
                     ? "'!' begins a YAML tag; put the value in quotes"
                     : "takes a list of plain values");
        return false;
      }
      if (!out.empty()) out += ',';
      out += part.Scalar();
      if (!afford(part.Scalar().size() + 1)) return false;
    }
    return true;
  }

  // of the row being read: which properties it gives, and whether it says there is no such row
  std::vector<bool> given_;
  bool absent_ = false;
  std::set<std::pair<uint32_t, uint32_t>> bad_;  // line and column of what such rows hold
};

}  // namespace

Result<Loaded> load_yaml_text(const std::string& text, const std::string& name) {
  if (text.size() > kMostBytes) return fail(too_large(name));
  Loader loader(name);
  bool parsed = false;
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(text);
    if (documents.size() > 1) {
      loader.complain_at(documents[1].Mark(),
                         "a second document begins here; a file is one document");
    } else if (!documents.empty()) {
      loader.load(documents.front());
    }
    parsed = true;
  } catch (const YAML::Exception& e) {
    // yaml-cpp says "bad file" when its nesting limit is reached.
    loader.complain_at(e.mark, e.msg == "bad file"
                                   ? std::string("this is nested too deeply to be a configuration")
                                   : fmt::format("this is not YAML: {}", e.msg));
  }
  if (!loader.errors.empty()) {
    if (parsed) loader.add_whole();
    return tl::make_unexpected(std::move(loader.errors));
  }
  loader.loaded.text = text;
  loader.loaded.warnings = std::move(loader.warnings);
  return std::move(loader.loaded);
}

}  // namespace maclane::door
