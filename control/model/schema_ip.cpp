// The tables of /ip/address, /ip/route, /ip/arp and /ip/settings (behaviour.md A-13..A-16, C-1).
#include <fmt/format.h>

#include <charconv>

#include "control/model/schema_parts.h"

namespace maclane::model {
namespace {

using namespace parts;  // NOLINT: the tables are made of these parts
using P = Property;

/// icmp-rate-mask: a bit per ICMP type, shown as RouterOS does.
tl::expected<std::string, std::string> type_mask(std::string_view text) {
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  const std::string_view digits = text.substr(hex ? 2 : 0);
  const char* const end = digits.data() + digits.size();
  uint32_t mask = 0;
  const auto [stop, code] = std::from_chars(digits.data(), end, mask, hex ? 16 : 10);
  if (code == std::errc{} && stop == end) return fmt::format("0x{:x}", mask);
  return tl::make_unexpected(fmt::format(
      "\"{}\" is no mask of ICMP types; write 0x and up to eight hexadecimal digits: bit 3 is "
      "destination unreachable, bit 11 time exceeded, so that 0x808 is these two",
      text));
}

constexpr Property hits(std::string_view name, std::string_view help) {
  return {.name = name,
          .type = Type::kInteger,
          .flags = P::kReadOnly | P::kCounter | P::kHidden,
          .help = help};
}

constexpr Property kAddress[] = {
    {.name = "address",
     .type = Type::kIp4Prefix,
     .flags = P::kRequired,
     .help = "the router's address with its network's length: 192.168.99.1/24"},
    {.name = "network",
     .type = Type::kIp4,
     .help = "unset: from the address; set for a point-to-point link: the other end"},
    {.name = "interface",
     .type = Type::kReference,
     .flags = P::kRequired,
     .reference = kAnyInterface,
     .help = "the interface that owns the address"},
    disabled(),
    comment(),
    read_only("actual-interface", Type::kString, "the interface in use"),
    state_flag("dynamic", "made by the router itself"),
    state_flag("invalid", "its interface cannot carry it"),
};
constexpr FlagLetter kAddressLetters[] = {
    {'X', "disabled", "disabled"}, {'I', "invalid", "invalid"}, {'D', "dynamic", "dynamic"}};
constexpr std::string_view kAddressColumns[] = {"address", "network", "interface"};

constexpr std::string_view kRouteTypes[] = {"unicast", "blackhole", "prohibit", "unreachable"};
constexpr std::string_view kChecks[] = {"arp", "none", "ping"};
constexpr std::string_view kLaterChecks[] = {"bfd", "bfd-multihop"};

constexpr Property kRoute[] = {
    {.name = "dst-address",
     .type = Type::kIp4Prefix,
     .default_value = "0.0.0.0/0",
     .flags = P::kNetwork,
     .help = "the destination; 0.0.0.0/0 is the default route"},
    {.name = "gateway",
     .type = Type::kGateway,
     .help = "the next hop: an address, address@table, address%interface, or an interface"},
    {.name = "distance",
     .type = Type::kInteger,
     .default_value = "1",
     .min = 1,
     .max = 255,
     .help = "of routes to the same destination the lowest distance is used"},
    // No defaults for these two: RouterOS shows them only where they are set, and clients that
    // compare a row with what they want would unset them for ever.
    {.name = "blackhole",
     .type = Type::kBool,
     .flags = P::kWritten,
     .help = "yes: drops silently what is sent here"},
    {.name = "type",
     .type = Type::kEnum,
     .default_value = "unicast",
     .flags = P::kHidden,
     .values = kRouteTypes,
     .help = "prohibit and unreachable answer with an ICMP error, blackhole with silence"},
    {.name = "pref-src",
     .type = Type::kIp4,
     .help = "the source of packets the router itself sends along this route"},
    {.name = "check-gateway",
     .type = Type::kEnum,
     .flags = P::kHidden,
     .values = kChecks,
     .help = "asks the gateway every ten seconds; after two questions without an answer the route "
             "is not used until it answers",
     .not_working = kLaterChecks,
     .not_working_reason = kLater},
    {.name = "routing-table",
     .type = Type::kReference,
     .default_value = "main",
     .values = kMainTable,
     .reference = kRoutingTables,
     .help = "the table it stands in"},
    {.name = "scope",
     .type = Type::kInteger,
     .default_value = "30",
     .flags = P::kHidden,
     .max = 255,
     .help = "how far the destination is: a route leads to the gateways of others whose "
             "target-scope is at least this"},
    {.name = "target-scope",
     .type = Type::kInteger,
     .default_value = "10",
     .flags = P::kHidden,
     .max = 255,
     .help =
         "the highest scope of a route that may lead to the gateway, and above the target-scope "
         "of that route; 10: connected networks"},
    later("vrf-interface"),
    {.name = "suppress-hw-offload",
     .type = Type::kBool,
     .default_value = "false",
     .flags = P::kHidden,
     .help = "whether hardware may not take the route over; there is none here that could"},
    disabled(),
    comment(),
    state_flag("active", "in use"),
    state_flag("dynamic", "made by the router itself"),
    state_flag("connect", "the network of an address"),
    state_flag("dhcp", "from a DHCP server"),
    state_flag("vpn", "of a PPP session"),
    state_flag("bgp", "from BGP, of a routing daemon in the host plane"),
    state_flag("ospf", "from OSPF, of a routing daemon in the host plane"),
    state_flag("is-is", "from IS-IS, of a routing daemon in the host plane"),
    state_flag("rip", "from RIP, of a routing daemon in the host plane"),
    state_flag("static", "configured"),
    state_flag("inactive", "not in use: a better route, or no way to its gateway"),
    read_only("immediate-gw", Type::kString, "the next hop with its interface"),
};
constexpr FlagLetter kRouteLetters[] = {
    {'D', "dynamic", "dynamic"}, {'X', "disabled", "disabled"}, {'I', "inactive", "inactive"},
    {'A', "active", "active"},   {'c', "connect", "connect"},   {'s', "static", "static"},
    {'r', "rip", "rip"},         {'b', "bgp", "bgp"},           {'o', "ospf", "ospf"},
    {'i', "is-is", "is-is"},     {'d', "dhcp", "dhcp"},         {'v', "vpn", "vpn"}};
constexpr std::string_view kRouteColumns[] = {"dst-address", "gateway", "routing-table",
                                              "distance"};

constexpr Property kArp[] = {
    {.name = "address", .type = Type::kIp4, .flags = P::kRequired, .help = "the neighbour"},
    {.name = "mac-address",
     .type = Type::kMac,
     .help = "its MAC address; may be left out of a published row"},
    {.name = "interface",
     .type = Type::kReference,
     .flags = P::kRequired,
     .reference = kEthernetLike,
     .help = "where it is"},
    {.name = "published",
     .type = Type::kBool,
     .default_value = "false",
     .help = "yes: the router answers for the address on the interface, if it has a route to it"},
    disabled(),
    comment(),
    read_only("status", Type::kString,
              "permanent, reachable, stale, delay, probe, incomplete, failed"),
    state_flag("dynamic", "learned"),
    state_flag("complete", "its MAC address is known"),
    state_flag("DHCP", "made by the DHCP server"),
    state_flag("invalid", "its interface cannot carry it"),
    read_only("vrf", Type::kString, "the routing table it belongs to"),
};
constexpr FlagLetter kArpLetters[] = {
    {'X', "disabled", "disabled"}, {'I', "invalid", "invalid"},     {'H', "DHCP", "dhcp"},
    {'D', "dynamic", "dynamic"},   {'P', "published", "published"}, {'C', "complete", "complete"}};
constexpr std::string_view kArpColumns[] = {"address", "mac-address", "interface", "status"};

constexpr std::string_view kFilters[] = {"loose", "no", "strict"};
constexpr std::string_view kHashPolicies[] = {"l3", "l4"};
constexpr std::string_view kLaterPolicies[] = {"l3-inner"};

constexpr std::string_view kTimestamps[] = {"disabled", "enabled", "random-offset"};

constexpr Property kSettings[] = {
    {.name = "ip-forward",
     .type = Type::kBool,
     .default_value = "true",
     .help = "no: the router routes nothing between its interfaces"},
    {.name = "arp-timeout",
     .type = Type::kTime,
     .default_value = "30s",
     .min = kSecond,
     .max = kLongestTime,
     .help = "how long a neighbour counts as reachable (0.5 to 1.5 times this)"},
    {.name = "icmp-rate-limit",
     .type = Type::kInteger,
     .default_value = "10",
     .max = kMaxUint32,
     .help = "milliseconds between two ICMP messages of the types of icmp-rate-mask to one target, "
             "at least; 0: no limit"},
    {.name = "icmp-rate-mask",
     .type = Type::kString,
     .default_value = "0x1818",
     .help =
         "the ICMP types that icmp-rate-limit is for, a bit each: bit 0 is echo reply, bit 3 "
         "destination unreachable (but for what path MTU discovery needs), bit 11 time exceeded",
     .convert = type_mask},
    {.name = "icmp-errors-use-inbound-interface-address",
     .type = Type::kBool,
     .default_value = "false",
     .help = "yes: ICMP errors come from the address of the interface the packet came in on"},
    {.name = "max-neighbor-entries",
     .type = Type::kInteger,
     .default_value = "16384",
     .min = 32,
     .max = 1048576,
     .help = "the most neighbours that are remembered"},
    {.name = "rp-filter",
     .type = Type::kEnum,
     .default_value = "no",
     .values = kFilters,
     .help = "drops packets whose source could not be answered: loose, there is no route to it; "
             "strict, the route to it leads elsewhere"},
    {.name = "send-redirects",
     .type = Type::kBool,
     .default_value = "true",
     .help = "tells a host of a gateway of its own network that is nearer"},
    {.name = "ipv4-multipath-hash-policy",
     .type = Type::kEnum,
     .default_value = "l3",
     .values = kHashPolicies,
     .help = "equal ways are chosen by addresses (l3), or by ports too (l4)",
     .not_working = kLaterPolicies,
     .not_working_reason = kLater},
    {.name = "allow-fast-path",
     .type = Type::kBool,
     .default_value = "true",
     .flags = P::kHidden,
     .help = "no: fasttrack-connection marks no connection, and those it marked meet the rules "
             "again; nothing else of a packet's way depends on it"},
    {.name = "route-cache",
     .type = Type::kBool,
     .default_value = "true",
     .flags = P::kHidden,
     .help = "no: as allow-fast-path=no, which RouterOS 6 could not do without one; there is no "
             "cache of routes here"},
    {.name = "accept-redirects",
     .type = Type::kBool,
     .default_value = "false",
     .flags = P::kHidden,
     .help = "yes: a gateway that leads to a destination may tell of a nearer one on the same "
             "network; the destination goes by that for five minutes (RFC 1122 3.2.2.2)"},
    {.name = "secure-redirects",
     .type = Type::kBool,
     .default_value = "true",
     .flags = P::kHidden,
     .help = "yes: with accept-redirects, only to what is a gateway of some route anyway"},
    {.name = "accept-source-route",
     .type = Type::kBool,
     .default_value = "false",
     .flags = P::kHidden,
     .help = "yes: packets may say by which routers they go (RFC 791); no: such are dropped"},
    {.name = "tcp-syncookies",
     .type = Type::kBool,
     .default_value = "false",
     .flags = P::kHidden,
     .help = "yes: what serves at the router's own addresses answers with SYN cookies when more "
             "connections are begun than it can keep (RFC 4987)"},
    {.name = "tcp-timestamps",
     .type = Type::kEnum,
     .default_value = "random-offset",
     .flags = P::kHidden,
     .values = kTimestamps,
     .help =
         "whether what serves at the router's own addresses has TCP timestamps (RFC 7323), and "
         "whether each connection's begin anywhere, so that they do not tell how long it is up"},
    {.name = "ipv4-fasttrack-active",
     .type = Type::kBool,
     .flags = P::kReadOnly | P::kHidden,
     .help = "whether a rule of filter or mangle may mark connections so"},
    hits("ipv4-fasttrack-packets", "packets that passed the rules by"),
    hits("ipv4-fasttrack-bytes", ""),
};

constexpr std::string_view kAddressKey[] = {"address"};
constexpr std::string_view kRouteKey[] = {"dst-address", "gateway", "distance", "routing-table"};
constexpr std::string_view kArpKey[] = {"interface", "address"};

constexpr Menu kMenus[] = {
    {"/ip/settings", Menu::Kind::kSettings, kSettings, {}, {}, {}, "IPv4 as a whole"},
    {"/ip/address",
     Menu::Kind::kList,
     kAddress,
     kAddressLetters,
     kAddressColumns,
     {},
     "the router's own addresses",
     {},
     {},
     Menu::kNone,
     {},
     Policy::kRead,
     Policy::kWrite,
     {},
     kAddressKey},
    {"/ip/route",
     Menu::Kind::kList,
     kRoute,
     kRouteLetters,
     kRouteColumns,
     {},
     "routes",
     {},
     {},
     Menu::kNone,
     {},
     Policy::kRead,
     Policy::kWrite,
     {},
     kRouteKey},
    {"/ip/arp",
     Menu::Kind::kList,
     kArp,
     kArpLetters,
     kArpColumns,
     {},
     "neighbours: static rows, and what was learned",
     {},
     {},
     Menu::kNone,
     {},
     Policy::kRead,
     Policy::kWrite,
     {},
     kArpKey},
};

}  // namespace

std::span<const Menu> ip_menus() {
  return kMenus;
}

}  // namespace maclane::model
