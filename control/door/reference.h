// The reference page: every menu with its properties and commands, as Markdown, from the schema.
// No state; any thread.
#pragma once

#include <string>

#include "control/model/schema.h"

namespace maclane::door {

[[nodiscard]] std::string reference();

/// What a property takes, in words: "integer 68..65535", "bridge | private, several with commas".
[[nodiscard]] std::string takes(const model::Property& property);

}  // namespace maclane::door
