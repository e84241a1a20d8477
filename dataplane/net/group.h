// Where frames for an IPv4 group or broadcast address go. Functions without state.
#pragma once

#include <optional>

#include "dataplane/net/types.h"

namespace maclane {

/// Ethernet broadcast or group (RFC 1112 6.4) of an IPv4 destination; nullopt for a unicast one.
/// `broadcast`: it is the broadcast address of a network, which its bits do not show.
[[nodiscard]] inline std::optional<MacAddr> group_mac(be32 destination, bool broadcast) noexcept {
  const uint32_t address = destination.host();
  if (broadcast || address == 0xffffffffu) return MacAddr::from_key(0xffffffffffffULL);
  if (address >> 28 != 0xe) return std::nullopt;
  return MacAddr{{0x01, 0x00, 0x5e, static_cast<uint8_t>((address >> 16) & 0x7f),
                  static_cast<uint8_t>(address >> 8), static_cast<uint8_t>(address)}};
}

}  // namespace maclane
