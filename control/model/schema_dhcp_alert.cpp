// The table of /ip/dhcp-server/alert (behaviour.md C-13).
#include "control/model/schema_dhcp_values.h"
#include "control/model/schema_parts.h"

namespace maclane::model {
namespace {

using namespace parts;  // NOLINT: the tables are made of these parts
using P = Property;

constexpr Property kAlert[] = {
    {.name = "interface",
     .type = Type::kReference,
     .flags = P::kRequired,
     .reference = kEthernetLike,
     .help = "where it is looked for DHCP servers"},
    {.name = "valid-server",
     .type = Type::kMac,
     .flags = P::kList | P::kDistinct,
     .help = "MAC addresses of servers that may be there; the router's own need not be said"},
    {.name = "alert-timeout",
     .type = Type::kString,
     .default_value = "1h",
     .max = 32,
     .help = "how long an alert stands: a server that is heard after that is another; none: for "
             "ever",
     .convert = alert_timeout},
    event_script("on-alert",
                 "a script, or the name of one, that is run when an unknown server is discovered"),
    {.name = "disabled",
     .type = Type::kBool,
     .default_value = "true",
     .help = "an alert has no effect until this is no"},
    comment(),
    read_only("unknown-server", Type::kString, "MAC addresses of the servers it is about"),
    state_flag("invalid", "its interface is down"),
};
constexpr FlagLetter kAlertLetters[] = {{'X', "disabled", "disabled"}, {'I', "invalid", "invalid"}};
constexpr std::string_view kAlertColumns[] = {"interface", "valid-server", "unknown-server",
                                              "alert-timeout"};
constexpr std::string_view kAlertKey[] = {"interface"};
constexpr Property kAlertRows[] = {numbers("which alerts: *IDs or numbers, with commas")};
constexpr Command kAlertCommands[] = {
    {.name = "reset-alert",
     .help = "forgets the unknown servers: the next word of one is an alert again",
     .arguments = kAlertRows,
     .positional = "numbers",
     .flags = Command::kRows},
};

constexpr Menu kMenus[] = {
    {"/ip/dhcp-server/alert",
     Menu::Kind::kList,
     kAlert,
     kAlertLetters,
     kAlertColumns,
     {},
     "interfaces on which DHCP servers that nobody knows are told of",
     kAlertCommands,
     {},
     Menu::kNone,
     "dhcp alert",
     Policy::kRead,
     Policy::kWrite,
     {},
     kAlertKey},
};

}  // namespace

std::span<const Menu> dhcp_alert_menus() {
  return kMenus;
}

}  // namespace maclane::model
