// What the four menus of firewall rules share: their words, and the properties that stand in
// several of them (behaviour.md B-5 to B-15). Included by schema_firewall.cpp and schema_mangle.cpp
// only.
#pragma once

#include "control/model/schema_parts.h"
#include "control/model/value_firewall.h"

namespace maclane::model::parts {

inline constexpr std::string_view kAllKinds[] = {"all-ethernet", "all-ppp", "all-vlan"};
inline constexpr std::string_view kLaterKinds[] = {"all-wireless"};
inline constexpr std::string_view kStates[] = {"established", "related", "new", "invalid",
                                               "untracked"};
inline constexpr std::string_view kNatStates[] = {"srcnat", "dstnat", "ein-snat", "ein-dnat"};
inline constexpr std::string_view kConnectionTypes[] = {"ftp", "pptp", "sip", "tftp"};
inline constexpr std::string_view kLaterConnectionTypes[] = {"h323", "irc", "quake3"};
inline constexpr std::string_view kAddressTypes[] = {"unicast", "local", "broadcast", "multicast",
                                                     "blackhole"};
inline constexpr std::string_view kUnmarked[] = {"main", "no-mark"};
inline constexpr std::string_view kIpOptions[] = {"any",
                                                  "loose-source-routing",
                                                  "no-record-route",
                                                  "no-router-alert",
                                                  "no-source-routing",
                                                  "no-timestamp",
                                                  "none",
                                                  "record-route",
                                                  "router-alert",
                                                  "strict-source-routing",
                                                  "timestamp"};

constexpr Property chain(std::string_view help) {
  return {.name = "chain",
          .type = Type::kString,
          .flags = Property::kRequired,
          .max = 63,
          .help = help};
}
constexpr Property action(std::span<const std::string_view> values,
                          std::span<const std::string_view> not_working) {
  return {.name = "action",
          .type = Type::kEnum,
          .default_value = "accept",
          .flags = Property::kWritten,
          .values = values,
          .help = "what is done with a packet that matches",
          .not_working = not_working,
          .not_working_reason = kLater};
}
constexpr Property matcher(std::string_view name, Type type, std::string_view help) {
  return {.name = name, .type = type, .flags = Property::kNegatable, .help = help};
}
constexpr Property interface(std::string_view name, std::string_view help) {
  return {.name = name,
          .type = Type::kReference,
          .flags = Property::kNegatable | Property::kMayBeLost,
          .values = kAllKinds,
          .reference = kAnyInterface,
          .help = help,
          .not_working = kLaterKinds,
          .not_working_reason = kLater};
}
constexpr Property interface_list(std::string_view name, std::string_view help) {
  return {.name = name,
          .type = Type::kReference,
          .flags = Property::kNegatable | Property::kMayBeLost,
          .values = kBuiltinLists,
          .reference = kLists,
          .help = help};
}
constexpr Property ports(std::string_view name, std::string_view help) {
  return {.name = name,
          .type = Type::kPorts,
          .flags = Property::kNegatable | Property::kList,
          .help = help};
}
/// A matcher with a form of its own, which `convert` reads.
constexpr Property formed(std::string_view name, Converted (*convert)(std::string_view),
                          std::string_view help) {
  return {.name = name,
          .type = Type::kString,
          .flags = Property::kNegatable,
          .max = 200,
          .help = help,
          .convert = convert};
}
constexpr Property mark(std::string_view name, std::string_view help) {
  return {
      .name = name, .type = Type::kString, .flags = Property::kNegatable, .max = 63, .help = help};
}
constexpr Property routing_mark() {
  return {.name = "routing-mark",
          .type = Type::kReference,
          .flags = Property::kNegatable | Property::kMayBeLost,
          .values = kUnmarked,
          .reference = kRoutingTables,
          .help = "the mark that mangle's mark-routing gave it; main or no-mark: it has none"};
}
constexpr Property text(std::string_view name, std::string_view help) {
  return {
      .name = name, .type = Type::kString, .flags = Property::kNegatable, .max = 200, .help = help};
}
constexpr Property address_type(std::string_view name, std::string_view help) {
  return {.name = name,
          .type = Type::kEnum,
          .flags = Property::kNegatable | Property::kList,
          .values = kAddressTypes,
          .help = help};
}
constexpr Property number(std::string_view name, int64_t min, int64_t max, std::string_view help) {
  return {.name = name,
          .type = Type::kInteger,
          .flags = Property::kNegatable,
          .min = min,
          .max = max,
          .help = help};
}
constexpr Property tcp_flags() {
  return {.name = "tcp-flags",
          .type = Type::kString,
          .flags = Property::kList,
          .help = "flags that must be set, and with ! those that must not: syn,!ack",
          .convert = convert_tcp_flags};
}
constexpr Property ip_options() {
  return {.name = "ipv4-options",
          .type = Type::kEnum,
          .values = kIpOptions,
          .help = "options in the IPv4 header"};
}
constexpr Property fragment() {
  return {.name = "fragment",
          .type = Type::kBool,
          .help =
              "yes: fragments, the later ones behind their first; there are none where "
              "connections are tracked"};
}
constexpr Property connection_state() {
  return {.name = "connection-state",
          .type = Type::kEnum,
          .flags = Property::kList | Property::kNegatable,
          .values = kStates,
          .help = "what the connection tracking says of the packet"};
}
constexpr Property connection_nat_state() {
  return {.name = "connection-nat-state",
          .type = Type::kEnum,
          .flags = Property::kList | Property::kNegatable,
          .values = kNatStates,
          .help =
              "whether the connection's source or destination is translated, and whether "
              "independently of the other end"};
}
constexpr Property connection_type() {
  return {.name = "connection-type",
          .type = Type::kEnum,
          .flags = Property::kNegatable,
          .values = kConnectionTypes,
          .help = "the helper that reads the connection, or that announced it",
          .not_working = kLaterConnectionTypes,
          .not_working_reason = kLater};
}
constexpr Property address_list() {
  return {.name = "address-list",
          .type = Type::kString,
          .max = 63,
          .help = "with add-src-to-address-list and add-dst-to-address-list: the list"};
}
constexpr Property address_list_timeout() {
  return {.name = "address-list-timeout",
          .type = Type::kString,
          .max = 40,
          .help =
              "how long the address stays in the list; none-dynamic, as unset: until the "
              "router restarts; none-static: it becomes a row of the configuration",
          .convert = convert_list_timeout};
}
constexpr Property time_of_week() {
  return {.name = "time",
          .type = Type::kString,
          .max = 100,
          .help = "when the rule is in force, by the router's clock: from-to,days: 8h-17h,mon,fri",
          .convert = convert_week_time};
}
constexpr Property ipsec_policy() {
  return {.name = "ipsec-policy",
          .type = Type::kString,
          .flags = Property::kHidden,
          .max = 20,
          .help =
              "in,none or out,none: as good as unset here, where nothing goes by IPsec; "
              "in,ipsec and out,ipsec match no packet",
          .convert = convert_ipsec_policy};
}
constexpr Property jump_target() {
  return {.name = "jump-target",
          .type = Type::kString,
          .max = 63,
          .help = "with action=jump: the chain to go on in"};
}
constexpr Property log() {
  return {.name = "log",
          .type = Type::kBool,
          .default_value = "false",
          .help = "yes: writes a line to the log for each packet that matches"};
}
constexpr Property log_prefix() {
  return {.name = "log-prefix",
          .type = Type::kString,
          .max = 31,
          .help = "what the log line begins with"};
}
constexpr Property hits(std::string_view name) {
  return {.name = name,
          .type = Type::kInteger,
          .default_value = "0",
          .flags = Property::kReadOnly | Property::kCounter | Property::kHidden};
}

// Matchers in RouterOS's words; macros because a table is one flat array.
#define MACLANE_SHARED_MATCHERS                                                          \
  interface("in-interface", "where the packet came in"),                                 \
      interface("out-interface", "where the packet goes out"),                           \
      interface_list("in-interface-list", "a list with the interface it came in on"),    \
      interface_list("out-interface-list", "a list with the interface it leaves by"),    \
      matcher("src-address", Type::kIp4Set, "an address, prefix or range a-b"),          \
      matcher("dst-address", Type::kIp4Set, "an address, prefix or range a-b"),          \
      matcher("src-address-list", Type::kString, "a list of /ip/firewall/address-list"), \
      matcher("dst-address-list", Type::kString, "a list of /ip/firewall/address-list"), \
      matcher("protocol", Type::kProtocol, "a protocol's name or number"),               \
      ports("src-port", "ports and ranges: 80,443,1000-2000"),                           \
      ports("dst-port", "ports and ranges: 80,443,1000-2000"),                           \
      matcher("icmp-options", Type::kIcmpOptions, "type:code or type:first-last")

// Raw rules have the first and the last of these, all others all.
#define MACLANE_PACKET_MATCHERS                                                                \
  ports("port", "ports and ranges, of the source or of the destination"),                      \
      address_type("src-address-type", "what kind of address the source is"),                  \
      address_type("dst-address-type", "what kind of address the destination is"),             \
      matcher("src-mac-address", Type::kMac, "the MAC of who sent it last"), tcp_flags(),      \
      formed("tcp-mss", convert_small_range, "the MSS a SYN offers, a number or a range"),     \
      formed("packet-size", convert_small_range, "the length with its IP header"),             \
      formed("limit", convert_limit, "at most so many: rate[/time],burst[:packet|bit]"),       \
      formed("dst-limit", convert_dst_limit,                                                   \
             "at most so many of each: rate[/time],burst,mode[/expire]"),                      \
      formed("psd", convert_psd, "port scans: weight,delay,low port weight,high port weight"), \
      formed("nth", convert_nth, "every,packet: of so many packets that one"),                 \
      number("random", 1, 99, "so many of a hundred packets"),                                 \
      formed("per-connection-classifier", convert_pcc, "fields:denominator/remainder"),        \
      formed("ttl", convert_ttl, "equal, not-equal, less-than or greater-than with a TTL"),    \
      number("dscp", 0, 63, "the DSCP"),                                                       \
      number("priority", 0, 63, "what set-priority gave it, else what its VLAN tag had"),      \
      number("ingress-priority", 0, 63, "the priority in the VLAN tag it came with"),          \
      ip_options(), fragment(), time_of_week(), ipsec_policy(), address_list(),                \
      address_list_timeout()
#define MACLANE_CONNECTION_MATCHERS                                                               \
  formed("connection-limit", convert_connection_limit,                                            \
         "more than so many connections: number,netmask"),                                        \
      formed("connection-bytes", convert_bytes_range, "bytes in both directions: from-to"),       \
      formed("connection-rate", convert_rate_range, "bits a second: from-to"), connection_type(), \
      mark("connection-mark", "the mark of its connection, or no-mark"),                          \
      mark("packet-mark", "the mark that mangle gave it, or no-mark"), routing_mark(),            \
      MACLANE_TEXT_MATCHERS
#define MACLANE_TEXT_MATCHERS                                                       \
  text("content", "bytes that the packet has in it, where they lie in one buffer"), \
      text("tls-host", "the name a TLS client asks for; * and ? stand for any")
#define MACLANE_LATER_MATCHERS                                                         \
  later("routing-table"), later("hotspot"), later("layer7-protocol"), later("realm"),  \
      later("in-bridge-port"), later("out-bridge-port"), later("in-bridge-port-list"), \
      later("out-bridge-port-list"), later("p2p")
#define MACLANE_RULE_TAIL jump_target(), log(), log_prefix(), disabled(), comment()
#define MACLANE_RULE_STATE                                               \
  hits("bytes"), hits("packets"), state_flag("invalid", "cannot match"), \
      state_flag("dynamic", "made by the router itself")

inline constexpr FlagLetter kRuleLetters[] = {
    {'X', "disabled", "disabled"}, {'I', "invalid", "invalid"}, {'D', "dynamic", "dynamic"}};
inline constexpr std::string_view kRuleStats[] = {"chain", "action", "bytes", "packets"};

}  // namespace maclane::model::parts
