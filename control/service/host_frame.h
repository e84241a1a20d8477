// What crosses between the workers' IPv4 packets and the frames of a tap, and under which name a
// tap stands. Functions without state.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "dataplane/net/group.h"
#include "dataplane/net/wire.h"

namespace maclane {

/// The device's name for an interface's: the same, if Linux can have it (at most 15 bytes, no '/',
/// ':' or white space, neither "." nor ".."). Else, and where `taken` says that another device has
/// it, the first ten bytes, with '_' for what Linux does not take, a '~' and four hexadecimal
/// digits of the whole name's FNV-1a hash: "branch-office-12" is "branch-off~9c41". Always the same
/// for the same name.
[[nodiscard]] std::string host_device_name(std::string_view interface, bool taken = false);

/// An IPv4 packet in a frame that came from a tap: what of the frame is the packet, without
/// padding. Empty if it is anything else.
[[nodiscard]] std::span<const uint8_t> packet_in(std::span<const uint8_t> frame);

/// Whether it is sent from this port, UDP or TCP.
[[nodiscard]] bool is_from_port(std::span<const uint8_t> packet, uint16_t port);

/// Whether Linux refuses what nobody listens to on this port, UDP or TCP: an ICMP port unreachable
/// that quotes it as destination, or the reset of a SYN.
[[nodiscard]] bool refuses_port(std::span<const uint8_t> packet, uint16_t port);

}  // namespace maclane
