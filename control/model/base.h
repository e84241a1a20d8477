// The base and the layer: the configuration file gives the base, what doors changed lies on top of
// it. Values without state; control thread only.
#pragma once

#include <string>
#include <vector>

#include "control/model/tree.h"

namespace maclane::model {

/// What the configuration file gave when it was last loaded.
struct Base {
  Tree tree;         // its rows have the ids they were given in the running tree
  std::string text;  // the file itself
};

/// What must outlive the process.
struct Lasting {
  const Tree& tree;
  const Base& base;
  /// What a restart goes back to: an apply waits for its confirm, or a session is in safe mode.
  const Tree* go_back = nullptr;
};

/// What a reset leaves.
struct Reset {
  bool keep_users = false;
  bool no_defaults = false;  // what the machine has, instead of the base
};

/// What the machine has and nothing else: the menus with Menu::kMachine. Ports have their devices
/// and the names they have from the start.
[[nodiscard]] Tree machine(const Tree& running);

struct Rebased {
  Tree tree;                          // not validated yet
  Tree base;                          // the file's rows with the ids they have in `tree`
  std::vector<std::string> warnings;  // what doors had changed and the file took away
};

/// Brings a file that was changed under a running tree: three ways, row by row and property by
/// property. What the file changed since `base` wins, what only doors changed stays, rows the file
/// no longer has go. Rows that were added both here and there are one row if they have the same
/// name or, without names, the same content.
///
/// `file` has been completed as the running tree was (generated MACs); its ids mean nothing.
[[nodiscard]] Rebased rebase(const Tree& base, const Tree& running, Tree file);

}  // namespace maclane::model
