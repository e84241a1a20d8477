// Letters, words, strings and places. See parser_parts.h.
#include <algorithm>

#include "control/script/letters.h"
#include "control/script/parser_parts.h"

namespace maclane::script {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
std::optional<int> hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;  // RouterOS takes capitals only
}

}  // namespace

std::optional<char> plain_escape(char letter) {
  switch (letter) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'a':
      return '\a';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'v':
      return '\v';
    case '_':
      return ' ';
    case '"':
    case '\\':
    case '$':
    case '?':
      return letter;
    default:
      return std::nullopt;
  }
}

std::string SyntaxError::text() const {
  std::string out = what + " (line " + std::to_string(place.line) + " column " +
                    std::to_string(place.column) + ")";
  return why.empty() ? out : out + "; " + why;
}

Place Parser::place(size_t offset) const {
  const auto after = std::upper_bound(lines_.begin(), lines_.end(), offset);
  const auto line = static_cast<size_t>(after - lines_.begin());
  return {static_cast<uint32_t>(line), static_cast<uint32_t>(offset - lines_[line - 1] + 1),
          static_cast<uint32_t>(offset)};
}

bool Parser::fail(size_t offset, std::string what, std::string why, bool incomplete) {
  if (!error_) error_ = SyntaxError{std::move(what), std::move(why), place(offset), incomplete};
  return false;
}

void Parser::count_node() {
  if (++nodes_ > kMaxNodes) {
    fail(at_, "syntax error", "the script is too large: it has more than 200000 parts");
  }
}

Parser::ExpressionMaker Parser::make(Expression::Kind kind, size_t offset) {
  count_node();
  auto out = std::make_unique<Expression>();
  out->kind = kind;
  out->place = place(offset);
  return out;
}

void Parser::skip_comment() {
  while (!at_end() && !is_line_end(peek())) ++at_;
}

void Parser::skip_blanks(bool lines) {
  while (!at_end()) {
    const char c = peek();
    if (is_blank(c) || (lines && is_line_end(c))) {
      ++at_;
    } else if (lines && c == '#') {
      skip_comment();
    } else if (c == '\\') {
      size_t next = at_ + 1;
      while (next < text_.size() && is_blank(text_[next])) ++next;
      if (next == text_.size()) {
        fail(at_, "syntax error", "the line goes on after \\, and there is no next line", true);
        return;
      }
      if (!is_line_end(text_[next])) {
        fail(at_, "syntax error", "a \\ stands at the end of a line, or in a quoted text");
        return;
      }
      at_ = next + (text_.substr(next, 2) == "\r\n" ? 2 : 1);
    } else {
      return;
    }
  }
}

bool Parser::at_command_end() const {
  if (at_end()) return true;
  const char c = peek();
  return is_line_end(c) || c == ';' || c == '}' || c == ']' || c == ')' || c == '#';
}

size_t Parser::name_length(size_t from) const {
  size_t end = from;
  while (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]) ||
                                text_[end] == '-' || text_[end] == '.' || text_[end] == '_')) {
    ++end;
  }
  return end - from;
}

bool Parser::keyword(std::string_view word) const {
  return starts(word) && name_length(at_) == word.size();
}

std::string_view Parser::raw_word(bool in_where) {
  const size_t begin = at_;
  while (!at_end()) {
    const char c = peek();
    if (is_blank(c) || is_line_end(c) ||
        std::string_view(";)]}\"$([{\\").find(c) != std::string_view::npos) {
      break;
    }
    if (in_where && (starts("&&") || starts("||"))) break;
    ++at_;
  }
  return text_.substr(begin, at_ - begin);
}

bool Parser::parse_escape(std::string& out) {
  const size_t begin = at_++;  // the backslash
  if (at_end()) return true;   // the open quote is what is wrong
  const char c = peek();
  if (is_line_end(c)) {
    at_ += starts("\r\n") ? 2 : 1;
    while (is_blank(peek()) && !at_end()) ++at_;
    return true;
  }
  const auto high = hex_digit(c);
  const auto low = hex_digit(peek(1));
  if (high && low) {
    out += static_cast<char>(*high * 16 + *low);
    at_ += 2;
    return true;
  }
  if (const auto plain = plain_escape(c)) {
    out += *plain;
    ++at_;
    return true;
  }
  return fail(
      begin, "syntax error",
      "an escape is one of \\n \\r \\t \\\" \\\\ \\$ \\_ or two hexadecimal capitals, as \\0A");
}

Parser::ExpressionMaker Parser::parse_string(const Around& around) {
  const size_t open = at_++;
  auto out = make(Expression::Kind::kText, open);
  std::string letters;
  const auto flush = [&] {
    if (letters.empty()) return;
    auto part = make(Expression::Kind::kLiteral, open);
    part->literal = Value::text(std::exchange(letters, {}));
    out->parts.push_back(std::move(part));
  };
  Around inside = around;
  inside.rows = around.rows;
  while (!at_end() && peek() != '"') {
    if (peek() == '\\') {
      if (!parse_escape(letters)) return nullptr;
      continue;
    }
    const char next = peek(1);
    if (peek() != '$' || !(is_letter(next) || is_digit(next) || next == '[' || next == '(')) {
      letters += text_[at_++];
      continue;
    }
    flush();
    ExpressionPtr part;
    if (next == '[' || next == '(') {
      ++at_;
      part = next == '[' ? parse_substitution(inside) : parse_paren(inside);
    } else {
      part = parse_variable();
    }
    if (part == nullptr) return nullptr;
    out->parts.push_back(std::move(part));
  }
  if (at_end()) {
    fail(open, "syntax error", "there is no closing quote for this one", true);
    return nullptr;
  }
  ++at_;
  if (out->parts.empty()) {
    out->kind = Expression::Kind::kLiteral;
    out->literal = Value::text(std::move(letters));
    return out;
  }
  flush();
  return out;
}

}  // namespace maclane::script
