// Values and expressions, in scripts and after where. See parser_parts.h.
//
// Precedence, from the loosest: , or and comparisons (= != < > <= >= ~ in) . | ^ & shifts + - * / %
// then ! - ~ and -> . Operators of one level are taken from left to right. In a where expression
// a bare name on the left is a property of the row, a bare word on the right a value as written,
// and terms in a row must all hold.
#include <algorithm>
#include <array>
#include <utility>

#include "control/model/nearest.h"
#include "control/script/in_full.h"
#include "control/script/letters.h"
#include "control/script/parser_parts.h"

namespace maclane::script {
namespace {

using Kind = Expression::Kind;

constexpr int kAndLevel = 2;
constexpr int kComparisonLevel = 3;
constexpr int kOperandLevel = 11;

struct Spelling {
  std::string_view text;
  Operator op;
  int level;
};
// Longer ones before those they begin with.
constexpr auto kSpellings = std::to_array<Spelling>({
    {"||", Operator::kOr, 1},           {"&&", Operator::kAnd, 2},
    {"!=", Operator::kUnequal, 3},      {"<=", Operator::kLessEqual, 3},
    {">=", Operator::kGreaterEqual, 3}, {"<<", Operator::kShiftLeft, 8},
    {">>", Operator::kShiftRight, 8},   {"->", Operator::kJoin, 99},
    {"==", Operator::kEqual, 3},        {"=", Operator::kEqual, 3},
    {"<", Operator::kLess, 3},          {">", Operator::kGreater, 3},
    {"~", Operator::kMatch, 3},         {",", Operator::kJoin, 0},
    {".", Operator::kConcat, 4},        {"|", Operator::kBitOr, 5},
    {"^", Operator::kBitXor, 6},        {"&", Operator::kBitAnd, 7},
    {"+", Operator::kAdd, 9},           {"-", Operator::kSubtract, 9},
    {"*", Operator::kMultiply, 10},     {"/", Operator::kDivide, 10},
    {"%", Operator::kModulo, 10},
});
constexpr auto kWordSpellings = std::to_array<Spelling>(
    {{"or", Operator::kOr, 1}, {"and", Operator::kAnd, 2}, {"in", Operator::kIn, 3}});

/// Where a number, a time or an address ends that begins a text.
size_t number_length(std::string_view text) {
  size_t end = 0;
  while (end < text.size() &&
         (is_digit(text[end]) || is_letter(text[end]) || text[end] == '.' || text[end] == ':')) {
    ++end;
  }
  while (end > 1 && text[end - 1] == '.') --end;  // what follows is put to it
  const Value address = Value::literal(text.substr(0, end));
  const bool is_address = address.is(Type::kIp) || address.is(Type::kIp6);
  if (is_address && end + 1 < text.size() && text[end] == '/' && is_digit(text[end + 1])) {
    size_t after = end + 1;
    while (after < text.size() && is_digit(text[after])) ++after;
    const Value prefix = Value::literal(text.substr(0, after));
    if (prefix.is(Type::kPrefix) || prefix.is(Type::kIp6Prefix)) return after;
  }
  return end;
}

}  // namespace

std::optional<Operator> Parser::parse_operator(const Around& around, int level) {
  skip_blanks(around.lines);
  if (failed()) return std::nullopt;
  for (const Spelling& word : kWordSpellings) {
    if (word.level == level && keyword(word.text)) {
      at_ += word.text.size();
      return word.op;
    }
  }
  const bool narrow = around.rows != nullptr && !around.lines;  // terms in a row
  for (const Spelling& one : kSpellings) {
    if (!starts(one.text)) continue;
    if (one.level != level || (narrow && level > kComparisonLevel)) return std::nullopt;
    at_ += one.text.size();
    return one.op;
  }
  return std::nullopt;
}

ExpressionPtr Parser::parse_expression(const Around& around, int level) {
  const bool narrow = around.rows != nullptr && !around.lines;
  if (level >= kOperandLevel) return parse_operand(around, false);
  const auto operand = [&](bool right) -> ExpressionPtr {
    if (level == kComparisonLevel && around.rows != nullptr) {
      // Beside an operator of comparison stands a property or a value as written, unless it is
      // put together from more in parentheses.
      if (narrow || right) return parse_operand(around, right);
    }
    return parse_expression(around, narrow && level >= kAndLevel ? kComparisonLevel : level + 1);
  };
  ExpressionPtr left = operand(false);
  if (left == nullptr) return nullptr;
  const size_t begin = left->place.offset;
  std::unique_ptr<Expression> chain;
  while (true) {
    const auto op = parse_operator(around, level);
    if (failed()) return nullptr;
    if (!op) break;
    if (level == kComparisonLevel && around.rows != nullptr && around.rows->menu != nullptr &&
        left != nullptr && left->kind == Kind::kProperty)
      compared_ = around.rows->menu->find(left->name);
    ExpressionPtr right = operand(true);
    compared_ = nullptr;
    if (right == nullptr) return nullptr;
    // 192.0.2.1 in dst-address
    if (*op == Operator::kIn && around.rows != nullptr && right->kind == Kind::kLiteral &&
        left != nullptr && left->kind != Kind::kProperty &&
        around.rows->has_property(right->name)) {
      auto property = make(Kind::kProperty, right->place.offset);
      property->name = right->name;
      right = std::move(property);
    }
    if (chain == nullptr) {
      chain = make(Kind::kBinary, begin);
      chain->parts.push_back(std::exchange(left, nullptr));
    }
    chain->parts.push_back(std::move(right));
    chain->ops.push_back(*op);
    if (level == kComparisonLevel && !check_comparison(*chain, around)) return nullptr;
  }
  if (chain != nullptr) return chain;
  return left;
}

bool Parser::check_comparison(Expression& comparison, const Around& around) {
  if (around.rows == nullptr || around.rows->menu == nullptr) return true;
  const Expression& left = *comparison.parts.front();
  const Expression& right = *comparison.parts.back();
  const Operator op = comparison.ops.front();
  if (left.kind != Kind::kProperty || comparison.parts.size() != 2 ||
      right.kind != Kind::kLiteral || (op == Operator::kIn && right.literal.is(Type::kArray))) {
    return true;
  }
  const model::Property* property = around.rows->menu->find(left.name);
  if (property == nullptr) return true;
  const std::string written = right.name.empty() ? right.literal.to_argument() : right.name;
  const auto full = asked_for(*property, op, written);
  if (!full) return fail(right.place.offset, "syntax error", full.error());
  if (*full == written) return true;
  auto whole = make(Kind::kLiteral, right.place.offset);
  whole->name = *full;
  whole->literal = Value::literal(*full);
  comparison.parts.back() = std::move(whole);
  return true;
}

ExpressionPtr Parser::parse_where(const Around& around) {
  ExpressionPtr first = parse_expression(around, 1);
  if (first == nullptr) return nullptr;
  const size_t begin = first->place.offset;
  std::unique_ptr<Expression> all;
  while (true) {
    skip_blanks(false);
    if (failed()) return nullptr;
    if (wanted(at_)) offer_properties(at_, *around.rows);
    if (at_command_end()) break;
    if (all == nullptr) {
      all = make(Kind::kBinary, begin);
      all->parts.push_back(std::exchange(first, nullptr));
    }
    ExpressionPtr next = parse_expression(around, 1);
    if (next == nullptr) return nullptr;
    all->parts.push_back(std::move(next));
    all->ops.push_back(Operator::kAnd);
  }
  if (all != nullptr) return all;
  return first;
}

ExpressionPtr Parser::parse_operand(const Around& around, bool right_side) {
  const Deeper deeper(depth_);
  skip_blanks(around.lines);
  if (failed()) return nullptr;
  const size_t begin = at_;
  if (depth_ > kMaxDepth) {
    fail(begin, "syntax error", "the expression nests deeper than 64");
    return nullptr;
  }
  const bool rows = around.rows != nullptr;
  std::optional<Operator> unary;
  if (peek() == '!') unary = Operator::kNot;
  if (peek() == '-' && !right_side) unary = Operator::kNegate;
  if (peek() == '~' && !rows) unary = Operator::kInvert;
  if (keyword("not") && !right_side) unary = Operator::kNot;
  if (keyword("any") && !rows && around.lines) unary = Operator::kAny;
  if (peek() == '>' && around.lines && !rows) return parse_quote(around);
  if (unary && !(rows && right_side)) {
    at_ += peek() == 'n' || peek() == 'a' ? 3 : 1;
    auto out = make(Kind::kUnary, begin);
    out->op = *unary;
    ExpressionPtr operand = parse_operand(around, false);
    if (operand == nullptr) return nullptr;
    out->parts.push_back(std::move(operand));
    return out;
  }
  ExpressionPtr base;
  const char c = peek();
  if (c == '"' || c == '$' || c == '(' || c == '[' || c == '{') {
    base = parse_value(around);
  } else if (rows && right_side) {
    const std::string_view word = raw_word(true);
    if (compared_ != nullptr && wanted(begin)) offer_compared(begin, *around.rows, *compared_);
    if (word.empty()) {
      fail(begin, "syntax error", "a value was expected after this; an empty one is written \"\"",
           at_end());
      return nullptr;
    }
    auto literal = make(Kind::kLiteral, begin);
    literal->name = word;
    literal->literal = Value::literal(word);
    base = std::move(literal);
  } else {
    size_t length = 0;
    const bool number =
        is_digit(c) || c == ':' ||
        Value::literal(text_.substr(at_, number_length(text_.substr(at_)))).is(Type::kIp6);
    if (number) {
      length = number_length(text_.substr(at_));
    } else if (c == '*') {
      length = 1 + name_length(at_ + 1);
    } else if (is_letter(c) || c == '.' || c == '_') {
      length = name_length(at_);
    }
    const std::string_view word = text_.substr(at_, length);
    if (word.empty() || word == ".") {
      fail(begin, "syntax error",
           at_end() || at_command_end() ? "the expression ends where a value was expected" : "",
           at_end());
      return nullptr;
    }
    at_ += length;
    if (rows && wanted(begin)) offer_properties(begin, *around.rows);
    if (rows && around.rows->has_property(word)) {
      auto property = make(Kind::kProperty, begin);
      property->name = word;
      return property;
    }
    auto literal = make(Kind::kLiteral, begin);
    literal->name = word;
    literal->literal = Value::literal(word);
    if (rows && literal->literal.is(Type::kText)) {
      const std::string path = around.rows->path.empty() ? "/" : around.rows->path;
      fail(begin, "syntax error",
           path + " has no property " + std::string(word) +
               model::did_you_mean(word, around.rows->properties()));
      return nullptr;
    }
    base = std::move(literal);
  }
  if (base == nullptr) return nullptr;
  std::unique_ptr<Expression> element;
  while (true) {
    const size_t before = at_;
    skip_blanks(around.lines);
    if (failed()) return nullptr;
    if (!starts("->")) {
      if (!around.lines) at_ = before;
      break;
    }
    at_ += 2;
    skip_blanks(around.lines);
    Around key_around = around;
    key_around.rows = nullptr;
    ExpressionPtr key;
    const char k = peek();
    if (k == '"' || k == '$' || k == '(' || k == '[') {
      key = parse_value(key_around);
    } else {
      size_t length = name_length(at_);
      if (const size_t next = text_.find("->", at_); next < at_ + length) length = next - at_;
      if (length == 0) {
        fail(at_, "syntax error", "a key was expected after ->", at_end());
        return nullptr;
      }
      // A bare word is a variable's name if there is one of that name, as in RouterOS.
      const std::string_view word = text_.substr(at_, length);
      auto literal = make(is_declared(word) ? Kind::kVariable : Kind::kLiteral, at_);
      literal->literal = Value::literal(word);
      literal->name = word;
      at_ += length;
      key = std::move(literal);
    }
    if (key == nullptr) return nullptr;
    if (element == nullptr) {
      element = make(Kind::kElement, begin);
      element->parts.push_back(std::move(base));
    }
    element->parts.push_back(std::move(key));
  }
  if (element != nullptr) return element;
  return base;
}

}  // namespace maclane::script
