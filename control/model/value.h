// Typed readings of canonical values. Each parse_* accepts exactly what normalize() produces (and
// whatever it accepts as input, so the schema uses the same functions) and returns nullopt
// otherwise. Addresses are host byte order uint32_t. No state; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace maclane::model {

struct Ip4Prefix {
  uint32_t address = 0;  // host order, host bits as written
  uint8_t length = 32;
  [[nodiscard]] uint32_t mask() const { return length == 0 ? 0 : ~uint32_t{0} << (32 - length); }
  [[nodiscard]] uint32_t network() const { return address & mask(); }
  [[nodiscard]] uint32_t broadcast() const { return address | ~mask(); }
};
struct Ip4Range {
  uint32_t first = 0;
  uint32_t last = 0;
};
struct PortRange {
  uint16_t first = 0;
  uint16_t last = 0;
};
using Mac = std::array<uint8_t, 6>;

std::optional<bool> parse_bool(std::string_view text);
/// "*1F": what is left of a reference to a row that is gone.
bool is_lost_reference(std::string_view text);
std::optional<int64_t> parse_integer(std::string_view text);
/// Takes ".25" off the front, in billionths; 0 if there is none, nullopt if it is none or too fine.
std::optional<int64_t> take_fraction(std::string_view& text);
/// "1d2h3m4s", "00:30:00", "1d00:30:00", "300" and "0.5" (seconds), "1.5s", with w d h m s ms.
/// Milliseconds.
std::optional<int64_t> parse_time_ms(std::string_view text);
/// A day: 2026-11-30, or nov/30/2026 as RouterOS before 7.10 wrote it.
struct Day {
  int year = 0;
  int month = 0;  // 1 to 12
  int day = 0;
};
std::optional<Day> parse_day(std::string_view text);
/// 03:30:00 or 3:30, in seconds since midnight.
std::optional<int> parse_time_of_day(std::string_view text);
std::string format_time_ms(int64_t milliseconds);  // "1d", "5s", "0s", "1m30s500ms"
std::optional<Mac> parse_mac(std::string_view text);
std::string format_mac(const Mac& mac);  // upper case with colons
std::optional<uint32_t> parse_ip4(std::string_view text);
std::string format_ip4(uint32_t host_order);
std::optional<Ip4Prefix> parse_prefix(std::string_view text);
std::string format_prefix(const Ip4Prefix& prefix);
/// IPv6, where only who may come in asks for it.
struct Ip6Prefix {
  std::array<uint8_t, 16> address{};  // without host bits
  uint8_t length = 128;
  [[nodiscard]] bool has(const std::array<uint8_t, 16>& one) const;
};
std::optional<std::array<uint8_t, 16>> parse_ip6(std::string_view text);
std::optional<Ip6Prefix> parse_ip6_prefix(std::string_view text);
std::string format_ip6_prefix(const Ip6Prefix& prefix);
std::optional<Ip4Range> parse_ip4_set(std::string_view text);  // address, prefix or range
std::optional<PortRange> parse_port_range(std::string_view text);
std::optional<uint8_t> parse_protocol(std::string_view text);  // name or number
std::string format_protocol(uint8_t protocol);                 // "tcp", or the number
struct IcmpOptions {
  uint8_t type = 0;
  uint8_t code_first = 0;
  uint8_t code_last = 255;
};
std::optional<IcmpOptions> parse_icmp_options(std::string_view text);
/// Splits at commas; no empty parts in a canonical value.
std::vector<std::string_view> split_list(std::string_view text);
/// A matcher's value without its leading '!'.
struct Negatable {
  bool negated = false;
  std::string_view value;
};
Negatable split_negation(std::string_view text);

}  // namespace maclane::model
