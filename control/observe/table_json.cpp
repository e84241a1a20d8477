// Tables as JSON. See table.h.
#include "control/observe/json_text.h"
#include "control/observe/table.h"

namespace maclane::observe {
namespace {

/// The members of an object, a line each.
class Members {
 public:
  Members(std::string& out, std::string_view indent) : out_(out), indent_(indent) { out_ += '{'; }
  void add(std::string_view name, std::string_view value) {
    out_ += empty_ ? "\n" : ",\n";
    (out_ += indent_) += "  ";
    append_json(out_, name);
    out_ += ": ";
    append_json(out_, value);
    empty_ = false;
  }
  void end() {
    if (!empty_) (out_ += '\n') += indent_;
    out_ += '}';
  }

 private:
  std::string& out_;
  std::string_view indent_;
  bool empty_ = true;
};

void append_row(std::string& out, const Table& table, const TableRow& row,
                std::string_view indent) {
  Members members(out, indent);
  if (!table.settings && !row.id.empty()) members.add(".id", row.id);
  for (const auto& [name, value] : row.fields) members.add(name, value);
  if (row.dynamic && row.get("dynamic").empty()) members.add("dynamic", "true");
  members.end();
}

}  // namespace

std::string to_json(const Table& table) {
  std::string out;
  if (table.settings) {
    append_row(out, table, table.rows.empty() ? TableRow{} : table.rows.front(), "");
    return out + '\n';
  }
  out += '[';
  for (const TableRow& row : table.rows) {
    out += &row == &table.rows.front() ? "\n  " : ",\n  ";
    append_row(out, table, row, "  ");
  }
  return out + (table.rows.empty() ? "]\n" : "\n]\n");
}

std::string to_json_object(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string out;
  Members members(out, "");
  for (const auto& [name, value] : fields) members.add(name, value);
  members.end();
  return out + '\n';
}

}  // namespace maclane::observe
