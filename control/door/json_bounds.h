// Reads JSON only as deep and as wide as a request may be. No state; any thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace maclane::door {

using Json = nlohmann::ordered_json;

inline constexpr size_t kMaxJsonDepth = 16;
inline constexpr size_t kMaxJsonKeys = 512;  // in one object

/// The text as a JSON value, or a sentence that says what is wrong with it.
[[nodiscard]] tl::expected<Json, std::string> parse_bounded(std::string_view text);

}  // namespace maclane::door
