// Values as they stand on the wire: byte order lives in the type. They are packed, so that wire
// headers made of them may stand at any address.
#pragma once

#include <rte_byteorder.h>

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>

namespace maclane {

struct [[gnu::packed]] be16 {
  uint16_t raw = 0;
  [[nodiscard]] static constexpr be16 from(uint16_t host) noexcept {
    return {static_cast<uint16_t>(RTE_STATIC_BSWAP16(host))};
  }
  [[nodiscard]] constexpr uint16_t host() const noexcept {
    return static_cast<uint16_t>(RTE_STATIC_BSWAP16(raw));
  }
  friend constexpr bool operator==(be16, be16) noexcept = default;
};

struct [[gnu::packed]] be32 {
  uint32_t raw = 0;
  [[nodiscard]] static constexpr be32 from(uint32_t host) noexcept {
    return {RTE_STATIC_BSWAP32(host)};
  }
  [[nodiscard]] constexpr uint32_t host() const noexcept { return RTE_STATIC_BSWAP32(raw); }
  friend constexpr bool operator==(be32, be32) noexcept = default;
};

struct MacAddr {
  std::array<uint8_t, 6> bytes{};
  /// The six bytes as a number: a key, not an order.
  [[nodiscard]] uint64_t key() const noexcept {
    // Two loads and no detour through memory: a wide load of narrow stores waits for them.
    uint32_t low = 0;
    uint16_t high = 0;
    std::memcpy(&low, bytes.data(), 4);
    std::memcpy(&high, bytes.data() + 4, 2);
    return low | uint64_t{high} << 32;
  }
  [[nodiscard]] static MacAddr from_key(uint64_t k) noexcept {
    MacAddr m;
    std::memcpy(m.bytes.data(), &k, 6);
    return m;
  }
  [[nodiscard]] bool is_multicast() const noexcept { return (bytes[0] & 1) != 0; }
  [[nodiscard]] bool is_broadcast() const noexcept { return key() == 0xffffffffffffULL; }
  [[nodiscard]] bool is_zero() const noexcept { return key() == 0; }
  friend bool operator==(const MacAddr&, const MacAddr&) noexcept = default;
};

using IfIndex = uint16_t;  // an interface's place in Snapshot::interfaces; stable while it exists
inline constexpr IfIndex kNoIf = 0;
inline constexpr IfIndex kIfLocal = 0xffff;  // the router itself, as an egress
inline constexpr unsigned kMaxInterfaces = 8192;
inline constexpr unsigned kMaxWorkers = 16;
inline constexpr uint16_t kNoPort = 0xffff;

/// Time as a worker sees it, read once per burst and handed down; tests make their own.
struct Now {
  uint64_t tsc = 0;
  uint32_t cs = 0;        // centiseconds since the dataplane started; compare by signed difference
  uint32_t fraction = 0;  // of one more, in 2^-32
  /// The same in 32.32 bits.
  [[nodiscard]] constexpr uint64_t fine() const noexcept { return uint64_t{cs} << 32 | fraction; }
};

}  // namespace maclane
