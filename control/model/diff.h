// What changed from one tree to another, in tree terms: for the log, the history, `plan` and
// `changes`. Costs what changed. Control thread only.
#pragma once

#include <string>
#include <vector>

#include "control/model/tree.h"

namespace maclane::model {

struct MenuDiff {
  const Menu* menu;
  RowsDiff rows;
};
/// Menus that changed, in their order. That rows of a list without order were moved is no change.
[[nodiscard]] std::vector<MenuDiff> diff(const Tree& before, const Tree& after);

/// "filter rule added", "2 addresses removed, identity changed": what RouterOS's log and history
/// say of a change (C-43). "" if there is none.
[[nodiscard]] std::string summary(const std::vector<MenuDiff>& changes);

/// The ids of the rows that a change is about: "*3", "*3,*4 ..."; "" for settings.
[[nodiscard]] std::string rows_of(const std::vector<MenuDiff>& changes);

/// A line for each row, as the console would be told to make the change, behind "+" (added), "-"
/// (removed), "~" (changed, with what it was):
///   + /ip/firewall/filter add chain=forward action=drop
///   ~ /interface/macvlan set m1 mtu=1400 (was 1500)
/// Secrets are shown as ***** unless `sensitive`.
[[nodiscard]] std::vector<std::string> lines(const std::vector<MenuDiff>& changes,
                                             const Tree& after, bool sensitive = false);

/// The same for programs, as a JSON list of {menu, action, id, name, properties}; action is add,
/// set, remove or move. `was` has what a set changes, a value that is unset is null, and a move has
/// the order of all ids. more: objects of texts behind them.
[[nodiscard]] std::string to_json(
    const std::vector<MenuDiff>& changes, const Tree& after, bool sensitive,
    const std::vector<std::vector<std::pair<std::string, std::string>>>& more = {});

/// A value as the console reads it back: quoted if it has to be.
[[nodiscard]] std::string console_value(std::string_view value);

}  // namespace maclane::model
