// The table of /ip/dhcp-client (behaviour.md C-15, C-16).
#include "control/model/schema_parts.h"

namespace maclane::model {
namespace {

using namespace parts;  // NOLINT: the tables are made of these parts
using P = Property;

constexpr std::string_view kDefaultRoute[] = {"yes", "no", "special-classless"};
constexpr std::string_view kDhcpOptions[] = {"hostname", "clientid", "clientid_duid"};
constexpr std::string_view kBroadcast[] = {"both", "always", "never"};
constexpr std::string_view kTables[] = {"default", "main"};
constexpr std::string_view kNone[] = {"none"};
constexpr std::string_view kChecks[] = {"arp", "ping", "bfd"};

constexpr Property kDhcpClient[] = {
    {.name = "interface",
     .type = Type::kReference,
     .flags = P::kRequired,
     .reference = kAnyInterface,
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
     .type = Type::kEnum,
     .default_value = "default",
     .flags = P::kHidden,
     .values = kTables,
     .help = "default is the table main, the only one of this version"},
    {.name = "use-peer-dns",
     .type = Type::kBool,
     .default_value = "true",
     .help = "yes: the server's name servers are the router's too"},
    {.name = "use-peer-ntp",
     .type = Type::kBool,
     .default_value = "true",
     .help = "yes: the server's time servers are the router's too"},
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
     .values = kNone,
     .not_working = kChecks,
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
    later("script"),
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

constexpr Menu kMenus[] = {
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
