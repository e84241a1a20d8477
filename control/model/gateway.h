// What the gateway of a route may say beside its address and interface. Pure; any thread.
#pragma once

#include <string_view>

#include "control/model/value.h"

namespace maclane::model {

/// "10.0.0.1@isp1": the address is looked for in the routes of a table.
struct GatewayParts {
  std::string_view way;    // an address, address%interface or an interface
  std::string_view table;  // "main" unless it says another
};

/// The parts of a gateway. An interface is in no table, so only "@main" may stand behind its name.
[[nodiscard]] inline GatewayParts gateway_parts(std::string_view gateway) {
  constexpr std::string_view kMain = "main";
  const size_t at = gateway.rfind('@');
  if (at == std::string_view::npos) return {gateway, kMain};
  const GatewayParts parts{gateway.substr(0, at), gateway.substr(at + 1)};
  return parts.table == kMain || parse_ip4(parts.way) ? parts : GatewayParts{gateway, kMain};
}

}  // namespace maclane::model
