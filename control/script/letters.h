// Letters of the language, which is ASCII's.
#pragma once

namespace maclane::script {

[[nodiscard]] constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
[[nodiscard]] constexpr bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
/// Of the words of menus and commands.
[[nodiscard]] constexpr bool is_word_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-';
}
[[nodiscard]] constexpr bool is_line_end(char c) noexcept {
  return c == '\n' || c == '\r';
}

}  // namespace maclane::script
