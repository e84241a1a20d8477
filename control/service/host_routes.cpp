// The host plane's routes and rules in the kernel.
#include <fmt/format.h>
#include <linux/rtnetlink.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
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
  std::vector<Netlink::Address> standing;
  (void)netlink_->list_addresses(standing);
  for (const Netlink::Rule& rule : netlink_->our_rules()) {
    // A rule of another router that runs here has its address standing.
    if (rule.from.raw != 0 && std::ranges::none_of(standing, [&](const Netlink::Address& one) {
          return one.address == rule.from;
        })) {
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
  kernel_routes_.on_device([this](unsigned device, bool routes_lost) {
    if (routes_lost) put_again(device);
    touch(device);
  });
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
  std::vector<HostRoute> wanted = config.routes;
  if (!std::ranges::is_sorted(wanted, {}, key_of))  // often they are
    std::ranges::stable_sort(wanted, {}, key_of);
  const auto again =
      std::unique(wanted.begin(), wanted.end(),
                  [](const HostRoute& a, const HostRoute& b) { return key_of(a) == key_of(b); });
  wanted.erase(again, wanted.end());
  if (wanted.size() > kMostRoutes) {
    // The kernel only chooses device and source with them; the long tail goes by the default.
    std::array<size_t, 33> room{};
    for (const HostRoute& route : wanted) ++room[route.length];
    size_t left = kMostRoutes;
    for (size_t& count : room) {
      count = std::min(count, left);
      left -= count;
    }
    std::erase_if(wanted, [&](const HostRoute& route) {
      return room[route.length] == 0 || room[route.length]-- == 0;
    });
  }
  if (wanted == routes_wanted_ && !routes_refused_) return;
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

void HostPlane::forget_routes(unsigned device) {
  std::erase_if(routes_, [&](const auto& one) {
    if (one.second.device != device) return false;
    routes_again_.erase(one.first);
    return true;
  });
  routes_dirty_ = true;
}

void HostPlane::put_again(unsigned device) {
  for (const auto& [key, route] : routes_) {
    if (device == 0 || route.device == device) routes_again_.insert(key);
  }
  routes_dirty_ = true;
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
  routes_refused_ = false;
  // Both are sorted.
  auto want = routes_wanted_.begin();
  for (auto it = routes_.begin(); it != routes_.end();) {
    while (want != routes_wanted_.end() && key_of(*want) < it->first) ++want;
    if (want != routes_wanted_.end() && key_of(*want) == it->first && as_kernel(*want)) {
      ++it;
      continue;
    }
    if (!spend()) return;
    (void)netlink_->remove_route(it->second);
    routes_again_.erase(it->first);
    it = routes_.erase(it);
  }
  auto have = routes_.begin();
  for (const HostRoute& route : routes_wanted_) {
    const RouteKey key = key_of(route);
    while (have != routes_.end() && have->first < key) ++have;
    const auto wanted = as_kernel(route);
    if (!wanted) continue;
    const bool known = have != routes_.end() && have->first == key;
    if (known && have->second == *wanted && !routes_again_.contains(key)) continue;
    if (!spend()) return;
    if (netlink_->add_route(*wanted) != 0) {
      routes_refused_ =
          true;  // preferring an address that is gone again: the next publish asks anew
      continue;
    }
    routes_again_.erase(key);
    if (known) {
      have->second = *wanted;
    } else {
      routes_.emplace_hint(have, key, *wanted);
    }
  }
}

}  // namespace maclane
