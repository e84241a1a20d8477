// The host plane's routes and rules in the kernel.
#include <fmt/format.h>
#include <linux/rtnetlink.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>

#include "control/observe/log.h"
#include "control/service/host_plane.h"
#include "control/service/text.h"

namespace maclane {

/// At start: what a killed predecessor left goes; who shares the host's namespace is told what that
/// means.
void HostPlane::share() {
  const std::vector<be32> standing = netlink_->addresses();
  for (const Netlink::Rule& rule : netlink_->our_rules()) {
    // A rule of another router that runs here has its address standing.
    if (rule.from.raw != 0 && std::find_if(standing.begin(), standing.end(), [&](be32 a) {
                                return a == rule.from;
                              }) == standing.end()) {
      (void)netlink_->remove_rule(rule);
    }
  }
  if (!shared_) return;
  const auto devices = netlink_->devices();
  const bool others = std::any_of(devices.begin(), devices.end(), [&](const auto& device) {
    return device.up && !device.loopback && device.group != group_;
  });
  int ignore = 0;
  std::ifstream("/proc/sys/net/ipv4/conf/all/arp_ignore") >> ignore;
  if (others && ignore == 0) {
    log::write(
        log::Level::kWarning, "system,warning",
        "host-plane=yes in the host's own network namespace: the host's other devices answer "
        "ARP for the router's addresses unless net.ipv4.conf.all.arp_ignore is 1; "
        "host-plane=auto keeps the two apart");
  }
}

/// What programs find out about the network is the router's knowledge, too.
void HostPlane::follow_routes() {
  int failure = 0;
  {
    const Netns::Scope scope = enter();
    failure = kernel_routes_.open(shared_);
  }
  if (failure != 0) {
    log::write(log::Level::kWarning, "system,warning", "routes of programs cannot be followed: {}",
               std::strerror(failure));
    return;
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = kNoIf;
  (void)epoll_ctl(epoll_, EPOLL_CTL_ADD, kernel_routes_.fd(), &event);
}

void HostPlane::add_learned(Learned& learned) const {
  if (!is_open() || kernel_routes_.size() == 0) return;
  kernel_routes_.add_learned(learned, [this](unsigned device) {
    for (const auto& [interface, tap] : taps_) {
      if (tap.fd >= 0 && tap.index == device) return name_(interface);
    }
    return std::string();
  });
}

void HostPlane::want_routes(const ServiceConfig& config) {
  std::map<RouteKey, HostRoute> wanted;
  for (const HostRoute& route : config.routes)
    wanted.try_emplace(wanted.end(), {route.dst.host(), route.length}, route);  // often in order
  if (wanted.size() > kMostRoutes) {
    // The kernel only chooses device and source with them; the long tail goes by the default.
    std::vector<RouteKey> keys;
    keys.reserve(wanted.size());
    for (const auto& [key, route] : wanted) keys.push_back(key);
    std::stable_sort(keys.begin(), keys.end(),
                     [](const RouteKey& a, const RouteKey& b) { return a.second < b.second; });
    for (size_t i = kMostRoutes; i < keys.size(); ++i) wanted.erase(keys[i]);
  }
  routes_wanted_ = std::move(wanted);
  routes_dirty_ = true;
}

void HostPlane::want_rules() {
  std::vector<Netlink::Rule> wanted = {{{}, kTable, kLastPriority}};
  if (shared_) {
    for (const auto& [interface, tap] : taps_) {
      for (const InterfaceAddress& a : tap.wanted)
        wanted.push_back({a.address, kTable, kFromPriority});
    }
  }
  const auto in = [](const std::vector<Netlink::Rule>& all, const Netlink::Rule& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  };
  for (const Netlink::Rule& rule : rules_) {
    if (!in(wanted, rule)) (void)netlink_->remove_rule(rule);
  }
  for (const Netlink::Rule& rule : wanted) {
    if (in(rules_, rule)) continue;
    const int failure = netlink_->add_rule(rule);
    if (failure == 0 || failure == EEXIST) continue;
    log::write(log::Level::kWarning, "system,warning",
               "the kernel refuses a routing rule for programs on the router: {}",
               std::strerror(failure));
  }
  rules_ = std::move(wanted);
}

void HostPlane::settle_routes() {
  routes_dirty_ = false;
  unsigned turns = kRoutesPerTurn;
  const auto spend = [&] {
    if (turns == 0) routes_dirty_ = true;
    return turns != 0 && turns-- != 0;
  };
  const auto as_kernel = [&](const HostRoute& route) -> std::optional<Netlink::Route> {
    const auto tap = taps_.find(route.out_if);
    if (tap == taps_.end() || tap->second.fd < 0 || tap->second.dirty) return std::nullopt;
    return Netlink::Route{route.dst,    route.length, tap->second.index,
                          route.source, kTable,       kMetric};
  };
  for (auto it = routes_.begin(); it != routes_.end();) {
    const auto wanted = routes_wanted_.find(it->first);
    if (wanted == routes_wanted_.end() || !as_kernel(wanted->second)) {
      if (!spend()) return;
      (void)netlink_->remove_route(it->second);
      it = routes_.erase(it);
    } else {
      ++it;
    }
  }
  for (const auto& [key, route] : routes_wanted_) {
    const auto wanted = as_kernel(route);
    if (!wanted) continue;
    const auto have = routes_.find(key);
    if (have != routes_.end() && have->second == *wanted) continue;
    if (!spend()) return;
    // Preferring an address that is gone again is refused; the next publish says it anew.
    if (netlink_->add_route(*wanted) == 0) routes_[key] = *wanted;
  }
}

}  // namespace maclane
