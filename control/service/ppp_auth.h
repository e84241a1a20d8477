// What PPP peers prove passwords with: CHAP with MD5 (RFC 1994), MS-CHAP (RFC 2433) and MS-CHAPv2
// (RFC 2759). The digests and DES are OpenSSL's, by the functions that need no provider: MD4 and
// DES are for these old protocols only. No state; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace maclane::ppp {

using Digest16 = std::array<uint8_t, 16>;
using Response24 = std::array<uint8_t, 24>;

[[nodiscard]] Digest16 chap_md5(uint8_t id, std::string_view secret,
                                std::span<const uint8_t> challenge);
/// MD4 over the password in UTF-16.
[[nodiscard]] Digest16 nt_hash(std::string_view password);
/// Of MS-CHAP version 1, and of version 2 over the challenge hash.
[[nodiscard]] Response24 nt_response(std::span<const uint8_t, 8> challenge,
                                     std::string_view password);
/// user may have a domain in front, "DOMAIN\name", which is left out as Windows does.
[[nodiscard]] Response24 nt_response_v2(std::span<const uint8_t, 16> authenticator,
                                        std::span<const uint8_t, 16> peer, std::string_view user,
                                        std::string_view password);
/// What the server says to show that it knows the password too: "S=" and 40 hex digits.
[[nodiscard]] std::string authenticator_response(std::string_view password,
                                                 const Response24& response,
                                                 std::span<const uint8_t, 16> authenticator,
                                                 std::span<const uint8_t, 16> peer,
                                                 std::string_view user);

}  // namespace maclane::ppp
