// print's flags as the API and REST take them: `active`, `dynamic` and the like choose rows.
// No state; any thread.
#pragma once

#include <string>
#include <vector>

#include "control/model/commands.h"

namespace maclane::door {

/// Takes out of a print's arguments those that are no argument of print but the name of a boolean
/// property of the menu, given as a flag (`=active=`), and adds the query word they stand for.
void take_print_flags(const model::Menu& menu, model::Call& call, std::vector<std::string>& words);

}  // namespace maclane::door
