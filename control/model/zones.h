// The time zones of the system's tzdata. Reads the disk; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace maclane::model {

/// Whether it is a file of the system's zones, and nothing else of the system.
[[nodiscard]] bool is_zone(std::string_view name);

/// The zones whose names begin so, sorted; none where the system has no tzdata.
[[nodiscard]] std::vector<std::string> zones_from(std::string_view begin);

}  // namespace maclane::model
