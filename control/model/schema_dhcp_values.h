// Values of the DHCP server's properties that no common type has (schema_dhcp.cpp): each gives the
// canonical form, or a sentence that says what would be right. No state; any thread.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace maclane::model {

/// delay-threshold
[[nodiscard]] tl::expected<std::string, std::string> time_or_none(std::string_view text);
/// client-mac-limit
[[nodiscard]] tl::expected<std::string, std::string> number_or_unlimited(std::string_view text);
/// bootp-lease-time
[[nodiscard]] tl::expected<std::string, std::string> bootp_time(std::string_view text);
/// add-dns-entries-suffix
[[nodiscard]] tl::expected<std::string, std::string> dns_suffix(std::string_view text);
/// store-leases-disk
[[nodiscard]] tl::expected<std::string, std::string> when_stored(std::string_view text);
/// alert-timeout
[[nodiscard]] tl::expected<std::string, std::string> alert_timeout(std::string_view text);
/// client-id
[[nodiscard]] tl::expected<std::string, std::string> client_id_text(std::string_view text);

}  // namespace maclane::model
