// The answers of a ping and of a traceroute as RouterOS shows them on a terminal. No state; any
// thread.
#pragma once

#include <string>
#include <vector>

#include "control/model/model.h"

namespace maclane::observe {

/// A line for each answer; head: with the line above them.
[[nodiscard]] std::string ping_text(const std::vector<model::PrintRow>& rows, bool head);
/// The hops of a traceroute, a line for each, with the line above them.
[[nodiscard]] std::string traceroute_text(const std::vector<model::PrintRow>& rows);
/// The sums that the last answer told.
[[nodiscard]] std::string ping_sums(const model::PrintRow& last);

}  // namespace maclane::observe
