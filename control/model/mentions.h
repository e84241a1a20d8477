// Who speaks of a row by its name, and what a new name takes with it. Values without state; any
// thread.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "control/model/tree.h"

namespace maclane::model {

/// New names of rows, each of a menu: by its path, from the old name to the new one. All take
/// effect at once: one that two rows exchange is no mistake.
using Renamed = std::map<std::string, std::unordered_map<std::string, std::string>, std::less<>>;

/// Who spoke of the old name of a row speaks of the new one, as in RouterOS: references, gateways
/// with their interfaces, and tables of gateways. One walk over the rows, however many the names.
void rename_mentions(Tree& tree, const Renamed& renamed);

/// The same for one property of a menu that holds names of rows, alone or in a list.
void replace_mention(Tree& tree, const Menu& menu, size_t property, const std::string& from,
                     const std::string& to);

}  // namespace maclane::model
