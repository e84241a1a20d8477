#include "control/model/new_names.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "control/model/mentions.h"

namespace maclane::model {
namespace {

constexpr std::string_view kDevice[] = {"device"};
constexpr std::string_view kVlan[] = {"interface", "vlan-id"};
constexpr std::string_view kMacvlan[] = {"interface", "mac-address"};
constexpr std::string_view kAccount[] = {"interface", "user", "service-name", "ac-name"};

/// What a row is known by, the names of others as they are in the file.
struct Kind {
  std::string_view path;
  std::span<const std::string_view> known_by;
};
constexpr Kind kKinds[] = {{"/interface/ethernet", kDevice},
                           {"/interface/vlan", kVlan},
                           {"/interface/macvlan", kMacvlan},
                           {"/interface/pppoe-client", kAccount}};

/// All that is said of a row, but what tells it from its like.
std::string likeness_of(const View& view) {
  std::string key;
  for (const Property& one : view.menu().properties) {
    if (one.has(Property::kName) || one.name == "mac-address" || one.name == "comment") continue;
    key += view.get(one.name);
    key += '\x1f';
  }
  return key;
}

/// "": nothing to know it by. Nothing that it is known by: its likeness.
std::string key_of(const Menu& menu, const Row& row, std::span<const std::string_view> known_by) {
  const View view(menu, row);
  if (known_by.empty()) return likeness_of(view);
  if (view.get(known_by.front()).empty() || view.get(known_by[1 % known_by.size()]).empty())
    return {};
  std::string key;
  for (const std::string_view property : known_by) {
    key += view.get(property);
    key += '\x1f';
  }
  return key;
}

/// Rows whose names are gone and rows whose names are new, where a key fits one of each.
RowPairs pairs(const Tree& before, const Tree& file, const Kind& kind) {
  const Menu& menu = *find_menu(kind.path);
  if (before.rows(menu) == file.rows(menu)) return {};
  const int name = name_index(menu);
  struct Fits {
    std::vector<RowPtr> gone, fresh;
  };
  std::map<std::string, Fits> by_key;
  const auto gather = [&](const Tree& tree, const Tree& other, std::vector<RowPtr> Fits::*where) {
    for (const RowPtr& row : tree.rows(menu)) {
      if (row->at(name).empty() || other.find(menu, row->at(name)) != nullptr) continue;
      std::string one = key_of(menu, *row, kind.known_by);
      if (!one.empty()) (by_key[std::move(one)].*where).push_back(row);
    }
  };
  gather(before, file, &Fits::gone);
  gather(file, before, &Fits::fresh);
  RowPairs out;
  for (const auto& [one, fits] : by_key) {
    if (fits.gone.size() == 1 && fits.fresh.size() == 1)
      out.emplace_back(fits.gone.front(), fits.fresh.front());
  }
  return out;
}

}  // namespace

std::vector<NewName> new_names(const Tree& before, const Tree& file) {
  std::vector<NewName> out;
  Tree now = before;
  for (const Kind& kind : kKinds) {
    const Menu& menu = *find_menu(kind.path);
    // A VLAN may be on a VLAN, which is known once its parent is.
    for (std::vector<NewName> found(1); !found.empty();) {
      found.clear();
      for (const auto& [was, is] : pairs(now, file, kind)) {
        const NewName one{&menu, was->id, std::string(is->at(name_index(menu)))};
        if (!is_taken(now, one)) found.push_back(one);
      }
      now = with_names(std::move(now), found);
      std::ranges::copy(found, std::back_inserter(out));
    }
  }
  return out;
}

RowPairs alike_macvlans(const Tree& before, const Tree& file) {
  return pairs(with_names(before, new_names(before, file)), file, {"/interface/macvlan", {}});
}

bool is_taken(const Tree& tree, const NewName& one) {
  return std::ranges::any_of(kKinds, [&](const Kind& kind) {
    const Menu& menu = *find_menu(kind.path);
    const RowPtr other = tree.find(menu, one.name);
    return other != nullptr && (&menu != one.menu || other->id != one.id);
  });
}

Tree with_names(Tree tree, const std::vector<NewName>& names) {
  Renamed renamed;
  for (const NewName& one : names) {
    const Menu& menu = *one.menu;
    const auto place = tree.rows(menu).place_of(one.id);
    if (!place || is_taken(tree, one)) continue;
    auto next = std::make_shared<Row>(*tree.rows(menu)[*place]);
    const auto name = static_cast<size_t>(name_index(menu));
    std::string from = std::exchange(next->values[name], one.name);
    tree.edit(menu).replace(*place, std::move(next));
    renamed[std::string(menu.path)].emplace(std::move(from), one.name);
  }
  if (!renamed.empty()) rename_mentions(tree, renamed);
  return tree;
}

}  // namespace maclane::model
