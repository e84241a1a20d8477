// The tables of /ip/dhcp-client and /interface/pppoe-client (behaviour.md C-15, C-16, C-21, C-22).
#include "control/model/schema_parts.h"

namespace maclane::model {
namespace {

using namespace parts;  // NOLINT: the tables are made of these parts
using P = Property;

constexpr std::string_view kDefaultRoute[] = {"yes", "no", "special-classless"};
constexpr std::string_view kDhcpOptions[] = {"hostname", "clientid", "clientid_duid"};
constexpr std::string_view kBroadcast[] = {"both", "always", "never"};
constexpr std::string_view kTables[] = {"default", "main"};
constexpr std::string_view kChecks[] = {"none", "arp", "ping"};
constexpr std::string_view kLaterChecks[] = {"bfd"};

constexpr Property kDhcpClient[] = {
    {.name = "interface",
     .type = Type::kReference,
     .flags = P::kRequired,
     .reference = kEthernetLike,
     .help = "the interface that gets the address; each has one client and its own MAC address"},
    {.name = "add-default-route",
     .type = Type::kEnum,
     .default_value = "yes",
     .values = kDefaultRoute,
     .help = "yes: the server's gateway, or its classless routes where it gives some; "
             "special-classless: both; no: neither"},
    {.name = "default-route-distance",
     .type = Type::kInteger,
     .default_value = "1",
     .min = 1,
     .max = 255,
     .help = "distance of those routes: of several uplinks the lowest is used"},
    {.name = "default-route-tables",
     .type = Type::kReference,
     .default_value = "default",
     .flags = P::kList | P::kHidden,
     .values = kTables,
     .reference = kRoutingTables,
     .help = "the tables of /routing/table that get those routes; default is the table main"},
    {.name = "use-peer-dns",
     .type = Type::kBool,
     .default_value = "true",
     .help = "yes: the server's name servers are the router's too"},
    {.name = "use-peer-ntp",
     .type = Type::kBool,
     .default_value = "true",
     .help =
         "yes: our own DHCP clients are told the server's time servers where their network names "
         "none; the clock itself is the host's"},
    {.name = "use-broadcast",
     .type = Type::kEnum,
     .default_value = "both",
     .flags = P::kHidden,
     .values = kBroadcast,
     .help = "whether replies are asked for as broadcasts: both: in the first 15 seconds"},
    {.name = "dhcp-options",
     .type = Type::kEnum,
     .default_value = "hostname,clientid",
     .flags = P::kList | P::kDistinct | P::kHidden,
     .values = kDhcpOptions,
     .help = "what the server is told: hostname: the router's name; clientid: the MAC address; "
             "clientid_duid: an identity as of RFC 4361 in its place"},
    {.name = "check-gateway",
     .type = Type::kEnum,
     .default_value = "none",
     .flags = P::kHidden,
     .values = kChecks,
     .help = "asks the gateway of the default route every ten seconds; after two questions without "
             "an answer the route is not used until it answers",
     .not_working = kLaterChecks,
     .not_working_reason = kLater},
    {.name = "dscp",
     .type = Type::kInteger,
     .default_value = "0",
     .flags = P::kHidden,
     .max = 63,
     .help = "of the packets to the server"},
    {.name = "vlan-priority",
     .type = Type::kInteger,
     .default_value = "0",
     .flags = P::kHidden,
     .max = 7,
     .help = "of the VLAN tags of the packets to the server"},
    {.name = "allow-reconfigure",
     .type = Type::kBool,
     .default_value = "false",
     .flags = P::kHidden,
     .not_working = kYes,
     .not_working_reason = kLater},
    event_script("script",
                 "a script, or the name of one, that is run when an address was got, changed or "
                 "lost, with the variables bound (1 or 0), server-address, lease-address, "
                 "interface, gateway-address, vendor-specific and lease-options"),
    disabled(),
    comment(),
    {.name = "status",
     .type = Type::kString,
     .default_value = "stopped",
     .flags = P::kReadOnly,
     .help = "stopped, searching..., requesting..., bound, renewing..., rebinding..."},
    read_only("address", Type::kString, "what it got"),
    read_only("gateway", Type::kString, "the server's gateway"),
    read_only("dhcp-server", Type::kString, "who gave it"),
    read_only("netmask", Type::kString, "of the address"),
    read_only("primary-dns", Type::kString, "name server"),
    read_only("secondary-dns", Type::kString, "name server"),
    read_only("primary-ntp", Type::kString, "time server"),
    read_only("secondary-ntp", Type::kString, "time server"),
    read_only("caps-managers", Type::kString, "what the server says of wireless controllers"),
    {.name = "expires-after",
     .type = Type::kTime,
     .flags = P::kReadOnly | P::kCounter,
     .help = "what is left of the lease"},
    state_flag("dynamic", "made by the router itself"),
    state_flag("invalid", "its interface cannot carry it"),
};
constexpr FlagLetter kDhcpClientLetters[] = {
    {'X', "disabled", "disabled"}, {'I', "invalid", "invalid"}, {'D', "dynamic", "dynamic"}};
constexpr std::string_view kDhcpClientColumns[] = {"interface", "use-peer-dns", "add-default-route",
                                                   "status", "address"};
constexpr std::string_view kDhcpClientKey[] = {"interface"};

constexpr Property kRowsOnly[] = {numbers("which clients: *IDs or numbers, with commas")};
constexpr Command kDhcpClientCommands[] = {
    {.name = "renew",
     .help = "asks the server to go on with the lease now, or for a new one where there is none",
     .arguments = kRowsOnly,
     .positional = "numbers",
     .flags = Command::kRows},
    {.name = "release",
     .help = "gives the address back and begins again",
     .arguments = kRowsOnly,
     .positional = "numbers",
     .flags = Command::kRows},
};

constexpr std::string_view kAllow[] = {"pap", "chap", "mschap1", "mschap2"};
constexpr std::string_view kProfiles[] = {"default", "default-encryption"};
constexpr std::string_view kDisabled[] = {"disabled"};

constexpr Property kPppoeClient[] = {
    interface_name("unique over all interfaces; unset: pppoe-out1, pppoe-out2 ..."),
    {.name = "interface",
     .type = Type::kReference,
     .flags = P::kRequired,
     .reference = kEthernetLike,
     .help = "what it stands on: ethernet, vlan or macvlan"},
    {.name = "user", .type = Type::kString, .max = 255, .help = "the account's name"},
    {.name = "password",
     .type = Type::kString,
     .flags = P::kSecret,
     .max = 255,
     .help = "the account's password"},
    {.name = "profile",
     .type = Type::kEnum,
     .default_value = "default",
     .flags = P::kHidden,
     .values = kProfiles,
     .help = "default and default-encryption do the same here: MPPE is not negotiated"},
    {.name = "service-name",
     .type = Type::kString,
     .max = 255,
     .help = "the service that is asked for; unset: any"},
    {.name = "ac-name",
     .type = Type::kString,
     .max = 255,
     .help = "the access concentrator that is taken; unset: any"},
    {.name = "host-uniq",
     .type = Type::kString,
     .flags = P::kHidden,
     .max = 128,
     .help = "hexadecimal; unset: a new one for each session"},
    {.name = "add-default-route",
     .type = Type::kBool,
     .default_value = "false",
     .help = "yes: a default route through the session"},
    {.name = "default-route-distance",
     .type = Type::kInteger,
     .default_value = "1",
     .min = 1,
     .max = 255,
     .help = "distance of that route: of several uplinks the lowest is used"},
    {.name = "use-peer-dns",
     .type = Type::kBool,
     .default_value = "false",
     .help = "yes: the peer's name servers are the router's too"},
    {.name = "allow",
     .type = Type::kEnum,
     .default_value = "pap,chap,mschap1,mschap2",
     .flags = P::kList | P::kDistinct,
     .values = kAllow,
     .help = "how it may prove its password; the best of what the peer offers is taken"},
    {.name = "max-mtu",
     .type = Type::kString,
     .default_value = "auto",
     .max = 5,
     .help = "the largest packet sent: auto: 1492, or 1480 where no more comes through; above 1492 "
             "the peer must agree (RFC 4638) and the interface below have 8 more"},
    {.name = "max-mru",
     .type = Type::kString,
     .default_value = "auto",
     .max = 5,
     .help = "the largest packet received: auto: 1492"},
    {.name = "mrru",
     .type = Type::kEnum,
     .default_value = "disabled",
     .flags = P::kHidden,
     .values = kDisabled,
     .help = "multilink is not carried out: disabled"},
    {.name = "keepalive-timeout",
     .type = Type::kString,
     .default_value = "10",
     .max = 10,
     .help = "seconds of silence after which the peer is asked whether it is there; after as many "
             "more the session is dialled anew; disabled: never"},
    {.name = "dial-on-demand",
     .type = Type::kBool,
     .default_value = "false",
     .flags = P::kHidden,
     .help = "yes: dials when there is something to send; until then it has an address of "
             "10.112.112.0/24"},
    disabled(),
    comment(),
    state_flag("running", "connected"),
    state_flag("invalid", "its interface cannot carry it"),
    read_only("status", Type::kString,
              "disconnected, dialing..., negotiating..., verifying password..., connected"),
    read_only("last-error", Type::kString, "why it was not connected the last time"),
    read_only("actual-mtu", Type::kInteger, "in effect"),
    counter("rx-byte"),
    counter("tx-byte"),
    counter("rx-packet"),
    counter("tx-packet"),
    counter("rx-drop"),
    counter("tx-drop"),
};
constexpr FlagLetter kPppoeClientLetters[] = {
    {'X', "disabled", "disabled"}, {'I', "invalid", "invalid"}, {'R', "running", "running"}};
constexpr std::string_view kPppoeClientColumns[] = {"name", "interface", "user", "status"};
constexpr std::string_view kPppoeCounters[] = {"name",      "rx-byte", "tx-byte", "rx-packet",
                                               "tx-packet", "rx-drop", "tx-drop"};

constexpr Property kMonitor[] = {
    numbers("which clients: names, *IDs or numbers, with commas"),
    flag("once", "once, and not again and again"),
    {.name = "interval",
     .type = Type::kTime,
     .default_value = "1s",
     .min = 10 * kMillisecond,
     .max = kLongestTime,
     .help = "again so often"},
};
constexpr Property kScan[] = {
    {.name = "interface",
     .type = Type::kReference,
     .flags = P::kRequired,
     .reference = kEthernetLike,
     .help = "where concentrators are looked for"},
    {.name = "duration",
     .type = Type::kTime,
     .min = kSecond,
     .max = kLongestTime,
     .help = "how long; unset: until it is stopped"},
};
constexpr Command kPppoeCommands[] = {
    {.name = "monitor",
     .help = "the state of sessions, until it is stopped",
     .arguments = kMonitor,
     .positional = "numbers",
     .policy = Policy::kRead,
     .flags = Command::kRows | Command::kStreams},
    {.name = "scan",
     .help = "the access concentrators behind an interface and their services",
     .arguments = kScan,
     .positional = "interface",
     .policy = Policy::kTest,
     .flags = Command::kStreams},
};

constexpr Menu kMenus[] = {
    {"/interface/pppoe-client", Menu::Kind::kList, kPppoeClient, kPppoeClientLetters,
     kPppoeClientColumns, kPppoeCounters, "PPPoE sessions, each an interface", kPppoeCommands},
    {"/ip/dhcp-client",
     Menu::Kind::kList,
     kDhcpClient,
     kDhcpClientLetters,
     kDhcpClientColumns,
     {},
     "addresses from DHCP servers, one client an interface",
     kDhcpClientCommands,
     {},
     Menu::kNone,
     "dhcp client",
     Policy::kRead,
     Policy::kWrite,
     {},
     kDhcpClientKey},
};

}  // namespace

std::span<const Menu> client_menus() {
  return kMenus;
}

}  // namespace maclane::model
