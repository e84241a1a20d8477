#include "control/model/value_firewall.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <utility>

#include "control/model/value.h"

namespace maclane::model {
namespace {

constexpr std::string_view kFlags[] = {"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"};
constexpr std::string_view kModes[] = {"dst-address", "dst-address-and-port", "src-address",
                                       "src-and-dst-addresses", "addresses-and-dst-port"};
constexpr uint64_t kMostRate = 32'000'000'000;
constexpr int64_t kLongestExpire = 4294967295 * int64_t{1000};
constexpr int64_t kLongestTimeout = 21474836 * int64_t{1000};

std::optional<uint64_t> number(std::string_view text, uint64_t most) {
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  if (text.empty() || code != std::errc{} || stop != end || value > most) return std::nullopt;
  return value;
}

/// Splits at the first of a letter; the second part is nullopt if there is none.
std::pair<std::string_view, std::optional<std::string_view>> cut(std::string_view text, char at) {
  const size_t place = text.find(at);
  if (place == std::string_view::npos) return {text, std::nullopt};
  return {text.substr(0, place), text.substr(place + 1)};
}

template <size_t N>
std::optional<size_t> place_in(const std::string_view (&words)[N], std::string_view word) {
  const auto* it = std::find(std::begin(words), std::end(words), word);
  if (it == std::end(words)) return std::nullopt;
  return static_cast<size_t>(it - std::begin(words));
}

/// "10" or "10/1m": the first part of a limit.
std::optional<Limit> parse_rate(std::string_view text) {
  Limit limit;
  const auto [rate, time] = cut(text, '/');
  const auto units = number(rate, kMostRate);
  if (!units || *units == 0) return std::nullopt;
  limit.units = *units;
  if (time) {
    const auto period = parse_time_ms(*time);
    if (!period || *period <= 0 || *period > kLongestExpire) return std::nullopt;
    limit.period_ms = *period;
  }
  return limit;
}

std::string format_rate(const Limit& limit) {
  return limit.period_ms == 1000
             ? std::to_string(limit.units)
             : fmt::format("{}/{}", limit.units, format_time_ms(limit.period_ms));
}

/// "5", "100k", "2M", "1G".
std::optional<uint64_t> parse_scaled(std::string_view text) {
  uint64_t unit = 1;
  if (text.ends_with('k') || text.ends_with('K')) unit = 1000;
  if (text.ends_with('M')) unit = 1'000'000;
  if (text.ends_with('G')) unit = 1'000'000'000;
  if (unit != 1) text.remove_suffix(1);
  const auto value = number(text, uint64_t{1} << 33);
  return value ? std::optional(*value * unit) : std::nullopt;
}

std::optional<WideRange> range_of(std::optional<uint64_t> first, std::optional<uint64_t> last) {
  if (!first || !last) return std::nullopt;
  if (*last != 0 && *last < *first) return std::nullopt;
  return WideRange{*first, *last};
}

/// The canonical form behind a '!', or the sentence that says what would be right.
template <typename Parse, typename Format>
Converted convert(std::string_view text, std::string_view right, Parse&& parse, Format&& format) {
  const Negatable value = split_negation(text);
  const auto parsed = parse(value.value);
  if (!parsed) return tl::make_unexpected(fmt::format("\"{}\" is not {}", value.value, right));
  return fmt::format("{}{}", value.negated ? "!" : "", format(*parsed));
}

}  // namespace

std::optional<TcpFlags> parse_tcp_flags(std::string_view text) {
  TcpFlags flags;
  for (std::string_view part : split_list(text)) {
    const bool clear = part.starts_with('!');
    if (clear) part.remove_prefix(1);
    const auto bit = place_in(kFlags, part);
    if (!bit) return std::nullopt;
    uint8_t& mask = clear ? flags.clear : flags.set;
    mask = static_cast<uint8_t>(mask | 1u << *bit);
  }
  if ((flags.set & flags.clear) != 0 || (flags.set | flags.clear) == 0) return std::nullopt;
  return flags;
}

Converted convert_tcp_flags(std::string_view text) {
  const auto flags = parse_tcp_flags(text);
  if (!flags) {
    return tl::make_unexpected(fmt::format(
        "\"{}\" is no list of TCP flags; write those that must be set, and with ! those that must "
        "not: syn,!ack, of fin, syn, rst, psh, ack, urg, ece, cwr",
        text));
  }
  std::string out;
  for (unsigned i = 0; i < std::size(kFlags); ++i) {
    const bool clear = ((flags->clear >> i) & 1) != 0;
    if (!clear && ((flags->set >> i) & 1) == 0) continue;
    out += fmt::format("{}{}{}", out.empty() ? "" : ",", clear ? "!" : "", kFlags[i]);
  }
  return out;
}

std::optional<Limit> parse_limit(std::string_view text) {
  const auto [rate, rest] = cut(text, ',');
  auto limit = parse_rate(rate);
  if (!limit || !rest) return std::nullopt;
  const auto [burst, what] = cut(*rest, ':');
  const auto most = number(burst, kMostRate);
  if (!most || (what && *what != "packet" && *what != "bit")) return std::nullopt;
  limit->burst = *most;
  limit->bits = what && *what == "bit";
  return limit;
}

Converted convert_limit(std::string_view text) {
  return convert(text, "rate[/time],burst[:packet|bit], such as 10,5:packet or 10/1m,5",
                 parse_limit, [](const Limit& limit) {
                   return fmt::format("{},{}:{}", format_rate(limit), limit.burst,
                                      limit.bits ? "bit" : "packet");
                 });
}

std::optional<DstLimit> parse_dst_limit(std::string_view text) {
  const auto parts = split_list(text);
  if (parts.size() != 3) return std::nullopt;
  DstLimit result;
  const auto limit = parse_rate(parts[0]);
  const auto burst = number(parts[1], kMostRate);
  const auto [name, expire] = cut(parts[2], '/');
  const auto mode = place_in(kModes, name);
  if (!limit || !burst || !mode) return std::nullopt;
  result.limit = *limit;
  result.limit.burst = *burst;
  result.mode = static_cast<LimitMode>(*mode);
  if (expire) {
    const auto time = parse_time_ms(*expire);
    if (!time || *time <= 0 || *time > kLongestExpire) return std::nullopt;
    result.expire_ms = *time;
  }
  return result;
}

Converted convert_dst_limit(std::string_view text) {
  return convert(text,
                 "rate[/time],burst,mode[/expire], such as 10,5,dst-address/1m40s; the modes are "
                 "dst-address, dst-address-and-port, src-address, src-and-dst-addresses and "
                 "addresses-and-dst-port",
                 parse_dst_limit, [](const DstLimit& value) {
                   return fmt::format("{},{},{}/{}", format_rate(value.limit), value.limit.burst,
                                      kModes[static_cast<size_t>(value.mode)],
                                      format_time_ms(value.expire_ms));
                 });
}

std::optional<ConnectionLimit> parse_connection_limit(std::string_view text) {
  const auto [count, mask] = cut(text, ',');
  const auto connections = number(count, 0xffffff);
  const auto length = mask ? number(*mask, 32) : std::optional<uint64_t>(32);
  if (!connections || !length) return std::nullopt;
  return ConnectionLimit{static_cast<uint32_t>(*connections), static_cast<uint8_t>(*length)};
}

Converted convert_connection_limit(std::string_view text) {
  return convert(text, "connections,netmask, such as 100,32; the netmask is 0..32",
                 parse_connection_limit, [](const ConnectionLimit& value) {
                   return fmt::format("{},{}", value.connections, value.length);
                 });
}

std::optional<WideRange> parse_bytes_range(std::string_view text) {
  const auto [first, last] = cut(text, '-');
  constexpr uint64_t kMost = uint64_t{1} << 62;
  return range_of(number(first, kMost), number(last.value_or(""), kMost));
}

Converted convert_bytes_range(std::string_view text) {
  return convert(text, "from-to in bytes, such as 1000000-0; to 0 is without end",
                 parse_bytes_range,
                 [](const WideRange& r) { return fmt::format("{}-{}", r.first, r.last); });
}

std::optional<WideRange> parse_rate_range(std::string_view text) {
  const auto [first, last] = cut(text, '-');
  return range_of(parse_scaled(first), parse_scaled(last.value_or("")));
}

Converted convert_rate_range(std::string_view text) {
  return convert(text, "from-to in bits a second, such as 0-100k; to 0 is without end",
                 parse_rate_range,
                 [](const WideRange& r) { return fmt::format("{}-{}", r.first, r.last); });
}

Converted convert_small_range(std::string_view text) {
  return convert(
      text, "a number of 0..65535 or a range a-b", parse_port_range, [](const PortRange& r) {
        return r.first == r.last ? std::to_string(r.first) : fmt::format("{}-{}", r.first, r.last);
      });
}

std::optional<PortScan> parse_psd(std::string_view text) {
  const auto parts = split_list(text);
  if (parts.size() != 4) return std::nullopt;
  const auto weight = number(parts[0], 0xffff);
  const auto delay = parse_time_ms(parts[1]);
  const auto low = number(parts[2], 0xffff);
  const auto high = number(parts[3], 0xffff);
  if (!weight || *weight == 0 || !delay || *delay <= 0 || *delay > 3'600'000 || !low || !high)
    return std::nullopt;
  return PortScan{static_cast<uint32_t>(*weight), *delay, static_cast<uint16_t>(*low),
                  static_cast<uint16_t>(*high)};
}

Converted convert_psd(std::string_view text) {
  return convert(text, "weight,delay,weight of low ports,weight of high ports, such as 21,3s,3,1",
                 parse_psd, [](const PortScan& p) {
                   return fmt::format("{},{},{},{}", p.weight, format_time_ms(p.delay_ms), p.low,
                                      p.high);
                 });
}

std::optional<Nth> parse_nth(std::string_view text) {
  const auto [every, packet] = cut(text, ',');
  const auto of = number(every, 0xffff);
  const auto which = packet ? number(*packet, 0xffff) : std::optional<uint64_t>(1);
  if (!of || !which || *which == 0 || *which > *of) return std::nullopt;
  return Nth{static_cast<uint32_t>(*of), static_cast<uint32_t>(*which)};
}

Converted convert_nth(std::string_view text) {
  return convert(text, "every,packet, such as 2,1: the first of every two", parse_nth,
                 [](const Nth& nth) { return fmt::format("{},{}", nth.every, nth.packet); });
}

namespace {

struct Fields {
  std::string_view name;
  bool src, dst, src_port, dst_port;
};
constexpr Fields kFields[] = {
    {"both-addresses", true, true, false, false},
    {"both-ports", false, false, true, true},
    {"both-addresses-and-ports", true, true, true, true},
    {"src-address", true, false, false, false},
    {"src-port", false, false, true, false},
    {"src-address-and-port", true, false, true, false},
    {"dst-address", false, true, false, false},
    {"dst-port", false, false, false, true},
    {"dst-address-and-port", false, true, false, true},
};

}  // namespace

std::optional<PerConnection> parse_pcc(std::string_view text) {
  const auto [name, rest] = cut(text, ':');
  if (!rest) return std::nullopt;
  const auto [below, above] = cut(*rest, '/');
  const auto* fields = std::find_if(std::begin(kFields), std::end(kFields),
                                    [name = name](const Fields& f) { return f.name == name; });
  const auto denominator = number(below, 0xffff);
  const auto remainder = number(above.value_or(""), 0xffff);
  if (fields == std::end(kFields) || !denominator || !remainder || *remainder >= *denominator)
    return std::nullopt;
  return PerConnection{fields->src,
                       fields->dst,
                       fields->src_port,
                       fields->dst_port,
                       static_cast<uint32_t>(*denominator),
                       static_cast<uint32_t>(*remainder)};
}

Converted convert_pcc(std::string_view text) {
  const auto form = [&](const PerConnection&) {
    return std::string(split_negation(text).value);  // it is written in one way only
  };
  return convert(text,
                 "fields:denominator/remainder, such as both-addresses:2/0; the fields are "
                 "both-, src- or dst- with address, port or both",
                 parse_pcc, form);
}

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
  return convert(text, "equal, not-equal, less-than or greater-than with a TTL: less-than:5",
                 parse_ttl,
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
constexpr std::string_view kPolicies[] = {"in,none", "out,none", "in,ipsec", "out,ipsec"};

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
  const auto place = place_in(kPolicies, text);
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
