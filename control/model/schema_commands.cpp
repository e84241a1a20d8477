// The commands that every menu of a kind has (D-20), and how a menu's are found.
#include <algorithm>
#include <unordered_map>
#include <vector>

#include "control/model/schema_parts.h"

namespace maclane::model {
namespace {

using namespace parts;  // NOLINT: the tables are made of these parts

constexpr Property kPrint[] = {
    flag("brief", "a table, also where the menu's usual form is another"),
    flag("detail", "every property, also those the table leaves out"),
    flag("terse", "one line a row, for programs"),
    flag("value-list", "one property a line, one column a row"),
    {.name = "stats", .type = Type::kString, .help = "the counters"},
    flag("stats-detail", "every property, the counters among them"),
    flag("count-only", "only how many rows there are"),
    flag("all", "what is configured and what the router made, as it is anyway"),
    flag("static", "only what is configured"),
    flag("dynamic", "only what the router made"),
    flag("as-value", "for scripts: the rows as an array"),
    flag("show-ids", "with the rows' identifiers"),
    flag("without-paging", "all at once"),
    flag("follow", "the rows, and then those that change"),
    flag("follow-only", "only rows that change from now on"),
    {.name = "interval",
     .type = Type::kTime,
     .min = 10 * kMillisecond,
     .max = kLongestTime,
     .help = "again and again, so often"},
    {.name = "proplist", .type = Type::kString, .help = "only these properties"},
    {.name = "from", .type = Type::kString, .help = "only these rows: names, *IDs or numbers"},
};
constexpr Property kGet[] = {
    numbers("the row: its name, *ID or number"),
    {.name = "value-name", .type = Type::kString, .help = "the property; unset: all of them"},
};
constexpr Property kAdd[] = {
    {.name = "place-before",
     .type = Type::kString,
     .help = "the row to stand before; unset: behind the last"},
    {.name = "copy-from", .type = Type::kString, .help = "the row whose values it begins with"},
};
constexpr Property kAddUnordered[] = {kAdd[1]};
constexpr Property kRowsOnly[] = {numbers("which rows: names, *IDs or numbers, with commas")};
constexpr Property kUnset[] = {
    kRowsOnly[0],
    {.name = "value-name",
     .type = Type::kString,
     .flags = Property::kRequired,
     .help = "the properties that shall have no value"},
};
constexpr Property kComment[] = {
    kRowsOnly[0],
    {.name = "comment", .type = Type::kString, .help = "the text; empty: none"},
};
constexpr Property kMove[] = {
    kRowsOnly[0],
    {.name = "destination",
     .type = Type::kString,
     .help = "the row to stand before; unset: behind the last"},
};

constexpr auto kRows = Command::kRows;

constexpr Command kPrintCommand{
    .name = "print", .help = "shows the rows", .arguments = kPrint, .policy = Policy::kRead};
constexpr Command kGetCommand{.name = "get",
                              .help = "the value of a property",
                              .arguments = kGet,
                              .positional = "numbers",
                              .policy = Policy::kRead};
constexpr Command kFindCommand{
    .name = "find", .help = "the identifiers of the rows that match", .policy = Policy::kRead};
constexpr Command kListenCommand{.name = "listen",
                                 .help = "tells of rows that change, until it is stopped",
                                 .policy = Policy::kRead,
                                 .flags = Command::kStreams};
constexpr Command kAddCommand{.name = "add",
                              .help = "makes a new row",
                              .arguments = kAddUnordered,
                              .flags = Command::kProperties};
constexpr Command kAddOrderedCommand{
    .name = "add", .help = "makes a new row", .arguments = kAdd, .flags = Command::kProperties};
constexpr Command kSetCommand{.name = "set",
                              .help = "changes properties of rows",
                              .arguments = kRowsOnly,
                              .positional = "numbers",
                              .flags = kRows | Command::kProperties};
constexpr Command kSetSettingsCommand{
    .name = "set", .help = "changes settings", .flags = Command::kProperties};
constexpr Command kUnsetCommand{.name = "unset",
                                .help = "takes values away from rows",
                                .arguments = kUnset,
                                .positional = "numbers",
                                .flags = kRows};
constexpr Command kRemoveCommand{.name = "remove",
                                 .help = "removes rows",
                                 .arguments = kRowsOnly,
                                 .positional = "numbers",
                                 .flags = kRows};
constexpr Command kEnableCommand{.name = "enable",
                                 .help = "puts rows into effect",
                                 .arguments = kRowsOnly,
                                 .positional = "numbers",
                                 .flags = kRows};
constexpr Command kDisableCommand{.name = "disable",
                                  .help = "keeps rows without effect",
                                  .arguments = kRowsOnly,
                                  .positional = "numbers",
                                  .flags = kRows};
constexpr Command kCommentCommand{.name = "comment",
                                  .help = "writes a note at rows",
                                  .arguments = kComment,
                                  .positional = "numbers",
                                  .flags = kRows};
constexpr Command kMoveCommand{.name = "move",
                               .help = "puts rows elsewhere in their order",
                               .arguments = kMove,
                               .positional = "numbers",
                               .flags = kRows};

constexpr Property kExport[] = {
    {.name = "file", .type = Type::kString, .help = "writes it to this file"},
    flag("compact", "what differs from a fresh router, as it is anyway"),
    flag("verbose", "every property that has a value"),
    flag("terse", "one whole command a line"),
    flag("hide-sensitive", "without secrets, as it is anyway"),
    flag("show-sensitive", "with passwords and keys"),
    {.name = "yaml",
     .type = Type::kBool,
     .flags = Property::kOurs,
     .help = "all of it as a configuration file"},
};
constexpr Command kExportCommand{.name = "export",
                                 .help = "the commands that make what is here",
                                 .arguments = kExport,
                                 .policy = Policy::kRead};

constexpr Command kSchemaCommand{.name = "schema",
                                 .help = "lists the properties of this menu",
                                 .policy = Policy::kRead,
                                 .flags = Command::kOurs};

bool writable(const Menu& menu, std::string_view property) {
  const Property* found = menu.find(property);
  return found != nullptr && !found->has(Property::kReadOnly);
}

void add_edits(const Menu& menu, std::vector<const Command*>& out) {
  const bool ordered = menu.kind == Menu::Kind::kOrdered;
  const bool fixed = menu.has(Menu::kFixedRows);
  if (!fixed) out.push_back(ordered ? &kAddOrderedCommand : &kAddCommand);
  out.insert(out.end(), {&kSetCommand, &kUnsetCommand});
  if (!fixed) out.push_back(&kRemoveCommand);
  if (writable(menu, "disabled")) out.insert(out.end(), {&kEnableCommand, &kDisableCommand});
  if (writable(menu, "comment")) out.push_back(&kCommentCommand);
  if (ordered) out.push_back(&kMoveCommand);
}

/// What the kind of a menu brings along.
std::vector<const Command*> of_kind(const Menu& menu) {
  using Kind = Menu::Kind;
  std::vector<const Command*> out;
  if (menu.kind == Kind::kGroup) return {&kExportCommand};
  out = {&kPrintCommand, &kGetCommand, &kListenCommand, &kSchemaCommand};
  if (menu.kind == Kind::kSettings) {
    const bool any = std::any_of(menu.properties.begin(), menu.properties.end(),
                                 [](const Property& p) { return !p.has(Property::kReadOnly); });
    if (any) out.insert(out.end(), {&kSetSettingsCommand, &kExportCommand});
    return out;
  }
  out.push_back(&kFindCommand);
  if (menu.kind != Kind::kState) {
    add_edits(menu, out);
    out.push_back(&kExportCommand);
    return out;
  }
  if (!menu.gathers.empty()) {
    out.insert(out.end(), {&kSetCommand, &kEnableCommand, &kDisableCommand, &kCommentCommand});
  }
  if (menu.has(Menu::kRemovable)) out.push_back(&kRemoveCommand);
  const std::string below = std::string(menu.path) + "/";
  if (std::any_of(menus().begin(), menus().end(), [&](const Menu& other) {
        return other.has_rows() && other.path.starts_with(below);
      })) {
    out.push_back(&kExportCommand);
  }
  return out;
}

std::vector<const Command*> all_of(const Menu& menu) {
  std::vector<const Command*> out = of_kind(menu);
  for (const Command& own : menu.commands) {
    const auto same = std::find_if(out.begin(), out.end(),
                                   [&](const Command* one) { return one->name == own.name; });
    if (same == out.end()) {
      out.push_back(&own);
    } else {
      *same = &own;
    }
  }
  return out;
}

}  // namespace

std::span<const Command* const> commands_of(const Menu& menu) {
  static const auto all = [] {
    std::unordered_map<std::string_view, std::vector<const Command*>> out;
    for (const Menu& one : menus()) out.emplace(one.path, all_of(one));
    return out;
  }();
  const auto found = all.find(menu.path);
  return found == all.end() ? std::span<const Command* const>{} : found->second;
}

const Command* find_command(const Menu& menu, std::string_view name) {
  for (const Command* one : commands_of(menu)) {
    if (one->name == name) return one;
  }
  return nullptr;
}

const Property* Command::find(std::string_view argument) const {
  for (const Property& one : arguments) {
    if (one.name == argument) return &one;
  }
  return nullptr;
}

}  // namespace maclane::model
