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
/// The table that has connected networks.
inline constexpr std::string_view kMainTable = "main";

/// Whether others lead to a route's gateway: its target-scope says so, or it is looked for in a
/// table that has no connected networks.
[[nodiscard]] bool is_recursive(const RouteInfo& info);

/// That check-gateway's questions to a gateway of a table take the ways of its route: main's would
/// lead them elsewhere. hops: of the ways. Where two leave by one interface the first is asked for
/// both.
void add_probes(Snapshot& snapshot, be32 gateway, std::span<const NextHop> ways,
                std::span<const uint16_t> hops);

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
