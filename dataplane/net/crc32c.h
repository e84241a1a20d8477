// CRC-32C, the checksum of SCTP (RFC 9260 appendix A), and how it follows a change: a CRC is
// linear, so the change of a few bytes changes it by what they alone make of it, moved by the bytes
// behind them. A packet whose checksum was wrong keeps a wrong one, as with RFC 1624. Pure.
#pragma once

#include <rte_hash_crc.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace maclane {

namespace crc32c_parts {

/// The product of two polynomials modulo CRC-32C's; the highest bit is x^0.
[[nodiscard]] constexpr uint32_t multiply(uint32_t a, uint32_t b) noexcept {
  constexpr uint32_t kPolynomial = 0x82f63b78u;
  uint32_t product = 0;
  for (uint32_t bit = 0x80000000u; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) product ^= b;
    b = (b & 1) != 0 ? (b >> 1) ^ kPolynomial : b >> 1;
  }
  return product;
}

/// x^(8 * 2^k): what 2^k zero bytes multiply by.
[[nodiscard]] constexpr std::array<uint32_t, 16> make_powers() noexcept {
  std::array<uint32_t, 16> powers{0x00800000u};
  for (size_t k = 1; k < powers.size(); ++k) powers[k] = multiply(powers[k - 1], powers[k - 1]);
  return powers;
}
inline constexpr std::array<uint32_t, 16> kPowers = make_powers();

}  // namespace crc32c_parts

/// What a change of the first four bytes of a message (old value xor new one, the first byte
/// lowest) changes in its CRC; `length` is the message's, at most 65535.
[[nodiscard]] constexpr uint32_t crc32c_change(uint32_t change, size_t length) noexcept {
  for (size_t k = 0; k < crc32c_parts::kPowers.size(); ++k) {
    if ((length >> k & 1) != 0) change = crc32c_parts::multiply(crc32c_parts::kPowers[k], change);
  }
  return change;
}

/// The register after more bytes; it begins as ~0, and the CRC is its complement.
[[nodiscard]] inline uint32_t crc32c_more(uint32_t reg, const void* data, size_t length) noexcept {
  // rte_hash_crc() itself reads words where they are not aligned.
  const auto* bytes = static_cast<const uint8_t*>(data);
  for (; length >= sizeof(uint64_t); length -= sizeof(uint64_t), bytes += sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, bytes, sizeof word);
    reg = rte_hash_crc_8byte(word, reg);
  }
  for (; length != 0; --length) reg = rte_hash_crc_1byte(*bytes++, reg);
  return reg;
}

}  // namespace maclane
