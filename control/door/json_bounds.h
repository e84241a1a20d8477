// Reads JSON only as deep and as wide as a request may be. No state; any thread.
#pragma once

#include <string>
#include <string_view>

#include "control/door/request.h"

namespace maclane::door {

/// The text as a JSON value, or a sentence that says what is wrong with it.
[[nodiscard]] tl::expected<Json, std::string> parse_bounded(std::string_view text);

}  // namespace maclane::door
