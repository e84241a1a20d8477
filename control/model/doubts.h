// What a configuration says that is allowed, in RouterOS too, and hardly what was meant.
#pragma once

#include "control/model/tree.h"

namespace maclane::model {

/// A sentence for each row that is doubtful, placed there: netmap onto fewer addresses than it
/// maps; and, one for each chain and property, rules that ask for the incoming or the outgoing
/// interface in a chain of their own that is reached only from where there is none (in the
/// built-in chains themselves that is refused, validate.h). before: nullptr, or a tree whose rows
/// were looked at already: what is new since is said. Control thread; walks a menu of rules once
/// if it has changed.
[[nodiscard]] Errors doubts(const Tree& tree, const Tree* before);

}  // namespace maclane::model
