// Operators on values.
//
// The rules are those measured on RouterOS 7.21 and later: texts that read as numbers count as
// numbers in arithmetic, nothing counts as 0 there, numbers wrap at 64 bits, numbers beside times
// are seconds and beside addresses are steps, texts are only ever equal or unequal, both sides of
// && and
// || are always evaluated (by the interpreter), a text put before or after an array is put to each
// of its elements.
#include "control/script/operators.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "control/model/value.h"

namespace maclane::script {
namespace {

constexpr size_t kMaxPatternMemory = size_t{1} << 20;
constexpr size_t kKeptPatterns = 32;

tl::unexpected<std::string> no_value(std::string message) {
  return tl::make_unexpected(std::move(message));
}

// Wrapping arithmetic, which for signed numbers C++ does not define.
int64_t wrap(uint64_t value) {
  return static_cast<int64_t>(value);
}
uint64_t bits(int64_t value) {
  return static_cast<uint64_t>(value);
}

/// A text as what it reads as, nothing as 0.
Value operand(const Value& value) {
  if (value.is(Type::kText) && value.as_text().find(',') == std::string::npos) {
    return Value::literal(value.as_text());
  }
  return value.empty() ? Value::number(0) : value;
}

bool is_number(const Value& value) {
  return value.is(Type::kNumber);
}

Calculated add(const Value& a, const Value& b, bool minus) {
  const auto sum = [&](int64_t x, int64_t y) {
    return wrap(minus ? bits(x) - bits(y) : bits(x) + bits(y));
  };
  if (is_number(a) && is_number(b)) return Value::number(sum(a.as_number(), b.as_number()));
  const auto seconds = [](const Value& v) {
    return v.is(Type::kTime) ? v.as_time() : wrap(bits(v.as_number()) * bits(kSecond));
  };
  const auto timely = [](const Value& v) { return v.is(Type::kTime) || is_number(v); };
  if (timely(a) && timely(b)) return Value::time(sum(seconds(a), seconds(b)));
  if (a.is(Type::kIp) && is_number(b)) {
    return Value::ip(static_cast<uint32_t>(sum(a.as_ip(), b.as_number())));
  }
  if (!minus && is_number(a) && b.is(Type::kIp)) {
    return Value::ip(static_cast<uint32_t>(sum(b.as_ip(), a.as_number())));
  }
  if (minus && a.is(Type::kIp) && b.is(Type::kIp)) {
    return Value::number(int64_t{a.as_ip()} - int64_t{b.as_ip()});
  }
  return no_value(minus
                      ? fmt::format("cannot subtract {} from {}", b.spoken_type(), a.spoken_type())
                      : fmt::format("cannot add {} to {}", b.spoken_type(), a.spoken_type()));
}

Calculated multiply(const Value& a, const Value& b) {
  const auto product = [](int64_t x, int64_t y) { return wrap(bits(x) * bits(y)); };
  if (is_number(a) && is_number(b)) return Value::number(product(a.as_number(), b.as_number()));
  if (a.is(Type::kTime) && is_number(b)) return Value::time(product(a.as_time(), b.as_number()));
  if (is_number(a) && b.is(Type::kTime)) return Value::time(product(b.as_time(), a.as_number()));
  return no_value(fmt::format("cannot multiply {} by {}", a.spoken_type(), b.spoken_type()));
}

Calculated divide(const Value& a, const Value& b, bool rest) {
  const bool times = a.is(Type::kTime) && (b.is(Type::kTime) || is_number(b));
  if (!(is_number(a) && is_number(b)) && !times) {
    return no_value(rest ? fmt::format("cannot find remainder of {} divided by {}", a.spoken_type(),
                                       b.spoken_type())
                         : fmt::format("cannot divide {} by {}", a.spoken_type(), b.spoken_type()));
  }
  const int64_t x = a.as_number();
  const int64_t y = b.as_number();
  if (y == 0) return no_value("division by zero");
  // The one quotient that does not fit wraps as the other operators do.
  const bool overflows = x == std::numeric_limits<int64_t>::min() && y == -1;
  const int64_t value = overflows ? (rest ? 0 : x) : (rest ? x % y : x / y);
  if (is_number(a)) return Value::number(value);
  return b.is(Type::kTime) && !rest ? Value::number(value) : Value::time(value);
}

Calculated bitwise(Operator op, const Value& a, const Value& b) {
  const bool ip = a.is(Type::kIp) || b.is(Type::kIp);
  const auto fits = [](const Value& v) { return v.is(Type::kIp) || is_number(v); };
  if (fits(a) && fits(b)) {
    const uint64_t x = bits(a.as_number());
    const uint64_t y = bits(b.as_number());
    const uint64_t out = op == Operator::kBitAnd ? x & y : op == Operator::kBitOr ? x | y : x ^ y;
    return ip ? Value::ip(static_cast<uint32_t>(out)) : Value::number(wrap(out));
  }
  const char* what = op == Operator::kBitAnd ? "and" : op == Operator::kBitOr ? "or" : "xor";
  return no_value(
      fmt::format("cannot do bitwise {} of {} and {}", what, a.spoken_type(), b.spoken_type()));
}

Calculated shift(const Value& a, const Value& b, bool left) {
  if ((!is_number(a) && !a.is(Type::kIp)) || !is_number(b)) {
    return no_value(fmt::format("cannot shift {} by {}", a.spoken_type(), b.spoken_type()));
  }
  const int64_t by = b.as_number();
  if (by < 0) return no_value("cannot shift by a negative number");
  const uint64_t x = bits(a.as_number());
  const uint64_t out = by > 63 ? 0 : left ? x << by : x >> by;
  return a.is(Type::kIp) ? Value::ip(static_cast<uint32_t>(out)) : Value::number(wrap(out));
}

Calculated concat(const Value& a, const Value& b) {
  const auto over = [&](const Value& array, auto&& put) -> Calculated {
    Array out;
    for (const Value& one : array.as_array().list) out.list.push_back(put(one.to_text()));
    for (const auto& [key, one] : array.as_array().keyed) out.keyed[key] = put(one.to_text());
    return Value::array(std::move(out));
  };
  const auto full = [](const Value& v) { return v.is(Type::kArray) && !v.as_array().empty(); };
  if (full(a)) {
    const std::string end = b.to_text();
    if (a.as_array().size() * end.size() > kMaxText) return no_value("the array becomes too large");
    return over(a, [&](std::string text) { return Value::text(std::move(text) + end); });
  }
  if (full(b)) {
    const std::string begin = a.to_text();
    if (b.as_array().size() * begin.size() > kMaxText)
      return no_value("the array becomes too large");
    return over(b, [&](const std::string& text) { return Value::text(begin + text); });
  }
  std::string out = a.to_text();
  const std::string end = b.to_text();
  if (out.size() + end.size() > kMaxText) return no_value("a text has at most 4 MiB");
  return Value::text(out + end);
}

Calculated join(const Value& a, const Value& b) {
  Array out;
  for (const Value* side : {&a, &b}) {
    if (side->is(Type::kArray)) {
      const Array& array = side->as_array();
      out.list.insert(out.list.end(), array.list.begin(), array.list.end());
      for (const auto& [key, value] : array.keyed) out.keyed.insert_or_assign(key, value);
    } else if (!side->empty()) {
      out.list.push_back(*side);
    }
  }
  if (out.size() > kMaxElements) {
    return no_value(fmt::format("an array has at most {} elements", kMaxElements));
  }
  return Value::array(std::move(out));
}

/// -1, 0 or 1; nullopt if these two have no order.
std::optional<int> order(const Value& a, const Value& b) {
  const auto sign = [](auto x, auto y) { return x < y ? -1 : x > y ? 1 : 0; };
  const auto plain = [](const Value& v) {
    return is_number(v) || v.is(Type::kTime) || v.is(Type::kIp) || v.is(Type::kBool);
  };
  if (a.is(Type::kId) && b.is(Type::kId)) {
    const auto x = read_number("0x" + a.as_text().substr(1));
    const auto y = read_number("0x" + b.as_text().substr(1));
    if (x && y) return sign(*x, *y);
  }
  if (a.is(Type::kTime) && is_number(b)) {
    return sign(a.as_time(), wrap(bits(b.as_number()) * bits(kSecond)));
  }
  if (is_number(a) && b.is(Type::kTime)) {
    return sign(wrap(bits(a.as_number()) * bits(kSecond)), b.as_time());
  }
  if (a.type() == b.type() && plain(a)) return sign(a.as_number(), b.as_number());
  return std::nullopt;
}

Calculated compare(Operator op, const Value& a, const Value& b) {
  if (a.empty() || b.empty()) return Value::boolean(false);
  const auto coerced = [](const Value& value, const Value& other) {
    return value.is(Type::kText) && !other.is(Type::kText) ? operand(value) : value;
  };
  const auto sign = order(coerced(a, b), coerced(b, a));
  const bool less = op == Operator::kLess || op == Operator::kLessEqual;
  if (!sign) {
    return no_value(fmt::format("cannot compare if {} is {} than {}", a.spoken_type(),
                                less ? "less" : "more", b.spoken_type()));
  }
  const bool same = op == Operator::kLessEqual || op == Operator::kGreaterEqual;
  return Value::boolean((*sign == 0 && same) || *sign == (less ? -1 : 1));
}

/// Addresses as a range: one, a prefix, "a-b".
std::optional<model::Ip4Range> range_of(const Value& value) {
  if (value.is(Type::kIp)) return model::Ip4Range{value.as_ip(), value.as_ip()};
  if (value.is(Type::kPrefix)) {
    const model::Ip4Prefix prefix{value.as_prefix().address, value.as_prefix().length};
    return model::Ip4Range{prefix.network(), prefix.broadcast()};
  }
  if (value.is(Type::kText)) return model::parse_ip4_set(value.as_text());
  return std::nullopt;
}

bool one_inside(const Value& a, const Value& b) {
  const auto x = range_of(a);
  const auto y = range_of(b);
  return x && y && x->first >= y->first && x->last <= y->last;
}

/// Arrays count as lists of what they hold, one level deep.
bool inside(const Value& a, const Value& b) {
  if (a.is(Type::kArray)) {  // a list of addresses: all of them
    const Array& array = a.as_array();
    return !array.empty() && std::all_of(array.list.begin(), array.list.end(),
                                         [&](const Value& one) { return one_inside(one, b); });
  }
  if (!b.is(Type::kArray)) return one_inside(a, b);
  const Array& array = b.as_array();
  return std::any_of(array.list.begin(), array.list.end(),
                     [&](const Value& one) { return equal(a, one) || one_inside(a, one); });
}

}  // namespace

bool equal(const Value& a, const Value& b) {
  const auto blank = [](const Value& v) {
    return v.empty() || (v.is(Type::kText) && v.as_text().empty()) ||
           (v.is(Type::kArray) && v.as_array().empty());
  };
  if (blank(a) || blank(b)) return blank(a) && blank(b);
  if (a.type() == b.type()) {
    switch (a.type()) {
      case Type::kBool:
      case Type::kNumber:
      case Type::kTime:
      case Type::kIp:
        return a.as_number() == b.as_number();
      case Type::kPrefix:
        return a.as_prefix() == b.as_prefix();
      case Type::kFunction:
        return a.as_function().body == b.as_function().body;
      case Type::kArray:
        return a.to_code() == b.to_code();
      default:
        return a.as_text() == b.as_text();
    }
  }
  if (a.is(Type::kArray) || b.is(Type::kArray)) {
    const Value& array = a.is(Type::kArray) ? a : b;
    const Value& other = a.is(Type::kArray) ? b : a;
    if (array.as_array().size() == 1 && array.as_array().list.size() == 1) {
      return equal(array.as_array().list.front(), other);
    }
    return other.is(Type::kText) &&
           (array.to_text() == other.as_text() || array.to_argument() == other.as_text());
  }
  if (a.is(Type::kText) || b.is(Type::kText)) {
    const Value& text = a.is(Type::kText) ? a : b;
    const Value& other = a.is(Type::kText) ? b : a;
    if (text.as_text() == other.to_text()) return true;
    const Value read = operand(text);
    return !read.is(Type::kText) && equal(read, other);
  }
  return false;
}

tl::expected<bool, std::string> matches(const std::string& subject, const std::string& pattern) {
  if (pattern.size() > kMaxPattern) {
    return no_value(fmt::format("the regular expression is longer than {} letters", kMaxPattern));
  }
  thread_local std::unordered_map<std::string, std::unique_ptr<RE2>> kept;
  auto found = kept.find(pattern);
  if (found == kept.end()) {
    RE2::Options options;
    options.set_posix_syntax(true);
    options.set_perl_classes(true);
    options.set_word_boundary(true);
    options.set_one_line(true);
    options.set_dot_nl(true);
    options.set_log_errors(false);
    options.set_max_mem(kMaxPatternMemory);
    auto compiled = std::make_unique<RE2>(pattern, options);
    if (!compiled->ok()) {
      return no_value("\"" + pattern +
                      "\" is not a regular expression this router can run: " + compiled->error());
    }
    if (kept.size() >= kKeptPatterns) kept.clear();
    found = kept.emplace(pattern, std::move(compiled)).first;
  }
  const re2::StringPiece text(subject.data(), std::min(subject.size(), kMaxSubject));
  return RE2::PartialMatch(text, *found->second);
}

tl::expected<bool, std::string> truth(const Value& value) {
  if (value.is(Type::kBool) || value.is(Type::kNumber)) return value.as_number() != 0;
  if (value.empty()) return false;
  return no_value(fmt::format("conditional not boolean; {} is neither true nor false",
                              value.is(Type::kText)
                                  ? script::quoted(value.as_text().substr(0, 40))
                                  : fmt::format("a value of type {}", value.type_name())));
}

Calculated calculate(Operator op, const Value& a, const Value& b) {
  switch (op) {
    case Operator::kAdd:
    case Operator::kSubtract:
      return add(operand(a), operand(b), op == Operator::kSubtract);
    case Operator::kMultiply:
      return multiply(operand(a), operand(b));
    case Operator::kDivide:
    case Operator::kModulo:
      return divide(operand(a), operand(b), op == Operator::kModulo);
    case Operator::kShiftLeft:
    case Operator::kShiftRight:
      return shift(operand(a), operand(b), op == Operator::kShiftLeft);
    case Operator::kBitAnd:
    case Operator::kBitOr:
    case Operator::kBitXor:
      return bitwise(op, operand(a), operand(b));
    case Operator::kConcat:
      return concat(a, b);
    case Operator::kJoin:
      return join(a, b);
    case Operator::kEqual:
      return Value::boolean(equal(a, b));
    case Operator::kUnequal:
      return Value::boolean(!equal(a, b));
    case Operator::kLess:
    case Operator::kGreater:
    case Operator::kLessEqual:
    case Operator::kGreaterEqual:
      return compare(op, a, b);
    case Operator::kMatch: {
      auto found = matches(a.to_argument(), b.to_text());
      if (!found) return no_value(std::move(found.error()));
      return Value::boolean(*found);
    }
    case Operator::kIn:
      return Value::boolean(inside(a, b));
    case Operator::kAnd:
    case Operator::kOr: {
      const auto x = truth(a);
      if (!x) return no_value(x.error());
      const auto y = truth(b);
      if (!y) return no_value(y.error());
      return Value::boolean(op == Operator::kAnd ? *x && *y : *x || *y);
    }
    default:
      return no_value("this operator takes one value");
  }
}

Calculated calculate(Operator op, const Value& a) {
  if (op == Operator::kNot) {
    const auto value = truth(a);
    if (!value) return no_value(fmt::format("cannot negate {}", a.spoken_type()));
    return Value::boolean(!*value);
  }
  if (op == Operator::kAny) return Value::boolean(!a.empty());
  const Value value = operand(a);
  if (op == Operator::kNegate) {
    const auto negative = [](int64_t x) { return wrap(uint64_t{0} - bits(x)); };
    if (is_number(value)) return Value::number(negative(value.as_number()));
    if (value.is(Type::kTime)) return Value::time(negative(value.as_time()));
    return no_value(fmt::format("cannot negate {}", a.spoken_type()));
  }
  if (value.is(Type::kIp)) return Value::ip(~value.as_ip());
  if (is_number(value)) return Value::number(~value.as_number());
  return no_value(fmt::format("cannot invert {}", a.spoken_type()));
}

}  // namespace maclane::script
