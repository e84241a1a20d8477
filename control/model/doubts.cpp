#include "control/model/doubts.h"

#include <fmt/format.h>

#include "control/model/value.h"

namespace maclane::model {
namespace {

constexpr std::string_view kNat = "/ip/firewall/nat";

uint64_t count_of(const Ip4Range& range) {
  return uint64_t{range.last} - range.first + 1;
}

void look_at(const View& row, Errors& out) {
  if (row.disabled() || row.get("action") != "netmap") return;
  const std::string_view chain = row.raw("chain");
  const bool source = chain == "srcnat" || chain == "input";
  if (!source && chain != "dstnat" && chain != "output") return;  // which it maps is not said here
  const std::string_view property = source ? "src-address" : "dst-address";
  const Negatable mapped = split_negation(row.raw(property));
  const auto from = parse_ip4_set(mapped.value);
  const auto to = parse_ip4_set(row.raw("to-addresses"));
  if (mapped.negated || !from || !to || count_of(*from) <= count_of(*to)) return;
  out.push_back(row.error(
      "to-addresses",
      fmt::format("netmap maps the {} addresses of {}={} onto {}, so that several share each; give "
                  "both prefixes the same length",
                  count_of(*from), property, mapped.value, count_of(*to))));
}

}  // namespace

Errors doubts(const Tree& tree, const Tree* before) {
  Errors out;
  const Menu& menu = *find_menu(kNat);
  const Rows& rows = tree.rows(menu);
  if (before == nullptr) {
    for (const RowPtr& row : rows) look_at(View(menu, *row), out);
    return out;
  }
  if (rows == before->rows(menu)) return out;
  const RowsDiff changes = compare(before->rows(menu), rows);
  for (const RowPtr& row : changes.added) look_at(View(menu, *row), out);
  for (const RowsDiff::Changed& row : changes.changed) look_at(View(menu, *row.after), out);
  return out;
}

}  // namespace maclane::model
