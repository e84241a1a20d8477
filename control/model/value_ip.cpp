// IPv4 addresses, prefixes and ranges as text, and IPv6 prefixes.
#include <arpa/inet.h>
#include <fmt/format.h>

#include "control/model/value.h"

namespace maclane::model {
namespace {

/// "24", or "255.255.255.0" as RouterOS takes it too.
std::optional<uint8_t> parse_length(std::string_view text) {
  if (text.find('.') != std::string_view::npos) {
    const auto mask = parse_ip4(text);
    if (!mask) return std::nullopt;
    const uint32_t host = ~*mask;
    if ((host & (host + 1)) != 0) return std::nullopt;  // not contiguous
    return static_cast<uint8_t>(__builtin_popcount(*mask));
  }
  if (text.empty() || text.size() > 2) return std::nullopt;
  const auto length = parse_integer(text);
  if (!length || *length < 0 || *length > 32) return std::nullopt;
  return static_cast<uint8_t>(*length);
}

}  // namespace

std::optional<uint32_t> parse_ip4(std::string_view text) {
  uint32_t address = 0;
  size_t position = 0;
  for (int part = 0; part < 4; ++part) {
    if (part != 0) {
      if (position >= text.size() || text[position] != '.') return std::nullopt;
      ++position;
    }
    const size_t start = position;
    uint32_t value = 0;
    while (position < text.size() && text[position] >= '0' && text[position] <= '9') {
      value = value * 10 + static_cast<uint32_t>(text[position] - '0');
      if (++position - start > 3) return std::nullopt;
    }
    // "010" is eight to some programs and ten to others: not taken.
    if (position == start || value > 255 || (position - start > 1 && text[start] == '0')) {
      return std::nullopt;
    }
    address = address << 8 | value;
  }
  if (position != text.size()) return std::nullopt;
  return address;
}

std::string format_ip4(uint32_t host_order) {
  return fmt::format("{}.{}.{}.{}", host_order >> 24, host_order >> 16 & 255, host_order >> 8 & 255,
                     host_order & 255);
}

std::optional<Ip4Prefix> parse_prefix(std::string_view text) {
  const size_t slash = text.find('/');
  const auto address = parse_ip4(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return Ip4Prefix{*address, 32};
  const auto length = parse_length(text.substr(slash + 1));
  if (!length) return std::nullopt;
  return Ip4Prefix{*address, *length};
}

std::string format_prefix(const Ip4Prefix& prefix) {
  return fmt::format("{}/{}", format_ip4(prefix.address), prefix.length);
}

std::optional<std::array<uint8_t, 16>> parse_ip6(std::string_view text) {
  std::array<uint8_t, 16> out{};
  const bool is_one = text.size() < INET6_ADDRSTRLEN &&
                      inet_pton(AF_INET6, std::string(text).c_str(), out.data()) == 1;
  return is_one ? std::optional(out) : std::nullopt;
}

bool Ip6Prefix::has(const std::array<uint8_t, 16>& one) const {
  for (size_t bit = 0; bit < length; bit += 8) {
    const auto mask = static_cast<uint8_t>(length - bit >= 8 ? 0xFF : 0xFF00 >> (length - bit));
    if (((one[bit / 8] ^ address[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

std::optional<Ip6Prefix> parse_ip6_prefix(std::string_view text) {
  const size_t slash = text.find('/');
  const auto address = parse_ip6(text.substr(0, slash));
  if (!address) return std::nullopt;
  Ip6Prefix out{*address, 128};
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto length = digits.size() > 3 ? std::nullopt : parse_integer(digits);
    if (!length || *length < 0 || *length > 128) return std::nullopt;
    out.length = static_cast<uint8_t>(*length);
  }
  for (size_t bit = out.length; bit < 128; ++bit)
    out.address[bit / 8] &= static_cast<uint8_t>(~(0x80 >> bit % 8));
  return out;
}

std::string format_ip6_prefix(const Ip6Prefix& prefix) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  (void)inet_ntop(AF_INET6, prefix.address.data(), text.data(), text.size());
  return fmt::format("{}/{}", text.data(), prefix.length);
}

std::optional<Ip4Range> parse_ip4_set(std::string_view text) {
  const size_t dash = text.find('-');
  if (dash == std::string_view::npos) {
    const auto prefix = parse_prefix(text);
    if (!prefix) return std::nullopt;
    return Ip4Range{prefix->network(), prefix->broadcast()};
  }
  const auto first = parse_ip4(text.substr(0, dash));
  const auto last = parse_ip4(text.substr(dash + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  return Ip4Range{*first, *last};
}

}  // namespace maclane::model
