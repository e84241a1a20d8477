// What reading SIP and SDP needs of text: words whatever their case, numbers, addresses, lines.
// Pure; included by dataplane/helper/sip_*.cpp only.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "dataplane/net/types.h"

namespace maclane::sip {

inline constexpr size_t kNpos = std::string_view::npos;

[[nodiscard]] constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
[[nodiscard]] constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
[[nodiscard]] constexpr bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t';
}
/// Of names, numbers and hosts.
[[nodiscard]] constexpr bool is_word(char c) noexcept {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' || c == '_' || c == '.';
}
/// `word` is lower case.
[[nodiscard]] constexpr bool begins_with(std::string_view text, std::string_view word) noexcept {
  if (text.size() < word.size()) return false;
  for (size_t i = 0; i < word.size(); ++i)
    if (lower(text[i]) != word[i]) return false;
  return true;
}
[[nodiscard]] constexpr size_t skip_blanks(std::string_view text, size_t at, size_t end) noexcept {
  while (at < end && is_blank(text[at])) ++at;
  return at;
}

/// A number at `at`; where it ends, or kNpos: there is none, or a larger one.
[[nodiscard]] constexpr size_t read_number(std::string_view text, size_t at, size_t end,
                                           uint32_t largest, uint32_t& value) noexcept {
  const size_t begin = at;
  uint64_t number = 0;
  for (; at < end && is_digit(text[at]); ++at) {
    number = number * 10 + static_cast<uint64_t>(text[at] - '0');
    if (number > largest) return kNpos;
  }
  if (at == begin) return kNpos;
  value = static_cast<uint32_t>(number);
  return at;
}

/// A dotted quad at `at` that is no part of a name; where it ends, or kNpos.
[[nodiscard]] constexpr size_t read_quad(std::string_view text, size_t at, size_t end,
                                         be32& address) noexcept {
  uint32_t value = 0;
  for (unsigned part = 0; part < 4; ++part) {
    if (part != 0 && (at >= end || text[at++] != '.')) return kNpos;
    uint32_t octet = 0;
    const size_t next = read_number(text, at, end, 255, octet);
    if (next == kNpos || next - at > 3) return kNpos;
    value = value << 8 | octet;
    at = next;
  }
  if (at < end && is_word(text[at])) return kNpos;
  address = be32::from(value);
  return at;
}

}  // namespace maclane::sip
