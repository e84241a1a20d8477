// Values as text and text as values: the spellings of RouterOS's language. See value.h.
#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "control/model/value.h"
#include "control/script/letters.h"
#include "control/script/value.h"

namespace maclane::script {
namespace {

constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;
constexpr int64_t kWeek = 7 * kDay;

struct Unit {
  std::string_view name;
  int64_t nanoseconds;
};
constexpr std::array<Unit, 8> kUnits = {{{"w", kWeek},
                                         {"d", kDay},
                                         {"h", kHour},
                                         {"m", kMinute},
                                         {"s", kSecond},
                                         {"ms", 1'000'000},
                                         {"us", 1000},
                                         {"ns", 1}}};

std::optional<int64_t> take_number(std::string_view& text) {
  size_t digits = 0;
  int64_t value = 0;
  while (digits < text.size() && is_digit(text[digits])) {
    value = value * 10 + (text[digits] - '0');
    if (++digits > 15) return std::nullopt;
  }
  if (digits == 0) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

int64_t part_of(int64_t unit, int64_t billionths) {
  return unit >= kSecond ? unit / kSecond * billionths : billionths / (kSecond / unit);
}

/// "10:00", "10:00:00", "10:00:00.25" to the end of the text.
std::optional<int64_t> read_clock(std::string_view text) {
  int64_t total = 0;
  int parts = 0;
  for (; parts < 3; ++parts) {
    if (parts != 0) {
      if (text.empty() || text.front() != ':') break;
      text.remove_prefix(1);
    }
    const auto number = take_number(text);
    if (!number || *number > (parts == 0 ? 9'999'999 : 59)) return std::nullopt;
    total += *number * (parts == 0 ? kHour : parts == 1 ? kMinute : kSecond);
  }
  if (parts < 2) return std::nullopt;
  if (text.empty()) return total;
  if (parts != 3 || text.front() != '.' || text.size() < 2 || text.size() > 10) return std::nullopt;
  text.remove_prefix(1);
  int64_t weight = kSecond;
  for (char c : text) {
    if (!is_digit(c)) return std::nullopt;
    weight /= 10;
    total += (c - '0') * weight;
  }
  return total;
}

/// Whether a key can stand before = without quotes.
bool is_plain_key(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '.';
  });
}

void join(std::string& out, const Array& array, char separator) {
  bool first = true;
  const auto next = [&] {
    if (!std::exchange(first, false)) out += separator;
  };
  const auto put = [&](const Value& value) {
    if (value.is(Type::kArray)) {
      join(out, value.as_array(), separator);
    } else {
      out += value.to_text();
    }
  };
  for (const Value& value : array.list) {
    if (out.size() > kMaxText) return;
    next();
    put(value);
  }
  for (const auto& [key, value] : array.keyed) {
    if (out.size() > kMaxText) return;
    next();
    out += key + "=";
    put(value);
  }
}

void write_code(std::string& out, const Value& value) {
  if (out.size() > kMaxText) return;
  if (value.is(Type::kText)) {
    out += quoted(value.as_text());
    return;
  }
  if (!value.is(Type::kArray)) {
    out += value.to_text();
    return;
  }
  out += '{';
  bool first = true;
  const auto next = [&] {
    if (!std::exchange(first, false)) out += "; ";
  };
  for (const Value& one : value.as_array().list) {
    next();
    write_code(out, one);
  }
  for (const auto& [key, one] : value.as_array().keyed) {
    next();
    out += is_plain_key(key) ? key : quoted(key);
    out += '=';
    write_code(out, one);
  }
  out += '}';
}

}  // namespace

std::optional<int64_t> read_number(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const bool hex = text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  if (hex) text.remove_prefix(2);
  if (text.empty() || text.size() > 24) return std::nullopt;
  uint64_t value = 0;
  for (char c : text) {
    int digit = 0;
    if (is_digit(c)) {
      digit = c - '0';
    } else if (hex && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))) {
      digit = (c | 0x20) - 'a' + 10;
    } else {
      return std::nullopt;
    }
    if (__builtin_mul_overflow(value, hex ? 16U : 10U, &value) ||
        __builtin_add_overflow(value, static_cast<unsigned>(digit), &value)) {
      return std::nullopt;
    }
  }
  const uint64_t most = uint64_t{1} << 63;
  if (!hex && value > (negative ? most : most - 1)) return std::nullopt;
  return static_cast<int64_t>(negative ? uint64_t{0} - value : value);
}

std::optional<int64_t> read_time(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  int64_t total = 0;
  size_t next_unit = 0;
  while (!text.empty()) {
    const std::string_view before = text;
    const auto number = take_number(text);
    const auto billionths = model::take_fraction(text);
    if (!number || !billionths || text.empty()) return std::nullopt;
    int64_t part = 0;
    if (text.front() == ':') {  // a clock ends the text: "1d00:30:00"
      const auto clock = read_clock(before);
      if (!clock || next_unit > 2 || __builtin_add_overflow(total, *clock, &total)) {
        return std::nullopt;
      }
      break;
    }
    size_t letters = 0;
    while (letters < text.size() && !is_digit(text[letters])) ++letters;
    const std::string_view name = text.substr(0, letters);
    text.remove_prefix(letters);
    while (next_unit < kUnits.size() && kUnits[next_unit].name != name) ++next_unit;
    if (next_unit == kUnits.size() ||
        __builtin_mul_overflow(*number, kUnits[next_unit].nanoseconds, &part) ||
        __builtin_add_overflow(total, part, &total) ||
        __builtin_add_overflow(total, part_of(kUnits[next_unit].nanoseconds, *billionths),
                               &total)) {
      return std::nullopt;
    }
    ++next_unit;
  }
  return negative ? -total : total;
}

std::string write_time(int64_t nanoseconds) {
  std::string out;
  auto rest = static_cast<uint64_t>(nanoseconds);
  if (nanoseconds < 0) {
    out = "-";
    rest = uint64_t{0} - rest;
  }
  const auto take = [&](int64_t unit) {
    const uint64_t count = rest / static_cast<uint64_t>(unit);
    rest %= static_cast<uint64_t>(unit);
    return count;
  };
  if (const uint64_t weeks = take(kWeek); weeks != 0) out += fmt::format("{}w", weeks);
  if (const uint64_t days = take(kDay); days != 0) out += fmt::format("{}d", days);
  const uint64_t hours = take(kHour);
  const uint64_t minutes = take(kMinute);
  const uint64_t seconds = take(kSecond);
  out += fmt::format("{:02}:{:02}:{:02}", hours, minutes, seconds);
  if (rest == 0) return out;
  if (rest % 1'000'000 == 0) return out + fmt::format(".{:03}", rest / 1'000'000);
  if (rest % 1000 == 0) return out + fmt::format(".{:06}", rest / 1000);
  return out + fmt::format(".{:09}", rest);
}

bool is_ip6(std::string_view text) {
  if (text.size() < 2 || text.size() > 45 || text.find(':') == std::string_view::npos) return false;
  in6_addr address{};
  return ::inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1;
}

bool is_ip6_prefix(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos || !is_ip6(text.substr(0, slash))) return false;
  const std::string_view length = text.substr(slash + 1);
  if (length.empty() || length.size() > 3 || !std::all_of(length.begin(), length.end(), is_digit)) {
    return false;
  }
  return read_number(length).value_or(129) <= 128;
}

bool is_id(std::string_view text) {
  return text.size() > 1 && text.size() < 18 && text.front() == '*' &&
         text.find_first_not_of("0123456789abcdefABCDEF", 1) == std::string_view::npos;
}

std::optional<uint32_t> read_ip(std::string_view text) {
  if (const auto whole = model::parse_ip4(text)) return whole;
  const size_t dot = text.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  uint32_t head = 0;
  int parts = 0;
  for (std::string_view rest = text.substr(0, dot); !rest.empty(); ++parts) {
    const size_t end = std::min(rest.find('.'), rest.size());
    const std::string_view one = rest.substr(0, end);
    const bool digits = std::all_of(one.begin(), one.end(), is_digit);
    const auto part = digits ? read_number(one) : std::nullopt;
    if (!part || *part > 255 || parts == 2) return std::nullopt;
    head = head << 8 | static_cast<uint32_t>(*part);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const std::string_view end = text.substr(dot + 1);
  const auto last = std::all_of(end.begin(), end.end(), is_digit) ? read_number(end) : std::nullopt;
  const int bits = 8 * (4 - parts);
  if (!last || parts == 0 || *last >= (int64_t{1} << bits)) return std::nullopt;
  return head << bits | static_cast<uint32_t>(*last);
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    switch (c) {
      case '"':
      case '\\':
      case '$':
        out += '\\';
        out += c;
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
          out += fmt::format("\\{:02X}", static_cast<unsigned char>(c));
        } else {
          out += c;
        }
    }
  }
  return out + '"';
}

Value Value::literal(std::string_view word) {
  if (word.find(',') != std::string_view::npos) {
    Array out;
    size_t begin = 0;
    while (begin <= word.size() && out.list.size() < kMaxElements) {
      const size_t end = std::min(word.find(',', begin), word.size());
      out.list.push_back(literal(word.substr(begin, end - begin)));
      begin = end + 1;
    }
    return array(std::move(out));
  }
  if (word == "true" || word == "yes") return boolean(true);
  if (word == "false" || word == "no") return boolean(false);
  if (word.empty()) return text("");
  const char first = word.front();
  if (is_digit(first) || first == '-') {
    if (const auto value = read_number(word)) return number(*value);
    if (const auto value = read_time(word)) return time(*value);
    if (const auto value = read_ip(word)) return ip(*value);
    if (word.find('/') != std::string_view::npos) {
      if (const auto value = model::parse_prefix(word)) {
        return prefix({value->address, value->length});
      }
    }
  }
  if (first == '*' && is_id(word)) return id(std::string(word));
  if (word.size() >= 2 && word.find(':') != std::string_view::npos) {
    if (is_ip6(word)) return ip6(std::string(word), false);
    if (is_ip6_prefix(word)) return ip6(std::string(word), true);
  }
  return text(std::string(word));
}

std::string Value::to_text() const {
  switch (type_) {
    case Type::kNothing:
    case Type::kNil:
      return {};
    case Type::kBool:
      return as_bool() ? "true" : "false";
    case Type::kNumber:
      return std::to_string(as_number());
    case Type::kTime:
      return write_time(as_time());
    case Type::kText:
    case Type::kIp6:
    case Type::kIp6Prefix:
    case Type::kId:
      return as_text();
    case Type::kIp:
      return model::format_ip4(as_ip());
    case Type::kPrefix:
      return model::format_prefix({as_prefix().address, as_prefix().length});
    case Type::kFunction:
      return as_function().kind == Function::Kind::kFunction ? "(function)" : "(code)";
    case Type::kArray:
      break;
  }
  std::string out;
  join(out, as_array(), ';');
  return out;
}

std::string Value::to_argument() const {
  if (!is(Type::kArray)) return to_text();
  std::string out;
  join(out, as_array(), ',');
  return out;
}

std::string Value::to_code() const {
  std::string out;
  write_code(out, *this);
  return out;
}

}  // namespace maclane::script
