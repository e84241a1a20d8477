// Menus that clients poll: clock, packages, board, licence, health, log, and the console's inspect.
// Control thread only.
#pragma once

#include <string>
#include <string_view>

#include "control/model/commands.h"

namespace maclane::observe {

void serve_polled(model::Commands& commands, const std::string& state_folder);

/// What times are written in; "" or "manual": the host's zone.
void set_time_zone(std::string_view name);

/// RouterOS's version that is spoken, and ours: "7.20 (Maclane 0.1.0)".
[[nodiscard]] std::string version_text();
/// "2026-01-31 12:00:00", when the daemon was built.
[[nodiscard]] std::string build_time();

/// /console/inspect: rows for a request about a path with commas.
[[nodiscard]] model::Answer<model::Outcome> inspect(const model::Call& call);

}  // namespace maclane::observe
