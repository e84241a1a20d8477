#include "control/model/dhcp_option.h"

#include <fmt/format.h>

#include <charconv>

#include "control/model/value.h"

namespace maclane::model {
namespace {

using Kind = DhcpOptionPart::Kind;

std::optional<uint8_t> parse_byte(std::string_view text, int base) {
  unsigned value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (failure != std::errc{} || end != text.data() + text.size() || value > 255)
    return std::nullopt;
  return static_cast<uint8_t>(value);
}

std::vector<uint8_t> quoted(std::string_view text, bool as_text) {
  if (!as_text) {
    if (const auto address = parse_ip4(text)) {
      std::vector<uint8_t> bytes;
      for (const int shift : {24, 16, 8, 0})
        bytes.push_back(static_cast<uint8_t>(*address >> shift));
      return bytes;
    }
    if (const auto number = parse_byte(text, 10)) return {*number};
  }
  return {text.begin(), text.end()};
}

}  // namespace

tl::expected<std::vector<DhcpOptionPart>, std::string> parse_dhcp_option(std::string_view text) {
  std::vector<DhcpOptionPart> parts;
  const auto wrong = [&](std::string_view why) {
    return tl::make_unexpected(fmt::format(
        "\"{}\" is no value of a DHCP option: {}; write 0x0a0b, 'text', '10.0.0.1', s'10.0.0.1', "
        "$(HOSTNAME) or $(NETWORK_GATEWAY)",
        text, why));
  };
  const auto add = [&](const std::vector<uint8_t>& bytes) {
    if (parts.empty() || parts.back().kind != Kind::kBytes) parts.emplace_back();
    parts.back().bytes.insert(parts.back().bytes.end(), bytes.begin(), bytes.end());
  };
  std::string_view rest = text;
  while (!rest.empty()) {
    if (rest.starts_with("0x") || rest.starts_with("0X")) {
      rest.remove_prefix(2);
      const size_t digits = std::min(rest.find_first_not_of("0123456789abcdefABCDEF"), rest.size());
      if (digits == 0 || digits % 2 != 0) return wrong("0x takes pairs of hexadecimal digits");
      std::vector<uint8_t> bytes;
      for (size_t i = 0; i < digits; i += 2) bytes.push_back(*parse_byte(rest.substr(i, 2), 16));
      add(bytes);
      rest.remove_prefix(digits);
    } else if (rest.starts_with("s'") || rest.starts_with("'")) {
      const bool as_text = rest.front() == 's';
      rest.remove_prefix(as_text ? 2 : 1);
      const size_t end = rest.find('\'');
      if (end == std::string_view::npos) return wrong("a quotation mark is missing");
      add(quoted(rest.substr(0, end), as_text));
      rest.remove_prefix(end + 1);
    } else if (rest.starts_with("$(HOSTNAME)")) {
      parts.push_back({Kind::kHostName});
      rest.remove_prefix(std::string_view("$(HOSTNAME)").size());
    } else if (rest.starts_with("$(NETWORK_GATEWAY)")) {
      parts.push_back({Kind::kNetworkGateway});
      rest.remove_prefix(std::string_view("$(NETWORK_GATEWAY)").size());
    } else {
      return wrong(fmt::format("\"{}\" is none of its parts", rest.substr(0, 32)));
    }
  }
  return parts;
}

std::string raw_dhcp_option(std::span<const DhcpOptionPart> parts) {
  std::string out;
  for (const DhcpOptionPart& part : parts) {
    if (part.kind == Kind::kHostName) out += "$(HOSTNAME)";
    if (part.kind == Kind::kNetworkGateway) out += "$(NETWORK_GATEWAY)";
    for (const uint8_t byte : part.bytes) out += fmt::format("{:02x}", byte);
  }
  return out;
}

std::optional<std::vector<uint8_t>> parse_client_id(std::string_view text) {
  std::vector<uint8_t> bytes;
  for (;;) {
    const size_t colon = std::min(text.find(':'), text.size());
    const auto byte = parse_byte(text.substr(0, colon), 16);
    if (colon > 2 || !byte || bytes.size() == 255) return std::nullopt;
    bytes.push_back(*byte);
    if (colon == text.size()) return bytes;
    text.remove_prefix(colon + 1);
  }
}

std::string format_client_id(std::span<const uint8_t> bytes) {
  std::string out;
  for (const uint8_t byte : bytes) out += fmt::format("{}{:x}", out.empty() ? "" : ":", byte);
  return out;
}

}  // namespace maclane::model
