// The rows of a command as the text that is shown of them.
#pragma once

#include <string>
#include <vector>

#include "control/script/job.h"

namespace maclane::script {

/// Rows as print's words (detail, terse, stats ...) and the screen ask for: a table, pairs, lines,
/// or JSON. head: what stands above a table; without it rows go on below those shown before. No
/// state; any thread.
[[nodiscard]] std::string print_text(const MenuCall& call, const model::Menu& menu,
                                     const Screen& screen, const std::vector<model::PrintRow>& rows,
                                     bool head = true);

}  // namespace maclane::script
