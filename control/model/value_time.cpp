// RouterOS times (C-11b): read in every spelling it takes, written in its short form.
#include <algorithm>
#include <array>
#include <chrono>

#include "control/model/value.h"

namespace maclane::model {
namespace {

constexpr int64_t kSecond = 1000;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;
constexpr int64_t kWeek = 7 * kDay;

struct Unit {
  std::string_view name;
  int64_t milliseconds;
};
// Largest first: the order they must be written in.
constexpr std::array<Unit, 6> kUnits = {
    {{"w", kWeek}, {"d", kDay}, {"h", kHour}, {"m", kMinute}, {"s", kSecond}, {"ms", 1}}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Takes the digits at the front. Twelve digits are more than any time needs and cannot overflow.
std::optional<int64_t> take_number(std::string_view& text) {
  size_t digits = 0;
  int64_t value = 0;
  while (digits < text.size() && is_digit(text[digits])) {
    value = value * 10 + (text[digits] - '0');
    if (++digits > 12) return std::nullopt;
  }
  if (digits == 0) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

constexpr int64_t kBillion = 1'000'000'000;

/// "hh:mm:ss" with an optional fraction; hours may exceed 23.
std::optional<int64_t> parse_clock(std::string_view text) {
  std::array<int64_t, 3> part{};
  for (size_t i = 0; i < part.size(); ++i) {
    if (i != 0) {
      if (text.empty() || text.front() != ':') return std::nullopt;
      text.remove_prefix(1);
    }
    const auto number = take_number(text);
    if (!number || *number > (i == 0 ? 9'999'999 : 59)) return std::nullopt;
    part[i] = *number;
  }
  int64_t fraction = 0;
  if (!text.empty()) {
    if (text.front() != '.' || text.size() < 2 || text.size() > 4) return std::nullopt;
    text.remove_prefix(1);
    int64_t weight = 100;
    for (char c : text) {
      if (!is_digit(c)) return std::nullopt;
      fraction += (c - '0') * weight;
      weight /= 10;
    }
  }
  return part[0] * kHour + part[1] * kMinute + part[2] * kSecond + fraction;
}

}  // namespace

std::optional<int64_t> take_fraction(std::string_view& text) {
  if (!text.starts_with('.')) return 0;
  int64_t billionths = 0;
  int64_t weight = kBillion;
  size_t digits = 1;
  for (; digits < text.size() && is_digit(text[digits]); ++digits) {
    if ((weight /= 10) == 0) return std::nullopt;
    billionths += (text[digits] - '0') * weight;
  }
  if (digits == 1) return std::nullopt;
  text.remove_prefix(digits);
  return billionths;
}

std::optional<int64_t> parse_time_ms(std::string_view text) {
  if (text.empty()) return std::nullopt;
  int64_t total = 0;
  size_t next_unit = 0;
  bool first = true;
  while (!text.empty()) {
    const std::string_view before = text;
    const auto number = take_number(text);
    const auto billionths = take_fraction(text);
    if (!number || !billionths) return std::nullopt;
    const auto whole = [&](int64_t unit_ms) { return *billionths * unit_ms % kBillion == 0; };
    if (text.empty()) {  // a bare number is seconds, and only alone
      if (!first || !whole(kSecond)) return std::nullopt;
      return *number * kSecond + *billionths * kSecond / kBillion;
    }
    if (text.front() == ':') {  // the clock part ends the value: "1d00:30:00"
      const auto clock = parse_clock(before);
      if (!clock || next_unit > 2) return std::nullopt;
      return total + *clock;
    }
    size_t letters = 0;
    while (letters < text.size() && !is_digit(text[letters])) ++letters;
    const std::string_view name = text.substr(0, letters);
    text.remove_prefix(letters);
    if (name == "us") {  // below our resolution: whole milliseconds only
      if (*number % 1000 != 0 || *billionths != 0 || !text.empty()) return std::nullopt;
      return total + *number / 1000;
    }
    while (next_unit < kUnits.size() && kUnits[next_unit].name != name) ++next_unit;
    if (next_unit == kUnits.size() || !whole(kUnits[next_unit].milliseconds)) return std::nullopt;
    int64_t part = 0;
    if (__builtin_mul_overflow(*number, kUnits[next_unit].milliseconds, &part) ||
        __builtin_add_overflow(part, *billionths * kUnits[next_unit].milliseconds / kBillion,
                               &part) ||
        __builtin_add_overflow(total, part, &total)) {
      return std::nullopt;
    }
    ++next_unit;
    first = false;
  }
  return total;
}

std::string format_time_ms(int64_t milliseconds) {
  if (milliseconds <= 0) return "0s";
  std::string out;
  for (const Unit& unit : kUnits) {
    const int64_t count = milliseconds / unit.milliseconds;
    if (count == 0) continue;
    out += std::to_string(count);
    out += unit.name;
    milliseconds %= unit.milliseconds;
  }
  return out;
}

std::optional<Day> parse_day(std::string_view text) {
  static constexpr std::array<std::string_view, 12> kMonths = {
      "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
  const char between = text.find('/') != std::string_view::npos ? '/' : '-';
  std::array<std::string_view, 3> part;
  for (size_t i = 0; i < part.size(); ++i) {
    const size_t end = i + 1 == part.size() ? text.size() : text.find(between);
    if (end == std::string_view::npos) return std::nullopt;
    part[i] = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (between == '/') part = {part[2], part[0], part[1]};
  Day out;
  std::string month(part[1]);
  for (char& c : month) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  for (size_t i = 0; i < kMonths.size(); ++i) {
    if (month == kMonths[i]) part[1] = "", out.month = static_cast<int>(i) + 1;
  }
  const auto number = [](std::string_view digits, size_t most) -> int {
    const auto value = parse_integer(digits);
    return digits.size() > most || !value || *value < 1 ? 0 : static_cast<int>(*value);
  };
  out.year = number(part[0], 4);
  if (out.month == 0) out.month = number(part[1], 2);
  out.day = number(part[2], 2);
  const std::chrono::year_month_day day{std::chrono::year(out.year),
                                        std::chrono::month(static_cast<unsigned>(out.month)),
                                        std::chrono::day(static_cast<unsigned>(out.day))};
  if (out.year < 1970 || !day.ok()) return std::nullopt;
  return out;
}

std::optional<int> parse_time_of_day(std::string_view text) {
  if (std::count(text.begin(), text.end(), ':') == 1) {
    return parse_time_of_day(std::string(text) + ":00");
  }
  const auto time = text.find('.') == std::string_view::npos ? parse_clock(text) : std::nullopt;
  if (!time || *time >= kDay) return std::nullopt;
  return static_cast<int>(*time / kSecond);
}

}  // namespace maclane::model
