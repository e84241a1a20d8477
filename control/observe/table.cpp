// The layouts of table.h: brief and stats tables, detail, terse, value-list, settings.
#include "control/observe/table.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>
#include <utility>

namespace maclane::observe {
namespace {

using Strings = std::vector<std::string>;

bool has(const Strings& list, std::string_view what) {
  return std::find(list.begin(), list.end(), what) != list.end();
}

/// Control characters as RouterOS writes them: a DHCP client's host name must not drive a terminal.
std::string clean(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool c1 =
        c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c < 0x20 || c == 0x7F || c1) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\%02X",
                    c1 ? static_cast<unsigned char>(text[++i]) : c);
      out += escaped;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// 2 936 012 as RouterOS writes it: 2867.2KiB, 2.8MiB.
std::string bytes_text(std::string_view digits) {
  constexpr std::string_view kUnits[] = {"KiB", "MiB", "GiB", "TiB"};
  double value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  if (value < 1024) return std::string(digits);
  size_t unit = 0;
  for (value /= 1024; value >= 1024 && unit + 1 < std::size(kUnits); value /= 1024) ++unit;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", value);
  return text.data() + std::string(kUnits[unit]);
}

std::string grouped(std::string_view digits) {
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i != 0 && (digits.size() - i) % 3 == 0) out += ' ';
    out += digits[i];
  }
  return out;
}

/// A value as people read it: switches say yes and no, numbers have their units.
std::string shown(const Table& table, std::string_view name, std::string_view value) {
  if (is_number(value)) {
    for (const auto& [property, unit] : table.units) {
      if (property == name) return unit == "B" ? bytes_text(value) : std::string(value) + unit;
    }
    if (has(table.counters, name)) return grouped(value);
  }
  if ((value == "true" || value == "false") && has(table.switches, name)) {
    return value == "true" ? "yes" : "no";
  }
  return clean(value);
}

/// Columns on the screen: code points.
size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string upper(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

std::string padded(const std::string& text, size_t width, bool right) {
  const size_t used = width_of(text);
  const std::string space(width > used ? width - used : 0, ' ');
  return right ? space + text : text + space;
}

void end_line(std::string& out, std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + "\n";
}

std::string strong(std::string text, const PrintOptions& options) {
  text.erase(text.find_last_not_of(' ') + 1);
  return options.bold ? "\033[1m" + text + "\033[0m" : text;
}

bool shows(const TableRow& row, const TableFlag& flag) {
  return flag.property == "dynamic" ? row.dynamic || row.get("dynamic") == "true"
                                    : row.get(flag.property) == "true";
}

/// The menu's flags, with D where rows are dynamic and the menu has no letter for it.
std::vector<TableFlag> flags_of(const Table& table) {
  auto flags = table.flags;
  const bool known = std::any_of(flags.begin(), flags.end(),
                                 [](const auto& f) { return f.property == "dynamic"; });
  const bool any = std::any_of(table.rows.begin(), table.rows.end(),
                               [](const auto& row) { return row.dynamic; });
  if (any && !known) flags.insert(flags.begin(), TableFlag{'D', "dynamic", "dynamic"});
  return flags;
}

std::string flags_line(const std::vector<TableFlag>& flags, bool shout) {
  std::string line = "Flags: ";
  for (const auto& f : flags) {
    if (&f != &flags.front()) line += "; ";
    line += std::string(1, f.letter) + " - " + (shout ? upper(f.meaning) : f.meaning);
  }
  return line;
}

std::string letters_of(const TableRow& row, const std::vector<TableFlag>& flags) {
  std::string out;
  for (const auto& f : flags) out += shows(row, f) ? f.letter : ' ';
  return out;
}

size_t number_width(const Table& table) {
  size_t width = 1;
  for (const auto& row : table.rows) width = std::max(width, std::to_string(row.number).size());
  return width;
}

struct Column {
  std::string property;
  std::string head;
  size_t width = 0;  // of its cells: a longer text is folded
  bool right = true;
};

/// Those of the wanted columns that have anything to show.
std::vector<Column> measure(const Table& table, const Strings& wanted) {
  std::vector<Column> columns;
  for (const auto& name : wanted) {
    if (name == "comment") continue;
    Column c{name, upper(name), width_of(name), true};
    bool empty = true;
    for (const auto& row : table.rows) {
      const std::string_view value = row.get(name);
      if (value.empty()) continue;
      empty = false;
      c.width = std::max(c.width, width_of(shown(table, name, value)));
      if (!is_number(value)) c.right = false;
    }
    if (!empty) columns.push_back(std::move(c));
  }
  return columns;
}

using Line = std::vector<Column>;

/// The columns in as many lines as they need. width: what is left beside number and flags; 0: all.
std::vector<Line> lines_of(std::vector<Column> columns, size_t width) {
  constexpr size_t kGap = 2, kLeastFolded = 24;
  std::vector<Line> out(1);
  size_t used = 0;
  for (Column& c : columns) {
    const bool last = &c == &columns.back();
    const size_t gap = out.back().empty() ? 0 : kGap;
    const size_t left = width > used + gap ? width - used - gap : 0;
    if (width == 0 || c.width <= left) {
      used += gap + c.width;
    } else if (last && !c.right && left >= std::max(kLeastFolded, width_of(c.head))) {
      c.width = left;
    } else {
      if (!out.back().empty()) out.emplace_back();
      c.width = std::min(c.width, std::max(width, width_of(c.head)));
      used = c.width;
    }
    out.back().push_back(std::move(c));
  }
  return out;
}

/// A text in pieces of a width, at blanks where there are any.
Strings folded(const std::string& text, size_t width) {
  Strings out;
  size_t begin = 0;
  while (width_of(std::string_view(text).substr(begin)) > width) {
    size_t end = begin;
    size_t blank = begin;
    for (size_t n = 0; n < width; ++n) {
      ++end;
      while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
      if (end < text.size() && text[end] == ' ') blank = end;
    }
    if (blank > begin) end = blank;
    out.push_back(text.substr(begin, end - begin));
    begin = end + (blank > begin ? 1 : 0);
  }
  out.push_back(text.substr(begin));
  return out;
}

/// One line of columns of a row, with those below that its folded texts need.
void write_cells(std::string& out, const Line& line, const std::vector<Strings>& cells,
                 std::string lead) {
  size_t height = 1;
  for (const Strings& cell : cells) height = std::max(height, cell.size());
  for (size_t i = 0; i < height; ++i) {
    std::string text = lead;
    for (size_t c = 0; c < line.size(); ++c) {
      text += c == 0 ? "" : "  ";
      text += padded(i < cells[c].size() ? cells[c][i] : "", line[c].width, line[c].right);
    }
    end_line(out, std::move(text));
    lead.assign(lead.size(), ' ');
  }
}

std::string brief(const Table& table, const Strings& wanted, const PrintOptions& options) {
  std::vector<TableFlag> flags;
  for (const auto& f : flags_of(table)) {
    if (std::any_of(table.rows.begin(), table.rows.end(),
                    [&](const auto& row) { return shows(row, f); })) {
      flags.push_back(f);
    }
  }
  const size_t number = number_width(table);
  const size_t lead = number + 1 + (flags.empty() ? 0 : flags.size() + 1);
  const size_t width = options.width == 0 ? 0 : std::max<size_t>(options.width, lead + 8) - lead;
  const std::vector<Line> lines = lines_of(measure(table, wanted), width);

  std::string out;
  if (options.head) {
    if (!flags.empty()) out += strong(flags_line(flags, true), options) + "\n";
    std::string list;
    std::string heads;
    std::string head = padded("#", number, true) + " ";
    head += std::string(lead - head.size(), ' ');
    for (const Line& line : lines) {
      for (const Column& c : line) {
        list += (list.empty() ? "Columns: " : ", ") + c.head;
        head += (&c == &line.front() ? "" : "  ") + padded(c.head, c.width, c.right);
      }
      heads += strong(std::exchange(head, std::string(lead, ' ')), options) + "\n";
    }
    if (!list.empty()) out += strong(list, options) + "\n";
    out += heads;
  }
  for (const auto& row : table.rows) {
    if (!row.get("comment").empty()) end_line(out, ";;; " + clean(row.get("comment")));
    std::string begin = padded(std::to_string(row.number), number, true) + " ";
    if (!flags.empty()) begin += letters_of(row, flags) + " ";
    for (const Line& line : lines) {
      std::vector<Strings> cells;
      for (const Column& c : line) {
        cells.push_back(folded(shown(table, c.property, row.get(c.property)), c.width));
      }
      write_cells(out, line, cells, std::exchange(begin, std::string(lead, ' ')));
    }
  }
  return out;
}

/// 2026-11-26 08:36:14, which needs no quotes.
bool is_time(std::string_view text) {
  return text.size() == 19 && text[4] == '-' && text[7] == '-' && text[10] == ' ' &&
         text[13] == ':' && text[16] == ':';
}

/// name=value, in quotes where RouterOS has them.
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
                 const PrintOptions& options, bool with_hidden, bool with_comment) {
  Strings out;
  const auto add = [&](const std::string& name, std::string_view value) {
    if (value.empty() || (name == "comment" && !with_comment)) return;
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
    for (const auto& pair : pairs_of(table, row, flags, options, with_hidden, false)) {
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
    for (const auto& pair : pairs_of(table, row, flags, options, true, true)) {
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
