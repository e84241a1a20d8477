// What network clients are told: RouterOS's own words first, since programs compare them.
// No state; any thread.
#pragma once

#include <string>

#include "control/model/commands.h"

namespace maclane::door {

/// The failure's sentences in one line; of the place that people are shown only which rule it is.
[[nodiscard]] std::string client_text(const model::Failure& failure);

/// A print that asked for properties and not for .id gets none.
void drop_unwanted_ids(const model::Call& call, std::vector<model::PrintRow>& rows);

/// Takes `duration` out of the arguments of a command that goes on and does not know it itself.
[[nodiscard]] std::optional<uint64_t> take_duration(model::Call& call);

}  // namespace maclane::door
