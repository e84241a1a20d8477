#include "control/compile/renamed.h"

#include <algorithm>
#include <array>
#include <unordered_map>

namespace maclane::compile {
namespace {

constexpr std::array<std::string_view, 4> kMenus = {"/interface/ethernet", "/interface/macvlan",
                                                    "/interface/vlan", "/interface/pppoe-client"};

}  // namespace

Renames renamed_interfaces(const model::Tree& before, const model::Tree& after) {
  Renames renames;
  for (const std::string_view path : kMenus) {
    const model::Menu& menu = *model::find_menu(path);
    const auto& old = before.rows(menu);
    const auto& now = after.rows(menu);
    if (old == now) continue;  // the rows themselves, not what they hold
    std::unordered_map<uint32_t, const model::Row*> known;
    for (const model::RowPtr& row : old) known.emplace(row->id, row.get());
    for (const model::RowPtr& row : now) {
      const auto found = known.find(row->id);
      if (found == known.end() || found->second == row.get()) continue;
      const std::string_view from = model::View(menu, *found->second).raw("name");
      const std::string_view to = model::View(menu, *row).raw("name");
      if (from != to) renames.emplace(from, to);
    }
  }
  return renames;
}

}  // namespace maclane::compile
