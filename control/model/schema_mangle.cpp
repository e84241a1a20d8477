// The tables of /ip/firewall/mangle and /ip/firewall/raw (behaviour.md B-1, B-5).
#include "control/model/schema_rules.h"

namespace maclane::model {
namespace {

using namespace parts;  // NOLINT: the tables are made of these parts

constexpr std::string_view kMangleActions[] = {"accept",
                                               "jump",
                                               "return",
                                               "log",
                                               "passthrough",
                                               "mark-connection",
                                               "mark-packet",
                                               "mark-routing",
                                               "change-mss",
                                               "change-ttl",
                                               "change-dscp",
                                               "clear-df",
                                               "set-priority",
                                               "strip-ipv4-options",
                                               "fasttrack-connection",
                                               "add-src-to-address-list",
                                               "add-dst-to-address-list"};
constexpr std::string_view kLaterMangleActions[] = {"route", "sniff-pc", "sniff-tzsp"};
constexpr std::string_view kRawActions[] = {"accept",
                                            "drop",
                                            "notrack",
                                            "jump",
                                            "return",
                                            "log",
                                            "passthrough",
                                            "add-src-to-address-list",
                                            "add-dst-to-address-list"};

constexpr Property new_value(std::string_view name, std::string_view help,
                             Converted (*convert)(std::string_view) = nullptr) {
  return {.name = name, .type = Type::kString, .max = 63, .help = help, .convert = convert};
}

constexpr Property kMangle[] = {
    chain("prerouting, input, forward, output, postrouting, or a chain of your own"),
    action(kMangleActions, kLaterMangleActions),
    MACLANE_SHARED_MATCHERS,
    connection_state(),
    connection_nat_state(),
    MACLANE_PACKET_MATCHERS,
    MACLANE_CONNECTION_MATCHERS,
    new_value("new-connection-mark", "with mark-connection: the connection's mark, or no-mark"),
    new_value("new-packet-mark", "with mark-packet: the packet's mark, or no-mark"),
    {.name = "new-routing-mark",
     .type = Type::kReference,
     .flags = Property::kMayBeLost,
     .values = kMainTable,
     .reference = kRoutingTables,
     .help = "with mark-routing: the table the packet is routed by"},
    new_value("new-mss", "with change-mss: the most a SYN may offer, or clamp-to-pmtu",
              convert_new_mss),
    new_value("new-ttl", "with change-ttl: set:64, increment:1 or decrement:1", convert_new_ttl),
    {.name = "new-dscp",
     .type = Type::kInteger,
     .min = 0,
     .max = 63,
     .help = "with change-dscp: the new DSCP"},
    new_value("new-priority",
              "with set-priority: 0..63, from-dscp, from-dscp-high-3-bits or from-ingress; a VLAN "
              "tag carries 7 at most",
              convert_new_priority),
    {.name = "passthrough",
     .type = Type::kBool,
     .default_value = "true",
     .help = "no: rules behind one that marked or changed the packet are not asked"},
    MACLANE_RULE_TAIL,
    MACLANE_LATER_MATCHERS,
    later("route-dst"),
    later("sniff-id"),
    later("sniff-target"),
    later("sniff-target-port"),
    MACLANE_RULE_STATE,
};

constexpr Property kRaw[] = {
    chain("prerouting, output, or a chain of your own that a rule jumps to"),
    action(kRawActions, {}),
    MACLANE_SHARED_MATCHERS,
    MACLANE_PACKET_MATCHERS,
    MACLANE_TEXT_MATCHERS,
    MACLANE_RULE_TAIL,
    MACLANE_LATER_MATCHERS,
    MACLANE_RULE_STATE,
};

constexpr Menu kMenus[] = {
    {"/ip/firewall/mangle",
     Menu::Kind::kOrdered,
     kMangle,
     kRuleLetters,
     {},
     kRuleStats,
     "marks packets and connections for other rules, and changes packets on their way",
     kResetCommands,
     {},
     Menu::kNone,
     "mangle rule"},
    {"/ip/firewall/raw",
     Menu::Kind::kOrdered,
     kRaw,
     kRuleLetters,
     {},
     kRuleStats,
     "judges packets before connections are tracked: drop is cheap, notrack leaves them untracked",
     kResetCommands,
     {},
     Menu::kNone,
     "raw rule"},
};

}  // namespace

std::span<const Menu> mangle_menus() {
  return kMenus;
}

}  // namespace maclane::model
