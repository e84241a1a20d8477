// The state folder's database: what must outlive the process. `maclane.db`, SQLite, in WAL mode.
//
// It holds three trees: the one that runs, the base (what the configuration file gave when it was
// last loaded, so that what doors changed can be told from it) and, while an apply waits for its
// confirm, the one to go back to. Beside them the text of that file and the MAC addresses generated
// for macvlans. Each change is one transaction which writes the rows that changed; a kill at
// any moment leaves the old state or the new one. Identifiers are kept, so they are the same after
// a restart. Only with the power gone may the last changes be lost, never halves of one.
//
// MAC addresses are kept by macvlan name over restarts, parent changes and disabling, and when the
// macvlan is removed: who removes one and adds it again meets the same switch and the same ISP.
// Control thread only.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "control/model/base.h"
#include "control/model/sqlite.h"
#include "control/model/tree.h"

namespace maclane::model {

class Store {
 public:
  /// Opens the database of the folder; makes both if they are not there.
  [[nodiscard]] static Result<Store> open(const std::string& folder);

  struct Kept {
    Tree tree;
    Base base;
    std::optional<Tree> go_back;  // of an apply not confirmed yet, or of safe mode
  };
  /// What was kept; nullopt at the first start. Call it once, before the first write.
  [[nodiscard]] Result<std::optional<Kept>> read();
  /// Keeps this, entirely or not at all. Costs what changed since the last write.
  [[nodiscard]] Status write(const Lasting& state);

  /// The kept MAC of a name, or a new one: 46 random bits, locally administered, unicast. Kept on
  /// disk by the next save_macs().
  [[nodiscard]] std::string mac_for(std::string_view name);
  /// Generates anew what mac_for gave, because it is in use elsewhere.
  std::string replace_mac(std::string_view name);
  /// The macvlan's name for which a MAC was generated, which may be the likely one; "": for none.
  [[nodiscard]] std::string owner_of(std::string_view mac, std::string_view likely = {}) const;
  /// A MAC belongs to another name from now on; the one that had it gets another.
  void give_mac(std::string_view from, std::string_view to);
  /// Writes what was added since; does nothing if nothing was.
  [[nodiscard]] Status save_macs();

 private:
  enum Which : uint8_t { kRunning = 0, kBase = 1, kGoBack = 2 };
  static constexpr size_t kTrees = 3;

  Store() = default;
  [[nodiscard]] Status prepare();
  [[nodiscard]] Status read_macs(const std::string& folder);
  [[nodiscard]] Result<std::optional<Tree>> read_tree(Which which);
  [[nodiscard]] Status read_rows(Which which, Tree& tree);
  [[nodiscard]] bool write_tree(Which which, const Tree& tree);
  [[nodiscard]] bool write_menu(Which which, const Menu& menu, const Tree& tree);
  [[nodiscard]] bool write_row(Which which, const Menu& menu, const Row& row);
  [[nodiscard]] bool remove_row(Which which, const Menu& menu, const Row& row);
  [[nodiscard]] bool write_all(const Lasting& state);
  [[nodiscard]] bool is_written(const Lasting& state) const;
  [[nodiscard]] Error damaged(std::string_view what) const;

  std::string path_;
  sqlite::Database database_;
  sqlite::Statement put_row_, drop_row_, put_menu_, put_next_id_, drop_tree_rows_, drop_tree_menus_,
      put_meta_, put_mac_;
  std::array<std::optional<Tree>, kTrees> written_;  // what is in the database
  std::string written_text_;
  bool written_any_ = false;
  std::map<std::string, std::string, std::less<>> macs_;
  std::set<std::string, std::less<>> new_macs_;
};

/// Fills in the mac-address of every macvlan that has none, and saves the new ones. For
/// Model::on_prepare.
[[nodiscard]] Result<Tree> with_generated_macs(Tree tree, Store& store);
/// A file whose macvlans have the generated MACs of those of `before` that are the same under
/// another name (alike_macvlans). Before with_generated_macs. What `before` has is kept by the
/// names that it has there; of `file`, which may not come into effect, nothing.
[[nodiscard]] Tree with_kept_macs(const Tree& before, Tree file, Store& store);

}  // namespace maclane::model
