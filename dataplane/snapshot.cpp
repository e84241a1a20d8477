#include "dataplane/snapshot.h"

#include <algorithm>
#include <iterator>

namespace maclane {

bool contains(const AddressSet& set, uint32_t address) noexcept {
  const auto after =
      std::upper_bound(set.begin(), set.end(), address,
                       [](uint32_t a, const AddressRange& range) { return a < range.first; });
  return after != set.begin() && address <= std::prev(after)->last;
}

}  // namespace maclane
