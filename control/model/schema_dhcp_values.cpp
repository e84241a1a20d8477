#include "control/model/schema_dhcp_values.h"

#include <fmt/format.h>

#include "control/model/dhcp_option.h"
#include "control/model/name_text.h"
#include "control/model/schema_parts.h"
#include "control/model/value.h"

namespace maclane::model {

using namespace parts;  // NOLINT: as in the tables

tl::expected<std::string, std::string> time_or_none(std::string_view text) {
  if (text == "none") return std::string(text);
  const auto ms = parse_time_ms(text);
  if (ms && *ms >= 0) return format_time_ms(*ms);
  return tl::make_unexpected(fmt::format(
      "input does not match any value of delay-threshold: \"{}\" is neither none nor a time",
      text));
}

tl::expected<std::string, std::string> number_or_unlimited(std::string_view text) {
  if (text == "unlimited") return std::string(text);
  const auto number = parse_integer(text);
  if (number && *number >= 1 && *number <= kMaxUint32) return std::to_string(*number);
  return tl::make_unexpected(
      fmt::format("input does not match any value of client-mac-limit: \"{}\" is neither unlimited "
                  "nor a number "
                  "from 1",
                  text));
}

tl::expected<std::string, std::string> bootp_time(std::string_view text) {
  if (text == "forever" || text == "lease-time") return std::string(text);
  const auto ms = parse_time_ms(text);
  if (ms && *ms >= kSecond && *ms <= kLongestTime) return format_time_ms(*ms);
  return tl::make_unexpected(fmt::format(
      "input does not match any value of bootp-lease-time: \"{}\" is neither forever, lease-time "
      "nor a time of a second or more",
      text));
}

tl::expected<std::string, std::string> dns_suffix(std::string_view text) {
  if (is_dns_name(text)) return std::string(text);
  return tl::make_unexpected(
      fmt::format("input does not match any value of add-dns-entries-suffix: \"{}\" is no domain: "
                  "write it as lan or home.arpa, of letters, digits, - and _",
                  text));
}

tl::expected<std::string, std::string> when_stored(std::string_view text) {
  if (text == "never" || text == "immediately") return std::string(text);
  const auto ms = parse_time_ms(text);
  if (ms && *ms >= kSecond) return format_time_ms(*ms);
  return tl::make_unexpected(fmt::format(
      "input does not match any value of store-leases-disk: \"{}\" is neither immediately, never "
      "nor a time of a second or more",
      text));
}

tl::expected<std::string, std::string> alert_timeout(std::string_view text) {
  if (text == "none") return std::string(text);
  const auto ms = parse_time_ms(text);
  if (ms && *ms >= kSecond && *ms <= kLongestTime) return format_time_ms(*ms);
  return tl::make_unexpected(fmt::format(
      "input does not match any value of alert-timeout: \"{}\" is neither none nor a time of a "
      "second or more",
      text));
}

tl::expected<std::string, std::string> client_id_text(std::string_view text) {
  const auto bytes = parse_client_id(text);
  if (bytes) return format_client_id(*bytes);
  return tl::make_unexpected(fmt::format(
      "\"{}\" is no client-id: write its bytes in hexadecimal with colons, 1:aa:bb:cc:dd:ee:ff",
      text));
}

}  // namespace maclane::model
