// Looking into a packet: the matchers content and tls-host (behaviour.md B-11). They read what lies
// together in memory of one packet; text that two packets share is not found. Pure; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace maclane {

using Bytes = std::span<const uint8_t>;

/// Whether a packet (from its IP header on) has this text in it.
[[nodiscard]] bool holds(Bytes packet, std::string_view text) noexcept;

/// The server name that a TLS ClientHello asks for (RFC 8446 4.1.2, RFC 6066 3); "" if the payload
/// is no ClientHello or names none. It points into the payload.
[[nodiscard]] std::string_view tls_host(Bytes payload) noexcept;

/// Whether a host name fits a pattern in which * is any text and ? any character; case does not
/// count.
[[nodiscard]] bool fits(std::string_view host, std::string_view pattern) noexcept;

}  // namespace maclane
