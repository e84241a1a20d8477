// The tables of /routing/table and /routing/rule: routing by more than the destination.
#include "control/model/schema_parts.h"

namespace maclane::model {
namespace {

using namespace parts;  // NOLINT: the tables are made of these parts
using P = Property;

constexpr std::string_view kNotFib[] = {"false"};

constexpr Property kTable[] = {
    {.name = "name",
     .type = Type::kString,
     .flags = P::kRequired | P::kName,
     .max = 63,
     .help = "the table, as routes, rules and mark-routing name it"},
    {.name = "fib",
     .type = Type::kBool,
     .default_value = "true",
     .flags = P::kWritten,
     .help = "packets are forwarded by it",
     .not_working = kNotFib,
     .not_working_reason = "a table that forwards nothing is of no use here; leave fib out"},
    disabled(),
    comment(),
    state_flag("dynamic", "made by the router itself"),
    state_flag("invalid", "cannot be used"),
};
constexpr FlagLetter kTableLetters[] = {
    {'D', "dynamic", "dynamic"}, {'X', "disabled", "disabled"}, {'I', "invalid", "invalid"}};
constexpr std::string_view kTableColumns[] = {"name", "fib"};

constexpr std::string_view kRuleActions[] = {"drop", "lookup", "lookup-only-in-table",
                                             "unreachable"};

constexpr Property kRule[] = {
    {.name = "src-address",
     .type = Type::kIp4Prefix,
     .flags = P::kNetwork,
     .help = "the source of packets it is for"},
    {.name = "dst-address",
     .type = Type::kIp4Prefix,
     .flags = P::kNetwork,
     .help = "their destination"},
    {.name = "routing-mark",
     .type = Type::kReference,
     .reference = kRoutingTables,
     .help = "the mark that mangle gave them"},
    {.name = "interface",
     .type = Type::kReference,
     .reference = kAnyInterface,
     .help = "where they came in"},
    {.name = "min-prefix",
     .type = Type::kInteger,
     .max = 0xffffffff,
     .help = "with lookup and lookup-only-in-table: routes of the table whose prefix is as long as "
             "this or shorter are hidden; 0 hides the default route"},
    {.name = "action",
     .type = Type::kEnum,
     .default_value = "lookup",
     .values = kRuleActions,
     .help = "lookup: by the table, and if that has no route as if there were no rule; "
             "lookup-only-in-table: by the table alone; drop: silently; unreachable: with an "
             "ICMP error"},
    {.name = "table",
     .type = Type::kReference,
     .values = kMainTable,
     .reference = kRoutingTables,
     .help = "with lookup and lookup-only-in-table: the table"},
    disabled(),
    comment(),
    state_flag("inactive", "its table is disabled"),
};
constexpr FlagLetter kRuleLetters[] = {{'X', "disabled", "disabled"},
                                       {'I', "inactive", "inactive"}};

constexpr Menu kMenus[] = {
    {.path = "/routing/table",
     .kind = Menu::Kind::kList,
     .properties = kTable,
     .letters = kTableLetters,
     .columns = kTableColumns,
     .help = "tables of routes beside main",
     .noun = "routing table"},
    {.path = "/routing/rule",
     .kind = Menu::Kind::kOrdered,
     .properties = kRule,
     .letters = kRuleLetters,
     .help = "which table a packet is routed by; the first rule that fits",
     .noun = "routing rule"},
};

}  // namespace

std::span<const Menu> routing_menus() {
  return kMenus;
}

}  // namespace maclane::model
