// What the language does with values: conversions, parts, searches, random ones. See interpreter.h.
#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <cctype>

#include "control/script/interpreter.h"

namespace maclane::script {
namespace {

constexpr std::string_view kLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

uint64_t random_bits() {
  uint64_t out = 0;
  // Up to 256 bytes come whole once the kernel has any.
  while (::getrandom(&out, sizeof out, 0) != static_cast<ssize_t>(sizeof out)) {
  }
  return out;
}

/// Below a bound, each as likely as the others.
uint64_t random_below(uint64_t bound) {
  const uint64_t limit = bound == 0 ? 0 : (~uint64_t{0} / bound) * bound;
  uint64_t value = random_bits();
  while (limit != 0 && value >= limit) value = random_bits();
  return bound == 0 ? value : value % bound;
}

Value to_number(const Value& value) {
  switch (value.type()) {
    case Type::kNumber:
      return value;
    case Type::kIp:
      return Value::number(value.as_ip());
    case Type::kTime:
      return Value::number(value.as_time() / kSecond);
    case Type::kId:
      if (const auto number = read_number("0x" + value.as_text().substr(1))) {
        return Value::number(*number);
      }
      return Value::nil();
    case Type::kText:
      if (const auto number = read_number(value.as_text())) return Value::number(*number);
      return Value::nil();
    default:
      return Value::nil();
  }
}

Value to_ip(const Value& value) {
  switch (value.type()) {
    case Type::kIp:
      return value;
    case Type::kPrefix:
      return Value::ip(value.as_prefix().address);
    case Type::kNumber:
      return Value::ip(static_cast<uint32_t>(value.as_number()));
    case Type::kText:
      if (const auto ip = read_ip(value.as_text())) return Value::ip(*ip);
      return Value::nil();
    default:
      return Value::nil();
  }
}

Value to_time(const Value& value) {
  if (value.is(Type::kTime)) return value;
  int64_t nanoseconds = 0;
  const Value number = to_number(value);
  if (number.is(Type::kNumber) &&
      !__builtin_mul_overflow(number.as_number(), kSecond, &nanoseconds)) {
    return Value::time(nanoseconds);
  }
  if (const auto time = read_time(value.to_text())) return Value::time(*time);
  return Value::nil();
}

Value to_array(const Value& value, const std::string& delimiter) {
  if (value.is(Type::kArray)) return value;
  Array out;
  const std::string text = value.to_text();
  if (value.is(Type::kText) && !text.empty()) {
    size_t begin = 0;
    while (begin <= text.size() && out.list.size() < kMaxElements) {
      const size_t end = std::min(text.find(delimiter, begin), text.size());
      out.list.push_back(Value::text(text.substr(begin, end - begin)));
      begin = end + delimiter.size();
    }
  } else if (!text.empty()) {
    out.list.push_back(value);
  }
  return Value::array(std::move(out));
}

Value line_ends(const Value& value, bool crlf) {
  const std::string text = value.to_text();
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    if (text[i] == '\n' && crlf) out += '\r';
    out += text[i];
  }
  return Value::text(std::move(out));
}

}  // namespace

bool Interpreter::value_builtin(const Command& command, Value& result) {
  switch (command.builtin) {
    case Builtin::kNothing:
    case Builtin::kBeep:
      return true;
    case Builtin::kTimestamp:
      result = Value::time(host_.wall_ns());
      return true;
    case Builtin::kPick:
      return pick(command, result);
    case Builtin::kFind:
      return find_in(command, result);
    case Builtin::kRange:
      return range(command, result);
    case Builtin::kRndnum:
    case Builtin::kRndstr:
      return random(command, result);
    default:
      break;
  }
  const std::string_view name = command.builtin == Builtin::kPut ? "message" : "value";
  Value value;
  if (!need(command, name, value)) return false;
  switch (command.builtin) {
    case Builtin::kPut:
      host_.write(value.to_text() + "\n");
      result = std::move(value);
      return true;
    case Builtin::kLen: {
      const size_t length =
          value.is(Type::kArray) ? value.as_array().size() : value.to_text().size();
      result = Value::number(static_cast<int64_t>(length));
      return true;
    }
    case Builtin::kTypeof:
      result = Value::text(std::string(value.type_name()));
      return true;
    case Builtin::kTostr:
      result = Value::text(value.to_text());
      return true;
    case Builtin::kTonum:
      result = to_number(value);
      return true;
    case Builtin::kTobool:
      result = value.is(Type::kBool)     ? value
               : value.is(Type::kNumber) ? Value::boolean(value.as_number() != 0)
                                         : Value::nil();
      return true;
    case Builtin::kToip:
      result = to_ip(value);
      return true;
    case Builtin::kToip6: {
      const std::string text = value.to_text();
      const std::string address = text.substr(0, text.find('/'));
      result = is_ip6(address) ? Value::ip6(address, false) : Value::nil();
      return true;
    }
    case Builtin::kTotime:
      result = to_time(value);
      return true;
    case Builtin::kTonsec: {
      const Value time = to_time(value);
      result = time.is(Type::kTime) ? Value::number(time.as_time()) : Value::nil();
      return true;
    }
    case Builtin::kToid: {
      const std::string text = value.to_text();
      if (value.is(Type::kNumber)) {
        result = Value::id(fmt::format("*{:X}", static_cast<uint64_t>(value.as_number())));
      } else {
        result = is_id(text) ? Value::id(text) : Value::nil();
      }
      return true;
    }
    case Builtin::kToarray: {
      Value delimiter;
      if (!argument(command, "delimiter", delimiter)) return false;
      const std::string between = delimiter.to_text();
      result = to_array(value, between.empty() ? "," : between);
      return true;
    }
    case Builtin::kTolf:
    case Builtin::kTocrlf:
      result = line_ends(value, command.builtin == Builtin::kTocrlf);
      return true;
    case Builtin::kConvert: {
      Value from;
      Value to;
      Value transform;
      if (!argument(command, "from", from) || !argument(command, "to", to) ||
          !argument(command, "transform", transform)) {
        return false;
      }
      return keep(convert(value, from.to_text(), to.to_text(), transform.to_text()), command.place,
                  result);
    }
    case Builtin::kSerialize:
    case Builtin::kDeserialize: {
      Value format;
      Value options;
      const bool out = command.builtin == Builtin::kSerialize;
      if (!need(command, out ? "to" : "from", format) || !argument(command, "options", options)) {
        return false;
      }
      const std::string how = options.to_argument();
      return keep(
          out ? serialize(value, format.to_text(), how) : deserialize(value, format.to_text(), how),
          command.place, result);
    }
    default:
      return fail("no such command", command.place);
  }
}

bool Interpreter::pick(const Command& command, Value& result) {
  Value value;
  Value begin_value;
  Value end_value;
  if (!need(command, "value", value) || !need(command, "begin", begin_value) ||
      !argument(command, "end", end_value)) {
    return false;
  }
  const Value begin_number = to_number(begin_value);
  const Value end_number = to_number(end_value);
  if (!begin_number.is(Type::kNumber) && !begin_value.empty()) {
    return fail("input does not match any value of begin; a number was expected",
                command.find("begin")->value_place);
  }
  const bool array = value.is(Type::kArray);
  const std::string text = array ? std::string() : value.to_text();
  const size_t size = array ? value.as_array().size() : text.size();
  const auto bounded = [&](const Value& number, size_t otherwise) {
    if (!number.is(Type::kNumber)) return otherwise;
    return static_cast<size_t>(
        std::clamp<int64_t>(number.as_number(), 0, static_cast<int64_t>(size)));
  };
  const size_t begin = bounded(begin_number, 0);
  result = Value::nil();
  if (begin >= size) return true;
  const bool one = command.find("end") == nullptr;
  const size_t end = one ? begin + 1 : bounded(end_number, size);
  if (!array) {
    if (end > begin) result = Value::text(text.substr(begin, end - begin));
    return true;
  }
  const Array& from = value.as_array();
  if (one) {
    result = *from.at(begin);
    return true;
  }
  Array out;
  for (size_t i = begin; i < std::min(end, from.list.size()); ++i) out.list.push_back(from.list[i]);
  size_t place = from.list.size();
  for (const auto& [key, element] : from.keyed) {
    if (place >= begin && place < end) out.keyed.emplace(key, element);
    ++place;
  }
  result = Value::array(std::move(out));
  return true;
}

bool Interpreter::find_in(const Command& command, Value& result) {
  Value in;
  Value key;
  Value from;
  if (!need(command, "in", in) || !need(command, "key", key) || !argument(command, "from", from)) {
    return false;
  }
  const Value number = to_number(from);
  // The search begins after the place that is given.
  const int64_t start = number.is(Type::kNumber) ? number.as_number() : -1;
  const auto begin = static_cast<size_t>(std::clamp<int64_t>(start, -1, INT32_MAX) + 1);
  result = Value::nil();
  if (!in.is(Type::kArray)) {
    const size_t found = in.to_text().find(key.to_text(), begin);
    if (found != std::string::npos) result = Value::number(static_cast<int64_t>(found));
    return true;
  }
  const Array& array = in.as_array();
  for (size_t i = begin; i < array.list.size(); ++i) {
    if (!equal(array.list[i], key)) continue;
    result = Value::number(static_cast<int64_t>(i));
    return true;
  }
  for (const auto& [name, element] : array.keyed) {
    if (!equal(element, key)) continue;
    result = Value::text(name);
    return true;
  }
  return true;
}

bool Interpreter::range(const Command& command, Value& result) {
  Value from;
  Value to;
  Value step_value;
  if (!need(command, "from", from) || !need(command, "to", to) ||
      !argument(command, "step", step_value)) {
    return false;
  }
  const Value first = to_number(from);
  const Value last = to_number(to);
  if (!first.is(Type::kNumber) || !last.is(Type::kNumber)) {
    return fail("range takes two numbers, as in :range 2 8", command.place);
  }
  const int64_t a = first.as_number();
  const int64_t b = last.as_number();
  const Value given = to_number(step_value);
  const int64_t by = given.is(Type::kNumber) ? given.as_number() : (a > b ? -1 : 1);
  if (by == 0) return fail("the step of a range is not 0", command.place);
  Array out;
  for (int64_t i = a; by > 0 ? i <= b : i >= b;) {
    if (out.list.size() >= kMaxElements) {
      return fail(fmt::format("an array has at most {} elements", kMaxElements), command.place);
    }
    out.list.push_back(Value::number(i));
    if (__builtin_add_overflow(i, by, &i)) break;
  }
  result = Value::array(std::move(out));
  return true;
}

bool Interpreter::random(const Command& command, Value& result) {
  if (command.builtin == Builtin::kRndnum) {
    Value from;
    Value to;
    if (!need(command, "from", from) || !need(command, "to", to)) return false;
    const Value a = to_number(from);
    const Value b = to_number(to);
    if (!a.is(Type::kNumber) || !b.is(Type::kNumber) || a.as_number() > b.as_number()) {
      return fail("rndnum takes two numbers, the first no greater than the second", command.place);
    }
    const uint64_t span =
        static_cast<uint64_t>(b.as_number()) - static_cast<uint64_t>(a.as_number());
    const uint64_t random = random_below(span + 1);
    result = Value::number(static_cast<int64_t>(static_cast<uint64_t>(a.as_number()) + random));
    return true;
  }
  Value from;
  Value length;
  if (!argument(command, "from", from) || !argument(command, "length", length)) return false;
  const std::string letters = from.empty() ? std::string(kLetters) : from.to_text();
  const Value count = length.empty() ? Value::number(16) : to_number(length);
  if (letters.empty() || !count.is(Type::kNumber) || count.as_number() < 0 ||
      count.as_number() > 65536) {
    return fail("rndstr takes letters to choose from, and a length up to 65536", command.place);
  }
  std::string out;
  for (int64_t i = 0; i < count.as_number(); ++i) out += letters[random_below(letters.size())];
  result = Value::text(std::move(out));
  return true;
}

}  // namespace maclane::script
