// The tables of /ip/firewall/filter and /ip/firewall/nat (behaviour.md B2, B5).
//
// What RouterOS has beyond this version is listed too, so that it is refused by name and not as a
// misspelling.
#include "control/model/schema_rules.h"

namespace maclane::model {
namespace {

using namespace parts;  // NOLINT: the tables are made of these parts

constexpr std::string_view kRejects[] = {"icmp-network-unreachable",  "icmp-host-unreachable",
                                         "icmp-protocol-unreachable", "icmp-port-unreachable",
                                         "icmp-net-prohibited",       "icmp-host-prohibited",
                                         "icmp-admin-prohibited",     "tcp-reset"};
constexpr std::string_view kFilterActions[] = {"accept",
                                               "drop",
                                               "reject",
                                               "tarpit",
                                               "jump",
                                               "return",
                                               "log",
                                               "passthrough",
                                               "fasttrack-connection",
                                               "add-src-to-address-list",
                                               "add-dst-to-address-list"};
constexpr std::string_view kNatActions[] = {"accept",
                                            "masquerade",
                                            "src-nat",
                                            "dst-nat",
                                            "redirect",
                                            "netmap",
                                            "same",
                                            "endpoint-independent-nat",
                                            "jump",
                                            "return",
                                            "log",
                                            "passthrough",
                                            "add-src-to-address-list",
                                            "add-dst-to-address-list"};
constexpr std::string_view kLaterNatActions[] = {"socksify"};

constexpr Property kFilter[] = {
    chain("input, forward, output, or a chain of your own that a rule jumps to"),
    action(kFilterActions, {}),
    MACLANE_SHARED_MATCHERS,
    connection_state(),
    connection_nat_state(),
    MACLANE_PACKET_MATCHERS,
    MACLANE_CONNECTION_MATCHERS,
    {.name = "reject-with",
     .type = Type::kEnum,
     .default_value = "icmp-network-unreachable",
     .values = kRejects,
     .help = "with action=reject: the answer"},
    MACLANE_RULE_TAIL,
    MACLANE_LATER_MATCHERS,
    {.name = "hw-offload",
     .type = Type::kBool,
     .flags = Property::kHidden,
     .help = "with fasttrack-connection: whether hardware may take the connection over; there is "
             "none here that could"},
    MACLANE_RULE_STATE,
};

constexpr Property kNat[] = {
    chain(
        "srcnat, dstnat, input (the source of what is for the router), output (the destination of "
        "what it sends), or a chain of your own that a rule jumps to"),
    action(kNatActions, kLaterNatActions),
    MACLANE_SHARED_MATCHERS,
    MACLANE_PACKET_MATCHERS,
    MACLANE_CONNECTION_MATCHERS,
    {.name = "to-addresses",
     .type = Type::kIp4Set,
     .help =
         "with src-nat, dst-nat, same, netmap and endpoint-independent-nat: the new address, or "
         "a range of them"},
    {.name = "to-ports",
     .type = Type::kPorts,
     .help = "the new port, or a range of them; unset: unchanged if possible"},
    {.name = "same-not-by-dst",
     .type = Type::kBool,
     .default_value = "false",
     .flags = Property::kHidden,
     .help = "with same: a host has one address for all destinations"},
    {.name = "randomise-ports",
     .type = Type::kBool,
     .default_value = "false",
     .flags = Property::kHidden,
     .help = "source ports are drawn though they could stay"},
    MACLANE_RULE_TAIL,
    MACLANE_LATER_MATCHERS,
    MACLANE_RULE_STATE,
};

constexpr Menu kMenus[] = {
    {"/ip/firewall/filter",
     Menu::Kind::kOrdered,
     kFilter,
     kRuleLetters,
     {},
     kRuleStats,
     "which packets may pass: the first rule that matches decides",
     kResetCommands,
     {},
     Menu::kNone,
     "filter rule"},
    {"/ip/firewall/nat",
     Menu::Kind::kOrdered,
     kNat,
     kRuleLetters,
     {},
     kRuleStats,
     "address translation: judged on a connection's first packet",
     kResetCommands,
     {},
     Menu::kNone,
     "nat rule"},
};

}  // namespace

std::span<const Menu> firewall_menus() {
  return kMenus;
}

}  // namespace maclane::model
