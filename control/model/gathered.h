// Identifiers of rows that one menu shows and others store: /interface. There a row's is made of
// its own menu and its identifier there, so that it stays over restarts, and no identifier of
// /interface is one of another row elsewhere. No state; any thread.
#pragma once

#include <string>
#include <string_view>

#include "control/model/tree.h"

namespace maclane::model {

/// "*10000003": what the row `id` of a menu that /interface gathers is called in /interface.
[[nodiscard]] std::string gathered_id(const Menu& own, uint32_t id);
/// The row of `own` that an identifier of /interface means; nullptr: none of this menu.
[[nodiscard]] RowPtr gathered_row(const Tree& tree, const Menu& own, std::string_view id);

}  // namespace maclane::model
