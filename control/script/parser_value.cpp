// Parentheses, arrays, brackets, variables and words. See parser_parts.h.
#include "control/script/letters.h"
#include "control/script/parser_parts.h"

namespace maclane::script {
namespace {

using Kind = Expression::Kind;

constexpr int kJoinLevel = 0;
constexpr int kConcatLevel = 4;

}  // namespace

/// (>[:put 1]), (>$x): kept as it is until it is called.
ExpressionPtr Parser::parse_quote(const Around& around) {
  auto out = make(Kind::kQuote, at_++);
  auto command = std::make_unique<Command>();
  command->kind = Command::Kind::kValue;
  command->place = out->place;
  command->where = parse_operand(around, false);
  if (command->where == nullptr) return nullptr;
  auto block = std::make_shared<Block>();
  block->commands.push_back(std::move(command));
  out->block = std::move(block);
  return out;
}

ExpressionPtr Parser::parse_paren(const Around& around) {
  const Deeper deeper(depth_);
  const size_t open = at_++;
  if (depth_ > kMaxDepth) {
    fail(open, "syntax error", "parentheses stand deeper in each other than 64");
    return nullptr;
  }
  Around inside = around;
  inside.lines = true;
  skip_blanks(true);
  if (peek() == ')') {
    ++at_;
    return make(Kind::kLiteral, open);
  }
  if (at_end()) {
    fail(open, "syntax error", "there is no ) for this (", true);
    return nullptr;
  }
  ExpressionPtr out = parse_expression(inside, kJoinLevel);
  if (out == nullptr) return nullptr;
  skip_blanks(true);
  if (failed()) return nullptr;
  if (peek() == ')') {
    ++at_;
    return out;
  }
  if (at_end()) {
    fail(open, "syntax error", "there is no ) for this (", true);
  } else {
    fail(at_, "syntax error", "an operator or ) was expected here");
  }
  return nullptr;
}

ExpressionPtr Parser::parse_array(const Around& around) {
  const Deeper deeper(depth_);
  const size_t open = at_++;
  if (depth_ > kMaxDepth) {
    fail(open, "syntax error", "arrays stand deeper in each other than 64");
    return nullptr;
  }
  Around inside = around;
  inside.lines = true;
  inside.rows = nullptr;
  auto out = make(Kind::kArray, open);
  while (true) {
    skip_blanks(true);
    if (failed()) return nullptr;
    if (at_end()) {
      fail(open, "expected closing brace", "there is no } for this {", true);
      return nullptr;
    }
    if (peek() == '}') break;
    ExpressionPtr key;
    ExpressionPtr element = parse_expression(inside, kConcatLevel);
    if (element == nullptr) return nullptr;
    skip_blanks(true);
    if (peek() == '=') {
      ++at_;
      key = std::move(element);
      element = parse_expression(inside, kConcatLevel);
      if (element == nullptr) return nullptr;
      skip_blanks(true);
    }
    out->keys.push_back(std::move(key));
    out->parts.push_back(std::move(element));
    if (failed()) return nullptr;
    size_t before = at_;
    while (before > open && (text_[before - 1] == ' ' || text_[before - 1] == '\t')) --before;
    const bool line_ended = text_[before - 1] == '\n' || text_[before - 1] == '\r';
    if (peek() == ';' || peek() == ',') {
      ++at_;
    } else if (peek() != '}' && !at_end() && !line_ended) {
      fail(at_, "syntax error", "elements of an array are separated by ;");
      return nullptr;
    }
  }
  ++at_;
  if (out->parts.empty() && !around.lines) {
    fail(open, "syntax error", "an empty array is written ({})");
    return nullptr;
  }
  return out;
}

ExpressionPtr Parser::parse_substitution(const Around& around) {
  const Deeper deeper(depth_);
  const size_t open = at_++;
  if (depth_ > kMaxDepth) {
    fail(open, "syntax error", "brackets stand deeper in each other than 64");
    return nullptr;
  }
  auto out = make(Kind::kCommand, open);
  std::string menu = around.menu;
  out->block = parse_block(']', menu, open);
  if (out->block == nullptr) return nullptr;
  return out;
}

ExpressionPtr Parser::parse_variable() {
  auto out = make(Kind::kVariable, at_);
  const size_t begin = at_++;
  if (completion_ != nullptr && at_end()) offer_variables(at_);
  if (peek() == '"') {
    if (!parse_variable_name(out->name)) return nullptr;
    return out;
  }
  const size_t first = at_;
  while (is_digit(peek()) || is_letter(peek())) ++at_;
  out->name = text_.substr(first, at_ - first);
  if (out->name.empty()) {
    fail(begin, "syntax error", "a variable's name was expected after $", at_end());
    return nullptr;
  }
  if (wanted(first)) offer_variables(first);
  return out;
}

ExpressionPtr Parser::parse_value(const Around& around) {
  const size_t begin = at_;
  switch (peek()) {
    case '"':
      return parse_string(around);
    case '$':
      return parse_variable();
    case '(':
      return parse_paren(around);
    case '[':
      return parse_substitution(around);
    case '{':
      return parse_array(around);
    default:
      break;
  }
  const std::string_view word = raw_word(false);
  if (word.empty()) {
    fail(begin, "syntax error", "", at_end());
    return nullptr;
  }
  auto out = make(Kind::kLiteral, begin);
  out->name = word;
  out->literal = Value::literal(word);
  return out;
}

}  // namespace maclane::script
