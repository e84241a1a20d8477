// Destinations and their ways, and where the properties of /ip/route stand, looked up once for all
// its rows. Included by compile_routes.cpp and gateways.cpp. No state.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "control/model/schema.h"
#include "control/model/tree.h"

namespace maclane::compile {

/// A destination as a key: networks sort by address, then by length.
constexpr uint64_t key_of(uint32_t network, uint8_t length) {
  return uint64_t{network} << 6 | length;
}

/// One way to a destination, for the taking.
struct RouteOffer {
  static constexpr uint32_t kNoRow = ~uint32_t{0};
  uint64_t destination = 0;
  uint32_t row = kNoRow;  // RouteTable::rows that it came from
  uint16_t rank = 0;      // the lowest one of a destination is in use, and equals share
  uint16_t way = 0;       // NextHops
};

/// The offers of one table, in the order they were made, until they are settled.
class RouteOffers {
 public:
  void add(const RouteOffer& offer) { offers_.push_back(offer); }

  /// Calls fn(destination, span of the best offers) for each destination, sorted.
  template <typename Fn>
  void settle(Fn&& fn) {
    const auto before = [](const RouteOffer& a, const RouteOffer& b) {
      return a.destination != b.destination ? a.destination < b.destination : a.rank < b.rank;
    };
    if (!std::is_sorted(offers_.begin(), offers_.end(), before))
      std::stable_sort(offers_.begin(), offers_.end(), before);
    for (auto it = offers_.begin(); it != offers_.end();) {
      auto best = it;
      while (best != offers_.end() && best->destination == it->destination &&
             best->rank == it->rank) {
        ++best;
      }
      fn(it->destination, std::span<const RouteOffer>(it, best));
      const uint64_t done = it->destination;
      for (it = best; it != offers_.end() && it->destination == done;) ++it;
    }
  }

  /// After settle().
  [[nodiscard]] bool contains(uint64_t destination) const {
    return std::ranges::binary_search(offers_, destination, {}, &RouteOffer::destination);
  }

 private:
  std::vector<RouteOffer> offers_;
};

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
