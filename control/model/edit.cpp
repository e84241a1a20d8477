// Edits carried out on a tree: add, set, remove, move, and what a new name takes with it.
#include <fmt/format.h>

#include <algorithm>

#include "control/model/mentions.h"
#include "control/model/model.h"
#include "control/model/nearest.h"
#include "control/model/row_names.h"
#include "control/model/secrets.h"
#include "control/model/value.h"

namespace maclane::model {
namespace {

class Editor {
 public:
  explicit Editor(Tree& tree) : tree_(tree) {}

  void run(const Edit& edit) {
    const Menu* menu = find_menu(edit.path);
    if (menu == nullptr) {
      std::string path(edit.path);
      std::replace(path.begin(), path.end(), ' ', '/');
      if (!path.starts_with('/')) path.insert(path.begin(), '/');
      complain(edit, path, "",
               is_later_menu(path) ? "no such command prefix: known to RouterOS but not in this "
                                     "version of Maclane"
                                   : "no such command prefix: there is no such menu",
               Trouble::kMissing);
      return;
    }
    if (!menu->has_rows()) {
      complain(edit, menu->path, "",
               menu->kind == Menu::Kind::kState
                   ? "no such command: the rows of this menu come from the router itself"
                   : "no such command: this is a group of menus",
               Trouble::kMissing);
      return;
    }
    if (menu->kind == Menu::Kind::kSettings && edit.kind != Edit::Kind::kSet) {
      complain(edit, menu->path, "", "no such command: this menu holds settings, which can be set",
               Trouble::kMissing);
      return;
    }
    const bool keeps_rows = edit.kind != Edit::Kind::kAdd && edit.kind != Edit::Kind::kRemove;
    if (menu->has(Menu::kFixedRows) && !keeps_rows) {
      complain(edit, menu->path, "",
               "no such command: the rows of this menu are fixed; they can be set",
               Trouble::kMissing);
      return;
    }
    switch (edit.kind) {
      case Edit::Kind::kAdd:
        return add(edit, *menu);
      case Edit::Kind::kSet:
        return set(edit, *menu);
      case Edit::Kind::kRemove:
        return remove(edit, *menu);
      case Edit::Kind::kMove:
        return move(edit, *menu);
    }
  }

  Errors errors;
  std::vector<std::string> added;

 private:
  void complain(const Edit& edit, std::string_view path, std::string_view property,
                std::string message, Trouble trouble) {
    errors.push_back(Error{
        std::move(message), std::string(path), edit.target, std::string(property), {}, trouble});
  }

  /// The place of a row by name, ID or index; complains if there is none.
  std::optional<size_t> locate(const Edit& edit, const Menu& menu, std::string_view target) {
    if (const auto place = tree_.place_of(menu, target)) return place;
    const auto index = parse_integer(target);
    if (index && *index >= 0 && static_cast<size_t>(*index) < tree_.rows(menu).size()) {
      return static_cast<size_t>(*index);
    }
    complain(edit, menu.path, "",
             target.empty() ? "no such item: name the row by its name, *ID or number"
                            : fmt::format("no such item: there is no row \"{}\"", target),
             Trouble::kMissing);
    return std::nullopt;
  }

  /// A password becomes a hash of its user's.
  static tl::expected<std::string, std::string> canonical_of(const Property& property,
                                                             std::string_view raw, const Edit& edit,
                                                             const Menu& menu, const Row& row) {
    if (property.convert != secrets::convert_password) return normalize(property, raw);
    Property plain = property;
    plain.convert = nullptr;
    auto canonical = normalize(plain, raw);
    if (!canonical) return canonical;
    const auto named = std::find_if(edit.values.begin(), edit.values.end(),
                                    [](const auto& one) { return one.first == "name"; });
    const std::string_view user =
        named != edit.values.end() ? std::string_view(named->second) : row.at(menu.index("name"));
    return secrets::convert_password_of(user, *canonical);
  }

  void put_values(const Edit& edit, const Menu& menu, Row& row) {
    for (const auto& [name, raw] : edit.values) {
      const int index = menu.index(name);
      if (index < 0) {
        std::vector<std::string_view> names;
        for (const Property& property : menu.properties) {
          if (!property.has(Property::kReadOnly)) names.push_back(property.name);
        }
        complain(edit, menu.path, name,
                 fmt::format("unknown parameter {}{}", name, did_you_mean(name, names)),
                 Trouble::kBadArgument);
        continue;
      }
      const Property& property = menu.properties[static_cast<size_t>(index)];
      if (property.has(Property::kReadOnly)) {
        complain(edit, menu.path, name, fmt::format("unknown parameter {}: it is read-only", name),
                 Trouble::kBadArgument);
        continue;
      }
      auto canonical = canonical_of(property, raw, edit, menu, row);
      if (!canonical) {
        complain(edit, menu.path, name, std::move(canonical.error()), Trouble::kBadArgument);
        continue;
      }
      row.values[static_cast<size_t>(index)] = std::move(*canonical);
      // The file no longer says this value: an error in it is not the file's.
      if (!row.sources.empty()) row.sources[static_cast<size_t>(index)] = {};
    }
  }

  /// Rows that come without a name get a number (row_names.h).
  void name_row(const Menu& menu, Row& row) {
    const std::string_view stem = numbered_stem(menu);
    const int index = menu.index("name");
    if (stem.empty() || !row.at(index).empty()) return;
    const bool is_server = menu.path == "/ip/dhcp-server";
    for (int number = 1;; ++number) {
      std::string name = fmt::format("{}{}", stem, number);
      const bool taken =
          is_server ? tree_.find(menu, name) != nullptr
                    : std::any_of(menus().begin(), menus().end(), [&](const Menu& other) {
                        const Property* property = other.find("name");
                        return property != nullptr && property->has(Property::kInterfaceName) &&
                               tree_.find(other, name) != nullptr;
                      });
      if (taken) continue;
      row.values[static_cast<size_t>(index)] = std::move(name);
      return;
    }
  }

  /// What a copy begins with: all but what no two rows may share.
  bool copy_values(const Edit& edit, const Menu& menu, Row& row) {
    const auto from = locate(edit, menu, edit.copy_from);
    if (!from) return false;
    const RowPtr pattern = tree_.rows(menu)[*from];
    for (size_t i = 0; i < menu.properties.size(); ++i) {
      const Property& property = menu.properties[i];
      if (property.has(Property::kName) || property.has(Property::kUnique)) continue;
      row.values[i] = pattern->values[i];
    }
    return true;
  }

  void add(const Edit& edit, const Menu& menu) {
    auto row = std::make_shared<Row>();
    row->values.resize(menu.properties.size());
    if (!edit.copy_from.empty() && !copy_values(edit, menu, *row)) return;
    put_values(edit, menu, *row);
    name_row(menu, *row);
    if (!edit.before.empty() && menu.kind != Menu::Kind::kOrdered) {
      complain(edit, menu.path, "place-before",
               "unknown parameter place-before: the rows of this menu have no order",
               Trouble::kBadArgument);
      return;
    }
    row->id = tree_.next_id(menu);
    added.push_back(row_id(row->id));
    if (edit.before.empty()) {
      tree_.edit(menu).push_back(std::move(row));
      return;
    }
    if (const auto place = locate(edit, menu, edit.before)) {
      tree_.edit(menu).insert(*place, std::move(row));
    }
  }

  void set(const Edit& edit, const Menu& menu) {
    const bool settings = menu.kind == Menu::Kind::kSettings;
    const auto place = settings ? std::optional<size_t>(0) : locate(edit, menu, edit.target);
    if (!place) return;
    const RowPtr old = tree_.rows(menu)[*place];
    auto next = std::make_shared<Row>(*old);
    put_values(edit, menu, *next);
    tree_.edit(menu).replace(*place, next);
    for (size_t i = 0; i < menu.properties.size(); ++i) {
      if (!menu.properties[i].has(Property::kName) || old->values[i] == next->values[i]) continue;
      if (const InitialRow* initial = initial_row(menu, *old);
          initial != nullptr && !initial->removable) {
        complain(edit, menu.path, menu.properties[i].name,
                 fmt::format("failure: {} is built in and keeps its name", old->values[i]),
                 Trouble::kGeneral);
        return;
      }
      if (!old->values[i].empty() && !next->values[i].empty()) {
        rename_mentions(tree_, {{std::string(menu.path), {{old->values[i], next->values[i]}}}});
      }
    }
  }

  void remove(const Edit& edit, const Menu& menu) {
    const auto place = locate(edit, menu, edit.target);
    if (!place) return;
    const RowPtr row = tree_.rows(menu)[*place];
    if (const InitialRow* initial = initial_row(menu, *row);
        initial != nullptr && !initial->removable) {
      complain(
          edit, menu.path, "",
          fmt::format("failure: {} is built in and cannot be removed", View(menu, *row).label()),
          Trouble::kGeneral);
      return;
    }
    tree_.edit(menu).erase(*place);
    if (const int name = name_index(menu); name >= 0)
      lose(menu.path, row->values[static_cast<size_t>(name)], row_id(row->id));
  }

  /// Rules that spoke of a row that is gone are invalid from here on and say its ID (B-10).
  void lose(std::string_view path, const std::string& name, const std::string& id) {
    for (const Menu& menu : menus()) {
      for (size_t i = 0; i < menu.properties.size(); ++i) {
        const Property& property = menu.properties[i];
        if (property.has(Property::kMayBeLost) &&
            std::find(property.reference.begin(), property.reference.end(), path) !=
                property.reference.end())
          replace_mention(tree_, menu, i, name, id);
      }
    }
  }

  void move(const Edit& edit, const Menu& menu) {
    if (menu.kind != Menu::Kind::kOrdered) {
      complain(edit, menu.path, "", "no such command: the rows of this menu have no order",
               Trouble::kMissing);
      return;
    }
    const auto from = locate(edit, menu, edit.target);
    if (!from) return;
    const auto to = edit.before.empty() ? std::optional<size_t>(tree_.rows(menu).size())
                                        : locate(edit, menu, edit.before);
    if (to) tree_.edit(menu).move(*from, *to);
  }

  Tree& tree_;
};

}  // namespace

Result<std::vector<std::string>> edit(Tree& tree, const std::vector<Edit>& edits) {
  Editor editor(tree);
  for (const Edit& one : edits) editor.run(one);
  if (!editor.errors.empty()) return tl::make_unexpected(std::move(editor.errors));
  return std::move(editor.added);
}

}  // namespace maclane::model
