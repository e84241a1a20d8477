// What a configuration says that is allowed, in RouterOS too, and hardly what was meant.
#pragma once

#include "control/model/tree.h"

namespace maclane::model {

/// A sentence for each row that is doubtful, placed there: netmap onto fewer addresses than it
/// maps. before: nullptr, or a tree whose rows were looked at already. Control thread; walks
/// /ip/firewall/nat if it has changed.
[[nodiscard]] Errors doubts(const Tree& tree, const Tree* before);

}  // namespace maclane::model
