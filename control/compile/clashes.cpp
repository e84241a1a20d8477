#include "control/compile/clashes.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "control/model/value.h"

namespace maclane::compile {
namespace {

using model::Ip4Prefix;

bool overlap(const Ip4Prefix& a, const Ip4Prefix& b) {
  const uint32_t mask = a.length < b.length ? a.mask() : b.mask();
  return (a.address & mask) == (b.address & mask);
}

std::string network_text(const Ip4Prefix& prefix) {
  return model::format_prefix({prefix.network(), prefix.length});
}

/// What is in the way of what a row of an address stands for; nullopt: nothing.
std::optional<Clash> clash(const AddressInfo& learned, const AddressInfo& row) {
  const bool session = learned.prefix.length == 32 && learned.network != learned.prefix.address;
  Clash out{learned.interface, learned.prefix.address, session, {}};
  if (overlap(learned.prefix, row.prefix)) {
    out.text = session ? fmt::format(
                             "the address {} that its access concentrator gave it is in the "
                             "network {} of {}: a host of that address is not reached there",
                             model::format_ip4(learned.prefix.address), network_text(row.prefix),
                             row.interface)
                       : fmt::format(
                             "the network of {} that a DHCP server gave it overlaps {} of {}: "
                             "hosts of one are looked for in the other; give {} another network",
                             model::format_prefix(learned.prefix), network_text(row.prefix),
                             row.interface, row.interface);
    return out;
  }
  if (!session || !overlap({learned.network, 32}, row.prefix)) return std::nullopt;
  out.text = fmt::format(
      "the address {} of its access concentrator is in the network {} of {}: a host of that "
      "address is not reached there",
      model::format_ip4(learned.network), network_text(row.prefix), row.interface);
  return out;
}

}  // namespace

std::vector<Clash> clashes(const CompileState& state, const Snapshot& snapshot) {
  const auto wire = [&](const AddressInfo& one) {
    const IfIndex index = state.names.index_of(one.interface);
    return index < snapshot.interfaces.size() ? snapshot.interfaces[index].domain : kNoDomain;
  };
  std::vector<Clash> out;
  for (const AddressInfo& learned : state.addresses) {
    if (learned.row != 0) continue;
    for (const AddressInfo& row : state.addresses) {
      if (row.row == 0 || row.interface == learned.interface) continue;
      auto found = clash(learned, row);
      if (!found) continue;
      const uint16_t of_row = wire(row);
      if (of_row != kNoDomain && of_row == wire(learned)) continue;
      out.push_back(std::move(*found));
      break;
    }
  }
  return out;
}

}  // namespace maclane::compile
