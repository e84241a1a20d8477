// What the readings of value_firewall.h are made of. Included by value_*.cpp only.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "control/model/value.h"
#include "control/model/value_firewall.h"

namespace maclane::model::rule_parts {

inline std::optional<uint64_t> number(std::string_view text, uint64_t most) {
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  if (text.empty() || code != std::errc{} || stop != end || value > most) return std::nullopt;
  return value;
}

/// Splits at the first of a letter; the second part is nullopt if there is none.
inline std::pair<std::string_view, std::optional<std::string_view>> cut(std::string_view text,
                                                                        char at) {
  const size_t place = text.find(at);
  if (place == std::string_view::npos) return {text, std::nullopt};
  return {text.substr(0, place), text.substr(place + 1)};
}

template <size_t N>
std::optional<size_t> place_in(const std::string_view (&words)[N], std::string_view word) {
  const auto* it = std::find(std::begin(words), std::end(words), word);
  if (it == std::end(words)) return std::nullopt;
  return static_cast<size_t>(it - std::begin(words));
}

/// The canonical form, or the sentence that says what would be right.
template <typename Parse, typename Format>
Converted convert(std::string_view text, std::string_view right, Parse&& parse, Format&& format) {
  const auto parsed = parse(text);
  if (!parsed) return tl::make_unexpected(fmt::format("\"{}\" is not {}", text, right));
  return format(*parsed);
}

/// The same of a value that may stand behind a '!'.
template <typename Parse, typename Format>
Converted convert_negatable(std::string_view text, std::string_view right, Parse&& parse,
                            Format&& format) {
  const Negatable value = split_negation(text);
  Converted converted = convert(value.value, right, parse, format);
  if (converted && value.negated) converted->insert(converted->begin(), '!');
  return converted;
}

}  // namespace maclane::model::rule_parts
