// The tables of /ip/firewall/address-list, connection and connection/tracking (B-13, B-18..B-23).
#include "control/model/schema_parts.h"
#include "control/model/value_firewall.h"

namespace maclane::model {
namespace {

using namespace parts;  // NOLINT: the tables are made of these parts
using P = Property;

/// As rules say it; a row without a timeout is part of the configuration.
Converted convert_timeout(std::string_view text) {
  Converted canonical = convert_list_timeout(text);
  if (canonical && *canonical == "none-static") return std::string{};
  if (canonical && *canonical == "none-dynamic") return std::string("0s");
  return canonical;
}

constexpr Property kAddressList[] = {
    {.name = "list",
     .type = Type::kString,
     .flags = P::kRequired,
     .max = 63,
     .help = "the list's name; a list is what its rows say"},
    {.name = "address",
     .type = Type::kIp4Set,
     .flags = P::kRequired,
     .help = "an address, prefix or range a-b; or a DNS name, which stands for the addresses that "
             "it has: they are asked for, and asked for again when their time is over",
     .convert = convert_list_address},
    {.name = "timeout",
     .type = Type::kTime,
     .max = 21474836 * kSecond,
     .help = "how long the address stays, or none-dynamic: such a row is dynamic, not part of the "
             "configuration, and gone when the router restarts. none-static, as unset: it is part "
             "of it",
     .convert = convert_timeout},
    disabled(),
    comment(),
    state_flag("dynamic", "made by the router itself"),
    read_only("creation-time", Type::kString, "when the row was made"),
};
constexpr FlagLetter kAddressListLetters[] = {{'X', "disabled", "disabled"},
                                              {'D', "dynamic", "dynamic"}};
constexpr std::string_view kAddressListColumns[] = {"list", "address", "creation-time", "timeout"};

constexpr Property kConnection[] = {
    read_only("protocol", Type::kProtocol, "the protocol"),
    read_only("src-address", Type::kString, "where its first packet came from"),
    read_only("src-port", Type::kInteger, ""),
    read_only("dst-address", Type::kString, "where its first packet went, untranslated"),
    read_only("dst-port", Type::kInteger, ""),
    read_only("reply-src-address", Type::kString, "where replies come from"),
    read_only("reply-src-port", Type::kInteger, ""),
    read_only("reply-dst-address", Type::kString, "where replies go, untranslated"),
    read_only("reply-dst-port", Type::kInteger, ""),
    read_only("icmp-type", Type::kInteger, ""),
    read_only("icmp-code", Type::kInteger, ""),
    read_only("icmp-id", Type::kInteger, ""),
    read_only("gre-key", Type::kInteger,
              "of a call of PPTP: its number, as the first packet says it"),
    read_only("gre-protocol", Type::kInteger, ""),
    read_only("gre-version", Type::kInteger, ""),
    read_only("tcp-state", Type::kString, "the TCP state"),
    read_only("connection-type", Type::kString,
              "the helper it has, or that of the connection which announced it"),
    read_only("connection-mark", Type::kString, "the mark that mangle gave it"),
    read_only("timeout", Type::kTime, "how long it lives without another packet"),
    read_only("orig-packets", Type::kInteger, "packets in its first packet's direction"),
    read_only("orig-bytes", Type::kInteger, ""),
    read_only("repl-packets", Type::kInteger, "packets of the replies' direction"),
    read_only("repl-bytes", Type::kInteger, ""),
    in_units("orig-rate", "bps", "bits a second, now"),
    in_units("repl-rate", "bps", ""),
    read_only("orig-fasttrack-packets", Type::kInteger, "of those, packets that passed no rules"),
    read_only("orig-fasttrack-bytes", Type::kInteger, ""),
    read_only("repl-fasttrack-packets", Type::kInteger, ""),
    read_only("repl-fasttrack-bytes", Type::kInteger, ""),
    state_flag("expected", "a helper announced it"),
    state_flag("seen-reply", "packets were seen in both directions"),
    state_flag("assured", "not given up when the table is full"),
    state_flag("confirmed", "its first packet left the router"),
    state_flag("dying", "about to be removed"),
    state_flag("fasttrack", ""),
    state_flag("srcnat", "its source is translated"),
    state_flag("dstnat", "its destination is translated"),
    state_flag("uses-helper", "a helper looks into its packets"),
};
constexpr FlagLetter kConnectionLetters[] = {{'E', "expected", "expected"},
                                             {'S', "seen-reply", "seen-reply"},
                                             {'A', "assured", "assured"},
                                             {'C', "confirmed", "confirmed"},
                                             {'D', "dying", "dying"},
                                             {'F', "fasttrack", "fasttrack"},
                                             {'s', "srcnat", "source NAT"},
                                             {'d', "dstnat", "destination NAT"},
                                             {'h', "uses-helper", "uses a helper"}};
constexpr std::string_view kConnectionColumns[] = {
    "protocol", "src-address",  "src-port",   "dst-address",  "dst-port",  "tcp-state",
    "timeout",  "orig-packets", "orig-bytes", "repl-packets", "repl-bytes"};

constexpr std::string_view kAutoYesNo[] = {"auto", "yes", "no"};

constexpr Property timeout(std::string_view name, std::string_view default_value) {
  return {.name = name,
          .type = Type::kTime,
          .default_value = default_value,
          .min = kSecond,
          .max = kLongestTime,
          .help = "a connection in this state is forgotten after this time without a packet"};
}

constexpr std::string_view kProfiles[] = {"routeros", "rfc"};
constexpr std::string_view kFilterings[] = {"address-dependent", "endpoint-independent"};

constexpr Property kTracking[] = {
    {.name = "enabled",
     .type = Type::kEnum,
     .default_value = "auto",
     .values = kAutoYesNo,
     .help = "auto: on as soon as there is a filter or NAT rule"},
    timeout("tcp-syn-sent-timeout", "5s"),
    timeout("tcp-syn-received-timeout", "5s"),
    timeout("tcp-established-timeout", "1d"),
    timeout("tcp-fin-wait-timeout", "10s"),
    timeout("tcp-close-wait-timeout", "10s"),
    timeout("tcp-last-ack-timeout", "10s"),
    timeout("tcp-time-wait-timeout", "10s"),
    timeout("tcp-close-timeout", "10s"),
    timeout("tcp-max-retrans-timeout", "5m"),
    timeout("tcp-unacked-timeout", "5m"),
    {.name = "loose-tcp-tracking",
     .type = Type::kBool,
     .default_value = "true",
     .help = "yes: takes up TCP connections whose beginning was not seen"},
    {.name = "liberal-tcp-tracking",
     .type = Type::kBool,
     .default_value = "false",
     .help =
         "yes: packets outside the TCP window are not invalid, but for resets of what the other "
         "end has acknowledged already"},
    timeout("udp-timeout", "30s"),
    timeout("udp-stream-timeout", "3m"),
    timeout("icmp-timeout", "10s"),
    timeout("generic-timeout", "10m"),
    {.name = "nat-profile",
     .type = Type::kEnum,
     .default_value = "routeros",
     .flags = P::kOurs,
     .values = kProfiles,
     .help = "rfc: source NAT gives an inner port one outer port for all destinations, timeouts "
             "that are not set are those of RFC 4787, 5382 and 5508; routeros: ports are kept "
             "and shared as RouterOS does"},
    {.name = "nat-filtering",
     .type = Type::kEnum,
     .default_value = "address-dependent",
     .flags = P::kOurs,
     .values = kFilterings,
     .help = "with nat-profile=rfc, who may open connections to an outer port: addresses that its "
             "host has sent to, or everyone; the filter is asked as well"},
    {.name = "nat-inbound-refresh",
     .type = Type::kBool,
     .default_value = "false",
     .flags = P::kOurs,
     .help = "yes: a connection to an outer port is kept alive by what comes in, not only by "
             "answers"},
    {.name = "nat-mappings",
     .type = Type::kInteger,
     .flags = P::kReadOnly | P::kOurs | P::kCounter,
     .help = "outer ports that are one for all destinations, now"},
    read_only("max-entries", Type::kInteger, "room for this many connections"),
    read_only("total-entries", Type::kInteger, "connections now"),
    read_only("total-ip4-entries", Type::kInteger, "connections now"),
    read_only("total-ip6-entries", Type::kInteger, "none: IPv6 is not routed by this version"),
    {.name = "evicted-entries",
     .type = Type::kInteger,
     .flags = P::kReadOnly | P::kOurs | P::kCounter,
     .help = "connections that were not assured and had to make room in a full table for others"},
    {.name = "active-ipv4",
     .type = Type::kBool,
     .flags = P::kReadOnly,
     .help = "whether connections are tracked now"},
    {.name = "active-ipv6",
     .type = Type::kBool,
     .flags = P::kReadOnly,
     .help = "no: IPv6 is not routed by this version"},
};

constexpr std::string_view kAddressListKey[] = {"list", "address"};

constexpr Menu kMenus[] = {
    {"/ip/firewall/address-list",
     Menu::Kind::kList,
     kAddressList,
     kAddressListLetters,
     kAddressListColumns,
     {},
     "named sets of addresses for rules",
     {},
     {},
     Menu::kNone,
     "address list entry",
     Policy::kRead,
     Policy::kWrite,
     {},
     kAddressListKey},
    {"/ip/firewall/connection",
     Menu::Kind::kState,
     kConnection,
     kConnectionLetters,
     kConnectionColumns,
     {},
     "the connections being tracked",
     {},
     {},
     Menu::kRemovable,
     "connection"},
    {"/ip/firewall/connection/tracking",
     Menu::Kind::kSettings,
     kTracking,
     {},
     {},
     {},
     "how connections are tracked"},
};

}  // namespace

std::span<const Menu> conntrack_menus() {
  return kMenus;
}

}  // namespace maclane::model
