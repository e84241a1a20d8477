// What rules match and change in words and numbers of their own: TTL, MSS, priority, the time of
// the week, how long addresses stay in lists. See value_firewall.h.
#include <fmt/format.h>

#include "control/model/value_rule_parts.h"

namespace maclane::model {
namespace {

using namespace rule_parts;  // NOLINT: what all readings are made of

constexpr int64_t kLongestTimeout = 21474836 * int64_t{1000};

}  // namespace

std::optional<TtlMatch> parse_ttl(std::string_view text) {
  const auto [how, value] = cut(text, ':');
  const auto ttl = number(value.value_or(""), 255);
  if (!ttl) return std::nullopt;
  const auto n = static_cast<uint8_t>(*ttl);
  if (how == "equal") return TtlMatch{false, n, n};
  if (how == "not-equal") return TtlMatch{true, n, n};
  if (how == "less-than" && n > 0) return TtlMatch{false, 0, static_cast<uint8_t>(n - 1)};
  if (how == "greater-than" && n < 255) return TtlMatch{false, static_cast<uint8_t>(n + 1), 255};
  return std::nullopt;
}

Converted convert_ttl(std::string_view text) {
  return convert_negatable(
      text, "equal, not-equal, less-than or greater-than with a TTL: less-than:5", parse_ttl,
      [&](const TtlMatch&) { return std::string(split_negation(text).value); });
}

std::optional<TtlChange> parse_new_ttl(std::string_view text) {
  const auto [how, value] = cut(text, ':');
  const auto ttl = number(value.value_or(""), 255);
  if (!ttl) return std::nullopt;
  TtlChange change;
  change.value = static_cast<uint8_t>(*ttl);
  if (how == "set" && *ttl != 0) return change;
  change.kind = how == "increment" ? TtlChange::Kind::kIncrement : TtlChange::Kind::kDecrement;
  if (*ttl == 0 || (how != "increment" && how != "decrement")) return std::nullopt;
  return change;
}

Converted convert_new_ttl(std::string_view text) {
  return convert(text, "set, increment or decrement with a number of 1..255: set:64", parse_new_ttl,
                 [&](const TtlChange&) { return std::string(text); });
}

std::optional<uint16_t> parse_new_mss(std::string_view text) {
  if (text == "clamp-to-pmtu") return uint16_t{0};
  const auto mss = number(text, 65535);
  if (!mss || *mss == 0) return std::nullopt;
  return static_cast<uint16_t>(*mss);
}

Converted convert_new_mss(std::string_view text) {
  return convert(text, "an MSS; write 1..65535 or clamp-to-pmtu", parse_new_mss,
                 [](uint16_t mss) { return mss == 0 ? "clamp-to-pmtu" : std::to_string(mss); });
}

namespace {

constexpr std::string_view kDays[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr uint32_t kDay_s = 86400;
constexpr std::string_view kIpsecPolicies[] = {"in,none", "out,none", "in,ipsec", "out,ipsec"};

std::optional<uint32_t> second_of_day(std::string_view text) {
  const auto ms = parse_time_ms(text);
  if (!ms || *ms < 0 || *ms > kDay_s * int64_t{1000} || *ms % 1000 != 0) return std::nullopt;
  return static_cast<uint32_t>(*ms / 1000);
}

}  // namespace

bool WeekTime::covers(unsigned weekday, uint32_t second) const {
  if (((days >> weekday) & 1) == 0) return false;
  return from_s <= to_s ? second >= from_s && second <= to_s : second >= from_s || second <= to_s;
}

std::optional<WeekTime> parse_week_time(std::string_view text) {
  const auto parts = split_list(text);
  if (parts.empty()) return std::nullopt;
  const auto [from, to] = cut(parts[0], '-');
  const auto first = second_of_day(from);
  const auto last = second_of_day(to.value_or(""));
  if (!first || !last) return std::nullopt;
  WeekTime time{*first, *last};
  if (parts.size() > 1) time.days = 0;
  for (size_t i = 1; i < parts.size(); ++i) {
    const auto day = place_in(kDays, parts[i]);
    if (!day) return std::nullopt;
    time.days = static_cast<uint8_t>(time.days | 1u << *day);
  }
  return time;
}

Converted convert_week_time(std::string_view text) {
  return convert(text,
                 "from-to,days, such as 8h-17h30m,mon,tue,wed; times are of the day, 0s to 1d, and "
                 "the days sun, mon, tue, wed, thu, fri and sat",
                 parse_week_time, [](const WeekTime& time) {
                   std::string out =
                       fmt::format("{}-{}", format_time_ms(time.from_s * int64_t{1000}),
                                   format_time_ms(time.to_s * int64_t{1000}));
                   for (size_t i = 0; i < std::size(kDays); ++i)
                     if (((time.days >> i) & 1) != 0) out += fmt::format(",{}", kDays[i]);
                   return out;
                 });
}

std::optional<bool> parse_ipsec_policy(std::string_view text) {
  const auto place = place_in(kIpsecPolicies, text);
  return place ? std::optional(*place >= 2) : std::nullopt;
}

Converted convert_ipsec_policy(std::string_view text) {
  return convert(text, "in,none, in,ipsec, out,none or out,ipsec", parse_ipsec_policy,
                 [&](bool) { return std::string(text); });
}

std::optional<NewPriority> parse_new_priority(std::string_view text) {
  using From = NewPriority::From;
  if (text == "from-dscp") return NewPriority{From::kDscp, 0};
  if (text == "from-dscp-high-3-bits") return NewPriority{From::kDscpHigh, 0};
  if (text == "from-ingress") return NewPriority{From::kIngress, 0};
  const auto priority = number(text, 63);
  if (!priority) return std::nullopt;
  return NewPriority{From::kNumber, static_cast<uint8_t>(*priority)};
}

Converted convert_new_priority(std::string_view text) {
  return convert(text, "a priority; write 0..63, from-dscp, from-dscp-high-3-bits or from-ingress",
                 parse_new_priority, [&](const NewPriority& priority) {
                   return priority.from == NewPriority::From::kNumber
                              ? std::to_string(priority.number)
                              : std::string(text);
                 });
}

bool is_listed_name(std::string_view text) {
  return text.find_first_not_of("0123456789./-") != std::string_view::npos;
}

Converted convert_list_address(std::string_view text) {
  constexpr size_t kLongestName = 253, kLongestPart = 63;
  if (!is_listed_name(text)) return std::string(text);
  std::string out;
  size_t part = 0;
  bool right = text.size() <= kLongestName;
  for (const char c : text) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool inner = lower == '-' || lower == '_';
    if (lower == '.')
      right = right && part != 0;
    else
      right = right && ((lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9') || inner);
    part = lower == '.' ? 0 : part + 1;
    right = right && part <= kLongestPart;
    out += lower;
  }
  if (out.ends_with('.')) out.pop_back();
  if (right && !out.empty()) return out;
  return tl::make_unexpected(fmt::format(
      "\"{}\" is neither an address, a prefix or a range a-b nor a DNS name, which has letters, "
      "digits and - between dots",
      text));
}

std::optional<int64_t> parse_list_timeout(std::string_view text) {
  if (text == "none-dynamic") return 0;
  if (text == "none-static") return kToKeep;
  const auto time = parse_time_ms(text);
  return time && *time >= 0 && *time <= kLongestTimeout ? time : std::nullopt;
}

Converted convert_list_timeout(std::string_view text) {
  return convert(
      text, "a time of at most 35w3d13h13m56s, none-dynamic or none-static", parse_list_timeout,
      [](int64_t ms) {
        return ms == kToKeep ? "none-static" : ms == 0 ? "none-dynamic" : format_time_ms(ms);
      });
}

}  // namespace maclane::model
