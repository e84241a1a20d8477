// What the value of a DHCP option is made of (behaviour.md C-5): literal bytes, and what is known
// only when it is sent. A plain value.
#pragma once

#include <cstdint>
#include <vector>

namespace maclane {

struct DhcpOptionPart {
  enum class Kind : uint8_t { kBytes, kHostName, kNetworkGateway };
  Kind kind = Kind::kBytes;
  std::vector<uint8_t> bytes{};
};

}  // namespace maclane
