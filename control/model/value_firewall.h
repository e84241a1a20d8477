// Typed readings of what firewall rules say in forms of their own (behaviour.md B-11, B-13): rates,
// counts, ranges, flags. A parse_* takes what people write and what normalize() stored; convert_*,
// for Property::convert, brings the same into canonical form, a leading '!' left in its place. No
// state; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "control/model/result.h"

namespace maclane::model {

using Converted = tl::expected<std::string, std::string>;

/// tcp-flags: "syn,!ack". Bits as in the TCP header.
struct TcpFlags {
  uint8_t set = 0;
  uint8_t clear = 0;
};
std::optional<TcpFlags> parse_tcp_flags(std::string_view text);
Converted convert_tcp_flags(std::string_view text);

/// limit: "10/1m,5:packet", `units` in `period_ms`, `burst` at once.
struct Limit {
  uint64_t units = 0;
  int64_t period_ms = 1000;
  uint64_t burst = 0;
  bool bits = false;
};
std::optional<Limit> parse_limit(std::string_view text);
Converted convert_limit(std::string_view text);

/// dst-limit: "10/1m,5,dst-address/1m40s". What tells packets apart.
enum class LimitMode : uint8_t {
  kDstAddress,
  kDstAddressAndPort,
  kSrcAddress,
  kSrcAndDstAddresses,
  kAddressesAndDstPort,
};
struct DstLimit {
  Limit limit;
  LimitMode mode = LimitMode::kDstAddress;
  int64_t expire_ms = 100'000;
};
std::optional<DstLimit> parse_dst_limit(std::string_view text);
Converted convert_dst_limit(std::string_view text);

/// connection-limit: "100,32".
struct ConnectionLimit {
  uint32_t connections = 0;
  uint8_t length = 32;
};
std::optional<ConnectionLimit> parse_connection_limit(std::string_view text);
Converted convert_connection_limit(std::string_view text);

/// connection-bytes: "1000-2000", and to 0: without end. connection-rate: "0-100k", bits a second.
struct WideRange {
  uint64_t first = 0;
  uint64_t last = 0;
};
std::optional<WideRange> parse_bytes_range(std::string_view text);
Converted convert_bytes_range(std::string_view text);
std::optional<WideRange> parse_rate_range(std::string_view text);
Converted convert_rate_range(std::string_view text);

/// tcp-mss, packet-size: "100" or "100-200"; read by parse_port_range().
Converted convert_small_range(std::string_view text);

/// psd: "21,3s,3,1".
struct PortScan {
  uint32_t weight = 0;
  int64_t delay_ms = 0;
  uint16_t low = 0;
  uint16_t high = 0;
};
std::optional<PortScan> parse_psd(std::string_view text);
Converted convert_psd(std::string_view text);

/// nth: "2,1", the first of two.
struct Nth {
  uint32_t every = 1;
  uint32_t packet = 1;
};
std::optional<Nth> parse_nth(std::string_view text);
Converted convert_nth(std::string_view text);

/// per-connection-classifier: "both-addresses:2/0".
struct PerConnection {
  bool src = false, dst = false, src_port = false, dst_port = false;
  uint32_t denominator = 1;
  uint32_t remainder = 0;
};
std::optional<PerConnection> parse_pcc(std::string_view text);
Converted convert_pcc(std::string_view text);

/// ttl: "less-than:5", as a range or, turned round, what it is not.
struct TtlMatch {
  bool negated = false;
  uint8_t first = 0;
  uint8_t last = 255;
};
std::optional<TtlMatch> parse_ttl(std::string_view text);
Converted convert_ttl(std::string_view text);

/// new-ttl: "set:64", "increment:1", "decrement:1".
struct TtlChange {
  enum class Kind : uint8_t { kSet, kIncrement, kDecrement } kind = Kind::kSet;
  uint8_t value = 0;
};
std::optional<TtlChange> parse_new_ttl(std::string_view text);
Converted convert_new_ttl(std::string_view text);

/// new-mss: "1360", or "clamp-to-pmtu": 0.
std::optional<uint16_t> parse_new_mss(std::string_view text);
Converted convert_new_mss(std::string_view text);

/// time: "8h-17h,mon,tue". Both ends count; from after to is over midnight, of each day the part
/// that is on it. No days: every day.
struct WeekTime {
  uint32_t from_s = 0, to_s = 0;  // of the day
  uint8_t days = 0x7f;            // bit 0: Sunday
  [[nodiscard]] bool covers(unsigned weekday, uint32_t second) const;
  friend bool operator==(const WeekTime&, const WeekTime&) = default;
};
std::optional<WeekTime> parse_week_time(std::string_view text);
Converted convert_week_time(std::string_view text);

/// ipsec-policy: "in,none", whether it asks for what came by IPsec.
std::optional<bool> parse_ipsec_policy(std::string_view text);
Converted convert_ipsec_policy(std::string_view text);

inline constexpr int64_t kToKeep = -1;
/// new-priority: "5", "from-dscp", "from-dscp-high-3-bits", "from-ingress".
struct NewPriority {
  enum class From : uint8_t { kNumber, kDscp, kDscpHigh, kIngress } from = From::kNumber;
  uint8_t number = 0;
};
std::optional<NewPriority> parse_new_priority(std::string_view text);
Converted convert_new_priority(std::string_view text);

/// The address of a row of an address list: an address, prefix or range, or a DNS name.
[[nodiscard]] bool is_listed_name(std::string_view text);
Converted convert_list_address(std::string_view text);

/// address-list-timeout: a time of at most 35w3d13h13m56s in milliseconds, "none-dynamic": 0, or
/// "none-static": kToKeep.
std::optional<int64_t> parse_list_timeout(std::string_view text);
Converted convert_list_timeout(std::string_view text);

}  // namespace maclane::model
