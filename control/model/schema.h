// The schema: one table per menu, from which parsing, defaults, validation, help, export, print and
// the JSON schema of the YAML all come. Adding a property to a menu is one line in its table.
//
// Menus and property names are RouterOS's (reference: behaviour.md A1, B2, B18, C1); what is ours
// alone (device, attach, netns, the dataplane menu) carries Property::kOurs. Immutable after static
// initialisation; any thread may read.
//
// A menu that has rows of its own from the start (the eight of /ip/service, the user admin) lists
// them as `initial`. A command beside those every menu has (commands_of) is one line in the menu's
// `commands`, and a handler of Commands.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/model/caller.h"
#include "control/model/result.h"

namespace maclane::model {

enum class Type : uint8_t {
  kString,       // any text
  kBool,         // canonical "true" / "false"; accepts yes/no/true/false
  kInteger,      // decimal, min..max
  kTime,         // canonical RouterOS short form "1d2h", "5s", zero "0s"; see time.h
  kAutoTime,     // kTime or "auto"
  kMac,          // canonical "AA:BB:CC:DD:EE:FF"; "auto" is taken as unset
  kIp4,          // "192.0.2.1"
  kIp4Prefix,    // "192.0.2.0/24"; a bare address is /32; host bits kept (address) unless kNetwork
  kIp4Set,       // address, prefix or range "a-b"; what the firewall takes
  kGateway,      // "a.b.c.d", "a.b.c.d@table", "a.b.c.d%interface" or an interface
  kEnum,         // one of Property::values
  kPorts,        // "80", "1000-2000"; with kList "80,443,1000-2000"
  kProtocol,     // canonical name ("tcp") or number
  kIcmpOptions,  // "8:0-255"
  kReference,    // the name of a row in one of the menus in Property::reference
};

struct Property {
  enum Flag : uint32_t {
    kNone = 0,
    kRequired = 1u << 0,
    kReadOnly = 1u << 1,   // filled in by a state provider, never stored
    kList = 1u << 2,       // comma separated; a YAML list is accepted; canonical form has no spaces
    kNegatable = 1u << 3,  // may begin with '!'
    kName = 1u << 4,       // the row's name; unique in the menu
    kOurs = 1u << 5,       // not a RouterOS property
    kNetwork = 1u << 6,    // prefix: host bits must be zero (they are cleared with the mask)
    kHidden = 1u << 7,     // not in the default print, only in detail
    kInterfaceName = 1u << 8,  // name shared by every /interface menu: unique over all of them
    kDistinct = 1u << 10,      // a list in which a part written twice is a mistake
    kNotYet = 1u << 9,         // RouterOS has it, this version refuses every value but the default
    kSecret = 1u << 11,        // shown only to callers with the policy sensitive
    kWriteOnly = 1u << 12,     // never shown to anyone: a user's password
    kCounter = 1u << 13,       // counts all the time: no news to who listens
    kUnique = 1u << 14,        // add copy-from does not take it along
    kDerived = 1u << 15,       // made from the row's other values: no file has a say in it
    kMayBeLost = 1u << 16,     // kReference: stays as "*ID" when the row it names is removed
    kIp6Too = 1u << 17,        // kIp4Prefix: an IPv6 prefix as well
    kAsked = 1u << 19,         // a prompt asks for it though it may be left out
    kWritten = 1u << 18,  // an export writes it though it is the default; "yes" as a word alone
  };
  std::string_view name;
  Type type;
  std::string_view default_value = {};  // canonical; empty = unset
  uint32_t flags = kNone;
  // kEnum: what it takes. kReference: names taken beside the rows' (built-in lists).
  std::span<const std::string_view> values = {};
  std::span<const std::string_view> reference = {};  // kReference: menu paths
  int64_t min = 0;          // kInteger; kTime and kAutoTime in milliseconds
  int64_t max = INT64_MAX;  // kString: the most characters
  std::string_view help = {};
  /// Values that are in the schema but that this release cannot carry out yet, and the sentence
  /// said when one is set. Empty = all values work.
  std::span<const std::string_view> not_working = {};
  std::string_view not_working_reason = {};
  /// What becomes of a canonical value before it is stored (a password: its hash). Must leave what
  /// it made itself as it is: stored values pass it again.
  tl::expected<std::string, std::string> (*convert)(std::string_view canonical) = nullptr;
  /// What people read behind a number: "%", "MHz"; "B" is shown as KiB, MiB and so on.
  std::string_view unit = {};

  [[nodiscard]] bool has(Flag f) const { return (flags & f) != 0; }
};

struct FlagLetter {
  char letter;                // 'X'
  std::string_view property;  // "disabled": shown when its value is "true"
  std::string_view meaning;   // "disabled"
};

/// What can be done in a menu beside showing and editing rows, or at a group of menus.
struct Command {
  enum Flag : uint32_t {
    kNone = 0,
    kRows = 1u << 0,          // takes rows: numbers, .id, or those a filter finds
    kRowsOptional = 1u << 1,  // with kRows: none named is all
    kStreams = 1u << 2,       // goes on until it is stopped, or done once with `once`
    kProperties = 1u << 3,    // takes the menu's properties as arguments too
    kOurs = 1u << 4,          // not a RouterOS command
  };
  std::string_view name;
  std::string_view help;
  std::span<const Property> arguments = {};
  std::string_view positional = {};  // the argument a word without a name is; "" if there is none
  Policies policy = Policy::kWrite;  // what a caller needs
  uint32_t flags = kNone;
  /// What a person at a prompt is asked before it is carried out; "" if it does no harm.
  std::string_view question = {};

  [[nodiscard]] bool has(Flag f) const { return (flags & f) != 0; }
  [[nodiscard]] const Property* find(std::string_view argument) const;
};

/// A row that a fresh tree has.
struct InitialValue {
  std::string_view property, value;  // canonical
};
struct InitialRow {
  std::span<const InitialValue> values;
  bool removable = false;
};

struct Menu {
  enum class Kind : uint8_t {
    kList,
    kOrdered,
    kSettings,
    kState, /* rows come from a provider only */
    kGroup, /* only menus below it, and commands */
  };
  enum Flag : uint32_t {
    kNone = 0,
    kFixedRows = 1u << 0,  // the initial rows and no others: no add, no remove
    kOurs = 1u << 1,       // not a RouterOS menu
    kRemovable = 1u << 2,  // kState: rows can be removed, and their provider does it
    kMachine = 1u << 3,    // what the machine has: no reset takes it away
  };
  std::string_view path;  // canonical, "/interface/macvlan"
  Kind kind;
  std::span<const Property> properties;
  std::span<const FlagLetter> letters;
  std::span<const std::string_view> columns;  // default print; empty = all set properties
  std::span<const std::string_view> stats_columns;
  std::string_view help;
  std::span<const Command> commands = {};    // beside those of every menu of its kind
  std::span<const InitialRow> initial = {};  // kList, kOrdered
  uint32_t flags = kNone;
  /// What a row is called in the log and the history; empty: the path's last word.
  std::string_view noun = {};
  Policies read_policy = Policy::kRead;
  Policies edit_policy = Policy::kWrite;
  /// kState: menus whose rows are shown here by name. set, enable, disable and comment of such a
  /// row go to its own menu.
  std::span<const std::string_view> gathers = {};
  /// The properties that together tell a row from the others of its menu, where rows have no name.
  /// Rows may share a key for all that: what may not be twice is validation's to say.
  std::span<const std::string_view> key = {};

  [[nodiscard]] bool has(Flag f) const { return (flags & f) != 0; }
  /// Whether it has rows that are stored, one or many.
  [[nodiscard]] bool has_rows() const {
    return kind == Kind::kList || kind == Kind::kOrdered || kind == Kind::kSettings;
  }
  /// Index of a property by its exact name; -1 if the menu has none of that name.
  [[nodiscard]] int index(std::string_view property) const;
  [[nodiscard]] const Property* find(std::string_view property) const;
};

/// All menus in the order they are exported.
[[nodiscard]] std::span<const Menu> menus();

/// Accepts "/interface/macvlan", "interface/macvlan", "/interface macvlan"; "" and "/" are the
/// root. nullptr if there is none.
[[nodiscard]] const Menu* find_menu(std::string_view path);

/// Everything that can be said in a menu: what its kind brings along (print, get, add ...), then
/// its own commands. One of its own that has the name of one of its kind stands in its place.
[[nodiscard]] std::span<const Command* const> commands_of(const Menu& menu);
/// One of them by its exact name; nullptr if there is none.
[[nodiscard]] const Command* find_command(const Menu& menu, std::string_view name);

/// What a row of a menu is called: "filter rule", "interface", or the path's last word.
[[nodiscard]] std::string_view noun_of(const Menu& menu);

/// The index of the property that names a menu's stored rows; -1 if they have no names.
[[nodiscard]] int name_index(const Menu& menu);
/// What a row is told by: its name, or the properties of Menu::key.
struct KeyPart {
  int index;
  const Property* property;
};
[[nodiscard]] std::span<const KeyPart> key_of(const Menu& menu);

/// Whether RouterOS has a menu (or a group of menus) of this canonical path that this version
/// lacks.
[[nodiscard]] bool is_later_menu(std::string_view path);

/// What to say of a path or command that RouterOS has and this version lacks (D-40); "" of others.
[[nodiscard]] std::string later_sentence(std::string_view path);

/// Built-in interface lists, which need no row in /interface/list.
[[nodiscard]] bool is_builtin_list(std::string_view name);

/// Brings a value into canonical form. The error's message says what would be right; path, row and
/// source are left to the caller. "" is always accepted and means unset.
[[nodiscard]] tl::expected<std::string, std::string> normalize(const Property& property,
                                                               std::string_view raw);

}  // namespace maclane::model
