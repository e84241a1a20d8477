// Routes that lead to the gateways of other routes, as RouterOS's scope and target-scope say: of
// the routes whose target-scope is lower, so that none leads to its own gateway, the longest prefix
// that has the gateway in it and whose active routes have a scope of at most target-scope. Part of
// compile_routes.cpp. Control thread.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "control/compile/parts.h"
#include "control/compile/route_parts.h"

namespace maclane::compile {

/// A gateway that routes are asked for.
struct FarGateway {
  std::optional<uint32_t> address;  // none: it names its interface, and no route is asked
  std::string_view table;
};
[[nodiscard]] FarGateway far_gateway(std::string_view gateway);

/// What connected networks have.
inline constexpr uint8_t kConnectedScope = 10;

/// What one table's routes lead to, at one target-scope.
class Recursion {
 public:
  /// Keeps the table's offers as they are now; settles them.
  Recursion(const Work& work, RouteOffers& table, uint8_t target_scope);

  /// The ways to a gateway; none if nothing leads there.
  [[nodiscard]] std::vector<NextHop> ways(be32 gateway) const;

 private:
  const Work& work_;
  std::unordered_map<uint64_t, std::vector<uint16_t>> ways_;  // by destination: NextHops
  std::array<bool, 33> has_length_{};
};

}  // namespace maclane::compile
