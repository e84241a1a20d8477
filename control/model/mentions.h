// Who speaks of a row by its name, and what a new name takes with it. Values without state; any
// thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "control/model/tree.h"

namespace maclane::model {

/// Who spoke of the old name of a row of the menu at `path` speaks of the new one, as in RouterOS:
/// references, gateways with their interfaces, and tables of gateways.
void rename_mentions(Tree& tree, std::string_view path, const std::string& from,
                     const std::string& to);

/// The same for one property of a menu that holds names of rows, alone or in a list.
void replace_mention(Tree& tree, const Menu& menu, size_t property, const std::string& from,
                     const std::string& to);

}  // namespace maclane::model
