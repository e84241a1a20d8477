// The answers of a ping as RouterOS shows them on a terminal. No state; any thread.
#pragma once

#include <string>
#include <vector>

#include "control/model/model.h"

namespace maclane::observe {

/// A line for each answer; head: with the line above them.
[[nodiscard]] std::string ping_text(const std::vector<model::PrintRow>& rows, bool head);
/// The sums that the last answer told.
[[nodiscard]] std::string ping_sums(const model::PrintRow& last);

}  // namespace maclane::observe
