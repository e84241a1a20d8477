// Interfaces that a file gives another name: a file says nothing of what a row was called before,
// so that it is known by what nobody else can have. It goes on then as if it had been renamed by a
// command: its id, MAC, leases and sessions, and what doors said of it, under its new name.
//
// An ethernet is its device; a VLAN its number on its parent; a macvlan its MAC on its parent, if
// the file says one; a PPPoE client its account, service and concentrator on what it dials through,
// if there is one of them. A macvlan whose MAC was generated, which no file says, is known by all
// else that the file says of it (alike_macvlans). Only names that are gone and names that are new
// are held against each other: two that change places are two whose properties changed. Values
// without state; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "control/model/tree.h"

namespace maclane::model {

struct NewName {
  const Menu* menu = nullptr;
  uint32_t id = 0;  // of the row in the tree before
  std::string name;
};

/// Which rows of `before` have another name in `file`; parents first.
[[nodiscard]] std::vector<NewName> new_names(const Tree& before, const Tree& file);

/// Rows as they were and as they are in a file.
using RowPairs = std::vector<std::pair<RowPtr, RowPtr>>;
/// Macvlans of `before` that are gone and new ones of `file`, where one of these and one of those
/// have the same in everything but name, MAC and comment, their parents under the file's names.
[[nodiscard]] RowPairs alike_macvlans(const Tree& before, const Tree& file);

/// Whether another row of a tree has that name.
[[nodiscard]] bool is_taken(const Tree& tree, const NewName& one);

/// A tree with these names, and all who speak of them. A row it does not have is passed over, and
/// one whose name another has.
[[nodiscard]] Tree with_names(Tree tree, const std::vector<NewName>& names);

}  // namespace maclane::model
