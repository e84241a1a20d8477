// The tree: every menu's rows, immutable once shared.
//
// A Tree is a value: copying it copies one pointer per menu, and editing a menu copies what rows.h
// says. Values are canonical strings indexed by the property's place in its menu; "" is unset.
// Control thread only.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/model/rows.h"
#include "control/model/schema.h"

namespace maclane::model {

/// An id as it is shown: "*1F".
[[nodiscard]] std::string row_id(uint32_t id);

/// A row with its menu: reads values by name, giving the schema's default where a value is unset.
class View {
 public:
  View(const Menu& menu, const Row& row) : menu_(&menu), row_(&row) {}
  [[nodiscard]] const Menu& menu() const { return *menu_; }
  [[nodiscard]] const Row& row() const { return *row_; }
  [[nodiscard]] std::string_view raw(std::string_view property) const;  // "" if unset
  [[nodiscard]] std::string_view get(std::string_view property) const;  // default if unset
  [[nodiscard]] bool is_set(std::string_view property) const { return !raw(property).empty(); }
  [[nodiscard]] bool get_bool(std::string_view property) const;
  [[nodiscard]] int64_t get_integer(std::string_view property) const;
  [[nodiscard]] int64_t get_time_ms(std::string_view property) const;
  [[nodiscard]] bool disabled() const { return get_bool("disabled"); }
  /// The row as a person would name it: its name, or its address, or "*3".
  [[nodiscard]] std::string label() const;
  /// An error placed at this row and property, with the file position if there is one.
  [[nodiscard]] Error error(std::string_view property, std::string message) const;

 private:
  const Menu* menu_;
  const Row* row_;
};

class Tree {
 public:
  using Rows = model::Rows;

  /// Every settings menu holds its one row of defaults, every list the rows the schema gives it.
  Tree();

  [[nodiscard]] const Rows& rows(const Menu& menu) const;
  [[nodiscard]] const Rows& rows(
      std::string_view path) const;  // path must be a menu's canonical path
  [[nodiscard]] View settings(std::string_view path) const;
  /// By the value of the menu's kName property, by "*ID", or nullptr.
  [[nodiscard]] RowPtr find(const Menu& menu, std::string_view name_or_id) const;
  /// Where find() finds it; nullopt if there is none.
  [[nodiscard]] std::optional<size_t> place_of(const Menu& menu, std::string_view name_or_id) const;
  /// The rows for editing; copies what is shared.
  Rows& edit(const Menu& menu);
  uint32_t next_id(const Menu& menu);
  /// The id that next_id() would give, and setting it (never back: ids are not used twice).
  [[nodiscard]] uint32_t coming_id(const Menu& menu) const;
  void start_ids(const Menu& menu, uint32_t first);
  /// No id is given out that the other tree may have given out already.
  void start_ids_after(const Tree& other);

 private:
  struct Table {
    Rows rows;
    uint32_t next_id = 1;
  };
  [[nodiscard]] static size_t number(const Menu& menu);
  Table& own(const Menu& menu);

  std::vector<std::shared_ptr<Table>> tables_;  // in the order of menus()
};

/// Calls fn(View) for each row of a menu in order.
template <typename Fn>
void for_each(const Tree& tree, std::string_view path, Fn&& fn) {
  const Menu* menu = find_menu(path);
  for (const RowPtr& row : tree.rows(*menu)) fn(View(*menu, *row));
}

/// The initial row of its menu that a row is, changed or not: the one of the same name, or where
/// rows have no names the one with the same values. nullptr if it is none.
[[nodiscard]] const InitialRow* initial_row(const Menu& menu, const Row& row);

/// Gives the rows of a tree that was loaded anew the ids they have in the running one: by name
/// where a menu has names, else by equal content; the others get ids that were never used. Rows
/// that the running tree has not are looked for in `also`, a later tree of the same ids. Without it
/// defaults are written where the running tree has them: to write one is no change.
void keep_ids(Tree& next, const Tree& running, const Tree* also = nullptr);

/// Checks what one value alone cannot tell: references, uniqueness, MTU against the parent, MACs,
/// chain cycles, required properties, values that do not work yet. All errors at once; none =
/// valid.
///
/// before is the tree a change began with, if there was one, and was found right: only what changed
/// is looked at (all of it if `whole`). A row it already had may stand above its parent's MTU,
/// because it is the parent that shrank and the row is clamped (actual-mtu).
[[nodiscard]] Errors validate(const Tree& tree, const Tree* before = nullptr, bool whole = false);

/// Facts several modules need about an interface row, whatever its menu.
struct InterfaceFacts {
  std::string name;
  std::string type;    // "ethernet", "macvlan", "vlan", "pppoe-out"
  std::string parent;  // "" for an ethernet
  bool disabled = false;
  int64_t mtu = 0;         // as configured, or the default rule of DESIGN.md part 4
  int64_t actual_mtu = 0;  // after clamping to the parent's
};
[[nodiscard]] std::vector<InterfaceFacts> interfaces(const Tree& tree);
/// What the ethernet at this place of its menu is called where its name does not count, as RouterOS
/// calls its ports: "ether1" is the first.
[[nodiscard]] std::string default_name(size_t place);
/// The menu that the interfaces of a type are rows of.
[[nodiscard]] std::string interface_menu(std::string_view type);

}  // namespace maclane::model
