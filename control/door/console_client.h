// The console's end of the socket: one request, one reply. Blocks; for programs, never the router.
#pragma once

#include <string>
#include <tl/expected.hpp>

#include "control/door/request.h"

namespace maclane::door {

/// Connects, sends, waits at most a minute for the reply. The error is a sentence that says how to
/// reach a router.
[[nodiscard]] tl::expected<Json, std::string> ask(const std::string& path, const Json& request);

}  // namespace maclane::door
