// The tables of /interface and below (behaviour.md A1, A-3..A-10).
#include "control/model/schema_parts.h"

namespace maclane::model {
namespace {

using namespace parts;  // NOLINT: the tables are made of these parts
using P = Property;

constexpr std::string_view kModes[] = {"bridge", "private"};
constexpr std::string_view kAttach[] = {"none", "tap"};
constexpr std::string_view kMulticast[] = {"joined", "all"};

constexpr FlagLetter kUpDown[] = {{'X', "disabled", "disabled"}, {'R', "running", "running"}};
constexpr FlagLetter kInterfaceLetters[] = {{'X', "disabled", "disabled"},
                                            {'R', "running", "running"},
                                            {'D', "dynamic", "dynamic"},
                                            {'S', "slave", "slave"}};
constexpr FlagLetter kDisabledOnly[] = {{'X', "disabled", "disabled"}};

constexpr std::string_view kCounterColumns[] = {"name",      "rx-byte", "tx-byte", "rx-packet",
                                                "tx-packet", "rx-drop", "tx-drop"};

constexpr Property kInterface[] = {
    {.name = "name", .type = Type::kString, .flags = P::kReadOnly | P::kName},
    read_only("default-name", Type::kString, "of an ethernet: ether1 of the first port"),
    read_only("type", Type::kString, "ethernet, vlan or macvlan"),
    read_only("mtu", Type::kInteger, "as configured"),
    read_only("actual-mtu", Type::kInteger, "in effect: never above the parent's"),
    read_only("l2mtu", Type::kInteger, "the largest frame without its Ethernet header"),
    read_only("mac-address", Type::kMac, "in use"),
    state_flag("running", "up, and so is its parent"),
    state_flag("disabled", "switched off"),
    state_flag("dynamic", "made by the router itself"),
    state_flag("slave", "part of another interface"),
    read_only("comment", Type::kString, "a note for people"),
    read_only("last-link-up-time", Type::kString, "when the link last came up"),
    read_only("last-link-down-time", Type::kString, "when the link last went down"),
    read_only("link-downs", Type::kInteger, "how often the link went down"),
    counter("rx-byte"),
    counter("tx-byte"),
    counter("rx-packet"),
    counter("tx-packet"),
    counter("rx-drop"),
    counter("tx-drop"),
    counter("rx-error"),
    counter("tx-error"),
    counter("tx-queue-drop"),
};
constexpr std::string_view kInterfaceColumns[] = {"name", "type", "actual-mtu", "mac-address"};

constexpr Property look_interval() {
  return {.name = "interval",
          .type = Type::kTime,
          .default_value = "1s",
          .min = 10 * kMillisecond,
          .max = kLongestTime,
          .help = "how often to look"};
}
constexpr Property kMonitorTraffic[] = {
    {.name = "interface",
     .type = Type::kString,
     .flags = P::kRequired,
     .help = "names or *IDs, with commas; aggregate is the sum of all"},
    look_interval(),
    flag("once", "one look, and done"),
};
constexpr Property kMonitorEthernet[] = {
    numbers("which ports: names, *IDs or numbers, with commas"),
    look_interval(),
    flag("once", "one look, and done"),
};
/// Of interfaces one by one alone, as in RouterOS.
constexpr const Command& kResetCounters = kResetCommands[0];
constexpr Command kEthernetCommands[] = {{.name = "monitor",
                                          .help = "whether ports have a link",
                                          .arguments = kMonitorEthernet,
                                          .positional = "numbers",
                                          .policy = Policy::kRead,
                                          .flags = Command::kRows | Command::kStreams},
                                         kResetCounters};
constexpr Command kInterfaceCommands[] = {{.name = "monitor-traffic",
                                           .help = "what interfaces carry a second",
                                           .arguments = kMonitorTraffic,
                                           .positional = "interface",
                                           .policy = Policy::kRead,
                                           .flags = Command::kStreams},
                                          kResetCounters};

/// A switch of RouterOS's that exports name, and that is off here.
constexpr Property always_off(std::string_view name) {
  return {.name = name,
          .type = Type::kBool,
          .default_value = "false",
          .flags = P::kNotYet | P::kHidden,
          .not_working_reason = kLater};
}

constexpr std::string_view kOfDriver =
    "RouterOS has this; here the port's driver agrees on it with whoever is at the other end; "
    "leave it out";
constexpr std::string_view kOfMtu =
    "RouterOS has this; here mtu makes room for frames with their tags; leave it out";

constexpr Property kEthernet[] = {
    interface_name("unique over all interfaces"),
    read_only("default-name", Type::kString, "ether1 of the first port, whatever its name"),
    {.name = "device",
     .type = Type::kString,
     .flags = P::kRequired | P::kOurs,
     .max = 1024,
     .help = "the DPDK device: a PCI address (0000:03:00.1) or a vdev (net_tap0,iface=mlwan)"},
    mtu("1500", "the largest IP packet"),
    {.name = "mac-address", .type = Type::kMac, .help = "unset: the device's own"},
    arp(),
    arp_timeout(),
    loop_protect(),
    loop_protect_disable_time(),
    loop_protect_send_interval(),
    always_off("disable-running-check"),
    // What exports of boards and of CHR name besides. Of those with a default see idle.cpp.
    later("advertise", {}, kOfDriver),
    later("auto-negotiation", "true", kOfDriver, Type::kBool),
    later("bandwidth", "unlimited/unlimited"),
    later("cable-settings", "default"),
    later("combo-mode"),
    later("fec-mode", {}, kOfDriver),
    later("full-duplex", "true", kOfDriver, Type::kBool),
    later("l2mtu", {}, kOfMtu),
    later("mdix-enable", "true", kOfDriver, Type::kBool),
    later("passthrough-interface"),
    later("poe-lldp-enabled", "false", kLater, Type::kBool),
    later("poe-out"),
    later("poe-priority"),
    later("poe-voltage"),
    later("power-cycle-interval", "none"),
    later("power-cycle-ping-address"),
    later("power-cycle-ping-enabled", "false", kLater, Type::kBool),
    later("power-cycle-ping-timeout"),
    later("rx-flow-control", "off", kOfDriver),
    later("sfp-ignore-rx-los", "false", kLater, Type::kBool),
    later("sfp-rate-select", "high"),
    later("sfp-shutdown-temperature", "95C"),
    later("speed", {}, kOfDriver),
    later("tx-flow-control", "off", kOfDriver),
    disabled(),
    comment(),
    loop_protect_status(),
    state_flag("running", "the link is up"),
    read_only("actual-mtu", Type::kInteger, "in effect: never above what the device can"),
    {.name = "promiscuous",
     .type = Type::kBool,
     .default_value = "false",
     .flags = P::kReadOnly | P::kOurs | P::kHidden,
     .help = "yes: the device's MAC filter was full, so that it takes every frame"},
    counter("rx-byte"),
    counter("tx-byte"),
    counter("rx-packet"),
    counter("tx-packet"),
    counter("rx-drop"),
    counter("tx-drop"),
    counter("rx-error"),
    counter("tx-error"),
};
constexpr std::string_view kEthernetColumns[] = {"name", "mtu", "mac-address", "arp"};

constexpr Property kMacvlan[] = {
    interface_name("unique over all interfaces"),
    {.name = "interface",
     .type = Type::kReference,
     .flags = P::kRequired,
     .reference = kParents,
     .help = "the parent: an ethernet or a VLAN interface"},
    {.name = "mode",
     .type = Type::kEnum,
     .default_value = "bridge",
     .values = kModes,
     .help = "bridge: talks to its bridge siblings directly; private: to none of them"},
    {.name = "mac-address",
     .type = Type::kMac,
     .flags = P::kUnique,
     .help = "unset: generated once and kept"},
    mtu("", "unset: the parent's or 1500, whichever is less; never above the parent's"),
    arp(),
    arp_timeout(),
    loop_protect(),
    loop_protect_disable_time(),
    loop_protect_send_interval(),
    {.name = "attach",
     .type = Type::kEnum,
     .default_value = "none",
     .flags = P::kOurs,
     .values = kAttach,
     .help = "tap: hands the interface to a container or program as a tap device of its name"},
    {.name = "netns",
     .type = Type::kString,
     .flags = P::kOurs,
     .max = 255,
     .help = "with attach=tap: the network namespace, a name or a path, the tap is moved to"},
    {.name = "multicast",
     .type = Type::kEnum,
     .default_value = "joined",
     .flags = P::kOurs | P::kHidden,
     .values = kMulticast,
     .help = "joined: receives the groups it joined; all: receives every group"},
    disabled(),
    comment(),
    read_only("l2mtu", Type::kInteger, "the parent's"),
    read_only("actual-mtu", Type::kInteger, "in effect: never above the parent's"),
    loop_protect_status(),
    state_flag("running", "up, and so is its parent"),
    counter("rx-byte"),
    counter("tx-byte"),
    counter("rx-packet"),
    counter("tx-packet"),
    counter("rx-drop"),
    counter("tx-drop"),
};
constexpr std::string_view kMacvlanColumns[] = {"name", "mtu", "interface", "mac-address", "mode"};

constexpr Property kVlan[] = {
    interface_name("unique over all interfaces"),
    {.name = "interface",
     .type = Type::kReference,
     .flags = P::kRequired,
     .reference = kParents,
     .help = "the parent: an ethernet, or a VLAN interface for a tag within a tag"},
    {.name = "vlan-id",
     .type = Type::kInteger,
     .default_value = "1",
     .min = 1,
     .max = 4094,
     .help = "the tag's VLAN ID"},
    mtu("", "unset: the parent's or 1500, whichever is less; never above the parent's"),
    {.name = "use-service-tag",
     .type = Type::kBool,
     .default_value = "false",
     .help = "yes: 802.1ad (0x88A8) in place of 802.1Q (0x8100)"},
    arp(),
    arp_timeout(),
    loop_protect(),
    loop_protect_disable_time(),
    loop_protect_send_interval(),
    always_off("mvrp"),
    disabled(),
    comment(),
    read_only("mac-address", Type::kMac, "the parent's"),
    read_only("l2mtu", Type::kInteger, "the parent's less the tag"),
    read_only("actual-mtu", Type::kInteger, "in effect: never above the parent's"),
    loop_protect_status(),
    state_flag("running", "up, and so is its parent"),
    counter("rx-byte"),
    counter("tx-byte"),
    counter("rx-packet"),
    counter("tx-packet"),
    counter("rx-drop"),
    counter("tx-drop"),
};
constexpr std::string_view kVlanColumns[] = {"name", "mtu", "arp", "vlan-id", "interface"};

constexpr Property kList[] = {
    {.name = "name",
     .type = Type::kString,
     .flags = P::kRequired | P::kName,
     .max = 63,
     .help = "unique; not all, none, dynamic or static, which are built in"},
    {.name = "include",
     .type = Type::kReference,
     .flags = P::kList,
     .values = kBuiltinLists,
     .reference = kLists,
     .help = "lists whose members are members of this one too"},
    {.name = "exclude",
     .type = Type::kReference,
     .flags = P::kList,
     .values = kBuiltinLists,
     .reference = kLists,
     .help = "lists whose members are taken out again"},
    comment(),
};
constexpr std::string_view kListColumns[] = {"name", "include", "exclude"};

constexpr Property kMember[] = {
    {.name = "list",
     .type = Type::kReference,
     .flags = P::kRequired,
     .reference = kLists,
     .help = "the list"},
    {.name = "interface",
     .type = Type::kReference,
     .flags = P::kRequired,
     .reference = kAnyInterface,
     .help = "the interface that is its member"},
    disabled(),
    comment(),
};
constexpr std::string_view kMemberColumns[] = {"list", "interface"};
constexpr std::string_view kMemberKey[] = {"list", "interface"};

constexpr Menu kMenus[] = {
    {"/interface",
     Menu::Kind::kState,
     kInterface,
     kInterfaceLetters,
     kInterfaceColumns,
     kCounterColumns,
     "every interface, whatever its kind",
     kInterfaceCommands,
     {},
     Menu::kNone,
     {},
     Policy::kRead,
     Policy::kWrite,
     kAnyInterface},
    {"/interface/ethernet",
     Menu::Kind::kList,
     kEthernet,
     kUpDown,
     kEthernetColumns,
     kCounterColumns,
     "physical and virtual network devices",
     kEthernetCommands,
     {},
     Menu::kMachine},
    {"/interface/vlan", Menu::Kind::kList, kVlan, kUpDown, kVlanColumns, kCounterColumns,
     "802.1Q and 802.1ad interfaces"},
    {"/interface/macvlan", Menu::Kind::kList, kMacvlan, kUpDown, kMacvlanColumns, kCounterColumns,
     "virtual interfaces with their own MAC address on a parent"},
    {"/interface/list",
     Menu::Kind::kList,
     kList,
     {},
     kListColumns,
     {},
     "named groups of interfaces for firewall rules"},
    {"/interface/list/member",
     Menu::Kind::kList,
     kMember,
     kDisabledOnly,
     kMemberColumns,
     {},
     "which interface is in which list",
     {},
     {},
     Menu::kNone,
     "interface list member",
     Policy::kRead,
     Policy::kWrite,
     {},
     kMemberKey},
};

}  // namespace

std::span<const Menu> interface_menus() {
  return kMenus;
}

}  // namespace maclane::model
