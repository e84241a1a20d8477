// What the gateway of a route may say beside its address and interface. Pure; any thread.
#pragma once

#include <string_view>

namespace maclane::model {

/// Where a gateway is looked for: in main, which alone has connected networks.
inline constexpr std::string_view kInMain = "@main";

/// A gateway without that: "10.0.0.1@main" is 10.0.0.1.
[[nodiscard]] constexpr std::string_view without_table(std::string_view gateway) {
  if (gateway.ends_with(kInMain)) gateway.remove_suffix(kInMain.size());
  return gateway;
}

}  // namespace maclane::model
