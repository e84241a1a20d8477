// What FTP says of data connections (RFC 959, RFC 2428): PORT and EPRT from the client, the replies
// 227 and 229 from the server. Read as the kernel's nf_conntrack_ftp reads them. Pure and bounded.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "dataplane/net/types.h"

namespace maclane::ftp {

enum class Kind : uint8_t { kPort, kEprt, kPasv, kEpsv };

struct Line {
  enum class Found : uint8_t {
    kNothing,  // the text begins with nothing of concern
    kPartial,  // with the beginning of something of concern, which does not end in it
    kAddress,
  };
  Found found = Found::kNothing;
  Kind kind = Kind::kPort;
  size_t at = 0;      // where the numbers stand
  size_t length = 0;  // and how long they are
  be32 address{};     // 0: it says none (229)
  be16 port{};
};

/// Text that begins with a line. from_client: what a client says, else what a server says.
[[nodiscard]] Line read_line(std::string_view text, bool from_client) noexcept;

/// The numbers of such a line, for another address and port.
struct Numbers {
  std::array<char, 40> text{};
  size_t length = 0;
  [[nodiscard]] std::string_view view() const noexcept { return {text.data(), length}; }
};
[[nodiscard]] Numbers write_numbers(Kind kind, be32 address, be16 port) noexcept;

}  // namespace maclane::ftp
