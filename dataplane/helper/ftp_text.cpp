#include "dataplane/helper/ftp_text.h"

#include <charconv>

namespace maclane::ftp {
namespace {

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

/// How many characters `text` and `word`, which is in lower case, have in common at their
/// beginning.
size_t common(std::string_view text, std::string_view word) noexcept {
  size_t n = 0;
  while (n < text.size() && n < word.size() && lower(text[n]) == word[n]) ++n;
  return n;
}

/// A number up to `most` at `at`, which moves behind it. False: there is none, or it ends with the
/// text, so that nobody knows whether more of it follows.
bool read_number(std::string_view text, size_t& at, uint32_t most, uint32_t& value) noexcept {
  const size_t first = at;
  value = 0;
  while (at < text.size() && is_digit(text[at])) {
    value = value * 10 + static_cast<uint32_t>(text[at++] - '0');
    if (value > most) return false;
  }
  return at != first && at < text.size();
}

/// `count` numbers below 256 with `separator` between them.
template <size_t kCount>
bool read_numbers(std::string_view text, size_t& at, char separator,
                  std::array<uint8_t, kCount>& out) noexcept {
  for (size_t i = 0; i < kCount; ++i) {
    if (i != 0 && (at >= text.size() || text[at++] != separator)) return false;
    uint32_t value = 0;
    if (!read_number(text, at, 255, value)) return false;
    out[i] = static_cast<uint8_t>(value);
  }
  return true;
}

be32 address_of(const uint8_t* bytes) noexcept {
  return be32::from(uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 |
                    bytes[3]);
}

/// h1,h2,h3,h4,p1,p2
bool read_six(std::string_view text, Line& line) noexcept {
  std::array<uint8_t, 6> six{};
  size_t at = line.at;
  if (!read_numbers(text, at, ',', six)) return false;
  line.length = at - line.at;
  line.address = address_of(six.data());
  line.port = be16::from(static_cast<uint16_t>(six[4] << 8 | six[5]));
  return true;
}

/// |1|132.235.1.2|6275| and |||6446|
bool read_extended(std::string_view text, Line& line) noexcept {
  size_t at = line.at;
  if (text.size() - at < 4) return false;
  const char bar = text[at];
  if (is_digit(bar) || bar < '!' || bar > '~') return false;
  if (line.kind == Kind::kEprt) {
    if (text[at + 1] != '1' || text[at + 2] != bar) return false;  // 2 is IPv6
    at += 3;
    std::array<uint8_t, 4> four{};
    if (!read_numbers(text, at, '.', four) || text[at] != bar) return false;
    line.address = address_of(four.data());
    ++at;
  } else {
    if (text[at + 1] != bar || text[at + 2] != bar) return false;
    at += 3;
  }
  uint32_t port = 0;
  if (!read_number(text, at, 65535, port) || text[at] != bar) return false;
  line.length = at + 1 - line.at;
  line.port = be16::from(static_cast<uint16_t>(port));
  return true;
}

struct Word {
  std::string_view text;  // in lower case
  Kind kind;
  char before;  // the numbers follow the first of these; 0: the first digit is theirs
};
constexpr Word kClientWords[] = {{"port ", Kind::kPort, 0}, {"eprt ", Kind::kEprt, ' '}};
constexpr Word kServerWords[] = {{"227 ", Kind::kPasv, 0}, {"229 ", Kind::kEpsv, '('}};

/// The line alone: what its numbers may stand in.
std::string_view first_line(std::string_view text) noexcept {
  const size_t end = text.find('\n');
  return end == std::string_view::npos ? text : text.substr(0, end + 1);
}

Line read_word(std::string_view text, const Word& word) noexcept {
  Line line;
  const size_t matching = common(text, word.text);
  if (matching < word.text.size()) {
    if (matching == text.size() && matching != 0) line.found = Line::Found::kPartial;
    return line;
  }
  // What is whole and yet makes no sense is not for us to judge.
  if (text.back() != '\n') line.found = Line::Found::kPartial;
  line.kind = word.kind;
  size_t at = word.before == ' ' ? word.text.size() - 1 : word.text.size();
  if (word.before != 0) {
    while (at < text.size() && text[at] != word.before) ++at;
    ++at;
  } else {
    while (at < text.size() && !is_digit(text[at])) ++at;
  }
  if (at >= text.size()) return line;
  line.at = at;
  const bool six = word.kind == Kind::kPort || word.kind == Kind::kPasv;
  if (six ? read_six(text, line) : read_extended(text, line)) line.found = Line::Found::kAddress;
  return line;
}

char* put(char* to, const char* end, uint32_t value) noexcept {
  return std::to_chars(to, const_cast<char*>(end), value).ptr;
}

}  // namespace

Line read_line(std::string_view text, bool from_client) noexcept {
  const std::string_view whole = first_line(text);
  for (const Word& word : from_client ? kClientWords : kServerWords) {
    const Line line = read_word(whole, word);
    if (line.found != Line::Found::kNothing) return line;
  }
  return {};
}

Numbers write_numbers(Kind kind, be32 address, be16 port) noexcept {
  Numbers n;
  char* at = n.text.data();
  const char* const end = at + n.text.size();
  const uint32_t host = address.host();
  const uint32_t number = port.host();
  const bool six = kind == Kind::kPort || kind == Kind::kPasv;
  if (!six) {
    *at++ = '|';
    if (kind == Kind::kEprt) *at++ = '1';
    *at++ = '|';
  }
  if (kind != Kind::kEpsv) {
    for (unsigned shift = 32; shift != 0;) {
      shift -= 8;
      at = put(at, end, host >> shift & 0xff);
      if (shift != 0) *at++ = six ? ',' : '.';
    }
  }
  *at++ = six ? ',' : '|';
  if (six) {
    at = put(at, end, number >> 8);
    *at++ = ',';
    at = put(at, end, number & 0xff);
  } else {
    at = put(at, end, number);
    *at++ = '|';
  }
  n.length = static_cast<size_t>(at - n.text.data());
  return n;
}

}  // namespace maclane::ftp
