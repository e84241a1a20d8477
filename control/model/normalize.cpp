// Values brought into canonical form, each type with the sentence that says what would be right.
// The sentence begins with RouterOS's words for the mistake, which clients compare.
#include <fmt/format.h>

#include <algorithm>

#include "control/model/gateway.h"
#include "control/model/nearest.h"
#include "control/model/schema.h"
#include "control/model/value.h"
#include "control/model/value_firewall.h"

namespace maclane::model {
namespace {

using Text = tl::expected<std::string, std::string>;

constexpr size_t kMostText = 4096;       // characters of one value, unless it says how many
constexpr size_t kMostListText = 65536;  // characters of a list
constexpr size_t kMostShown = 64;        // characters of a wrong value that are said back

// What RouterOS says in such cases, before or behind the name of the argument.
constexpr std::string_view kOutOfRange = " out of range (";
constexpr std::string_view kNoMatch = "input does not match any value of ";

tl::unexpected<std::string> wrong(std::string sentence) {
  return tl::make_unexpected(std::move(sentence));
}

std::string shown(std::string_view raw) {
  return fmt::format("\"{}{}\"", raw.substr(0, kMostShown), raw.size() > kMostShown ? "..." : "");
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// Whether text is UTF-8 without control characters. Every door writes text as UTF-8, so nothing
/// else may get in: overlong forms, surrogates and values past U+10FFFF are refused too.
bool is_clean_text(std::string_view text, bool carriage_returns = false) {
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<uint8_t>(text[i]);
    const size_t length = c < 0x80 ? 1 : c >> 5 == 6 ? 2 : c >> 4 == 14 ? 3 : c >> 3 == 30 ? 4 : 0;
    if (length == 0 || i + length > text.size()) return false;
    uint32_t code = length == 1 ? c : c & (0x7Fu >> length);
    for (size_t k = 1; k < length; ++k) {
      const auto next = static_cast<uint8_t>(text[i + k]);
      if (next >> 6 != 2) return false;
      code = code << 6 | (next & 0x3Fu);
    }
    constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < kLeast[length] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
    const bool blank = code == '\n' || code == '\t' || (code == '\r' && carriage_returns);
    const bool control = (code < 0x20 && !blank) || code == 0x7F;
    if (control) return false;
    i += length;
  }
  return true;
}

size_t characters(std::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; }));
}

/// What a row's name may be, so that a reference to it can be told from everything else that may
/// stand in its place: an ID, a negation, a list, an address, "address%interface".
std::string name_mistake(std::string_view name, bool is_interface) {
  if (name.front() == '*' || name.front() == '!') {
    return fmt::format("a name cannot begin with '{}', which marks {}; choose another",
                       name.front(), name.front() == '*' ? "a row's ID" : "a negation");
  }
  if (name.front() == ' ' || name.back() == ' ') return "a name cannot begin or end with a space";
  if (name.find_first_of(",\n\t\"") != std::string_view::npos) {
    return "a name cannot contain commas, quotes, tabs or line ends";
  }
  if (!is_interface) return {};
  if (name.find('%') != std::string_view::npos) {
    return "an interface's name cannot contain '%', which divides a gateway from its interface";
  }
  if (name.find_first_not_of("0123456789.") == std::string_view::npos) {
    return "an interface's name needs a letter, to be told from a number or an address";
  }
  return {};
}

bool is_interface_reference(const Property& property) {
  return property.type == Type::kReference && !property.reference.empty() &&
         property.reference[0].starts_with("/interface/") &&
         property.reference[0] != "/interface/list";
}

/// Scripts, certificates and notes have several lines, which may end as those of Windows, and of
/// what RouterOS exports, do.
bool has_lines(const Property& property) {
  constexpr int64_t kLong = 131'072;
  const bool is_long = property.max >= kLong && property.max < INT64_MAX;
  return property.type == Type::kString && (is_long || property.name == "comment");
}

Text normalize_text(const Property& property, std::string_view raw) {
  if (!is_clean_text(raw, has_lines(property))) {
    return wrong("is not clean text; UTF-8 without control characters is taken");
  }
  const auto most = property.max == INT64_MAX ? kMostText : static_cast<size_t>(property.max);
  if (characters(raw) > most) {
    return wrong(fmt::format("{} is {} characters long; {} are the most", shown(raw),
                             characters(raw), most));
  }
  const bool lost = property.has(Property::kMayBeLost) && is_lost_reference(raw);
  if (!lost && (property.has(Property::kName) || property.type == Type::kReference)) {
    const bool is_interface =
        property.has(Property::kInterfaceName) || is_interface_reference(property);
    std::string mistake = name_mistake(raw, is_interface);
    if (!mistake.empty()) return wrong(fmt::format("{}: {}", shown(raw), mistake));
  }
  return std::string(raw);
}

/// A number, of what is counted in KiB also 4096KiB and 4MiB, as RouterOS's exports have it.
std::optional<int64_t> number_of(const Property& property, std::string_view raw) {
  constexpr std::pair<std::string_view, int64_t> kUnits[] = {
      {"KiB", 1}, {"MiB", 1024}, {"GiB", 1024 * 1024}};
  if (property.unit != "KiB") return parse_integer(raw);
  for (const auto& [unit, factor] : kUnits) {
    if (!raw.ends_with(unit)) continue;
    const auto value = parse_integer(raw.substr(0, raw.size() - unit.size()));
    int64_t all = 0;
    if (!value || __builtin_mul_overflow(*value, factor, &all)) return std::nullopt;
    return all;
  }
  return parse_integer(raw);
}

Text normalize_integer(const Property& property, std::string_view raw) {
  if (raw == "auto" && property.default_value.empty()) return std::string{};
  const auto value = number_of(property, raw);
  if (!value || *value < property.min || *value > property.max) {
    const std::string range = property.max == INT64_MAX
                                  ? fmt::format("{}..", property.min)
                                  : fmt::format("{}..{}", property.min, property.max);
    return wrong(value ? fmt::format("value of {}{}{}): {} is written", property.name, kOutOfRange,
                                     range, *value)
                       : fmt::format("{} is not a whole number; {} is taken", shown(raw), range));
  }
  return std::to_string(*value);
}

Text normalize_time(const Property& property, std::string_view raw) {
  const bool may_be_auto = property.type == Type::kAutoTime;
  const auto value = parse_time_ms(raw);
  if (may_be_auto && (raw == "auto" || value == 0)) return std::string("auto");
  if (!value) {
    return wrong(fmt::format("{} is not a time; write 1d2h3m4s, 00:30:00 or seconds{}", shown(raw),
                             may_be_auto ? ", or auto" : ""));
  }
  if (*value < property.min || *value > property.max) {
    return wrong(fmt::format("value of {}{}{}..{}): {} is written", property.name, kOutOfRange,
                             format_time_ms(property.min), format_time_ms(property.max),
                             format_time_ms(*value)));
  }
  return format_time_ms(*value);
}

Text normalize_enum(const Property& property, std::string_view raw) {
  const auto has = [&](std::string_view value) {
    return std::find(property.values.begin(), property.values.end(), value) !=
           property.values.end();
  };
  if (has(raw)) return std::string(raw);
  if (raw == "true" && has("yes")) return std::string("yes");  // what YAML and JSON write
  if (raw == "false" && has("no")) return std::string("no");
  const auto& later = property.not_working;
  if (std::find(later.begin(), later.end(), raw) != later.end()) return std::string(raw);
  return wrong(fmt::format("{}{}: {}; it takes {}", kNoMatch, property.name, shown(raw),
                           any_of(property.values)));
}

Text normalize_ip4_set(std::string_view raw) {
  const auto range = parse_ip4_set(raw);
  if (!range) {
    return wrong(
        fmt::format("{} is no set of addresses; write 192.0.2.1, 192.0.2.0/24 or "
                    "192.0.2.10-192.0.2.20, the lower address first",
                    shown(raw)));
  }
  if (range->first == range->last) return format_ip4(range->first);
  if (raw.find('-') != std::string_view::npos) {
    return fmt::format("{}-{}", format_ip4(range->first), format_ip4(range->last));
  }
  return format_prefix({range->first, parse_prefix(raw)->length});
}

Text normalize_gateway(std::string_view raw) {
  if (const GatewayParts parts = gateway_parts(raw); parts.way.size() != raw.size()) {
    if (std::string mistake = name_mistake(parts.table, true); !mistake.empty())
      return wrong(fmt::format("{}: {}", shown(parts.table), mistake));
    Text normal = normalize_gateway(parts.way);
    return normal ? fmt::format("{}@{}", *normal, parts.table) : normal;
  }
  const size_t percent = raw.find('%');
  const std::string_view address = raw.substr(0, percent);
  const bool looks_like_address =
      percent != std::string_view::npos ||
      address.find_first_not_of("0123456789./") == std::string_view::npos;
  if (looks_like_address) {
    const auto ip = parse_ip4(address);
    const std::string_view interface =
        percent == std::string_view::npos ? std::string_view{} : raw.substr(percent + 1);
    const bool named = percent == std::string_view::npos ||
                       (!interface.empty() && name_mistake(interface, true).empty());
    if (!ip || !named) {
      return wrong(
          fmt::format("{} is no gateway; write an address (192.0.2.1), "
                      "address%interface (192.0.2.1%ether1) or an interface's name",
                      shown(raw)));
    }
    return percent == std::string_view::npos ? format_ip4(*ip)
                                             : fmt::format("{}%{}", format_ip4(*ip), interface);
  }
  if (!is_clean_text(raw)) return wrong("is not clean text; an address or interface is taken");
  if (raw.find(',') != std::string_view::npos)
    return wrong(fmt::format(
        "{} are several gateways; write a route for each, of the same distance", shown(raw)));
  std::string mistake = name_mistake(raw, true);
  if (!mistake.empty()) return wrong(fmt::format("{}: {}", shown(raw), mistake));
  return std::string(raw);
}

Text normalize_ports(std::string_view raw) {
  const auto range = parse_port_range(raw);
  if (!range) {
    return wrong(
        fmt::format("{} is no port; write 80 or 1000-2000, 0..65535, the lower first", shown(raw)));
  }
  return range->first == range->last ? std::to_string(range->first)
                                     : fmt::format("{}-{}", range->first, range->last);
}

Text normalize_icmp(std::string_view raw) {
  const auto icmp = parse_icmp_options(raw);
  if (!icmp) {
    return wrong(
        fmt::format("{} is no ICMP type; write type, type:code or type:first-last, such "
                    "as 8, 3:4 or 8:0-255",
                    shown(raw)));
  }
  return icmp->code_first == icmp->code_last
             ? fmt::format("{}:{}", icmp->type, icmp->code_first)
             : fmt::format("{}:{}-{}", icmp->type, icmp->code_first, icmp->code_last);
}

Text normalize_prefix(const Property& property, std::string_view raw) {
  auto prefix = parse_prefix(raw);
  if (!prefix && property.has(Property::kIp6Too)) {
    if (const auto six = parse_ip6_prefix(raw)) return format_ip6_prefix(*six);
    return wrong(fmt::format("{} is no prefix; write 192.0.2.0/24, 2001:db8::/32 or an address",
                             shown(raw)));
  }
  if (!prefix) {
    return wrong(fmt::format(
        "{} is no IPv4 prefix; write 192.0.2.0/24, or an address alone for /32", shown(raw)));
  }
  if (property.has(Property::kNetwork)) prefix->address = prefix->network();
  return format_prefix(*prefix);
}

Text normalize_part(const Property& property, std::string_view raw) {
  switch (property.type) {
    case Type::kString:
    case Type::kReference:
      return normalize_text(property, raw);
    case Type::kBool:
      if (const auto value = parse_bool(raw)) return std::string(*value ? "true" : "false");
      return wrong(fmt::format("{} is neither yes nor no", shown(raw)));
    case Type::kInteger:
      return normalize_integer(property, raw);
    case Type::kTime:
      // One that converts takes words as well, which it reads itself.
      if (property.convert != nullptr && !parse_time_ms(raw)) return std::string(raw);
      [[fallthrough]];
    case Type::kAutoTime:
      return normalize_time(property, raw);
    case Type::kMac:
      if (raw == "auto") return std::string{};  // E-2: means unset, and is never printed back
      if (const auto mac = parse_mac(raw)) return format_mac(*mac);
      return wrong(fmt::format("{} is no MAC address; write 02:00:00:00:00:01", shown(raw)));
    case Type::kIp4:
      if (const auto ip = parse_ip4(raw)) return format_ip4(*ip);
      return wrong(fmt::format("{} is no IPv4 address; write 192.0.2.1", shown(raw)));
    case Type::kIp4Prefix:
      return normalize_prefix(property, raw);
    case Type::kIp4Set:
      // One that converts takes names as well, which it reads itself.
      if (property.convert != nullptr && is_listed_name(raw)) return std::string(raw);
      return normalize_ip4_set(raw);
    case Type::kGateway:
      return normalize_gateway(raw);
    case Type::kEnum:
      return normalize_enum(property, raw);
    case Type::kPorts:
      return normalize_ports(raw);
    case Type::kProtocol:
      if (const auto protocol = parse_protocol(raw)) return format_protocol(*protocol);
      return wrong(fmt::format(
          "{} is no protocol; write a name such as tcp, udp or icmp, or 0..255", shown(raw)));
    case Type::kIcmpOptions:
      return normalize_icmp(raw);
  }
  return wrong("has a type without a reader");
}

/// The sentence for a canonical value this version refuses; "" if it works.
std::string refusal(const Property& property, std::string_view canonical) {
  const auto& later = property.not_working;
  const bool refused = property.has(Property::kNotYet)
                           ? canonical != property.default_value
                           : std::find(later.begin(), later.end(), canonical) != later.end();
  if (!refused) return {};
  const bool truth = property.type == Type::kBool;
  return fmt::format("{} is not yet working: {}",
                     property.has(Property::kNotYet) ? std::string(property.name)
                     : truth
                         ? fmt::format("{}={}", property.name, canonical == "true" ? "yes" : "no")
                         : shown(canonical),
                     property.not_working_reason);
}

Text normalize_list(const Property& property, std::string_view raw) {
  if (raw.size() > kMostListText) {
    return wrong(fmt::format("is {} characters long; {} are the most", raw.size(), kMostListText));
  }
  std::vector<std::string> parts;
  for (std::string_view part : split_list(raw)) {
    part = trim(part);
    if (part.empty()) return wrong(fmt::format("{} has an empty part between commas", shown(raw)));
    auto canonical = normalize_part(property, part);
    if (!canonical) return canonical;
    if (std::string no = refusal(property, *canonical); !no.empty()) return wrong(std::move(no));
    parts.push_back(std::move(*canonical));
  }
  std::string out;
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto here = parts.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find(parts.begin(), here, parts[i]) != here) {  // written twice
      if (!property.has(Property::kDistinct)) continue;
      return wrong(fmt::format("names {} twice; leave one out", parts[i]));
    }
    if (!out.empty()) out += ',';
    out += parts[i];
  }
  return out;
}

Text normalize_value(const Property& property, std::string_view raw) {
  const bool is_text = property.type == Type::kString || property.type == Type::kReference;
  if (!is_text || property.has(Property::kList)) raw = trim(raw);
  bool negated = false;
  if (property.has(Property::kNegatable) && raw.starts_with('!')) {
    negated = true;
    raw = trim(raw.substr(1));
  } else if (raw.starts_with('!') && !is_text) {
    return wrong(fmt::format("{}: {} cannot be negated", shown(raw), property.name));
  }
  if (raw.empty()) return wrong("is empty; write a value or leave it out");
  Text canonical =
      property.has(Property::kList) ? normalize_list(property, raw) : normalize_part(property, raw);
  if (!canonical) return canonical;
  if (!property.has(Property::kList)) {
    if (std::string no = refusal(property, *canonical); !no.empty()) return wrong(std::move(no));
  }
  if (negated) canonical->insert(canonical->begin(), '!');
  return canonical;
}

}  // namespace

Text normalize(const Property& property, std::string_view raw) {
  if (raw.empty()) return std::string{};
  Text canonical = normalize_value(property, raw);
  if (canonical && property.convert != nullptr && !canonical->empty()) {
    canonical = property.convert(*canonical);
  }
  if (canonical) return canonical;
  const std::string& why = canonical.error();
  if (why.starts_with("value of ") || why.starts_with(kNoMatch)) return canonical;
  return wrong(fmt::format("invalid value for argument {}: {}", property.name, why));
}

}  // namespace maclane::model
