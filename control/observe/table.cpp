// The layouts of table.h but that of columns: detail, terse, value-list, settings.
#include "control/observe/table.h"

#include <algorithm>

#include "control/observe/table_parts.h"

namespace maclane::observe {
namespace {

using namespace parts;  // NOLINT: the layouts are made of these parts

/// 2026-11-26 08:36:14, which needs no quotes.
bool is_time(std::string_view text) {
  return text.size() == 19 && text[4] == '-' && text[7] == '-' && text[10] == ' ' &&
         text[13] == ':' && text[16] == ':';
}

/// How RouterOS writes a pair: detail has texts in quotes and numbers in groups, terse has neither.
enum class Pair : uint8_t { kDetail, kTerse };

std::string pair_of(const Table& table, const std::string& name, std::string_view value) {
  const std::string text = shown(table, name, value);
  const bool blanks =
      text.find_first_of(" \"") != std::string::npos && !is_number(value) && !is_time(text);
  if (has(table.texts, name) || blanks) {
    std::string quoted;
    for (char c : text) {
      if (c == '"') quoted += '\\';
      quoted += c;
    }
    return name + "=\"" + quoted + "\"";
  }
  return name + "=" + text;
}

/// The pairs a row shows in detail; what its flags say is not said again.
Strings pairs_of(const Table& table, const TableRow& row, const std::vector<TableFlag>& flags,
                 const PrintOptions& options, bool with_hidden, Pair form) {
  Strings out;
  const auto add = [&](const std::string& name, std::string_view value) {
    if (value.empty()) return;
    if (form == Pair::kTerse)
      out.push_back(name + "=" + plain(table, name, value));
    else if (name != "comment")
      out.push_back(pair_of(table, name, value));
  };
  if (!options.properties.empty()) {
    for (const auto& name : options.properties) add(name, row.get(name));
    return out;
  }
  for (const auto& [name, value] : row.fields) {
    const bool is_flag = std::any_of(flags.begin(), flags.end(),
                                     [&, &n = name](const auto& f) { return f.property == n; });
    if (is_flag || (!with_hidden && has(table.hidden, name))) continue;
    add(name, value);
  }
  return out;
}

std::string detail(const Table& table, const PrintOptions& options, bool with_hidden) {
  const auto flags = flags_of(table);
  const size_t lead = std::max<size_t>(2, number_width(table));
  const size_t width = options.width == 0 ? 80 : options.width;
  std::string out;
  if (!flags.empty() && options.head) out += strong(flags_line(flags, false), options) + "\n";
  for (const auto& row : table.rows) {
    if (&row != &table.rows.front() || !options.head) out += "\n";
    std::string line = padded(std::to_string(row.number), lead, true) + " ";
    if (!flags.empty()) line += letters_of(row, flags) + " ";
    const std::string indent(line.size(), ' ');
    bool fresh = true;  // nothing but the lead on this line yet
    if (!row.get("comment").empty()) {
      end_line(out, line + ";;; " + clean(row.get("comment")));
      line = indent;
    }
    for (const auto& pair : pairs_of(table, row, flags, options, with_hidden, Pair::kDetail)) {
      if (!fresh && width_of(line) + 1 + width_of(pair) > width) {
        end_line(out, std::move(line));
        line = indent;
        fresh = true;
      }
      line += (fresh ? "" : " ") + pair;
      fresh = false;
    }
    if (!fresh || row.get("comment").empty()) end_line(out, std::move(line));
  }
  return out;
}

std::string terse(const Table& table, const PrintOptions& options) {
  const auto flags = flags_of(table);
  const size_t lead = std::max<size_t>(2, number_width(table));
  std::string out;
  for (const auto& row : table.rows) {
    std::string line = padded(std::to_string(row.number), lead, true) + " ";
    if (!flags.empty()) line += letters_of(row, flags) + " ";
    bool first = true;
    for (const auto& pair : pairs_of(table, row, flags, options, true, Pair::kTerse)) {
      line += (first ? "" : " ") + pair;
      first = false;
    }
    end_line(out, std::move(line));
  }
  return out;
}

/// One line per property, one column per row.
std::string value_list(const Table& table, const PrintOptions& options) {
  Strings names = options.properties;
  if (names.empty()) {
    for (const auto& row : table.rows)
      for (const auto& [name, value] : row.fields)
        if (!has(names, name)) names.push_back(name);
  }
  size_t lead = 0;
  for (const auto& name : names) lead = std::max(lead, name.size());
  std::vector<size_t> widths;
  for (const auto& row : table.rows) {
    size_t width = 0;
    for (const auto& name : names)
      width = std::max(width, width_of(shown(table, name, row.get(name))));
    widths.push_back(width);
  }
  std::string out;
  for (const auto& name : names) {
    std::string line = "  " + padded(name, lead, true) + ":";
    for (size_t i = 0; i < table.rows.size(); ++i) {
      line += " " + padded(shown(table, name, table.rows[i].get(name)), widths[i], false);
    }
    end_line(out, std::move(line));
  }
  return out;
}

}  // namespace

std::string_view TableRow::get(std::string_view name) const {
  if (name == ".id") return id;
  for (const auto& [field, value] : fields)
    if (field == name) return value;
  return {};
}

std::string to_text(const Table& table, const PrintOptions& options) {
  if (table.rows.empty()) return {};
  if (table.settings) {
    auto fields = table.rows.front().fields;
    if (!options.properties.empty()) {
      fields.clear();
      for (const auto& name : options.properties)
        fields.emplace_back(name, table.rows.front().get(name));
    }
    if (options.style != Style::kTerse) {
      for (auto& [name, value] : fields) value = shown(table, name, value);
      return to_lines(fields);
    }
  }
  switch (options.style) {
    case Style::kDetail:
      return detail(table, options, true);
    case Style::kTerse:
      return terse(table, options);
    case Style::kValueList:
      return value_list(table, options);
    case Style::kStats:
      if (!options.properties.empty()) return brief(table, options.properties, options);
      if (!table.stats_columns.empty()) return brief(table, table.stats_columns, options);
      break;
    case Style::kBrief:
      if (!options.properties.empty()) return brief(table, options.properties, options);
      break;
  }
  if (table.columns.empty()) return detail(table, options, false);
  return brief(table, table.columns, options);
}

std::string to_lines(const std::vector<std::pair<std::string, std::string>>& fields) {
  size_t lead = 0;
  for (const auto& [name, value] : fields) lead = std::max(lead, width_of(name));
  std::string out;
  for (const auto& [name, value] : fields) {
    end_line(out, "  " + padded(clean(name), lead, true) + ": " + clean(value));
  }
  return out;
}

}  // namespace maclane::observe
