// Typed readings of canonical values: booleans, numbers, MACs, ports, protocols, ICMP options,
// lists.
#include "control/model/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace maclane::model {
namespace {

struct ProtocolName {
  std::string_view name;
  uint8_t number;
};

// RouterOS's names, which are not always /etc/protocols's. Of several names of one the first is
// shown; /ip/firewall/service-port says udplite.
constexpr ProtocolName kProtocols[] = {
    {"icmp", 1},       {"igmp", 2},        {"ggp", 3},         {"ip-encap", 4},
    {"st", 5},         {"tcp", 6},         {"egp", 8},         {"pup", 12},
    {"udp", 17},       {"hmp", 20},        {"xns-idp", 22},    {"rdp", 27},
    {"iso-tp4", 29},   {"dccp", 33},       {"xtp", 36},        {"ddp", 37},
    {"idpr-cmtp", 38}, {"ipv6-encap", 41}, {"ipv6-route", 43}, {"ipv6-frag", 44},
    {"rsvp", 46},      {"gre", 47},        {"ipsec-esp", 50},  {"ipsec-ah", 51},
    {"icmpv6", 58},    {"ipv6-nonxt", 59}, {"ipv6-opts", 60},  {"rspf", 73},
    {"vmtp", 81},      {"ospf", 89},       {"ipip", 94},       {"etherip", 97},
    {"encap", 98},     {"pim", 103},       {"vrrp", 112},      {"l2tp", 115},
    {"sctp", 132},     {"udp-lite", 136},  {"udplite", 136},
};

/// A decimal of 0..max, digits only.
std::optional<uint32_t> parse_small(std::string_view text, uint32_t max) {
  if (text.empty() || text.size() > 9) return std::nullopt;
  uint32_t value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<uint32_t>(c - '0');
  }
  if (value > max) return std::nullopt;
  return value;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<bool> parse_bool(std::string_view text) {
  if (text == "true" || text == "yes") return true;
  if (text == "false" || text == "no") return false;
  return std::nullopt;
}

bool is_lost_reference(std::string_view text) {
  return text.size() > 1 && text.front() == '*' &&
         text.find_first_not_of("0123456789ABCDEF", 1) == std::string_view::npos;
}

std::optional<int64_t> parse_integer(std::string_view text) {
  int64_t value = 0;
  const char* end = text.data() + text.size();
  auto [stop, code] = std::from_chars(text.data(), end, value);
  if (text.empty() || code != std::errc{} || stop != end) return std::nullopt;
  return value;
}

std::optional<Mac> parse_mac(std::string_view text) {
  // Six pairs, all with the same separator, or the three groups of four that switches print.
  const bool pairs = text.size() == 17;
  const bool quads = text.size() == 14 && text[4] == '.' && text[9] == '.';
  if (!pairs && !quads) return std::nullopt;
  const size_t group = pairs ? 2 : 4;
  const char separator = text[group];
  if (separator != ':' && separator != '-' && separator != '.') return std::nullopt;
  Mac mac{};
  size_t digits = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i % (group + 1) == group) {
      if (text[i] != separator) return std::nullopt;
      continue;
    }
    const int digit = hex_digit(text[i]);
    if (digit < 0) return std::nullopt;
    mac[digits / 2] = static_cast<uint8_t>((mac[digits / 2] << 4) | digit);
    ++digits;
  }
  return mac;
}

std::string format_mac(const Mac& mac) {
  return fmt::format("{:02X}:{:02X}:{:02X}:{:02X}:{:02X}:{:02X}", mac[0], mac[1], mac[2], mac[3],
                     mac[4], mac[5]);
}

std::optional<PortRange> parse_port_range(std::string_view text) {
  const size_t dash = text.find('-');
  const auto first = parse_small(text.substr(0, dash), 65535);
  const auto last =
      dash == std::string_view::npos ? first : parse_small(text.substr(dash + 1), 65535);
  if (!first || !last || *first > *last) return std::nullopt;
  return PortRange{static_cast<uint16_t>(*first), static_cast<uint16_t>(*last)};
}

std::optional<uint8_t> parse_protocol(std::string_view text) {
  if (const auto number = parse_small(text, 255)) return static_cast<uint8_t>(*number);
  for (const ProtocolName& protocol : kProtocols) {
    const bool same = std::equal(
        text.begin(), text.end(), protocol.name.begin(), protocol.name.end(), [](char a, char b) {
          return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
        });
    if (same) return protocol.number;
  }
  return std::nullopt;
}

std::string format_protocol(uint8_t protocol) {
  for (const ProtocolName& known : kProtocols) {
    if (known.number == protocol) return std::string(known.name);
  }
  return std::to_string(protocol);
}

std::optional<IcmpOptions> parse_icmp_options(std::string_view text) {
  const size_t colon = text.find(':');
  const auto type = parse_small(text.substr(0, colon), 255);
  if (!type) return std::nullopt;
  IcmpOptions options{static_cast<uint8_t>(*type), 0, 255};
  if (colon == std::string_view::npos) return options;
  const auto codes = parse_port_range(text.substr(colon + 1));
  if (!codes || codes->last > 255) return std::nullopt;
  options.code_first = static_cast<uint8_t>(codes->first);
  options.code_last = static_cast<uint8_t>(codes->last);
  return options;
}

std::vector<std::string_view> split_list(std::string_view text) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    parts.push_back(text.substr(0, comma));
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
    if (text.empty()) parts.emplace_back();  // a trailing comma leaves an empty part to complain of
  }
  return parts;
}

Negatable split_negation(std::string_view text) {
  if (text.empty() || text.front() != '!') return {false, text};
  return {true, text.substr(1)};
}

}  // namespace maclane::model
