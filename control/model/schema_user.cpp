// The tables of /user (C-48): users, groups with their policies, who is logged in.
#include "control/model/schema_parts.h"
#include "control/model/secrets.h"

namespace maclane::model {
namespace {

using namespace parts;  // NOLINT: the tables are made of these parts
using P = Property;

constexpr std::string_view kGroupMenu[] = {"/user/group"};
constexpr std::string_view kLockscreen[] = {"lockscreen"};
constexpr std::string_view kInactivityValues[] = {"none", "logout", "lockscreen"};
// As RouterOS writes them: what a group has, and with '!' what it has not.
constexpr std::string_view kPolicyValues[] = {
    "local",   "telnet", "ssh",        "ftp",      "reboot",  "read",     "write",
    "policy",  "test",   "winbox",     "password", "web",     "sniff",    "sensitive",
    "api",     "romon",  "rest-api",   "!local",   "!telnet", "!ssh",     "!ftp",
    "!reboot", "!read",  "!write",     "!policy",  "!test",   "!winbox",  "!password",
    "!web",    "!sniff", "!sensitive", "!api",     "!romon",  "!rest-api"};

constexpr Property kUser[] = {
    {.name = "name",
     .type = Type::kString,
     .flags = P::kRequired | P::kName,
     .max = 64,
     .help = "what they log in with"},
    {.name = "group",
     .type = Type::kReference,
     .flags = P::kRequired,
     .reference = kGroupMenu,
     .help = "what they may do"},
    {.name = "password",
     .type = Type::kString,
     .flags = P::kWriteOnly | P::kUnique | P::kHidden,
     .max = 512,
     .help = "kept as a hash (yescrypt); a hash of crypt(5) is taken as it is. Without one nobody "
             "comes in over the network",
     .convert = secrets::convert_password},
    {.name = "address",
     .type = Type::kIp4Prefix,
     .flags = P::kList | P::kNetwork | P::kIp6Too,
     .help = "where they may come from; unset: anywhere"},
    {.name = "inactivity-timeout",
     .type = Type::kTime,
     .default_value = "10m",
     .flags = P::kHidden,
     .max = kLongestTime,
     .help = "after how long without a command inactivity-policy takes effect"},
    {.name = "inactivity-policy",
     .type = Type::kEnum,
     .default_value = "none",
     .flags = P::kHidden,
     .values = kInactivityValues,
     .help = "logout: the session is ended",
     .not_working = kLockscreen,
     .not_working_reason = "there is no screen to lock here; none and logout are"},
    {.name = "old-login",
     .type = Type::kBool,
     .default_value = "false",
     .flags = P::kOurs | P::kHidden,
     .help = "yes: the API's login from before 6.43 works for this user too. It needs the password "
             "itself, which is then kept sealed under the key of the state folder beside its hash"},
    {.name = "old-login-password",
     .type = Type::kString,
     .flags = P::kOurs | P::kHidden | P::kWriteOnly | P::kUnique | P::kDerived,
     .max = 2048,
     .help = "made from the password where old-login=yes",
     .convert = secrets::convert_sealed},
    read_only("last-logged-in", Type::kString, "when"),
    comment(),
    disabled(),
};
constexpr FlagLetter kUserLetters[] = {{'X', "disabled", "disabled"}};
constexpr std::string_view kUserColumns[] = {"name", "group", "address", "last-logged-in"};

constexpr Property kGroup[] = {
    {.name = "name",
     .type = Type::kString,
     .flags = P::kRequired | P::kName,
     .max = 64,
     .help = ""},
    {.name = "policy",
     .type = Type::kEnum,
     .default_value = "",
     .flags = P::kList | P::kDistinct,
     .values = kPolicyValues,
     .help = "what its users may do; what is not named they may not"},
    {.name = "skin",
     .type = Type::kString,
     .default_value = "default",
     .flags = P::kNotYet | P::kHidden,
     .not_working_reason = "skins are of WebFig, which is not here; leave it out"},
    comment(),
};
constexpr std::string_view kGroupColumns[] = {"name", "policy"};

constexpr InitialValue kFull[] = {
    {"name", "full"},
    {"policy",
     "local,telnet,ssh,ftp,reboot,read,write,policy,test,winbox,password,web,sniff,sensitive,api,"
     "romon,rest-api"}};
constexpr InitialValue kWrite[] = {
    {"name", "write"},
    {"policy",
     "local,telnet,ssh,reboot,read,write,test,winbox,password,web,sniff,sensitive,api,romon,"
     "rest-api,!ftp,!policy"}};
constexpr InitialValue kRead[] = {
    {"name", "read"},
    {"policy",
     "local,telnet,ssh,reboot,read,test,winbox,password,web,sniff,sensitive,api,romon,rest-api,"
     "!ftp,!write,!policy"}};
constexpr InitialRow kInitialGroups[] = {{kRead, false}, {kWrite, false}, {kFull, false}};

constexpr InitialValue kAdmin[] = {
    {"name", "admin"}, {"group", "full"}, {"comment", "system default user"}};
constexpr InitialRow kInitialUsers[] = {{kAdmin, true}};

constexpr Property kActive[] = {
    read_only("when", Type::kString, "since when"),
    read_only("name", Type::kString, "the user"),
    read_only("address", Type::kString, "where they come from"),
    read_only("via", Type::kString, "the door they came through"),
    read_only("group", Type::kString, "what they may do"),
    state_flag("radius", "always no: RADIUS does not decide here"),
};
constexpr std::string_view kActiveColumns[] = {"when", "name", "address", "via", "group"};
constexpr Property kRequestLogout[] = {numbers("whose sessions: numbers or *IDs")};
constexpr Command kActiveCommands[] = {
    {.name = "request-logout",
     .help = "ends sessions",
     .arguments = kRequestLogout,
     .positional = "numbers",
     .policy = Policy::kPolicy,
     .flags = Command::kRows},
};

constexpr Menu kMenus[] = {
    {.path = "/user/group",
     .kind = Menu::Kind::kList,
     .properties = kGroup,
     .columns = kGroupColumns,
     .help = "sets of policies, which say what users may do",
     .initial = kInitialGroups,
     .noun = "user group",
     .edit_policy = Policy::kPolicy},
    {.path = "/user",
     .kind = Menu::Kind::kList,
     .properties = kUser,
     .letters = kUserLetters,
     .columns = kUserColumns,
     .help = "who may come in over the network",
     .initial = kInitialUsers,
     .noun = "user",
     .edit_policy = Policy::kPolicy},
    {.path = "/user/active",
     .kind = Menu::Kind::kState,
     .properties = kActive,
     .columns = kActiveColumns,
     .help = "who is in",
     .commands = kActiveCommands},
};

}  // namespace

std::span<const Menu> user_menus() {
  return kMenus;
}

}  // namespace maclane::model
