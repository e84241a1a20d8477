// /system/script and /system/scheduler: scripts that are kept, what runs, and when.
//
// Both can be edited only by who has the policy `policy` beside `write`: a script says itself what
// it may do.
#include <fmt/format.h>

#include "control/model/schema_parts.h"
#include "control/model/value.h"

namespace maclane::model {
namespace {

using namespace parts;  // NOLINT: the tables are made of these parts

constexpr int64_t kMostSource = 256 << 10;
tl::expected<std::string, std::string> whole_seconds(std::string_view value) {
  const auto ms = parse_time_ms(value);
  if (!ms)
    return tl::make_unexpected(fmt::format("\"{}\" is not a time; write 5m or 00:05:00", value));
  if (*ms % 1000 == 0) return std::string(value);
  return tl::make_unexpected(
      fmt::format("{} has parts of a second; it is in whole seconds, 1s or more", value));
}

constexpr std::string_view kDefaultPolicy =
    "ftp,reboot,read,write,policy,test,password,sniff,sensitive,romon";

constexpr Property kPolicyProperty{.name = "policy",
                                   .type = Type::kEnum,
                                   .default_value = kDefaultPolicy,
                                   .flags = Property::kList | Property::kHidden,
                                   .values = kPolicyNames,
                                   .help = "what the script may do"};
constexpr Property kOwner{.name = "owner",
                          .type = Type::kString,
                          .default_value = "admin",
                          .max = 63,
                          .help = "the user whose global variables it has"};

constexpr Property kScript[] = {
    {.name = "name",
     .type = Type::kString,
     .flags = Property::kRequired | Property::kName,
     .max = 63,
     .help = "what it is run by"},
    kOwner,
    kPolicyProperty,
    {.name = "dont-require-permissions",
     .type = Type::kBool,
     .default_value = "false",
     .help = "whoever runs it need not have its policies"},
    {.name = "source", .type = Type::kString, .max = kMostSource, .help = "the script itself"},
    {.name = "comment", .type = Type::kString, .help = "a note"},
    read_only("last-started", Type::kString, "when it was run last"),
    {.name = "run-count",
     .type = Type::kInteger,
     .default_value = "0",
     .flags = Property::kReadOnly | Property::kCounter,
     .help = "how often it was run since the router started"},
};
constexpr std::string_view kScriptColumns[] = {"name", "owner", "last-started", "run-count"};
constexpr Property kRunArguments[] = {
    numbers("which scripts: names, *IDs or numbers, with commas"),
    flag("use-script-permissions", "with its policies, whatever yours are"),
};
constexpr Command kScriptCommands[] = {
    {.name = "run",
     .help = "runs scripts, one after the other",
     .arguments = kRunArguments,
     .positional = "numbers",
     .policy = Policy::kTest,
     .flags = Command::kRows},
};

constexpr Property kJob[] = {
    read_only("script", Type::kString, "its name, if it has one"),
    read_only("owner", Type::kString, "the user it runs for"),
    read_only("type", Type::kString, "where it was started"),
    read_only("started", Type::kString, "when"),
    read_only("policy", Type::kString, "what it may do"),
};
constexpr std::string_view kJobColumns[] = {"script", "owner", "type", "started"};

constexpr Property kVariable[] = {
    read_only("name", Type::kString, "of the variable"),
    read_only("user", Type::kString, "whose it is"),
    read_only("value", Type::kString, "what it holds"),
};
constexpr std::string_view kVariableColumns[] = {"name", "user", "value"};

constexpr FlagLetter kDisabledLetter[] = {{'X', "disabled", "disabled"}};
constexpr Property kScheduler[] = {
    {.name = "name",
     .type = Type::kString,
     .flags = Property::kRequired | Property::kName,
     .max = 63,
     .help = "what it is called"},
    {.name = "start-date",
     .type = Type::kString,
     .max = 11,
     .help = "the day of the first time, 2026-11-30 or nov/30/2026; unset: today"},
    {.name = "start-time",
     .type = Type::kString,
     .max = 8,
     .help = "the time of the first time, 03:30:00, or startup; unset: an interval from now"},
    {.name = "interval",
     .type = Type::kTime,
     .default_value = "0s",
     .max = kLongestTime,
     .help = "from one time to the next, in whole seconds; 0s: once",
     .convert = whole_seconds},
    {.name = "on-event",
     .type = Type::kString,
     .max = kMostSource,
     .help = "the name of a script, or a script"},
    kOwner,
    kPolicyProperty,
    disabled(),
    {.name = "comment", .type = Type::kString, .help = "a note"},
    {.name = "run-count",
     .type = Type::kInteger,
     .default_value = "0",
     .flags = Property::kReadOnly | Property::kCounter,
     .help = "how often it was run since the router started"},
    read_only("next-run", Type::kString, "when it is run next"),
};
constexpr std::string_view kSchedulerColumns[] = {
    "name", "start-date", "start-time", "interval", "on-event", "run-count", "next-run"};

constexpr Menu kMenus[] = {
    {.path = "/system/script",
     .kind = Menu::Kind::kList,
     .properties = kScript,
     .columns = kScriptColumns,
     .help = "scripts that are kept",
     .commands = kScriptCommands,
     .edit_policy = Policy::kWrite | Policy::kPolicy},
    {.path = "/system/script/job",
     .kind = Menu::Kind::kState,
     .properties = kJob,
     .columns = kJobColumns,
     .help = "scripts that run",
     .flags = Menu::kRemovable},
    {.path = "/system/script/environment",
     .kind = Menu::Kind::kState,
     .properties = kVariable,
     .columns = kVariableColumns,
     .help = "global variables",
     .flags = Menu::kRemovable},
    {.path = "/system/scheduler",
     .kind = Menu::Kind::kList,
     .properties = kScheduler,
     .letters = kDisabledLetter,
     .columns = kSchedulerColumns,
     .help = "scripts that are run at their time",
     .edit_policy = Policy::kWrite | Policy::kPolicy},
};

}  // namespace

std::span<const Menu> script_menus() {
  return kMenus;
}

}  // namespace maclane::model
