// The model: the one tree that every door edits, and the only way to change it.
//
// A change is: copy the tree, edit, validate, commit (compile and publish), persist. It happens
// entirely or not at all.
//
// A batch is one change made of several: while it is open, every apply() is carried out on the
// working tree and validated, so that a mistake is told where it was made, and everybody who reads
// sees the working tree; commit_batch() compiles and publishes all of it at once. A batch never
// stays open across turns of the control loop. Control thread only.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/model/base.h"
#include "control/model/caller.h"
#include "control/model/confirm.h"
#include "control/model/diff.h"
#include "control/model/history.h"
#include "control/model/tree.h"

namespace maclane::model {

struct Edit {
  enum class Kind : uint8_t { kAdd, kSet, kRemove, kMove };
  Kind kind = Kind::kAdd;
  std::string path;    // any spelling of the menu's path
  std::string target;  // set, remove, move: name, "*ID" or index ("0"); "" for a settings menu
  std::vector<std::pair<std::string, std::string>> values;  // property, raw value; "" unsets
  std::string before;     // add, move: the row to stand before; "" = last
  std::string copy_from;  // add: the row whose values it begins with; "" = none
};

/// A row as print shows it: stored values, defaults and state together.
using Fields = std::vector<std::pair<std::string, std::string>>;
struct PrintRow {
  std::string id;  // "*1"
  bool dynamic = false;
  Fields fields;        // in schema order, unset ones left out
  uint32_t number = 0;  // its place in the menu, from 0
  bool leads = false;   // made by the router, and stands before what is configured (B-26)
  [[nodiscard]] std::string_view get(std::string_view property) const;
};

/// A change that has taken effect, for those who are told.
struct Change {
  const Tree& before;
  const Tree& after;
  const std::vector<MenuDiff>& menus;
  const Caller& by;
  std::string what;  // "filter rule added"; "undone: ..." of undo
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
  /// Rows that exist only as state and that callers may make and change: those of a menu's rows in
  /// which `property` is set (an address list entry with a timeout). Values are as written.
  struct LiveRows {
    std::string_view property;
    /// The new row's id. replaces: the row that becomes it, "" if none does.
    std::function<Result<std::string>(const Fields& values, std::string_view replaces)> add;
    std::function<Status(std::string_view id, const Fields& values)> set;
    /// Whether a row with these values may be stored beside them.
    std::function<Status(const Fields& values)> may_store;
    /// Between these add() and set() are one change: not kept, all of it is taken back.
    std::function<void()> begin;
    std::function<void(bool keep)> end;
  };
  /// Removes a row that exists only as state (a connection). Called after the rest of the change.
  using RemoveState = std::function<Status(std::string_view id)>;

  /// Keeps what must outlive the process; on an error nothing of it is kept, and the change does
  /// not happen.
  using Persist = std::function<Status(const Lasting& state)>;
  /// Told of each change, after it has taken effect.
  using OnChange = std::function<void(const Change&)>;
  /// Told what a person should know and did not ask for: a line for the log.
  using OnNotice = std::function<void(const std::string&)>;

  void on_change(OnChange told) { on_change_.push_back(std::move(told)); }
  void on_notice(OnNotice told) { on_notice_ = std::move(told); }
  void on_prepare(Prepare prepare) { prepare_ = std::move(prepare); }
  void on_persist(Persist persist) { persist_ = std::move(persist); }
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

  /// Whether rows of the menu that are state can be removed.
  [[nodiscard]] bool removes_state(const Menu& menu) const {
    return remove_state_.contains(menu.path);
  }

  void provide_live(std::string_view path, LiveRows rows) {
    live_[std::string(path)] = std::move(rows);
  }
  /// nullptr: all rows of the menu that can be made are stored.
  [[nodiscard]] const LiveRows* live_rows(const Menu& menu) const {
    const auto found = live_.find(menu.path);
    return found == live_.end() ? nullptr : &found->second;
  }

  [[nodiscard]] const Tree& tree() const { return tree_; }

  /// Counts up with every change of the tree: nothing stored has changed while it stands still.
  [[nodiscard]] uint64_t revision() const { return revision_; }

  /// Validates, commits and takes over a whole tree. The first one is the base as well.
  Status replace(Tree next, const Caller& caller = {});

  /// The first tree, of an earlier run, with the base it lies on.
  Status start(Tree tree, Base base);
  /// What the configuration file gave. What doors changed is the difference to tree().
  [[nodiscard]] const Base& base() const { return base_; }
  /// The configuration file was changed: brings what is new in it under what doors changed (base.h)
  /// as one change. Warnings are sentences; on an error all is as it was.
  Result<std::vector<std::string>> load(Tree file, std::string text, const Caller& caller);
  /// What a reset would leave, not validated yet.
  [[nodiscard]] Tree after_reset(const Reset& what) const;
  /// Back to the base or to nothing, as one change.
  Status reset(const Reset& what, const Caller& caller);

  /// The tree that apply() would bring into effect in place of the running one: completed and found
  /// right, rows that are in both with the ids they have.
  Result<Tree> planned(Tree next);
  /// Brings a whole tree into effect, from planned(). With a time (of the steady clock; 0: none) it
  /// goes back by itself unless it is confirmed until then, and at once after a restart.
  Status take_over(Tree planned, uint64_t confirm_until_ms, const Caller& caller);
  Status confirm(const Caller& caller);
  [[nodiscard]] const Confirm* waiting() const { return confirm_ ? &*confirm_ : nullptr; }
  /// To be called by the loop: goes back when it is time.
  void tick(uint64_t now_ms);

  enum class Record : uint8_t { kYes, kNo };
  /// Applies edits in order as one change, or as a part of the open batch. On success the ids of
  /// added rows, in order. Record::kNo: the history does not have it.
  Result<std::vector<std::string>> apply(const std::vector<Edit>& edits, const Caller& caller = {},
                                         Record record = Record::kYes);

  /// Opens a batch; there must be none open.
  void begin_batch(const Caller& caller = {});
  [[nodiscard]] bool in_batch() const { return batch_.has_value(); }
  /// Brings the batch into effect and closes it. On an error nothing of it happened.
  Status commit_batch();
  /// The same, and goes on with a fresh batch; on an error none is open.
  Status flush_batch();
  /// What was done so far takes effect, so that whoever reads state sees it; the batch stays open
  /// and remains one change. On an error all of the batch is taken back and none is open.
  Status show_batch();
  /// Takes everything back that was done since the batch was opened.
  void drop_batch();

  /// What was changed, and taking it back. The caller's name goes to the log.
  [[nodiscard]] const History& history() const { return history_; }
  Status undo(const Caller& caller);
  Status redo(const Caller& caller);

  /// Safe mode (C-50), of a session that has none. held: what another session that has it loses.
  Status take_safe_mode(const Caller& caller, SafeMode::Held held = SafeMode::Held::kRefuse);
  /// Ends it and leaves what was changed.
  Status release_safe_mode(const Caller& caller);
  /// Ends it and takes back what was changed since.
  Status unroll_safe_mode(const Caller& caller);
  [[nodiscard]] const SafeMode* safe_mode() const { return safe_mode_ ? &*safe_mode_ : nullptr; }
  /// A sentence for a session that lost safe mode without having asked for it, said once.
  [[nodiscard]] std::optional<std::string> safe_mode_lost(uint64_t session);
  /// A door's session is gone without having released what it held.
  void session_died(uint64_t session);

  /// The rows of a menu, stored and dynamic, with their state.
  [[nodiscard]] std::vector<PrintRow> print(const Menu& menu) const;
  /// Those that exist only as state, numbered behind the stored ones.
  [[nodiscard]] std::vector<PrintRow> dynamic_rows(const Menu& menu) const;
  /// Whether rows of the menu show more than what is stored.
  [[nodiscard]] bool has_state(const Menu& menu) const;

 private:
  using Removals = std::vector<std::pair<const RemoveState*, std::string>>;
  struct Batch {
    Tree before;
    Caller caller;
    Removals removals;
    bool changed = false;
    uint64_t shown = 0;  // the revision that is in effect already; 0: none of it
  };

  /// What of a change is in effect before it is brought in.
  enum class Effect : uint8_t { kNone, kSome, kAll };
  Result<Tree> checked(Tree next, const Tree* before);
  /// From one tree to another, which is right: compiles and publishes, remembers, tells.
  Status bring(const Tree& before, Tree next, const Caller& caller, Record record,
               std::string_view prefix = {}, Effect effect = Effect::kNone);
  [[nodiscard]] Status persist(const Tree& tree) const;
  /// To a tree that was in effect before.
  Status go_to(Tree target, const Caller& caller, Record record, std::string_view prefix);
  void end_safe_mode_if_full();
  /// Its owner, and the log, are told that somebody else ended it.
  void tell_loss(const Caller& owner, const Caller& by, std::string_view how);
  static Status remove_state(const Removals& removals);

  Tree tree_;
  uint64_t revision_ = 0;
  std::optional<Batch> batch_;
  History history_;
  std::optional<SafeMode> safe_mode_;
  std::map<uint64_t, std::string> lost_safe_mode_;  // by session, until it was told
  Base base_;
  std::optional<Confirm> confirm_;
  std::vector<OnChange> on_change_;
  OnNotice on_notice_;
  Prepare prepare_;
  Commit commit_;
  Persist persist_;
  std::map<std::string, RowState, std::less<>> row_state_;
  std::map<std::string, DynamicRows, std::less<>> dynamic_;
  std::map<std::string, RemoveState, std::less<>> remove_state_;
  std::map<std::string, LiveRows, std::less<>> live_;
};

/// Carries out edits on a tree without validating it; the rest of Model::apply. The ids of added
/// rows, in order. On errors the tree is left half edited, to be thrown away.
[[nodiscard]] Result<std::vector<std::string>> edit(Tree& tree, const std::vector<Edit>& edits);

}  // namespace maclane::model
