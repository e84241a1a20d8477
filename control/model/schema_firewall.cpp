// The tables of /ip/firewall/filter and /ip/firewall/nat (behaviour.md B2, B5).
//
// What RouterOS has beyond this version is listed too, so that it is refused by name and not as a
// misspelling.
#include "control/model/schema_parts.h"

namespace maclane::model {
namespace {

using namespace parts;  // NOLINT: the tables are made of these parts
using P = Property;

constexpr std::string_view kAllKinds[] = {"all-ethernet", "all-ppp", "all-vlan", "all-wireless"};
constexpr std::string_view kStates[] = {"established", "related", "new", "invalid", "untracked"};
constexpr std::string_view kNatStates[] = {"srcnat", "dstnat"};
constexpr std::string_view kLaterNatStates[] = {"ein-snat", "ein-dnat"};
constexpr std::string_view kRejects[] = {"icmp-network-unreachable",  "icmp-host-unreachable",
                                         "icmp-protocol-unreachable", "icmp-port-unreachable",
                                         "icmp-net-prohibited",       "icmp-host-prohibited",
                                         "icmp-admin-prohibited",     "tcp-reset"};
constexpr std::string_view kFilterActions[] = {"accept", "drop", "reject",     "jump",
                                               "return", "log",  "passthrough"};
constexpr std::string_view kLaterFilterActions[] = {
    "tarpit", "fasttrack-connection", "add-src-to-address-list", "add-dst-to-address-list"};
constexpr std::string_view kNatActions[] = {"accept",  "masquerade", "src-nat",
                                            "dst-nat", "redirect",   "jump",
                                            "return",  "log",        "passthrough"};
constexpr std::string_view kLaterNatActions[] = {"netmap",
                                                 "same",
                                                 "endpoint-independent-nat",
                                                 "socksify",
                                                 "add-src-to-address-list",
                                                 "add-dst-to-address-list"};

constexpr Property chain(std::string_view help) {
  return {.name = "chain", .type = Type::kString, .flags = P::kRequired, .max = 63, .help = help};
}
constexpr Property action(std::span<const std::string_view> values,
                          std::span<const std::string_view> not_working) {
  return {.name = "action",
          .type = Type::kEnum,
          .default_value = "accept",
          .values = values,
          .help = "what is done with a packet that matches",
          .not_working = not_working,
          .not_working_reason = kLater};
}
constexpr Property matcher(std::string_view name, Type type, std::string_view help) {
  return {.name = name, .type = type, .flags = P::kNegatable, .help = help};
}
constexpr Property interface(std::string_view name, std::string_view help) {
  return {.name = name,
          .type = Type::kReference,
          .flags = P::kNegatable,
          .reference = kAnyInterface,
          .help = help,
          .not_working = kAllKinds,
          .not_working_reason = kLater};
}
constexpr Property interface_list(std::string_view name, std::string_view help) {
  return {.name = name,
          .type = Type::kReference,
          .flags = P::kNegatable,
          .values = kBuiltinLists,
          .reference = kLists,
          .help = help};
}
constexpr Property ports(std::string_view name, std::string_view help) {
  return {.name = name, .type = Type::kPorts, .flags = P::kNegatable | P::kList, .help = help};
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
          .flags = P::kReadOnly | P::kCounter};
}

// Matchers both menus share, in RouterOS's words; a macro because a table is one flat array.
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

#define MACLANE_LATER_MATCHERS                                                                   \
  later("port"), later("src-address-type"), later("dst-address-type"), later("src-mac-address"), \
      later("tcp-flags"), later("tcp-mss"), later("packet-size"), later("limit"),                \
      later("dst-limit"), later("connection-limit"), later("connection-bytes"),                  \
      later("connection-rate"), later("connection-mark"), later("connection-type"),              \
      later("packet-mark"), later("routing-mark"), later("routing-table"), later("psd"),         \
      later("nth"), later("random"), later("per-connection-classifier"), later("time"),          \
      later("ttl"), later("dscp"), later("priority"), later("ingress-priority"),                 \
      later("ipv4-options"), later("fragment"), later("hotspot"), later("layer7-protocol"),      \
      later("content"), later("tls-host"), later("realm"), later("ipsec-policy"),                \
      later("in-bridge-port"), later("out-bridge-port"), later("in-bridge-port-list"),           \
      later("out-bridge-port-list"), later("p2p"), later("address-list"),                        \
      later("address-list-timeout")

constexpr Property kFilter[] = {
    chain("input, forward, output, or a chain of your own that a rule jumps to"),
    action(kFilterActions, kLaterFilterActions),
    MACLANE_SHARED_MATCHERS,
    {.name = "connection-state",
     .type = Type::kEnum,
     .flags = P::kList | P::kNegatable,
     .values = kStates,
     .help = "what the connection tracking says of the packet"},
    {.name = "connection-nat-state",
     .type = Type::kEnum,
     .flags = P::kList | P::kNegatable,
     .values = kNatStates,
     .help = "whether the connection's source or destination is translated",
     .not_working = kLaterNatStates,
     .not_working_reason = kLater},
    {.name = "reject-with",
     .type = Type::kEnum,
     .default_value = "icmp-network-unreachable",
     .values = kRejects,
     .help = "with action=reject: the answer"},
    jump_target(),
    log(),
    log_prefix(),
    disabled(),
    comment(),
    MACLANE_LATER_MATCHERS,
    later("hw-offload"),
    hits("bytes"),
    hits("packets"),
    state_flag("invalid", "cannot match"),
    state_flag("dynamic", "made by the router itself"),
};

constexpr Property kNat[] = {
    chain("srcnat, dstnat, or a chain of your own that a rule jumps to"),
    action(kNatActions, kLaterNatActions),
    MACLANE_SHARED_MATCHERS,
    {.name = "to-addresses",
     .type = Type::kIp4Range,
     .help = "with src-nat and dst-nat: the new address, or a range of them"},
    {.name = "to-ports",
     .type = Type::kPorts,
     .help = "the new port, or a range of them; unset: unchanged if possible"},
    jump_target(),
    log(),
    log_prefix(),
    disabled(),
    comment(),
    MACLANE_LATER_MATCHERS,
    later("same-not-by-dst"),
    later("randomise-ports"),
    hits("bytes"),
    hits("packets"),
    state_flag("invalid", "cannot match"),
    state_flag("dynamic", "made by the router itself"),
};

#undef MACLANE_SHARED_MATCHERS
#undef MACLANE_LATER_MATCHERS

constexpr FlagLetter kLetters[] = {
    {'X', "disabled", "disabled"}, {'I', "invalid", "invalid"}, {'D', "dynamic", "dynamic"}};
constexpr std::string_view kStatsColumns[] = {"chain", "action", "bytes", "packets"};

constexpr Menu kMenus[] = {
    {"/ip/firewall/filter",
     Menu::Kind::kOrdered,
     kFilter,
     kLetters,
     {},
     kStatsColumns,
     "which packets may pass: the first rule that matches decides",
     kResetCommands,
     {},
     Menu::kNone,
     "filter rule"},
    {"/ip/firewall/nat",
     Menu::Kind::kOrdered,
     kNat,
     kLetters,
     {},
     kStatsColumns,
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
