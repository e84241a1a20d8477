#include "control/script/export_order.h"

#include <algorithm>
#include <map>
#include <string>

#include "control/model/value.h"

namespace maclane::script {
namespace {

using model::Menu;
using model::Property;
using model::RowPtr;
using model::View;

/// Names that a row brings into the world, and those it needs of its own menu.
std::vector<std::string> names_made(const View& row) {
  std::vector<std::string> out;
  if (const int name = model::name_index(row.menu()); name >= 0) {
    out.emplace_back(row.get(row.menu().properties[static_cast<size_t>(name)].name));
  }
  return out;
}

std::vector<std::string> names_needed(const View& row) {
  std::vector<std::string> out;
  const Menu& menu = row.menu();
  for (const Property& property : menu.properties) {
    const bool own = property.type == model::Type::kReference &&
                     std::find(property.reference.begin(), property.reference.end(), menu.path) !=
                         property.reference.end();
    if (!own) continue;
    for (std::string_view part : model::split_list(row.raw(property.name))) {
      if (part.starts_with('!')) part.remove_prefix(1);
      if (!part.empty()) out.emplace_back(part);
    }
  }
  return out;
}

}  // namespace

std::vector<size_t> order_of(const Menu& menu, const std::vector<RowPtr>& rows) {
  std::map<std::string, std::vector<size_t>> makers;
  bool any = false;
  for (size_t i = 0; i < rows.size(); ++i) {
    const View row(menu, *rows[i]);
    for (const std::string& name : names_made(row)) makers[name].push_back(i);
    any = any || !names_needed(row).empty();
  }
  std::vector<size_t> out;
  std::vector<char> state(rows.size(), 0);  // 1: on its way, 2: written
  // Depth first without recursion; what needs itself in a circle keeps its place.
  const auto place = [&](size_t first) {
    std::vector<std::pair<size_t, bool>> stack{{first, false}};
    while (!stack.empty()) {
      const auto [i, done] = stack.back();
      stack.pop_back();
      if (done) {
        state[i] = 2;
        out.push_back(i);
        continue;
      }
      if (state[i] != 0) continue;
      state[i] = 1;
      stack.emplace_back(i, true);
      const auto needed = names_needed(View(menu, *rows[i]));
      for (auto name = needed.rbegin(); name != needed.rend(); ++name) {
        const auto found = makers.find(*name);
        if (found == makers.end()) continue;
        for (auto maker = found->second.rbegin(); maker != found->second.rend(); ++maker) {
          if (state[*maker] == 0) stack.emplace_back(*maker, false);
        }
      }
    }
  };
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!any) out.push_back(i);
    if (any && state[i] == 0) place(i);
  }
  return out;
}

}  // namespace maclane::script
