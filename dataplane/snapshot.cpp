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

void Snapshot::index_arrivals() {
  arrivals.assign(interfaces.size(), {});
  for (size_t i = 0; i < interfaces.size(); ++i) {
    const Interface& f = interfaces[i];
    const bool device =
        !f.attached || (f.attach_port < ports.size() && ports[f.attach_port].ethdev != 0xffff);
    arrivals[i] = {f.attached ? f.attach_port : kNoPort, f.up && device, f.kind == IfKind::kMacvlan,
                   f.hears_dhcp()};
  }
}

}  // namespace maclane
