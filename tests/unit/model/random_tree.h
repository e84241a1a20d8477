// Random trees and random edits from the schema alone, for whoever holds that something is true of
// every tree: what is written loads again, two ways of validating agree.
//
// Values come from small pools, so that names, addresses and keys meet each other; an edit may be
// wrong, a tree never is. The same seed gives the same trees.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "control/model/model.h"
#include "control/model/value.h"
#include "tests/unit/model/random_forms.h"

namespace maclane::model {

class RandomTree {
 public:
  explicit RandomTree(uint32_t seed) : random_(seed) {}

  /// A number below n.
  size_t below(size_t n) { return n == 0 ? 0 : random_() % n; }
  bool chance(unsigned percent) { return below(100) < percent; }

  /// A valid tree after so many edits that were right.
  Tree make(size_t edits) {
    Tree tree;
    for (size_t tries = 0; edits > 0 && tries < 40 * edits + 1000; ++tries) {
      if (step(tree)) --edits;
    }
    return tree;
  }

  /// One edit; whether it was right and the tree has changed.
  bool step(Tree& tree) {
    Tree next = tree;
    if (!edit(next, {random_edit(next)}) || !validate(next, &tree).empty()) return false;
    tree = std::move(next);
    return true;
  }

  /// Something a person might try, in a menu that can be edited.
  Edit random_edit(const Tree& tree) {
    const Menu& menu = random_menu();
    const Rows& rows = tree.rows(menu);
    Edit out;
    out.path = menu.path;
    if (menu.kind == Menu::Kind::kSettings) {
      out.kind = Edit::Kind::kSet;
      out.values = values(menu, tree, 1);
      return out;
    }
    const bool few = rows.size() < 4 && !menu.has(Menu::kFixedRows);
    const size_t what = few ? below(3) : below(10);
    if ((few || what < 4) && !menu.has(Menu::kFixedRows)) {
      out.kind = Edit::Kind::kAdd;
      out.values = all_values(menu, tree);
      if (menu.kind == Menu::Kind::kOrdered && chance(30)) out.before = some_row(rows);
      return out;
    }
    out.target = some_row(rows);
    out.kind = what < 8                                         ? Edit::Kind::kSet
               : menu.kind == Menu::Kind::kOrdered && what == 8 ? Edit::Kind::kMove
                                                                : Edit::Kind::kRemove;
    if (out.kind == Edit::Kind::kSet) out.values = values(menu, tree, 1 + below(2));
    if (out.kind == Edit::Kind::kMove && chance(70)) out.before = some_row(rows);
    return out;
  }

  /// Gives every property of a menu a value of its own once, each in a row with what it needs; the
  /// names of those for which no tree was right in so many tries.
  std::vector<std::string> cover(const Menu& menu, Tree& tree, size_t tries) {
    std::vector<std::string> missing;
    for (const Property& property : menu.properties) {
      for (std::string_view path : property.reference) fill(*find_menu(path), tree);
    }
    for (const Property& property : menu.properties) {
      const bool fixed = menu.has(Menu::kFixedRows) && property.has(Property::kName);
      if (!writable(property) || fixed || has_default_alone(property)) continue;
      bool done = false;
      for (size_t i = 0; i < tries && !done; ++i) {
        Tree next = tree;
        done = edit(next, {edit_with(menu, property, next)}) && validate(next, &tree).empty() &&
               has_value(next.rows(menu), menu, property);
        if (done) tree = std::move(next);
      }
      if (!done) missing.emplace_back(property.name);
    }
    return missing;
  }

  /// A value in one of the forms people write; "" for what no value can be made of.
  std::string value(const Property& property, const Tree& tree) {
    std::string out = one_value(property, tree);
    if (property.has(Property::kList)) {
      for (size_t more = below(3); more > 0 && !out.empty(); --more) {
        out += "," + one_value(property, tree);
      }
      if (out.ends_with(',')) out.pop_back();
    }
    if (property.has(Property::kNegatable) && !out.empty() && chance(20)) out.insert(0, 1, '!');
    return out;
  }

 private:
  const Menu& random_menu() {
    static const std::vector<const Menu*> editable = [] {
      std::vector<const Menu*> out;
      for (const Menu& menu : menus()) {
        const bool any = std::any_of(menu.properties.begin(), menu.properties.end(), writable);
        if (menu.has_rows() && any) out.push_back(&menu);
        // What most others refer to comes often.
        if (menu.has_rows() && any && menu.path.starts_with("/interface/")) out.push_back(&menu);
      }
      return out;
    }();
    return *editable[below(editable.size())];
  }

  /// A password takes long to become what is kept of it; there are tests of its own for it.
  static bool writable(const Property& property) {
    return !property.has(Property::kReadOnly) && !property.has(Property::kNotYet) &&
           !property.has(Property::kWriteOnly);
  }

  static bool has_value(const Rows& rows, const Menu& menu, const Property& property) {
    const auto column = static_cast<size_t>(menu.index(property.name));
    return std::any_of(rows.begin(), rows.end(), [&](const RowPtr& row) {
      return !row->values[column].empty() && row->values[column] != property.default_value;
    });
  }

  static bool has_default_alone(const Property& property) {
    static constexpr std::string_view kTruths[] = {"true", "false"};
    if (property.type != Type::kEnum && property.type != Type::kBool) return false;
    const std::span<const std::string_view> all =
        property.type == Type::kBool ? std::span<const std::string_view>(kTruths) : property.values;
    const auto& refused = property.not_working;
    return std::all_of(all.begin(), all.end(), [&](std::string_view value) {
      return value == property.default_value ||
             std::find(refused.begin(), refused.end(), value) != refused.end();
    });
  }

  /// Some rows for others to refer to.
  void fill(const Menu& menu, Tree& tree) {
    for (int tries = 0; tries < 500 && tree.rows(menu).size() < 4; ++tries) {
      Tree next = tree;
      const Property& first = menu.properties.front();
      if (edit(next, {edit_with(menu, first, next)}) && validate(next, &tree).empty())
        tree = std::move(next);
    }
  }

  /// A row with this property, what every row needs, and what others may need of it: an action, a
  /// protocol.
  Edit edit_with(const Menu& menu, const Property& wanted, const Tree& tree) {
    Edit out;
    out.path = menu.path;
    const bool settings = menu.kind == Menu::Kind::kSettings;
    const bool set = settings || menu.has(Menu::kFixedRows) || chance(30);
    out.kind = set ? Edit::Kind::kSet : Edit::Kind::kAdd;
    if (set && !settings) out.target = some_row(tree.rows(menu));
    for (const Property& property : menu.properties) {
      if (!writable(property)) continue;
      const bool needed =
          !set && (property.has(Property::kRequired) || property.has(Property::kName));
      const unsigned percent = property.type == Type::kProtocol ? 50
                               : property.type == Type::kEnum   ? 25
                                                                : 2;
      if (&property != &wanted && !needed && !chance(percent)) continue;
      const bool name = property.has(Property::kName) && !set;
      out.values.emplace_back(property.name,
                              name ? fmt::format("c{}", ++made_) : value(property, tree));
    }
    return out;
  }

  std::string some_row(const Rows& rows) {
    return rows.empty() ? "*1" : row_id(rows[below(rows.size())]->id);
  }

  using Values = std::vector<std::pair<std::string, std::string>>;

  Values all_values(const Menu& menu, const Tree& tree) {
    Values out;
    for (const Property& property : menu.properties) {
      if (!writable(property)) continue;
      const bool needed = property.has(Property::kRequired) || property.has(Property::kName);
      if (needed || chance(property.name == "comment" ? 50 : 12)) {
        out.emplace_back(property.name, value(property, tree));
      }
    }
    return out;
  }

  Values values(const Menu& menu, const Tree& tree, size_t count) {
    std::vector<const Property*> all;
    for (const Property& property : menu.properties) {
      if (writable(property)) all.push_back(&property);
    }
    Values out;
    while (count-- > 0 && !all.empty()) {
      const Property& property = *all[below(all.size())];
      out.emplace_back(property.name, chance(20) ? "" : value(property, tree));
    }
    return out;
  }

  template <size_t N>
  std::string pick(const std::string_view (&from)[N]) {
    return std::string(from[below(N)]);
  }
  std::string pick(std::span<const std::string_view> from) {
    return from.empty() ? std::string{} : std::string(from[below(from.size())]);
  }

  std::string text(const Property& property) {
    static constexpr std::string_view kWords[] = {"a",         "b",
                                                  "alpha",     "beta-2",
                                                  "C_3",       "the first",
                                                  "x=y; z",    "say \"hi\"",
                                                  "it's",      "#1",
                                                  "yes",       "0",
                                                  "007",       "~",
                                                  "$(reboot)", "[x]",
                                                  "{y}",       "back\\slash",
                                                  "r%",        "ÄÖ",
                                                  "日本",      "- dash",
                                                  "a:b",       "null",
                                                  "line\nend", "dos\r\nend\r\n",
                                                  "tab\there", "!no"};
    if (property.has(Property::kName)) return fmt::format("n{}", below(12));
    if (property.name == "device") return fmt::format("net_null{},size=64", below(30));
    const auto form = form_of(property.name, chance(50));
    if (!form.empty()) return std::string(form);
    std::string out = pick(kWords);
    return property.max < 32 ? out.substr(0, 1) : out;
  }

  std::string address() { return fmt::format("10.{}.{}.{}", below(2), below(3), 1 + below(9)); }

  std::string interface_name(const Tree& tree) {
    std::vector<std::string> names;
    for (const InterfaceFacts& one : interfaces(tree)) names.push_back(one.name);
    return names.empty() ? "nothing" : names[below(names.size())];
  }

  std::string reference(const Property& property, const Tree& tree) {
    std::vector<std::string> names;
    for (std::string_view path : property.reference) {
      const Menu& menu = *find_menu(path);
      for (const RowPtr& row : tree.rows(menu)) names.emplace_back(row->at(name_index(menu)));
    }
    if (chance(10) && !property.values.empty()) return pick(property.values);
    if (names.empty() || chance(5)) return chance(50) ? std::string{} : "nobody";
    return names[below(names.size())];
  }

  int64_t number(const Property& property) {
    const int64_t span = std::min<int64_t>(property.max - property.min, chance(50) ? 4 : 70'000);
    return property.min + static_cast<int64_t>(below(static_cast<size_t>(span) + 1));
  }

  std::string one_value(const Property& property, const Tree& tree) {
    switch (property.type) {
      case Type::kString:
        return text(property);
      case Type::kBool:
        return chance(50) ? "yes" : "no";
      case Type::kInteger:
        return std::to_string(number(property));
      case Type::kTime:
      case Type::kAutoTime: {
        const int64_t span = std::min<int64_t>(property.max - property.min, 200'000'000);
        const auto more = static_cast<int64_t>(below(static_cast<size_t>(span) + 1));
        if (property.type == Type::kAutoTime && chance(30)) return "auto";
        return format_time_ms(property.min + more / 1000 * 1000);
      }
      case Type::kMac:
        return fmt::format("02:00:00:00:00:{:02X}", below(16));
      case Type::kIp4:
        return address();
      case Type::kIp4Prefix:
        return fmt::format("{}/{}", address(), chance(70) ? 24 : 8 + below(25));
      case Type::kIp4Set:
        if (chance(30)) return fmt::format("10.1.0.{}-10.1.0.{}", below(9), 9 + below(9));
        return chance(50) ? address() : fmt::format("{}/{}", address(), 8 + below(25));
      case Type::kGateway:
        if (chance(40)) return address();
        return chance(50) ? interface_name(tree)
                          : fmt::format("{}%{}", address(), interface_name(tree));
      case Type::kEnum:
        return pick(property.values);
      case Type::kPorts: {
        const size_t first = below(60'000);
        return chance(60) ? std::to_string(first)
                          : fmt::format("{}-{}", first, first + 1 + below(500));
      }
      case Type::kProtocol: {
        static constexpr std::string_view kProtocols[] = {"tcp", "udp", "icmp", "47", "sctp"};
        return pick(kProtocols);
      }
      case Type::kIcmpOptions:
        return fmt::format("{}:{}", below(20), below(5));
      case Type::kReference:
        return reference(property, tree);
    }
    return {};
  }

  std::mt19937 random_;
  size_t made_ = 0;
};

/// A tree for each menu of rows or settings, in which every property of it has a value somewhere.
struct CoveredTrees {
  std::vector<Tree> trees;
  std::vector<std::string> missing;  // properties that could not be given one: "/menu property"
};
inline CoveredTrees covered_trees() {
  CoveredTrees out;
  uint32_t seed = 100;
  for (const Menu& menu : menus()) {
    if (!menu.has_rows()) continue;
    // What a tree is made of hangs on the order in which a compiler calls for arguments: what one
    // tree has no room for, another has.
    std::vector<std::string> missing;
    for (int turn = 0; turn < 6 && (turn == 0 || !missing.empty()); ++turn) {
      RandomTree random(++seed);
      Tree tree = random.make(30);
      const auto left = random.cover(menu, tree, 3000);
      if (turn == 0) missing = {left.begin(), left.end()};
      std::erase_if(missing, [&](const std::string& name) {
        return std::find(left.begin(), left.end(), name) == left.end();
      });
      out.trees.push_back(std::move(tree));
    }
    for (const std::string& name : missing)
      out.missing.push_back(fmt::format("{} {}", menu.path, name));
  }
  return out;
}

/// The first difference between two trees as a person would say it; "" if they are the same but for
/// ids and places in files. Rows of lists that have no order may stand in another one. In effect, a
/// default that is written is as good as one that is not.
inline std::string difference(const Tree& one, const Tree& other, bool in_effect = false) {
  const auto lines_of = [&](const Tree& tree, const Menu& menu) {
    std::vector<std::string> out;
    for (const RowPtr& row : tree.rows(menu)) {
      std::string line(menu.path);
      for (size_t i = 0; i < menu.properties.size(); ++i) {
        if (in_effect && row->values[i] == menu.properties[i].default_value) continue;
        if (!row->values[i].empty()) {
          line += fmt::format(" {}=\"{}\"", menu.properties[i].name, row->values[i]);
        }
      }
      out.push_back(std::move(line));
    }
    if (menu.kind == Menu::Kind::kList) std::sort(out.begin(), out.end());
    return out;
  };
  for (const Menu& menu : menus()) {
    const auto a = lines_of(one, menu);
    const auto b = lines_of(other, menu);
    for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
      if (i < a.size() && i < b.size() && a[i] == b[i]) continue;
      return fmt::format("{} | {}", i < a.size() ? a[i] : "(no row)",
                         i < b.size() ? b[i] : "(no row)");
    }
  }
  return {};
}

}  // namespace maclane::model
