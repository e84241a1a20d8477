// Who is logged in, as rows of /user/active (C-48). No state; any thread.
#pragma once

#include <string>
#include <string_view>

#include "control/model/model.h"

namespace maclane::door {

/// Now, by the router's clock: "2026-11-28 04:04:39".
[[nodiscard]] std::string login_time();
/// A session and who it is of; when: login_time() as it began.
[[nodiscard]] model::PrintRow active_row(uint64_t session, const std::string& when,
                                         const model::Caller& who, std::string_view group);

}  // namespace maclane::door
