#include "control/compile/redirected.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <span>

#include "control/compile/route_parts.h"

namespace maclane::compile {
namespace {

using HopKind = NextHop::Kind;

uint64_t key_of_route(const Fib4Route& route) {
  return key_of(route.network, route.length);
}

/// The next hop that sorted routes give an address; 0: none.
uint16_t look_up(std::span<const Fib4Route> routes, uint32_t address) {
  for (int length = 32; length >= 0; --length) {
    const model::Ip4Prefix prefix{address, static_cast<uint8_t>(length)};
    const uint64_t key = key_of(prefix.network(), prefix.length);
    const auto found = std::ranges::lower_bound(routes, key, {}, key_of_route);
    if (found != routes.end() && key_of_route(*found) == key) return found->next_hop;
  }
  return 0;
}

class Redirector {
 public:
  Redirector(Work& work, NextHops& hops)
      : work_(work),
        hops_(hops),
        below_(work.state.fib_routes),
        known_hops_(work.snapshot.next_hops.size()),
        secure_(work.tree.settings("/ip/settings").get_bool("secure-redirects")) {}

  void add(const LearnedRedirect& one) {
    const IfIndex interface = work_.state.names.index_of(one.interface);
    if (interface == kNoIf || !is_near(one.gateway, interface) ||
        (secure_ && !is_gateway(one.gateway, interface)))
      return;
    const auto way = redirected_way(one, interface);
    if (!way) return;
    added_.push_back({one.destination, 32, *way});
    work_.state.redirected.push_back(one.destination);
    RouteInfo info;
    info.dst = {one.destination, 32};
    info.gateway = work_.state.routes.keep(
        fmt::format("{}%{}", model::format_ip4(one.gateway), one.interface));
    info.immediate_gateway = info.gateway;
    info.pref_src = work_.snapshot.next_hops[*way].pref_src.host();
    info.learned = LearnedFrom::kRedirect;
    info.active = true;
    work_.state.routes.rows.push_back(info);
  }

  /// One of a destination that has a route of its own stands in its place.
  void finish() {
    if (added_.empty()) return;
    std::ranges::sort(added_, {}, key_of_route);
    std::vector<Fib4Route>& all = work_.state.redirected_routes;
    all.reserve(below_.size() + added_.size());
    std::ranges::set_union(added_, below_, std::back_inserter(all), {}, key_of_route, key_of_route);
  }

 private:
  /// Calls fn(index) for each of the equal ways of a next hop.
  template <typename Fn>
  void each_way(uint16_t hop, Fn&& fn) const {
    const std::vector<uint16_t>& several = work_.snapshot.next_hops[hop].alternatives;
    if (several.empty()) return fn(hop);
    for (const uint16_t way : several) fn(way);
  }

  [[nodiscard]] bool is_near(uint32_t address, IfIndex interface) const {
    bool near = false;
    each_way(look_up(below_, address), [&](uint16_t way) {
      const NextHop& hop = work_.snapshot.next_hops[way];
      near |= hop.kind == HopKind::kConnected && hop.out_if == interface;
    });
    return near;
  }

  /// Of any route, but not by a redirect alone.
  [[nodiscard]] bool is_gateway(uint32_t address, IfIndex interface) const {
    return std::ranges::any_of(std::span(work_.snapshot.next_hops).first(known_hops_),
                               [&](const NextHop& hop) { return is_by(hop, address, interface); });
  }

  static bool is_by(const NextHop& hop, uint32_t gateway, IfIndex interface) {
    return hop.kind == HopKind::kGateway && hop.out_if == interface &&
           hop.gateway.host() == gateway;
  }

  /// The ways of the route below, with the new gateway in the place of the one that told of it.
  std::optional<uint16_t> redirected_way(const LearnedRedirect& one, IfIndex interface) {
    std::vector<uint16_t> before;
    each_way(look_up(below_, one.destination), [&](uint16_t way) { before.push_back(way); });
    std::vector<uint16_t> ways;
    bool found = false;
    for (const uint16_t way : before) {
      NextHop hop = work_.snapshot.next_hops[way];
      hop.alternatives.clear();
      if (is_by(hop, one.told_by, interface)) {
        found = true;
        hop.gateway = be32::from(one.gateway);
      }
      const auto index = hops_.add(hop);
      if (!index) return std::nullopt;
      if (std::ranges::find(ways, *index) == ways.end()) ways.push_back(*index);
    }
    return found ? hops_.add_group(ways) : std::nullopt;
  }

  Work& work_;
  NextHops& hops_;
  const std::vector<Fib4Route>& below_;
  size_t known_hops_;
  bool secure_;
  std::vector<Fib4Route> added_;
};

}  // namespace

void redirect_routes(Work& work, NextHops& hops) {
  const std::vector<LearnedRedirect>& told = work.learned.peers.redirects;
  if (told.empty() || !work.tree.settings("/ip/settings").get_bool("accept-redirects")) return;
  Redirector redirector(work, hops);
  for (const LearnedRedirect& one : told) redirector.add(one);
  redirector.finish();
}

}  // namespace maclane::compile
