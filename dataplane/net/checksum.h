// The Internet checksum (RFC 1071) and its incremental update (RFC 1624).
//
// One's complement sums do not depend on byte order, so everything here works on 16-bit words as
// they lie in memory: results are stored as they are, into be16::raw.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "dataplane/net/types.h"

namespace maclane {

/// Adds the carries back in.
[[nodiscard]] constexpr uint16_t fold(uint32_t sum) noexcept {
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

/// Adds len bytes to a sum. Parts may be chained; only the last may have an odd length. The result
/// leaves room for some thousand further 16-bit words.
[[nodiscard]] inline uint32_t sum_partial(const void* data, size_t len, uint32_t sum = 0) noexcept {
  const auto* p = static_cast<const uint8_t*>(data);
  uint64_t wide = sum;
  for (; len >= 4; len -= 4, p += 4) {
    uint32_t word;
    std::memcpy(&word, p, 4);
    wide += word;
  }
  if (len >= 2) {
    uint16_t word;
    std::memcpy(&word, p, 2);
    wide += word;
    len -= 2;
    p += 2;
  }
  if (len != 0) {
    uint16_t word = 0;
    std::memcpy(&word, p, 1);  // the missing byte is zero
    wide += word;
  }
  wide = (wide & 0xffffffff) + (wide >> 32);
  wide = (wide & 0xffffffff) + (wide >> 32);
  return fold(static_cast<uint32_t>(wide));
}

/// The checksum of len bytes: the folded complement, in memory order. A field inside the data must
/// be zero; over data with a right checksum in place the result is 0.
[[nodiscard]] inline uint16_t checksum(const void* data, size_t len,
                                       uint32_t initial = 0) noexcept {
  return static_cast<uint16_t>(~fold(sum_partial(data, len, initial)));
}

/// The IPv4 pseudo-header of TCP and UDP, as an initial sum.
[[nodiscard]] constexpr uint32_t pseudo_sum(be32 src, be32 dst, uint8_t proto,
                                            uint16_t l4_length) noexcept {
  return (src.raw & 0xffff) + (src.raw >> 16) + (dst.raw & 0xffff) + (dst.raw >> 16) +
         be16::from(proto).raw + be16::from(l4_length).raw;
}

/// What a change of data adds to the sum; 0 (never its twin 0xffff): nothing.
[[nodiscard]] constexpr uint16_t delta_add(uint16_t a, uint16_t b) noexcept {
  const uint16_t d = fold(uint32_t{a} + b);
  return d == 0xffff ? uint16_t{0} : d;
}
[[nodiscard]] constexpr uint16_t delta16(be16 old_value, be16 new_value) noexcept {
  return delta_add(static_cast<uint16_t>(~old_value.raw), new_value.raw);
}
[[nodiscard]] constexpr uint16_t delta32(be32 old_value, be32 new_value) noexcept {
  const uint32_t gone = ~old_value.raw;
  return delta_add(fold((gone & 0xffff) + (gone >> 16)),
                   fold((new_value.raw & 0xffff) + (new_value.raw >> 16)));
}

/// RFC 1624 equation 3. A delta of 0 leaves the checksum bit for bit.
[[nodiscard]] constexpr be16 apply_delta(be16 checksum, uint16_t delta) noexcept {
  const uint32_t sum = static_cast<uint16_t>(~checksum.raw);
  return {static_cast<uint16_t>(~fold(sum + delta))};
}

/// UDP (RFC 768): 0 says "no checksum" and stays 0; a computed 0 is sent as 0xffff.
[[nodiscard]] constexpr be16 udp_apply_delta(be16 checksum, uint16_t delta) noexcept {
  if (checksum.raw == 0) return checksum;
  const be16 updated = apply_delta(checksum, delta);
  return updated.raw == 0 ? be16{0xffff} : updated;
}

}  // namespace maclane
