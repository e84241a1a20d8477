// Reads JSON only as deep and as wide as a request may be. No state; any thread.
#pragma once

#include <cstdint>
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

/// The text with its octal (0…) and hexadecimal (0x…) numbers, which RouterOS's REST takes beside
/// those of JSON (D-9), in decimal. Spaces fill what gets shorter, so that places stay where they
/// were, but behind hexadecimal numbers from 10^12 on.
[[nodiscard]] std::string with_decimal_numbers(std::string text);

/// The text that an object has there; "" if it has none.
[[nodiscard]] inline std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// The number; 0 if it has none.
[[nodiscard]] inline uint64_t number_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned() ? found->get<uint64_t>() : 0;
}

}  // namespace maclane::door
