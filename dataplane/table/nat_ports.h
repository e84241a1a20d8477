// Choosing the port or id of a source translation (behaviour.md B-33: Linux's algorithm).
//
// There is no bitmap: a port is free if the reply tuple it makes is in no session, which the
// session index answers. With several workers a port is drawn again until the reply tuple's home
// (home.h) is the worker that draws, so that a reply finds its worker without a lookup. Pure
// functions; any worker for itself.
#pragma once

#include <cstdint>

#include "dataplane/net/types.h"

namespace maclane {

struct PortSpan {
  uint16_t first = 0;
  uint16_t last = 0;
};

/// The class a port must stay in: below 512 -> 1..511, below 1024 -> 600..1023, else 1024..65535.
[[nodiscard]] constexpr PortSpan port_class(uint16_t port) noexcept {
  if (port < 512) return {1, 511};
  if (port < 1024) return {600, 1023};
  return {1024, 65535};
}

/// Small, fast, seeded per worker; not for secrets beyond making ports hard to guess (RFC 6056).
class Random {
 public:
  explicit Random(uint64_t seed) noexcept : state_(seed | 1) {}
  uint64_t next() noexcept {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_ * 0x2545f4914f6cdd1dULL;
  }

 private:
  uint64_t state_;
};

/// Tries ports of [span.first, span.last] from a random offset, those that are mine(port) alone:
/// 128 attempts, then from a new offset half as many, down to 16, then gives up. free(port) says
/// whether a port will do. Returns true and the port in *port, or false.
template <typename Mine, typename Free>
[[nodiscard]] bool pick_port(PortSpan span, Random& random, uint16_t* port, Mine&& mine,
                             Free&& free) {
  const uint32_t size = static_cast<uint32_t>(span.last) - span.first + 1;
  for (unsigned attempts = 128; attempts >= 16; attempts /= 2) {
    uint32_t offset = static_cast<uint32_t>(random.next() % size);
    for (uint32_t tried = 0, walked = 0; tried < attempts && walked < size; ++walked) {
      const auto candidate = static_cast<uint16_t>(span.first + offset);
      offset = offset + 1 == size ? 0 : offset + 1;
      if (!mine(candidate)) continue;
      ++tried;
      if (free(candidate)) {
        *port = candidate;
        return true;
      }
    }
    if (attempts >= size) return false;
  }
  return false;
}

}  // namespace maclane
