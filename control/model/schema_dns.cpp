// The tables of /ip/dns (behaviour.md C5).
#include <fmt/format.h>

#include "control/model/doh_url.h"
#include "control/model/schema_parts.h"

namespace maclane::model {
namespace {

using namespace parts;  // NOLINT: the tables are made of these parts
using P = Property;

constexpr std::string_view kTypes[] = {"A",  "AAAA",     "CNAME", "FWD", "MX",
                                       "NS", "NXDOMAIN", "SRV",   "TXT"};
constexpr std::string_view kMain[] = {"main"};
constexpr std::string_view kDnsdists =
    "dnsdist, which speaks DNS over HTTPS here, opens as many connections as it needs; leave it "
    "out";
tl::expected<std::string, std::string> doh_url(std::string_view text) {
  if (text.empty() || parse_doh_url(text)) return std::string(text);
  return tl::make_unexpected(fmt::format(
      "input does not match any value of use-doh-server: \"{}\" is no https:// URL", text));
}

constexpr Property kDns[] = {
    {.name = "servers",
     .type = Type::kIp4,
     .flags = P::kList | P::kDistinct,
     .help = "name servers to ask, in this order, before those of DHCP and PPPoE"},
    read_only("dynamic-servers", Type::kString, "name servers of DHCP and PPPoE"),
    {.name = "allow-remote-requests",
     .type = Type::kBool,
     .default_value = "false",
     .help = "yes: answers others, not the router's own programs alone; mind the firewall"},
    {.name = "cache-size",
     .type = Type::kInteger,
     .default_value = "2048",
     .min = 64,
     .max = kMaxUint32,
     .help = "KiB of names that are remembered; some 4 names a KiB, at most 10000",
     .unit = "KiB"},
    {.name = "cache-max-ttl",
     .type = Type::kTime,
     .default_value = "1w",
     .min = kSecond,
     .max = kLongestTime,
     .help = "no name is remembered for longer"},
    {.name = "max-udp-packet-size",
     .type = Type::kInteger,
     .default_value = "4096",
     .flags = P::kHidden,
     .min = 512,
     .max = 65507,
     .help = "the largest answer by UDP"},
    {.name = "max-concurrent-queries",
     .type = Type::kInteger,
     .default_value = "100",
     .flags = P::kHidden,
     .min = 1,
     .max = 10000,
     .help = "questions that are under way at once"},
    {.name = "use-doh-server",
     .type = Type::kString,
     .max = 1024,
     .help =
         "a DNS over HTTPS server that is asked in place of all others, which are then asked for "
         "its own address alone: https://dns.example/dns-query",
     .convert = doh_url},
    {.name = "max-concurrent-tcp-sessions",
     .type = Type::kInteger,
     .default_value = "20",
     .flags = P::kHidden,
     .min = 1,
     .max = 1000,
     .help = "who may ask by TCP at once"},
    {.name = "query-server-timeout",
     .type = Type::kTime,
     .default_value = "2s",
     .flags = P::kHidden,
     .min = 50 * kMillisecond,
     .max = 60 * kSecond,
     .help =
         "how long a name server is waited for before it is asked again; if it says nothing for "
         "as long once more the others are asked"},
    {.name = "query-total-timeout",
     .type = Type::kTime,
     .default_value = "10s",
     .flags = P::kHidden,
     .min = kSecond,
     .max = 60 * kSecond,
     .help = "for how long it is asked again for one question"},
    {.name = "address-list-extra-time",
     .type = Type::kTime,
     .default_value = "0s",
     .flags = P::kHidden,
     .max = kLongestTime,
     .help = "how much longer than their answer counts addresses are in the address-list of a row "
             "of static"},
    later("mdns-repeat-ifaces"),
    {.name = "verify-doh-cert",
     .type = Type::kBool,
     .default_value = "false",
     .help = "yes: its certificate must be signed by one of the system's authorities or of "
             "/certificate"},
    {.name = "doh-timeout",
     .type = Type::kTime,
     .default_value = "5s",
     .flags = P::kHidden,
     .min = kSecond,
     .max = 60 * kSecond,
     .help = "how long it is waited for"},
    {.name = "doh-max-server-connections",
     .type = Type::kInteger,
     .default_value = "5",
     .flags = P::kNotYet | P::kHidden,
     .not_working_reason = kDnsdists},
    {.name = "doh-max-concurrent-queries",
     .type = Type::kInteger,
     .default_value = "50",
     .flags = P::kNotYet | P::kHidden,
     .not_working_reason = kDnsdists},
    {.name = "vrf",
     .type = Type::kEnum,
     .default_value = "main",
     .flags = P::kHidden,
     .values = kMain,
     .help = "main is the only table in this version"},
    {.name = "cache-used",
     .type = Type::kInteger,
     .flags = P::kReadOnly | P::kCounter,
     .help = "KiB of cache-size that are in use",
     .unit = "KiB"},
    {.name = "status",
     .type = Type::kString,
     .flags = P::kReadOnly | P::kOurs,
     .help = "running, stopped (nothing for it to do) or starting again, and whether it knows no "
             "server "
             "to ask"},
};
constexpr Command kCacheCommands[] = {
    {.name = "flush", .help = "forgets the names of the cache"},
};

constexpr Property kStatic[] = {
    {.name = "name", .type = Type::kString, .max = 253, .help = "the name that is answered"},
    {.name = "regexp",
     .type = Type::kString,
     .max = 255,
     .help = "in place of name: every name that this extended regular expression is found in, "
             "before all rows with a name"},
    {.name = "type",
     .type = Type::kEnum,
     .default_value = "A",
     .values = kTypes,
     .help = "what is answered; FWD: asks forward-to; NXDOMAIN: that there is no such name"},
    {.name = "address", .type = Type::kString, .max = 64, .help = "of A and AAAA"},
    {.name = "cname", .type = Type::kString, .max = 253, .help = "the name it is another of"},
    {.name = "forward-to",
     .type = Type::kString,
     .max = 64,
     .help = "the name server to ask: an address, or a name"},
    {.name = "mx-exchange", .type = Type::kString, .max = 253, .help = "who takes its mail"},
    {.name = "mx-preference",
     .type = Type::kInteger,
     .default_value = "10",
     .flags = P::kHidden,
     .max = 65535,
     .help = "of several the lowest goes first"},
    {.name = "ns", .type = Type::kString, .max = 253, .help = "its name server"},
    {.name = "srv-target", .type = Type::kString, .max = 253, .help = "who serves"},
    {.name = "srv-port",
     .type = Type::kInteger,
     .default_value = "0",
     .flags = P::kHidden,
     .max = 65535,
     .help = "at which port"},
    {.name = "srv-priority",
     .type = Type::kInteger,
     .default_value = "0",
     .flags = P::kHidden,
     .max = 65535,
     .help = "of several the lowest goes first"},
    {.name = "srv-weight",
     .type = Type::kInteger,
     .default_value = "0",
     .flags = P::kHidden,
     .max = 65535,
     .help = "how often one of those of equal priority is taken"},
    {.name = "text", .type = Type::kString, .max = 1024, .help = "of TXT"},
    {.name = "ttl",
     .type = Type::kTime,
     .default_value = "1d",
     .min = kSecond,
     .max = kLongestTime,
     .help = "how long others may remember the answer"},
    {.name = "match-subdomain",
     .type = Type::kBool,
     .default_value = "false",
     .flags = P::kHidden,
     .help = "yes: for the names below it too"},
    {.name = "address-list",
     .type = Type::kString,
     .flags = P::kHidden,
     .max = 63,
     .help =
         "the list of /ip/firewall/address-list that addresses of such names are in for as long "
         "as an answer counts, from when somebody asks"},
    disabled(),
    comment(),
    state_flag("dynamic", "made by the router itself"),
};
constexpr FlagLetter kStaticLetters[] = {{'X', "disabled", "disabled"},
                                         {'D', "dynamic", "dynamic"}};
constexpr std::string_view kStaticColumns[] = {"name",       "regexp",     "type",        "address",
                                               "cname",      "forward-to", "mx-exchange", "ns",
                                               "srv-target", "text",       "ttl"};
constexpr std::string_view kStaticKey[] = {"name", "regexp", "type", "address"};

constexpr Property kCache[] = {
    read_only("name", Type::kString, "the name"),
    read_only("type", Type::kString, "A, AAAA, CNAME, SRV ..."),
    read_only("data", Type::kString, "the answer"),
    {.name = "ttl",
     .type = Type::kTime,
     .flags = P::kReadOnly | P::kCounter,
     .help = "how long it is remembered"},
    state_flag("static", "of /ip/dns/static"),
    state_flag("negative", "there is no such name"),
};
constexpr FlagLetter kCacheLetters[] = {{'S', "static", "static"}, {'N', "negative", "negative"}};
constexpr std::string_view kCacheColumns[] = {"name", "type", "data", "ttl"};

constexpr Menu kMenus[] = {
    {"/ip/dns", Menu::Kind::kSettings, kDns, {}, {}, {}, "names: a cache, and who is asked"},
    {"/ip/dns/static",
     Menu::Kind::kList,
     kStatic,
     kStaticLetters,
     kStaticColumns,
     {},
     "names that the router answers itself",
     {},
     {},
     Menu::kNone,
     "static dns entry",
     Policy::kRead,
     Policy::kWrite,
     {},
     kStaticKey},
    {"/ip/dns/cache",
     Menu::Kind::kState,
     kCache,
     kCacheLetters,
     kCacheColumns,
     {},
     "names that are remembered",
     kCacheCommands},
    {"/ip/dns/cache/all",
     Menu::Kind::kState,
     kCache,
     kCacheLetters,
     kCacheColumns,
     {},
     "these, and the names there are none of"},
};

}  // namespace

std::span<const Menu> dns_menus() {
  return kMenus;
}

}  // namespace maclane::model
