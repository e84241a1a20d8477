// What the menu tables share: value lists, references and properties that stand in several menus.
// Included by schema*.cpp only.
#pragma once

#include "control/model/schema.h"

namespace maclane::model {

std::span<const Menu> group_menus();
std::span<const Menu> interface_menus();
std::span<const Menu> ip_menus();
std::span<const Menu> firewall_menus();
std::span<const Menu> mangle_menus();
std::span<const Menu> routing_menus();
std::span<const Menu> conntrack_menus();
std::span<const Menu> helper_menus();
std::span<const Menu> client_menus();  // the first is an interface
std::span<const Menu> pool_menus();
std::span<const Menu> dhcp_menus();         // the first: what all servers have
std::span<const Menu> dhcp_option_menus();  // the first two: options and sets of them
std::span<const Menu> dhcp_alert_menus();
std::span<const Menu> dns_menus();
std::span<const Menu> system_menus();
std::span<const Menu> script_menus();
std::span<const Menu> certificate_menus();
std::span<const Menu> polled_menus();
std::span<const Menu> service_menus();
std::span<const Menu> user_menus();

namespace parts {

inline constexpr std::string_view kAnyInterface[] = {
    "/interface/ethernet", "/interface/vlan", "/interface/macvlan", "/interface/pppoe-client"};
/// Those with frames and a MAC address.
inline constexpr std::string_view kEthernetLike[] = {"/interface/ethernet", "/interface/vlan",
                                                     "/interface/macvlan"};
inline constexpr std::string_view kParents[] = {"/interface/ethernet", "/interface/vlan"};
inline constexpr std::string_view kLists[] = {"/interface/list"};
inline constexpr std::string_view kBuiltinLists[] = {"all", "none", "dynamic", "static"};
inline constexpr std::string_view kRoutingTables[] = {"/routing/table"};
inline constexpr std::string_view kMainTable[] = {"main"};
inline constexpr std::string_view kYes[] = {"true"};
inline constexpr std::string_view kArpModes[] = {"disabled", "enabled", "local-proxy-arp",
                                                 "proxy-arp", "reply-only"};
inline constexpr std::string_view kLoopProtect[] = {"default", "off", "on"};

inline constexpr std::string_view kLater =
    "RouterOS has this, and this version of Maclane cannot carry it out yet; leave it out";

constexpr int64_t kMillisecond = 1;
constexpr int64_t kSecond = 1000;
constexpr int64_t kLongestTime = 4294967295 * kSecond;  // 7101w3d6h28m15s
constexpr int64_t kMaxUint32 = 4294967295;

constexpr Property read_only(std::string_view name, Type type, std::string_view help) {
  return {.name = name, .type = type, .flags = Property::kReadOnly, .help = help};
}
/// A read-only boolean: always shown, "false" until the state says otherwise.
constexpr Property state_flag(std::string_view name, std::string_view help) {
  return {.name = name,
          .type = Type::kBool,
          .default_value = "false",
          .flags = Property::kReadOnly,
          .help = help};
}
constexpr Property in_units(std::string_view name, std::string_view unit, std::string_view help) {
  return {.name = name,
          .type = Type::kInteger,
          .flags = Property::kReadOnly,
          .help = help,
          .unit = unit};
}
constexpr Property counter(std::string_view name, std::string_view help = {}) {
  return {.name = name,
          .type = Type::kInteger,
          .flags = Property::kReadOnly | Property::kHidden | Property::kCounter,
          .help = help};
}
/// An argument of a command that is there or not.
constexpr Property flag(std::string_view name, std::string_view help) {
  return {.name = name, .type = Type::kBool, .help = help};
}
/// The argument that names rows.
constexpr Property numbers(std::string_view help) {
  return {.name = "numbers", .type = Type::kString, .max = 2 << 20, .help = help};
}
/// Whose names a console offers for the name of a file.
inline constexpr std::string_view kFiles[] = {"/file"};

/// In RouterOS, refused here whatever its value, but for RouterOS's default: its exports may name
/// it.
constexpr Property later(std::string_view name, std::string_view default_value = {},
                         std::string_view reason = kLater, Type type = Type::kString) {
  return {.name = name,
          .type = type,
          .default_value = default_value,
          .flags = Property::kNotYet | Property::kHidden,
          .not_working_reason = reason};
}
/// What is run when something happened: the name of a script of /system/script, or one itself.
constexpr Property event_script(std::string_view name, std::string_view help) {
  return {.name = name,
          .type = Type::kString,
          .flags = Property::kHidden,
          .max = 256 << 10,
          .help = help};
}
constexpr Property interface_name(std::string_view help) {
  return {.name = "name",
          .type = Type::kString,
          .flags = Property::kRequired | Property::kName | Property::kInterfaceName,
          .max = 63,
          .help = help};
}
constexpr Property disabled() {
  return {.name = "disabled",
          .type = Type::kBool,
          .default_value = "false",
          .help = "yes: keeps the row without effect"};
}
constexpr Property comment() {
  return {.name = "comment", .type = Type::kString, .max = 1024, .help = "a note for people"};
}
constexpr Property mtu(std::string_view default_value, std::string_view help) {
  return {.name = "mtu",
          .type = Type::kInteger,
          .default_value = default_value,
          .min = 68,
          .max = 65535,
          .help = help};
}
constexpr Property arp() {
  return {.name = "arp",
          .type = Type::kEnum,
          .default_value = "enabled",
          .values = kArpModes,
          .help =
              "enabled: answers and asks; disabled: only the rows of /ip/arp are used; "
              "reply-only: answers those with a row, asks nobody; proxy-arp: answers as well for "
              "what is behind other interfaces; local-proxy-arp: and behind this one"};
}
constexpr Property arp_timeout() {
  return {.name = "arp-timeout",
          .type = Type::kAutoTime,
          .default_value = "auto",
          .max = kLongestTime,
          .help = "how long a neighbour counts as reachable; auto: that of /ip/settings"};
}
constexpr Property loop_protect() {
  return {.name = "loop-protect",
          .type = Type::kEnum,
          .default_value = "default",
          .flags = Property::kHidden,
          .values = kLoopProtect,
          .help = "on: goes down when a frame that it sent comes back; default behaves as off"};
}
constexpr Property loop_protect_disable_time() {
  return {.name = "loop-protect-disable-time",
          .type = Type::kTime,
          .default_value = "5m",
          .flags = Property::kHidden,
          .max = kLongestTime,
          .help = "how long an interface stays down after a loop; 0: until it is changed"};
}
constexpr Property loop_protect_send_interval() {
  return {.name = "loop-protect-send-interval",
          .type = Type::kTime,
          .default_value = "5s",
          .flags = Property::kHidden,
          .min = kSecond,
          .max = kLongestTime,
          .help = "time between two loop protect frames"};
}
constexpr Property loop_protect_status() {
  return {.name = "loop-protect-status",
          .type = Type::kString,
          .default_value = "off",
          .flags = Property::kReadOnly | Property::kHidden,
          .help = "off, on, or disabled when a loop was seen"};
}

/// Of a menu whose rows have counters: Commands::on() must be told what resets them.
inline constexpr Property kResetRows[] = {numbers("which rows: names, *IDs or numbers")};
inline constexpr Command kResetCommands[] = {
    {.name = "reset-counters",
     .help = "the counters of rows begin at zero again",
     .arguments = kResetRows,
     .positional = "numbers",
     .flags = Command::kRows},
    {.name = "reset-counters-all", .help = "the counters of all rows begin at zero again"},
};

}  // namespace parts
}  // namespace maclane::model
