// What the layouts of table.h have in common: values as people read them, widths, flags. Included
// by table*.cpp only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/observe/table.h"

namespace maclane::observe::parts {

using Strings = std::vector<std::string>;

[[nodiscard]] bool has(const Strings& list, std::string_view what);
/// Control characters as RouterOS writes them: a DHCP client's host name must not drive a terminal.
[[nodiscard]] std::string clean(std::string_view text);
[[nodiscard]] bool is_number(std::string_view text);
/// A value as programs read it in a line of text: switches say yes and no.
[[nodiscard]] std::string plain(const Table& table, std::string_view name, std::string_view value);
/// A value as people read it: switches say yes and no, numbers have their units.
[[nodiscard]] std::string shown(const Table& table, std::string_view name, std::string_view value);
/// Columns on the screen: code points.
[[nodiscard]] size_t width_of(std::string_view text);
[[nodiscard]] std::string upper(std::string text);
[[nodiscard]] std::string padded(const std::string& text, size_t width, bool right);
void end_line(std::string& out, std::string line);
[[nodiscard]] std::string strong(std::string text, const PrintOptions& options);

[[nodiscard]] bool shows(const TableRow& row, const TableFlag& flag);
/// The menu's flags, with D where rows are dynamic and the menu has no letter for it.
[[nodiscard]] std::vector<TableFlag> flags_of(const Table& table);
[[nodiscard]] std::string flags_line(const std::vector<TableFlag>& flags, bool shout);
[[nodiscard]] std::string letters_of(const TableRow& row, const std::vector<TableFlag>& flags);
[[nodiscard]] size_t number_width(const Table& table);

// table_brief.cpp
/// A table of these columns.
[[nodiscard]] std::string brief(const Table& table, const Strings& wanted,
                                const PrintOptions& options);

}  // namespace maclane::observe::parts
