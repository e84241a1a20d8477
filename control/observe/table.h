// Rows as text the way RouterOS 7 prints them.
//
//   Flags: R - RUNNING
//   Columns: NAME, MTU, INTERFACE, MAC-ADDRESS, MODE
//   #   NAME       MTU  INTERFACE  MAC-ADDRESS        MODE
//   0 R macvlan1  1500  ether1     76:81:BF:68:69:83  bridge
//
// On a terminal that is narrower than the table, columns go on further lines below, and the text of
// the last one is folded in its place: none is left out.
//
// A menu without columns (firewall rules) prints every set property in detail form; a settings menu
// prints "name: value" lines; no rows print nothing. Bytes that could drive a terminal are shown as
// \0A. No state; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/model/model.h"

namespace maclane::observe {

struct TableFlag {
  char letter = ' ';
  std::string property;  // shown where this field is "true"
  std::string meaning;
};

struct TableRow {
  std::string id;
  size_t number = 0;
  bool dynamic = false;
  std::vector<std::pair<std::string, std::string>> fields;
  [[nodiscard]] std::string_view get(std::string_view name) const;
};

struct Table {
  bool settings = false;
  std::vector<std::string> columns;
  std::vector<std::string> stats_columns;
  std::vector<TableFlag> flags;
  std::vector<std::string> texts;     // properties that detail writes in quotes
  std::vector<std::string> hidden;    // properties only detail shows
  std::vector<std::string> switches;  // properties that read yes and no
  std::vector<std::string> counters;  // properties whose digits stand in groups
  std::vector<std::pair<std::string, std::string>>
      units;  // by property: "B" (with Ki, Mi ...), "%"
  std::vector<TableRow> rows;
};

enum class Style : uint8_t { kBrief, kDetail, kStats, kTerse, kValueList };

struct PrintOptions {
  Style style = Style::kBrief;
  std::vector<std::string> properties;  // only these, in this order; empty = the style's own
  size_t width = 0;   // of the terminal; 0 = none: tables keep all columns, detail wraps at 80
  bool bold = false;  // headers
  bool head = true;   // false: the rows alone, as when more of them follow
};

/// Rows of a menu, as print shows them.
[[nodiscard]] Table table_of(const model::Menu& menu, const std::vector<model::PrintRow>& rows);
/// Rows a command answers with, all their fields in order.
[[nodiscard]] Table table_of(const std::vector<model::PrintRow>& rows);

/// Whole lines, the last with its newline; "" if there is nothing to print.
[[nodiscard]] std::string to_text(const Table& table, const PrintOptions& options);

/// The rows as a JSON array of objects of strings with ".id"; a settings menu is one object.
[[nodiscard]] std::string to_json(const Table& table);

/// Fields as one JSON object of strings.
[[nodiscard]] std::string to_json_object(
    const std::vector<std::pair<std::string, std::string>>& fields);

/// "name: value" lines, names right-aligned.
[[nodiscard]] std::string to_lines(const std::vector<std::pair<std::string, std::string>>& fields);

}  // namespace maclane::observe
