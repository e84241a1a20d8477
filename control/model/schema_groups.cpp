// The groups of menus, and the commands of the router as a whole.
#include "control/model/schema_parts.h"

namespace maclane::model {
namespace {

using namespace parts;  // NOLINT: the tables are made of these parts

constexpr Command kReload{.name = "reload",
                          .help = "reads the configuration file again, all of it or none of it",
                          .flags = Command::kOurs};
constexpr Command kStatus{.name = "status",
                          .help = "the router in ten lines",
                          .policy = Policy::kRead,
                          .flags = Command::kOurs};

constexpr Property kExecute[] = {
    {.name = "script",
     .type = Type::kString,
     .flags = Property::kRequired,
     .max = 1 << 20,  // as much as is read of one
     .help = "the script"},
    flag("as-string", "waits for its end, and gives what it wrote"),
};
constexpr Property kImport[] = {
    {.name = "file-name",
     .type = Type::kString,
     .flags = Property::kRequired,
     .reference = kFiles,
     .help = "a file of /file; .rsc may be left out"},
    flag("verbose", "with the lines as they are carried out"),
    {.name = "from-line",
     .type = Type::kInteger,
     .min = 1,
     .max = INT32_MAX,
     .help = "leaves out the commands before this line"},
    flag("dry-run", "reads the commands and carries out none"),
};
constexpr Property kNewPassword[] = {
    {.name = "old-password",
     .type = Type::kString,
     .flags = Property::kAsked | Property::kSecret,
     .help = "the one that is in force; unset: there is none"},
    {.name = "new-password",
     .type = Type::kString,
     .flags = Property::kRequired | Property::kSecret,
     .max = 512,
     .help = "the one that shall be"},
    {.name = "confirm-new-password",
     .type = Type::kString,
     .flags = Property::kRequired | Property::kSecret,
     .help = "the same again"},
};
constexpr Command kPasswordCommand{.name = "password",
                                   .help = "changes your own password",
                                   .arguments = kNewPassword,
                                   .policy = Policy::kPassword};

constexpr Property kFile{.name = "file",
                         .type = Type::kString,
                         .flags = Property::kRequired,
                         .max = 4096,
                         .help = "a configuration as YAML; maclanectl reads it where it runs"};
constexpr Property kContent{
    .name = "content", .type = Type::kString, .max = 64 << 20, .help = "what is in the file"};
constexpr Property kPlanArguments[] = {kFile, kContent};
constexpr Property kApplyArguments[] = {
    kFile,
    kContent,
    {.name = "confirm",
     .type = Type::kTime,
     .min = kSecond,
     .max = kLongestTime,
     .help = "goes back by itself unless `confirm` is said in this time"},
};
constexpr Property kResetArguments[] = {
    {.name = "keep-users",
     .type = Type::kBool,
     .default_value = "false",
     .help = "users and their groups stay as they are"},
    {.name = "no-defaults",
     .type = Type::kBool,
     .default_value = "false",
     .help = "nothing is left but the ports, not even what the configuration file says"},
    {.name = "skip-backup",
     .type = Type::kBool,
     .default_value = "false",
     .help = "does without auto-before-reset.backup in /file"},
    {.name = "run-after-reset",
     .type = Type::kString,
     .reference = kFiles,
     .max = 4096,
     .help = "a file of /file that is imported then; .rsc may be left out"},
};

constexpr int64_t kLongestName = 253;

constexpr Property kResolve[] = {
    {.name = "domain-name",
     .type = Type::kString,
     .flags = Property::kRequired,
     .max = kLongestName,
     .help = "the name whose address is asked for"},
    {.name = "server",
     .type = Type::kIp4,
     .help = "whom to ask; unset: the router's own name server, or those it knows"},
};

constexpr Property kPing[] = {
    {.name = "address",
     .type = Type::kString,
     .flags = Property::kRequired,
     .max = kLongestName,
     .help = "whom to ask: an address, or a name that DNS knows"},
    {.name = "count",
     .type = Type::kInteger,
     .min = 1,
     .max = UINT32_MAX,
     .help = "how often; unset: until it is stopped"},
    {.name = "interval",
     .type = Type::kTime,
     .default_value = "1s",
     .min = 10 * kMillisecond,
     .max = 5 * kSecond,
     .help = "time between two requests"},
    {.name = "size",
     .type = Type::kInteger,
     .default_value = "56",
     .min = 28,
     .max = 65535,
     .help = "of the IP packet, in bytes"},
    {.name = "ttl",
     .type = Type::kInteger,
     .default_value = "255",
     .min = 1,
     .max = 255,
     .help = "how many routers it may pass"},
    {.name = "dscp", .type = Type::kInteger, .max = 63, .help = "marks the packet"},
    {.name = "src-address", .type = Type::kIp4, .help = "an address of the router to ask from"},
    {.name = "interface",
     .type = Type::kString,
     .max = 63,
     .help = "asks from its address; a route must lead there by it"},
    flag("do-not-fragment", "rather lost than in pieces"),
};
constexpr Command kPingCommand{.name = "ping",
                               .help = "asks whether somebody answers, and how soon",
                               .arguments = kPing,
                               .positional = "address",
                               .policy = Policy::kTest,
                               .flags = Command::kStreams};
constexpr std::string_view kTraceProtocols[] = {"icmp"};
constexpr Property kTraceroute[] = {
    {.name = "address",
     .type = Type::kString,
     .flags = Property::kRequired,
     .max = kLongestName,
     .help = "whose way is looked for: an address, or a name that DNS knows"},
    {.name = "count",
     .type = Type::kInteger,
     .min = 1,
     .max = UINT32_MAX,
     .help = "how often the whole way; unset: until it is stopped"},
    {.name = "max-hops",
     .type = Type::kInteger,
     .default_value = "255",
     .min = 1,
     .max = 255,
     .help = "how far"},
    {.name = "timeout",
     .type = Type::kTime,
     .default_value = "1s",
     .min = 10 * kMillisecond,
     .max = 8 * kSecond,
     .help = "how long each hop's answer is waited for"},
    {.name = "protocol",
     .type = Type::kEnum,
     .default_value = "icmp",
     .values = kTraceProtocols,
     .help = "what is sent"},
    {.name = "size",
     .type = Type::kInteger,
     .default_value = "56",
     .min = 28,
     .max = 65535,
     .help = "of the IP packet, in bytes"},
    {.name = "dscp", .type = Type::kInteger, .max = 63, .help = "marks the packet"},
    {.name = "src-address", .type = Type::kIp4, .help = "an address of the router to ask from"},
    {.name = "interface",
     .type = Type::kString,
     .max = 63,
     .help = "asks from its address; a route must lead there by it"},
    {.name = "use-dns",
     .type = Type::kBool,
     .default_value = "false",
     .flags = Property::kNotYet,
     .help = "names in place of addresses",
     .not_working_reason = "routers are told by their addresses; ask for their names with a "
                           "resolver"},
};
constexpr Command kToolCommands[] = {
    kPingCommand,
    {.name = "traceroute",
     .help = "the routers on the way to somebody, and how soon each answers",
     .arguments = kTraceroute,
     .positional = "address",
     .policy = Policy::kTest,
     .flags = Command::kStreams}};

constexpr Command kRootCommands[] = {
    kPingCommand,
    {.name = "resolve",
     .help = "the IPv4 address of a name",
     .arguments = kResolve,
     .positional = "domain-name",
     .policy = Policy::kTest,
     .flags = Command::kStreams},
    {.name = "execute",
     .help = "runs a script beside others",
     .arguments = kExecute,
     .positional = "script"},
    {.name = "import",
     .help = "carries out the commands of a file, to the first that fails",
     .arguments = kImport,
     .positional = "file-name"},
    kStatus,
    kReload,
    kPasswordCommand,
    {.name = "plan",
     .help = "what a configuration file would change, a line for each row",
     .arguments = kPlanArguments,
     .positional = "file",
     .policy = Policy::kRead,
     .flags = Command::kOurs},
    {.name = "apply",
     .help = "brings a configuration file into effect in place of all there is",
     .arguments = kApplyArguments,
     .positional = "file",
     .flags = Command::kOurs},
    {.name = "confirm", .help = "an apply stays for good", .flags = Command::kOurs},
    {.name = "changes",
     .help = "what was changed here beside the configuration file, a line for each row",
     .policy = Policy::kRead,
     .flags = Command::kOurs},
    {.name = "undo", .help = "takes the last change back"},
    {.name = "redo", .help = "does again what was undone last"},
};
constexpr Command kSystemCommands[] = {
    kStatus,
    kReload,
    {.name = "shutdown",
     .help = "ends the router",
     .policy = Policy::kReboot,
     .question = "Shutdown, yes?"},
    {.name = "reboot",
     .help = "ends the router and starts it again as it was started",
     .policy = Policy::kReboot,
     .question = "Reboot, yes?"},
    {.name = "reset-configuration",
     .help = "back to the configuration file: what was changed here goes",
     .arguments = kResetArguments,
     .question = "Dangerous! Reset anyway?"},
};

constexpr Property kHistory[] = {
    read_only("action", Type::kString, "what was changed"),
    read_only("by", Type::kString, "the user"),
    read_only("via", Type::kString, "the door, the user and where they came from"),
    read_only("policy", Type::kString, "what undoing it needs"),
    read_only("time", Type::kString, "when"),
    {.name = "change",
     .type = Type::kString,
     .flags = Property::kReadOnly | Property::kHidden | Property::kOurs,
     .help = "a line for each row: + added, - removed, ~ changed"},
    state_flag("undoable", "in effect: undo takes it back"),
    state_flag("redoable", "undone: redo does it again"),
    state_flag("floating-undo", "made in safe mode: taken back if its session dies"),
};
constexpr FlagLetter kHistoryLetters[] = {{'U', "undoable", "undoable"},
                                          {'R', "redoable", "redoable"},
                                          {'F', "floating-undo", "floating-undo"}};
constexpr std::string_view kHistoryColumns[] = {"action", "by", "policy", "time"};

constexpr Property kSafeMode[] = {
    read_only("user", Type::kString, "who took it"),
    read_only("via", Type::kString, "the door, the user and where they came from"),
    read_only("changes", Type::kInteger, "what would be undone if the session died"),
};
constexpr std::string_view kHijack[] = {"release", "unroll"};
constexpr Property kTakeArguments[] = {
    {.name = "hijack",
     .type = Type::kEnum,
     .flags = Property::kOurs,
     .values = kHijack,
     .help = "takes it from a session that has it, and keeps (release) or undoes (unroll) what was "
             "changed in it; at a prompt it is asked"},
};
constexpr Command kSafeModeCommands[] = {
    {.name = "take",
     .help = "from now on a session that dies takes its changes back",
     .arguments = kTakeArguments},
    {.name = "release", .help = "ends safe mode and leaves what was changed"},
    {.name = "unroll", .help = "ends safe mode and takes back what was changed"},
};

constexpr Menu group(std::string_view path, std::string_view help,
                     std::span<const Command> commands = {}) {
  return {.path = path, .kind = Menu::Kind::kGroup, .help = help, .commands = commands};
}

constexpr Menu kGroups[] = {
    group("/", "the whole router", kRootCommands),
    group("/ip", "IPv4: addresses, routes, neighbours, the firewall"),
    group("/ip/firewall", "packet filter, address translation, connections"),
    group("/routing", "routing by more than the destination"),
    group("/system", "the router itself", kSystemCommands),
    group("/tool", "what tells how the network is", kToolCommands),
    {.path = "/system/history",
     .kind = Menu::Kind::kState,
     .properties = kHistory,
     .letters = kHistoryLetters,
     .columns = kHistoryColumns,
     .help = "the last hundred changes, the newest first"},
    {.path = "/safe-mode",
     .kind = Menu::Kind::kState,
     .properties = kSafeMode,
     .help = "who has the router in safe mode",
     .commands = kSafeModeCommands},
};

}  // namespace

std::span<const Menu> group_menus() {
  return kGroups;
}

}  // namespace maclane::model
