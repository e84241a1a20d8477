// Destinations and their ways, and where the properties of /ip/route stand, looked up once for all
// its rows. Included by compile_routes.cpp only. No state.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "control/model/schema.h"
#include "control/model/tree.h"

namespace maclane::compile {

/// A destination as a key: networks sort by address, then by length.
constexpr uint64_t key_of(uint32_t network, uint8_t length) {
  return uint64_t{network} << 6 | length;
}

/// The ways to one destination, of the best rank so far.
struct RouteEntry {
  unsigned rank = 0;
  std::vector<uint16_t> ways;  // NextHops
  std::vector<size_t> rows;    // RouteTable::rows that these ways came from
};
using RouteEntries = std::unordered_map<uint64_t, RouteEntry>;
/// True if the ways count: they are better than, or equal to, what there is.
inline bool offer(RouteEntries& table, uint64_t destination, unsigned rank,
                  const std::vector<uint16_t>& ways, std::optional<size_t> row = {}) {
  auto [it, fresh] = table.try_emplace(destination);
  RouteEntry& entry = it->second;
  if (!fresh && rank > entry.rank) return false;
  if (fresh || rank < entry.rank) entry = RouteEntry{rank, {}, {}};
  for (uint16_t way : ways) {
    if (std::find(entry.ways.begin(), entry.ways.end(), way) == entry.ways.end()) {
      entry.ways.push_back(way);
    }
  }
  if (row) entry.rows.push_back(*row);
  return true;
}

struct RouteColumns {
  explicit RouteColumns(const model::Menu& of)
      : menu(of),
        dst(of.index("dst-address")),
        gateway(of.index("gateway")),
        distance(of.index("distance")),
        pref_src(of.index("pref-src")),
        table(of.index("routing-table")),
        blackhole(of.index("blackhole")),
        type(of.index("type")),
        check(of.index("check-gateway")),
        disabled(of.index("disabled")) {}

  /// A row's value, or the default.
  [[nodiscard]] std::string_view get(const model::Row& row, int column) const {
    const std::string_view value = row.at(column);
    return value.empty() && column >= 0 ? menu.properties[static_cast<size_t>(column)].default_value
                                        : value;
  }

  const model::Menu& menu;
  int dst, gateway, distance, pref_src, table, blackhole, type, check, disabled;
};

}  // namespace maclane::compile
