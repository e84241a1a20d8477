#include "control/observe/table_parts.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>

namespace maclane::observe::parts {
namespace {

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

/// 60 400 bits a second: 60.4kbps.
std::string rate_text(std::string_view digits) {
  constexpr std::string_view kUnits[] = {"kbps", "Mbps", "Gbps"};
  double value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  if (value < 1000) return std::string(digits) + "bps";
  size_t unit = 0;
  for (value /= 1000; value >= 1000 && unit + 1 < std::size(kUnits); value /= 1000) ++unit;
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

}  // namespace

bool has(const Strings& list, std::string_view what) {
  return std::find(list.begin(), list.end(), what) != list.end();
}

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

std::string plain(const Table& table, std::string_view name, std::string_view value) {
  if ((value == "true" || value == "false") && has(table.switches, name)) {
    return value == "true" ? "yes" : "no";
  }
  return clean(value);
}

std::string shown(const Table& table, std::string_view name, std::string_view value) {
  if (is_number(value)) {
    for (const auto& [property, unit] : table.units) {
      if (property != name) continue;
      return unit == "B"     ? bytes_text(value)
             : unit == "bps" ? rate_text(value)
                             : std::string(value) + unit;
    }
    if (has(table.counters, name)) return grouped(value);
  }
  return plain(table, name, value);
}

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

}  // namespace maclane::observe::parts
