// The texts of DHCP: option values (behaviour.md C-5) and client-ids (C-7). No state; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/model/result.h"
#include "control/service/dhcp_option_part.h"

namespace maclane::model {

/// 0x0a0b: bytes; 'text'; '10.0.0.1': four bytes; '10': one byte; s'10.0.0.1': text; $(HOSTNAME)
/// and $(NETWORK_GATEWAY): what is known when it is sent. Several may follow each other.
[[nodiscard]] tl::expected<std::vector<DhcpOptionPart>, std::string> parse_dhcp_option(
    std::string_view text);
/// The bytes in hexadecimal, with the names of what is not known yet.
[[nodiscard]] std::string raw_dhcp_option(std::span<const DhcpOptionPart> parts);

/// "1:aa:bb:cc:dd:ee:ff": 1 to 255 bytes.
[[nodiscard]] std::optional<std::vector<uint8_t>> parse_client_id(std::string_view text);
[[nodiscard]] std::string format_client_id(std::span<const uint8_t> bytes);

}  // namespace maclane::model
