// Destinations, their ways, and the rows of /ip/route. Part of compile_routes.cpp. No state.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "control/compile/compile.h"

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

/// A row of /ip/route as it stands; its texts become the table's.
[[nodiscard]] StoredRoute read_route(const model::Menu& menu, const model::Row& row,
                                     RouteTable& texts);

}  // namespace maclane::compile
