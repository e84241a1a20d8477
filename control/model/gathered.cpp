// See gathered.h.
#include "control/model/gathered.h"

#include <algorithm>
#include <charconv>

namespace maclane::model {
namespace {

constexpr unsigned kOwnBits = 28;

/// The menu's place among those that /interface gathers, from 1; 0: it is none of them.
uint32_t place_of(const Menu& own) {
  const auto gathers = find_menu("/interface")->gathers;
  const auto found = std::find(gathers.begin(), gathers.end(), own.path);
  return found == gathers.end() ? 0 : static_cast<uint32_t>(found - gathers.begin()) + 1;
}

}  // namespace

std::string gathered_id(const Menu& own, uint32_t id) {
  return row_id(place_of(own) << kOwnBits | id);
}

RowPtr gathered_row(const Tree& tree, const Menu& own, std::string_view id) {
  constexpr int kHex = 16;
  uint32_t number = 0;
  if (!id.starts_with('*')) return nullptr;
  const auto [end, trouble] = std::from_chars(id.data() + 1, id.data() + id.size(), number, kHex);
  const uint32_t place = place_of(own);
  if (trouble != std::errc{} || end != id.data() + id.size() || place == 0 ||
      number >> kOwnBits != place)
    return nullptr;
  return tree.find(own, row_id(number & ((1U << kOwnBits) - 1)));
}

}  // namespace maclane::model
