// The tables of /ip/dhcp-server, its networks and leases (behaviour.md C2, C-2..C-14).
#include "control/model/schema_dhcp_values.h"
#include "control/model/schema_parts.h"

namespace maclane::model {
namespace {

using namespace parts;  // NOLINT: the tables are made of these parts
using P = Property;

constexpr std::string_view kPools[] = {"/ip/pool"};
constexpr std::string_view kServers[] = {"/ip/dhcp-server"};
constexpr std::string_view kOptions[] = {"/ip/dhcp-server/option"};
constexpr std::string_view kSets[] = {"/ip/dhcp-server/option/sets"};
constexpr std::string_view kNone[] = {"none"};
constexpr std::string_view kAll[] = {"all"};
constexpr std::string_view kStaticOnly[] = {"static-only"};
constexpr std::string_view kAuthoritative[] = {"yes", "no", "after-2sec-delay",
                                               "after-10sec-delay"};
constexpr std::string_view kIdentifiers[] = {"client-mac", "client-id"};
constexpr std::string_view kRadius[] = {"yes", "no", "accounting"};
constexpr std::string_view kLaterRadius[] = {"yes", "accounting"};
constexpr std::string_view kOfRadius =
    "it is about what RADIUS servers say, which this version of Maclane does not ask yet; leave it "
    "out";
constexpr std::string_view kBootp[] = {"none", "static", "dynamic"};

constexpr Property option_list(std::string_view help) {
  return {.name = "dhcp-option",
          .type = Type::kReference,
          .flags = P::kList | P::kHidden,
          .reference = kOptions,
          .help = help};
}
constexpr Property option_set(std::string_view help) {
  return {.name = "dhcp-option-set",
          .type = Type::kReference,
          .default_value = "none",
          .flags = P::kHidden,
          .values = kNone,
          .reference = kSets,
          .help = help};
}
constexpr Property addresses(std::string_view name, std::string_view help) {
  return {.name = name, .type = Type::kIp4, .flags = P::kList, .help = help};
}
constexpr Property address_lists(std::string_view help) {
  return {.name = "address-lists",
          .type = Type::kString,
          .flags = P::kList | P::kDistinct | P::kHidden,
          .max = 63,
          .help = help};
}
constexpr Property no_yet(std::string_view name) {
  return {.name = name,
          .type = Type::kBool,
          .default_value = "false",
          .flags = P::kHidden,
          .not_working = kYes,
          .not_working_reason = kLater};
}

constexpr Property kServer[] = {
    {.name = "name",
     .type = Type::kString,
     .flags = P::kRequired | P::kName,
     .max = 63,
     .help = "unset: dhcp1, dhcp2 ..."},
    {.name = "interface",
     .type = Type::kReference,
     .flags = P::kRequired,
     .reference = kEthernetLike,
     .help = "where its clients are"},
    {.name = "address-pool",
     .type = Type::kReference,
     .default_value = "static-only",
     .values = kStaticOnly,
     .reference = kPools,
     .help = "what clients without a row in lease get; static-only: nothing"},
    {.name = "lease-time",
     .type = Type::kTime,
     .default_value = "30m",
     .min = kSecond,
     .max = kLongestTime,
     .help = "how long an address is a client's; it asks again after half of it"},
    {.name = "authoritative",
     .type = Type::kEnum,
     .default_value = "yes",
     .flags = P::kHidden,
     .values = kAuthoritative,
     .help = "whether clients that ask for an address of elsewhere are told so at once, never, or "
             "when they have asked for 2 or 10 seconds"},
    {.name = "delay-threshold",
     .type = Type::kString,
     .default_value = "none",
     .flags = P::kHidden,
     .max = 32,
     .help = "clients that have asked for less time are not heard: another server goes first",
     .convert = time_or_none},
    {.name = "conflict-detection",
     .type = Type::kBool,
     .default_value = "true",
     .flags = P::kHidden,
     .help = "yes: asks by ARP whether a pool address is in use before it is offered"},
    {.name = "add-arp",
     .type = Type::kBool,
     .default_value = "false",
     .flags = P::kHidden,
     .help = "yes: each lease has a row in /ip/arp; with arp=reply-only only leased clients are "
             "reached"},
    {.name = "always-broadcast",
     .type = Type::kBool,
     .default_value = "false",
     .flags = P::kHidden,
     .help = "yes: answers clients without an address by broadcast, whatever they ask for"},
    {.name = "dynamic-lease-identifiers",
     .type = Type::kEnum,
     .default_value = "client-mac,client-id",
     .flags = P::kList | P::kDistinct | P::kHidden,
     .values = kIdentifiers,
     .help = "what tells clients apart; without client-id the MAC address alone"},
    {.name = "relay",
     .type = Type::kIp4,
     .default_value = "0.0.0.0",
     .flags = P::kHidden,
     .help = "0.0.0.0: clients on the interface; else those that this relay speaks for; "
             "255.255.255.255: any relay"},
    option_list("options of all its clients"),
    option_set("a set of such options"),
    {.name = "bootp-support",
     .type = Type::kEnum,
     .default_value = "static",
     .flags = P::kHidden,
     .values = kBootp,
     .help = "BOOTP clients that are answered: none, those with a row in lease, or all"},
    {.name = "bootp-lease-time",
     .type = Type::kString,
     .default_value = "forever",
     .flags = P::kHidden,
     .max = 32,
     .help = "how long they have their address: forever, lease-time (that of the server) or a time",
     .convert = bootp_time},
    {.name = "add-dns-entries",
     .type = Type::kBool,
     .default_value = "false",
     .flags = P::kHidden,
     .help = "yes: the router's DNS knows clients by what they call themselves"},
    {.name = "add-dns-entries-suffix",
     .type = Type::kString,
     .default_value = "lan",
     .flags = P::kHidden,
     .max = 189,
     .help = "what stands after such a name; clients of networks without a domain are told it as "
             "theirs",
     .convert = dns_suffix},
    no_yet("use-reconfigure"),
    no_yet("support-broadband-tr101"),
    {.name = "use-radius",
     .type = Type::kEnum,
     .default_value = "no",
     .flags = P::kHidden,
     .values = kRadius,
     .help = "whether a RADIUS server says who gets what: no",
     .not_working = kLaterRadius,
     .not_working_reason = kLater},
    {.name = "server-address",
     .type = Type::kIp4,
     .default_value = "0.0.0.0",
     .flags = P::kHidden,
     .help = "what clients know the server by: an address of its interface; 0.0.0.0: the first"},
    {.name = "client-mac-limit",
     .type = Type::kString,
     .default_value = "unlimited",
     .flags = P::kHidden,
     .max = 10,
     .help = "leases that one MAC address may have, with other client-ids: a number, or unlimited",
     .convert = number_or_unlimited},
    event_script("lease-script",
                 "a script, or the name of one, that is run when a lease begins and when it ends, "
                 "with the variables leaseBound (1 or 0), leaseServerName, leaseActMAC, "
                 "leaseActIP, lease-hostname, lease-options, lease-agent-circuit-id and "
                 "lease-agent-remote-id"),
    address_lists("lists of /ip/firewall/address-list that its clients' addresses are in"),
    later("insert-queue-before", "first"),
    later("parent-queue", "none"),
    later("use-framed-as-classless", "true", kOfRadius, Type::kBool),
    later("allow-dual-stack-queue", "true", kLater, Type::kBool),
    disabled(),
    comment(),
    state_flag("dynamic", "made by the router itself"),
    state_flag("invalid", "its interface is down, or has no address, or not its server-address"),
};
constexpr FlagLetter kServerLetters[] = {
    {'X', "disabled", "disabled"}, {'I', "invalid", "invalid"}, {'D', "dynamic", "dynamic"}};
constexpr std::string_view kServerColumns[] = {"name", "interface", "address-pool", "lease-time"};

constexpr Property kNetwork[] = {
    {.name = "address",
     .type = Type::kIp4Prefix,
     .flags = P::kRequired | P::kNetwork,
     .help = "the network whose clients are told this; of several the longest"},
    addresses("gateway", "their default gateway"),
    {.name = "netmask",
     .type = Type::kInteger,
     .default_value = "0",
     .flags = P::kHidden,
     .max = 32,
     .help = "the length they are told; 0: that of address"},
    addresses("dns-server", "their name servers; unset: those of the router"),
    {.name = "dns-none",
     .type = Type::kBool,
     .default_value = "false",
     .flags = P::kHidden,
     .help = "yes: no name servers where none are set"},
    addresses("wins-server", "their WINS servers"),
    addresses("ntp-server", "their time servers; unset: those the router's DHCP clients were told"),
    {.name = "ntp-none",
     .type = Type::kBool,
     .default_value = "false",
     .flags = P::kHidden,
     .help = "yes: no time servers where none are set"},
    addresses("caps-manager", "wireless controllers (option 138)"),
    {.name = "domain", .type = Type::kString, .max = 253, .help = "their domain"},
    {.name = "next-server",
     .type = Type::kIp4,
     .flags = P::kHidden,
     .help = "where they boot from"},
    {.name = "boot-file-name",
     .type = Type::kString,
     .flags = P::kHidden,
     .max = 127,
     .help = "what they boot"},
    option_list("options of its clients"),
    option_set("a set of such options"),
    comment(),
    state_flag("dynamic", "made by the router itself"),
};
constexpr FlagLetter kNetworkLetters[] = {{'D', "dynamic", "dynamic"}};
constexpr std::string_view kNetworkColumns[] = {"address", "gateway", "dns-server", "domain"};
constexpr std::string_view kNetworkKey[] = {"address"};

constexpr Property kLease[] = {
    {.name = "address",
     .type = Type::kIp4,
     .flags = P::kRequired,
     .help = "the client's address; it need not be of the pool"},
    {.name = "mac-address", .type = Type::kMac, .help = "the client's MAC address"},
    {.name = "client-id",
     .type = Type::kString,
     .max = 800,
     .help = "what the client calls itself, before its MAC address: 1:aa:bb:cc:dd:ee:ff",
     .convert = client_id_text},
    {.name = "server",
     .type = Type::kReference,
     .default_value = "all",
     .values = kAll,
     .reference = kServers,
     .help = "the server that gives it"},
    {.name = "lease-time",
     .type = Type::kTime,
     .default_value = "0s",
     .flags = P::kHidden,
     .max = kLongestTime,
     .help = "0: that of the server"},
    {.name = "block-access",
     .type = Type::kBool,
     .default_value = "false",
     .flags = P::kHidden,
     .help = "yes: the client is not answered"},
    {.name = "always-broadcast",
     .type = Type::kBool,
     .default_value = "false",
     .flags = P::kHidden,
     .help = "yes: it is answered by broadcast"},
    option_list("options of this client"),
    option_set("a set of such options"),
    no_yet("use-src-mac"),
    address_lists("lists of /ip/firewall/address-list that its address is in while it is bound, "
                  "beside those of the server"),
    later("rate-limit"),
    later("insert-queue-before", "first"),
    later("parent-queue", "none"),
    later("allow-dual-stack-queue", "true", kLater, Type::kBool),
    disabled(),
    comment(),
    read_only("status", Type::kString,
              "waiting: for the client; testing, offered, bound, declined, conflict"),
    {.name = "expires-after",
     .type = Type::kTime,
     .flags = P::kReadOnly | P::kCounter,
     .help = "what is left of the lease"},
    {.name = "last-seen",
     .type = Type::kString,
     .flags = P::kReadOnly | P::kCounter,
     .help = "how long ago the client was heard"},
    {.name = "age",
     .type = Type::kTime,
     .flags = P::kReadOnly | P::kCounter,
     .help = "how long ago the lease began"},
    read_only("active-address", Type::kIp4, "the address it has"),
    read_only("active-mac-address", Type::kMac, "who has it"),
    read_only("active-client-id", Type::kString, "what that one calls itself"),
    read_only("active-server", Type::kString, "who gave it"),
    read_only("src-mac-address", Type::kMac, "who its last message came from: it, or a relay"),
    read_only("host-name", Type::kString, "the client's own name"),
    read_only("class-id", Type::kString, "what kind of client it says it is (option 60)"),
    state_flag("radius", "given by RADIUS"),
    state_flag("dynamic", "of a pool"),
    state_flag("blocked", "not answered"),
};
constexpr FlagLetter kLeaseLetters[] = {{'X', "disabled", "disabled"},
                                        {'R', "radius", "radius"},
                                        {'D', "dynamic", "dynamic"},
                                        {'B', "blocked", "blocked"}};
constexpr std::string_view kLeaseColumns[] = {"address", "mac-address", "host-name",
                                              "server",  "status",      "last-seen"};
constexpr std::string_view kLeaseKey[] = {"address", "server"};
constexpr Property kLeaseRows[] = {numbers("which leases: *IDs or numbers, with commas")};
constexpr Command kLeaseCommands[] = {
    {.name = "make-static",
     .help = "the client of a dynamic lease has its address for good",
     .arguments = kLeaseRows,
     .positional = "numbers",
     .flags = Command::kRows},
    {.name = "check-status",
     .help = "an address that was in use by somebody else may be given again",
     .arguments = kLeaseRows,
     .positional = "numbers",
     .flags = Command::kRows},
};

constexpr Property kConfig[] = {
    {.name = "store-leases-disk",
     .type = Type::kString,
     .default_value = "5m",
     .max = 32,
     .help = "how often the file of the leases is written anew; what changes meanwhile is added to "
             "it at once; immediately: added and flushed to the disk; never: no file",
     .convert = when_stored},
    later("accounting", "true", kOfRadius, Type::kBool),
    later("interim-update", "0s", kOfRadius, Type::kTime),
    later("radius-password", "empty", kOfRadius),
};

constexpr Menu kMenus[] = {
    {"/ip/dhcp-server/config", Menu::Kind::kSettings, kConfig, {}, {}, {}, "all DHCP servers"},
    {"/ip/dhcp-server",
     Menu::Kind::kList,
     kServer,
     kServerLetters,
     kServerColumns,
     {},
     "DHCP servers",
     {},
     {},
     Menu::kNone,
     "dhcp server"},
    {"/ip/dhcp-server/network",
     Menu::Kind::kList,
     kNetwork,
     kNetworkLetters,
     kNetworkColumns,
     {},
     "what clients are told of their network",
     {},
     {},
     Menu::kNone,
     "dhcp network",
     Policy::kRead,
     Policy::kWrite,
     {},
     kNetworkKey},
    {"/ip/dhcp-server/lease",
     Menu::Kind::kList,
     kLease,
     kLeaseLetters,
     kLeaseColumns,
     {},
     "who has which address: rows of one's own, and those of the pools",
     kLeaseCommands,
     {},
     Menu::kNone,
     "lease",
     Policy::kRead,
     Policy::kWrite,
     {},
     kLeaseKey},
};

}  // namespace

std::span<const Menu> dhcp_menus() {
  return kMenus;
}

}  // namespace maclane::model
