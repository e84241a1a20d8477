// The model: the one tree that every door edits, and the only way to change it.
//
// A change is: copy the tree, edit, validate whole, commit (compile and publish), persist. It
// happens entirely or not at all. Control thread only.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/model/tree.h"

namespace maclane::model {

struct Edit {
  enum class Kind : uint8_t { kAdd, kSet, kRemove, kMove };
  Kind kind = Kind::kAdd;
  std::string path;    // any spelling of the menu's path
  std::string target;  // set, remove, move: name, "*ID" or index ("0"); "" for a settings menu
  std::vector<std::pair<std::string, std::string>> values;  // property, raw value; "" unsets
  std::string before;  // add, move: the row to stand before; "" = last
};

/// A row as print shows it: stored values, defaults and state together.
using Fields = std::vector<std::pair<std::string, std::string>>;
struct PrintRow {
  std::string id;  // "*1"
  bool dynamic = false;
  Fields fields;  // in schema order, unset ones left out
  [[nodiscard]] std::string_view get(std::string_view property) const;
};

class Model {
 public:
  /// Carries a validated tree into effect; returns the reason if it cannot, and then changed
  /// nothing.
  using Commit = std::function<Status(const Tree& next)>;
  /// Adds read-only values to a stored row.
  using RowState = std::function<void(const View& row, Fields& out)>;
  /// Rows that exist only as state (connections, dynamic routes, learned ARP entries).
  using DynamicRows = std::function<std::vector<PrintRow>()>;

  /// Completes an edited tree before it is validated (generated MACs). Refusing refuses the change.
  using Prepare = std::function<Result<Tree>(Tree next)>;
  /// Removes a row that exists only as state (a connection). Called after the rest of the change.
  using RemoveState = std::function<Status(std::string_view id)>;

  void on_prepare(Prepare prepare) { prepare_ = std::move(prepare); }
  void on_commit(Commit commit) { commit_ = std::move(commit); }
  void provide(std::string_view path, RowState state) {
    row_state_[std::string(path)] = std::move(state);
  }
  void provide_rows(std::string_view path, DynamicRows rows) {
    dynamic_[std::string(path)] = std::move(rows);
  }

  void provide_remove(std::string_view path, RemoveState remove) {
    remove_state_[std::string(path)] = std::move(remove);
  }

  [[nodiscard]] const Tree& tree() const { return tree_; }

  /// Validates, commits and takes over a whole tree (start, reload).
  Status replace(Tree next);
  /// Applies edits in order as one change. On success the ids of added rows, in order.
  Result<std::vector<std::string>> apply(const std::vector<Edit>& edits);

  /// The rows of a menu, stored and dynamic, with their state.
  [[nodiscard]] std::vector<PrintRow> print(const Menu& menu) const;

 private:
  Status take_over(Tree next, const Tree* before);

  Tree tree_;
  Prepare prepare_;
  Commit commit_;
  std::map<std::string, RowState, std::less<>> row_state_;
  std::map<std::string, DynamicRows, std::less<>> dynamic_;
  std::map<std::string, RemoveState, std::less<>> remove_state_;
};

/// Carries out edits on a tree without validating it; the rest of Model::apply. The ids of added
/// rows, in order. On errors the tree is left half edited, to be thrown away.
[[nodiscard]] Result<std::vector<std::string>> edit(Tree& tree, const std::vector<Edit>& edits);

}  // namespace maclane::model
