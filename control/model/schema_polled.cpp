// Menus that clients poll or write a little to (C-42, C-51, D-31 to D-39): clock, packages, log.
#include "control/model/schema_parts.h"

namespace maclane::model {
namespace {

using namespace parts;  // NOLINT: the tables are made of these parts
using P = Property;

constexpr std::string_view kClockNotSet =
    "RouterOS has this; here the clock is the host's, and set there with date, timedatectl or NTP; "
    "leave it out (time-zone-name can be set here)";

constexpr Property kClock[] = {
    // Shown as they are, and refused.
    {.name = "time",
     .type = Type::kString,
     .flags = P::kNotYet,
     .help = "now",
     .not_working_reason = kClockNotSet},
    {.name = "date",
     .type = Type::kString,
     .flags = P::kNotYet,
     .help = "today",
     .not_working_reason = kClockNotSet},
    {.name = "time-zone-autodetect",
     .type = Type::kBool,
     .default_value = "false",
     .flags = P::kNotYet,
     .not_working_reason = kClockNotSet},
    {.name = "time-zone-name",
     .type = Type::kString,
     .max = 64,
     .help = "Europe/Riga, UTC ...; unset or manual: the host's"},
    read_only("gmt-offset", Type::kString, "+02:00"),
    state_flag("dst-active", "summer time"),
};

constexpr Property kPackage[] = {
    read_only("name", Type::kString, ""),
    read_only("version", Type::kString, "the RouterOS version spoken, and ours"),
    read_only("build-time", Type::kString, ""),
    read_only("scheduled", Type::kString, ""),
    state_flag("disabled", "never"),
};
constexpr std::string_view kPackageColumns[] = {"name", "version", "build-time"};

constexpr Property kRouterboard[] = {
    state_flag("routerboard", "always no: this is no MikroTik board"),
    read_only("board-name", Type::kString, ""),
    read_only("model", Type::kString, "of the machine, as its firmware says"),
    read_only("serial-number", Type::kString, "of the machine, as its firmware says"),
};

constexpr Property kLicense[] = {
    read_only("software-id", Type::kString, "tells one installation from another"),
    read_only("level", Type::kString, "the licence"),
};

constexpr Property kHealth[] = {
    read_only("name", Type::kString, "the sensor"),
    read_only("value", Type::kString, ""),
    read_only("type", Type::kString, "the unit"),
};
constexpr std::string_view kHealthColumns[] = {"name", "value", "type"};

constexpr Property kNeighbour[] = {
    read_only("interface", Type::kString, ""), read_only("address", Type::kString, ""),
    read_only("mac-address", Type::kMac, ""),  read_only("identity", Type::kString, ""),
    read_only("platform", Type::kString, ""),  read_only("version", Type::kString, ""),
    read_only("board", Type::kString, ""),     read_only("discovered-by", Type::kString, ""),
};
constexpr std::string_view kNeighbourColumns[] = {"interface", "address", "mac-address",
                                                  "identity"};

constexpr Property kLog[] = {
    read_only("time", Type::kString, ""),
    read_only("topics", Type::kString, "what it is about, and how grave"),
    read_only("message", Type::kString, ""),
    read_only("buffer", Type::kString, "where it is kept"),
};
constexpr std::string_view kLogColumns[] = {"time", "topics", "message"};
constexpr Property kMessage[] = {{.name = "message",
                                  .type = Type::kString,
                                  .flags = P::kRequired,
                                  .max = 4096,
                                  .help = "the text"}};
constexpr Command log_command(std::string_view name) {
  return {.name = name,
          .help = "writes a line with this topic",
          .arguments = kMessage,
          .positional = "message"};
}
constexpr Command kLogCommands[] = {log_command("debug"), log_command("info"),
                                    log_command("warning"), log_command("error")};

constexpr std::string_view kRequests[] = {"self", "child", "completion", "syntax"};
constexpr Property kInspect[] = {
    {.name = "request",
     .type = Type::kEnum,
     .default_value = "child",
     .values = kRequests,
     .help = "what to tell"},
    {.name = "path", .type = Type::kString, .help = "a menu or command, its parts with commas"},
    {.name = "input", .type = Type::kString, .help = "what was typed behind it"},
};
constexpr Command kConsoleCommands[] = {
    {.name = "inspect",
     .help = "what can be said where, for tools",
     .arguments = kInspect,
     .policy = Policy::kRead},
};

constexpr Menu kMenus[] = {
    {.path = "/system/clock",
     .kind = Menu::Kind::kSettings,
     .properties = kClock,
     .help = "date, time and time zone"},
    {.path = "/system/package",
     .kind = Menu::Kind::kState,
     .properties = kPackage,
     .columns = kPackageColumns,
     .help = "the software"},
    {.path = "/system/routerboard",
     .kind = Menu::Kind::kSettings,
     .properties = kRouterboard,
     .help = "the board"},
    {.path = "/system/license",
     .kind = Menu::Kind::kSettings,
     .properties = kLicense,
     .help = "the licence"},
    {.path = "/system/health",
     .kind = Menu::Kind::kState,
     .properties = kHealth,
     .columns = kHealthColumns,
     .help = "temperatures that the machine tells"},
    {.path = "/ip/neighbor",
     .kind = Menu::Kind::kState,
     .properties = kNeighbour,
     .columns = kNeighbourColumns,
     .help = "routers that announce themselves: none are listened for"},
    {.path = "/log",
     .kind = Menu::Kind::kState,
     .properties = kLog,
     .columns = kLogColumns,
     .help = "what happened lately",
     .commands = kLogCommands},
    {.path = "/console",
     .kind = Menu::Kind::kGroup,
     .help = "what tools ask about the console",
     .commands = kConsoleCommands},
};

}  // namespace

std::span<const Menu> polled_menus() {
  return kMenus;
}

}  // namespace maclane::model
