// The URL of a DNS over HTTPS server (RFC 8484), as use-doh-server has it. No state; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace maclane::model {

struct DohUrl {
  std::string host;  // a name in lower case, or an IPv4 address
  std::string path;  // "/dns-query" where the URL has none
  uint16_t port = 443;
};

/// "https://host[:port][/path]", of letters that need no quoting anywhere; nullopt: it is none.
[[nodiscard]] std::optional<DohUrl> parse_doh_url(std::string_view url);

}  // namespace maclane::model
