// Tables with columns, in as many lines as a terminal needs. See table.h.
#include <algorithm>
#include <utility>

#include "control/observe/table_parts.h"

namespace maclane::observe::parts {
namespace {

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

}  // namespace

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

}  // namespace maclane::observe::parts
