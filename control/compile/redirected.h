// Ways that ICMP redirects changed (control/service/redirects.h), laid over the routes of the main
// table. Control thread.
//
// One holds while the route below leads to the gateway that told of it, by the interface it was
// told on, and the new gateway is another host of that interface's networks; with secure-redirects,
// the gateway of a route there. What hides routes by their length (min-prefix) sees the routes
// below.
#pragma once

#include <vector>

#include "control/compile/next_hops.h"
#include "control/compile/parts.h"

namespace maclane::compile {

/// After the main table's routes are in: those that hold become a dynamic row and a route of
/// CompileState::redirected_routes each. One that finds no next hop left is none.
void redirect_routes(Work& work, NextHops& hops);

/// What the main FIB is made of.
[[nodiscard]] inline const std::vector<Fib4Route>& main_routes(const CompileState& state) {
  return state.redirected_routes.empty() ? state.fib_routes : state.redirected_routes;
}

}  // namespace maclane::compile
