// Rates, counts and ranges of what rules match. See value_firewall.h.
#include "control/model/value_firewall.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <utility>

#include "control/model/value.h"
#include "control/model/value_rule_parts.h"

namespace maclane::model {
namespace {

using namespace rule_parts;  // NOLINT: what all readings are made of

constexpr std::string_view kFlags[] = {"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"};
constexpr std::string_view kModes[] = {"dst-address", "dst-address-and-port", "src-address",
                                       "src-and-dst-addresses", "addresses-and-dst-port"};
constexpr uint64_t kMostRate = 32'000'000'000;
constexpr int64_t kLongestExpire = 4294967295 * int64_t{1000};

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

/// "10", "10/1m" or "2M": the first part of a limit.
std::optional<Limit> parse_rate(std::string_view text) {
  Limit limit;
  const auto [rate, time] = cut(text, '/');
  const auto units = parse_scaled(rate);
  if (!units || *units == 0 || *units > kMostRate) return std::nullopt;
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

std::optional<WideRange> range_of(std::optional<uint64_t> first, std::optional<uint64_t> last) {
  if (!first || !last) return std::nullopt;
  if (*last != 0 && *last < *first) return std::nullopt;
  return WideRange{*first, *last};
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
  const auto most = parse_scaled(burst);
  if (!most || *most > kMostRate || (what && *what != "packet" && *what != "bit"))
    return std::nullopt;
  limit->burst = *most;
  limit->bits = what && *what == "bit";
  return limit;
}

Converted convert_limit(std::string_view text) {
  return convert_negatable(text, "rate[/time],burst[:packet|bit], such as 10,5:packet or 10/1m,5",
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
  return convert_negatable(
      text,
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
  return convert_negatable(text, "connections,netmask, such as 100,32; the netmask is 0..32",
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
  return convert_negatable(
      text, "from-to in bytes, such as 1000000-0; to 0 is without end", parse_bytes_range,
      [](const WideRange& r) { return fmt::format("{}-{}", r.first, r.last); });
}

std::optional<WideRange> parse_rate_range(std::string_view text) {
  const auto [first, last] = cut(text, '-');
  return range_of(parse_scaled(first), parse_scaled(last.value_or("")));
}

Converted convert_rate_range(std::string_view text) {
  return convert_negatable(
      text, "from-to in bits a second, such as 0-100k; to 0 is without end", parse_rate_range,
      [](const WideRange& r) { return fmt::format("{}-{}", r.first, r.last); });
}

Converted convert_small_range(std::string_view text) {
  return convert_negatable(
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
  return convert_negatable(
      text, "weight,delay,weight of low ports,weight of high ports, such as 21,3s,3,1", parse_psd,
      [](const PortScan& p) {
        return fmt::format("{},{},{},{}", p.weight, format_time_ms(p.delay_ms), p.low, p.high);
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
  return convert_negatable(
      text, "every,packet, such as 2,1: the first of every two", parse_nth,
      [](const Nth& nth) { return fmt::format("{},{}", nth.every, nth.packet); });
}

namespace {

struct ClassifierFields {
  std::string_view name;
  bool src, dst, src_port, dst_port;
};
constexpr ClassifierFields kFields[] = {
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
  const auto* fields =
      std::find_if(std::begin(kFields), std::end(kFields),
                   [name = name](const ClassifierFields& f) { return f.name == name; });
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
  return convert_negatable(
      text,
      "fields:denominator/remainder, such as both-addresses:2/0; the fields are "
      "both-, src- or dst- with address, port or both",
      parse_pcc, form);
}

}  // namespace maclane::model
