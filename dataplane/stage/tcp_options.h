// The one TCP option a router looks at: the maximum segment size of a SYN (RFC 9293 3.2). Worker
// thread.
#pragma once

#include <cstdint>
#include <span>

namespace maclane {

/// The MSS that a packet (from its IPv4 header on) names; 0 if it names none.
[[nodiscard]] uint16_t mss_of(std::span<const uint8_t> packet) noexcept;

/// Lowers it to `most` where it is higher, the checksum by its delta (RFC 1624). Never raises it:
/// what an end asked for it can take, and no more. True if it was changed.
bool lower_mss(std::span<uint8_t> packet, uint16_t most) noexcept;

}  // namespace maclane
