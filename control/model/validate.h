// What the parts of validation share. Included by validate*.cpp only.
//
// A change costs what it changed: when the tree before is known and right, a part looks only at the
// rows that are new or different, and at others only where what they refer to changed. A part that
// does not care asks concerns() whether one of its menus changed and then looks at all of them.
// That both ways find the same is tested on random edits (validate_change_test).
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "control/model/tree.h"

namespace maclane::model {

constexpr size_t kMostErrors = 1000;  // a report longer than this helps nobody

/// One validation: the tree, facts worth finding out once, and the errors so far.
class Check {
 public:
  /// before: the tree that was changed, if there was one. whole: look at everything all the same.
  Check(const Tree& now, const Tree* then, bool everything)
      : tree(now), before(then), whole(everything || then == nullptr) {}

  const Tree& tree;
  const Tree* before;
  bool whole;
  Errors errors;

  void add(const View& row, std::string_view property, std::string message,
           Trouble trouble = Trouble::kGeneral) {
    if (errors.size() >= kMostErrors) return;
    errors.push_back(row.error(property, std::move(message)));
    errors.back().trouble = trouble;
  }

  /// Whether one of these menus has to be looked at: always if everything is, else if it changed.
  [[nodiscard]] bool concerns(std::initializer_list<std::string_view> paths) const;
  [[nodiscard]] bool concerns(std::span<const std::string_view> paths) const;
  /// Whether an attached macvlan: its addresses belong to whoever holds the tap.
  [[nodiscard]] bool is_attached(std::string_view interface) const;
  /// What changed in a menu; only where not everything is looked at.
  [[nodiscard]] const RowsDiff& diff(const Menu& menu);

  /// Calls fn(View) for the rows of a menu that have to be looked at: those that are new or
  /// different, or all of them if `all` says so or everything is looked at.
  template <typename Fn>
  void for_asked(std::string_view path, bool all, Fn&& fn) {
    const Menu& menu = *find_menu(path);
    if (whole || all) {
      for (const RowPtr& row : tree.rows(menu)) fn(View(menu, *row));
      return;
    }
    const RowsDiff& changes = diff(menu);
    for (const RowPtr& row : changes.added) fn(View(menu, *row));
    for (const RowsDiff::Changed& row : changes.changed) fn(View(menu, *row.after));
  }

  /// Calls fn(View row, View first) for each row whose key (Menu::key) one before it has already,
  /// of those rows that matters(View) lets count.
  template <typename Matters, typename Fn>
  void for_each_twin(std::string_view path, Matters&& matters, Fn&& fn) {
    const Menu& menu = *find_menu(path);
    const Rows& rows = tree.rows(menu);
    if (whole) {
      std::unordered_multimap<uint64_t, const Row*> firsts;
      for (const RowPtr& row : rows) {
        const View view(menu, *row);
        if (!matters(view)) continue;
        const uint64_t hash = rows.key_of(*row);
        const Row* first = nullptr;
        const auto [begin, end] = firsts.equal_range(hash);
        for (auto it = begin; it != end; ++it) {
          if (rows.same_key(*it->second, *row)) first = it->second;
        }
        if (first != nullptr) {
          fn(view, View(menu, *first));
        } else {
          firsts.emplace(hash, row.get());
        }
      }
      return;
    }
    std::unordered_set<uint64_t> hashes;
    for_asked(path, false, [&](const View& asked) {
      if (matters(asked)) hashes.insert(rows.key_of(asked.row()));
    });
    std::unordered_map<uint64_t, std::vector<const Row*>> alike;  // in their order
    rows.with_keys(hashes, [&](const RowPtr& row) {
      if (matters(View(menu, *row))) alike[rows.key_of(*row)].push_back(row.get());
    });
    std::unordered_set<const Row*> told;
    for_asked(path, false, [&](const View& asked) {
      const Row* first = nullptr;
      if (!matters(asked)) return;
      for (const Row* row : alike[rows.key_of(asked.row())]) {
        if (!rows.same_key(*row, asked.row())) continue;
        if (first == nullptr) {
          first = row;
        } else if (told.insert(row).second) {
          fn(View(menu, *row), View(menu, *first));
        }
      }
    });
  }

  /// Whether a menu has a row of this name.
  [[nodiscard]] bool has_name(const Menu& menu, std::string_view name);
  /// Whether a name that rows of the menu had is gone.
  [[nodiscard]] bool lost_names(const Menu& menu);

  /// If a name went away with this change: the menu it was in, and the row that still speaks of it
  /// is kept for the sentence about the removed one. False: it was not there before either.
  [[nodiscard]] bool took_away(std::span<const std::string_view> paths, std::string_view name,
                               const View& user);
  /// One sentence for each name that was taken away from those who use it.
  void complain_of_users();

  [[nodiscard]] const std::vector<InterfaceFacts>& interfaces();
  /// nullptr: there is none of this name.
  [[nodiscard]] const InterfaceFacts* interface(std::string_view name);

 private:
  [[nodiscard]] bool changed(const Menu& menu) const;

  std::unordered_map<const Menu*, RowsDiff> diffs_;
  std::map<std::pair<const Menu*, std::string>, std::vector<std::string>> users_;
  std::unordered_map<const Menu*, std::unordered_set<std::string_view>> names_;
  std::optional<std::vector<InterfaceFacts>> interfaces_;
  std::unordered_map<std::string_view, const InterfaceFacts*> by_name_;
};

/// `at soho.yaml:12` or `in /interface/vlan`: where the other of two rows stands.
[[nodiscard]] std::string where(const View& other);

/// What is wrong with a MAC as an interface's or neighbour's own; "" if nothing (A-56, F-15).
[[nodiscard]] std::string mac_mistake(std::string_view canonical);

void validate_interfaces(Check& check);
void validate_ip(Check& check);
void validate_firewall(Check& check);
void validate_service(Check& check);
void validate_helpers(Check& check);
void validate_clients(Check& check);
void validate_dhcp(Check& check);
void validate_dns(Check& check);

}  // namespace maclane::model
