// The host plane's devices: made, named, set and given their addresses. See host_plane.h.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "control/observe/log.h"
#include "control/service/host_frame.h"
#include "control/service/host_plane.h"
#include "control/service/text.h"

namespace maclane {

bool HostPlane::rename(Tap& tap, const std::string& name) {
  const std::string device = host_device_name(name);
  if (tap.fd < 0 || tap.dirty || device == "lo") return false;
  const Netlink::Link change{.name = device, .alias = "maclane " + name};
  if (device != tap.device) {
    int failure = netlink_->change_link(tap.index, change);
    if (failure == EBUSY) {  // Linux before 6.2 renames no device that is up
      (void)netlink_->change_link(tap.index, {.down = true});
      failure = netlink_->change_link(tap.index, change);
      (void)netlink_->change_link(tap.index, {.up = true});
      put_again(tap.index);
    }
    if (failure != 0) return false;
  } else {
    (void)netlink_->change_link(tap.index, {.alias = change.alias});
  }
  tap.name = name;
  tap.device = device;
  return true;
}

int HostPlane::create_device(const std::string& device, int* failure) const {
  const Netns::Scope scope = enter();
  const int fd = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) {
    *failure = errno;
    return -1;
  }
  ifreq request{};
  std::memcpy(request.ifr_name, device.data(), std::min<size_t>(device.size(), IFNAMSIZ - 1));
  request.ifr_flags = static_cast<int16_t>(IFF_TAP | IFF_NO_PI | IFF_TUN_EXCL);
  if (ioctl(fd, TUNSETIFF, &request) != 0) {
    // Of a name that a device of another kind has, the kernel says EINVAL.
    *failure = Netlink::index_of(device) != 0 ? EEXIST : errno;
    close(fd);
    return -1;
  }
  return fd;
}

bool HostPlane::make(IfIndex interface, Tap& tap) {
  const uint64_t now = io_.now_ms();
  int failure = 0;
  tap.device = host_device_name(tap.name);
  tap.fd = tap.device == "lo" ? -1 : create_device(tap.device, &failure);
  const bool is_lo = tap.device == "lo";
  if (tap.fd < 0 && (is_lo || (failure == EEXIST && now - tap.since_ms >= kNameMs))) {
    const std::string other = host_device_name(tap.name, true);
    tap.fd = create_device(other, &failure);
    if (tap.fd >= 0) {
      log::write(
          log::Level::kWarning, "interface,warning",
          "{}: there is a device {} that is not the router's; {}'s device for programs is {}",
          tap.name, tap.device, tap.name, other);
    }
    tap.device = other;
  }
  if (tap.fd < 0) {
    std::string problem =
        fmt::format("{}: {}", tap.device,
                    failure == EEXIST ? "another device has this name" : std::strerror(failure));
    if (failure != EEXIST || now - tap.since_ms >= kNameMs) {
      if (problem != tap.problem) {
        log::write(log::Level::kWarning, "interface,warning",
                   "{}: no device for programs ({}); the router itself answers pings there only",
                   tap.name, problem);
      }
      tap.problem = std::move(problem);
    }
    tap.retry_ms = now + (now - tap.since_ms < kNameMs ? 50 : kRetryMs);
    tap.device.clear();
    return false;
  }
  {
    const Netns::Scope scope = enter();
    tap.index = Netlink::index_of(tap.device);
  }
  tap.have.clear();
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = interface;
  (void)epoll_ctl(epoll_, EPOLL_CTL_ADD, tap.fd, &event);
  (void)netlink_->tame_link(tap.index);
  (void)netlink_->change_link(tap.index,
                              {.alias = "maclane " + tap.name, .group = group_, .no_arp = true});
  routes_dirty_ = true;
  return true;
}

void HostPlane::settle(Tap& tap) {
  tap.dirty = false;
  int failure = netlink_->change_link(tap.index, {.mac = tap.mac, .mtu = tap.mtu, .up = true});
  const int carrier = tap.running ? 1 : 0;
  if (failure == 0 && ioctl(tap.fd, TUNSETCARRIER, &carrier) != 0) failure = errno;
  if (failure != 0) {
    std::string problem =
        fmt::format("{} cannot be set up: {}", tap.device, std::strerror(failure));
    if (problem != tap.problem) {
      log::write(log::Level::kWarning, "interface,warning",
                 "{}: its device {} cannot be set up ({}) and is made again", tap.name, tap.device,
                 std::strerror(failure));
    }
    tap.problem = std::move(problem);
    close(std::exchange(tap.fd, -1));
    forget_routes(tap.index);
    tap.have.clear();
    tap.dirty = true;
    tap.retry_ms = io_.now_ms() + kRetryMs;
    ++waiting_;
    return;
  }
  tap.problem.clear();
  settle_addresses(tap);
}

void HostPlane::settle_addresses(Tap& tap) {
  const auto in = [](const std::vector<InterfaceAddress>& all, const InterfaceAddress& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  };
  for (const InterfaceAddress& a : tap.have) {
    if (in(tap.wanted, a)) continue;
    (void)netlink_->remove_address(tap.index, a.address, a.length);
    // The kernel takes the routes along that prefer it.
    std::erase_if(routes_, [&](const auto& r) { return r.second.source == a.address; });
  }
  std::vector<InterfaceAddress> taken;
  for (const InterfaceAddress& a : tap.wanted) {
    const int failure = in(tap.have, a) ? 0 : netlink_->add_address(tap.index, a.address, a.length);
    if (failure == 0) {
      taken.push_back(a);
      continue;
    }
    log::write(log::Level::kWarning, "interface,warning",
               "{}: the kernel refuses an address of its device {}: {}", tap.name, tap.device,
               std::strerror(failure));
  }
  tap.have = std::move(taken);
  routes_dirty_ = true;
}

void HostPlane::touch(unsigned device) {
  if (touched_.empty()) look_ms_ = io_.now_ms() + kLookMs;
  touched_.insert(device);
}

/// What we changed ourselves is as we left it.
void HostPlane::look_at_devices() {
  const std::set<unsigned> touched = std::exchange(touched_, {});
  std::vector<Netlink::Address> addresses;
  std::optional<Standing> standing;
  for (auto& [interface, tap] : taps_) {
    if (tap.fd < 0 || !(touched.contains(0) || touched.contains(tap.index))) continue;
    Netlink::Device found;
    const int failure = tap.dirty ? EBUSY : netlink_->find_device(tap.index, found);
    if (failure == ENODEV) {
      lose(tap);
      continue;
    }
    if (failure == 0 && !standing && netlink_->list_addresses(addresses)) {
      standing.emplace();
      for (const Netlink::Address& one : addresses)
        standing->emplace(one.device, one.address.host(), one.length);
    }
    if (failure != 0 || !standing) {
      touch(tap.index);
      continue;
    }
    mend(tap, found, *standing);
  }
}

void HostPlane::mend(Tap& tap, const Netlink::Device& found, const Standing& standing) {
  std::vector<std::string> wrong;
  if (found.name != tap.device) {
    const std::string before = std::exchange(tap.device, found.name);
    wrong.push_back(rename(tap, tap.name)
                        ? fmt::format("was renamed {}", found.name)
                        : fmt::format("was renamed {}, which it stays", found.name));
  }
  if (!found.up) wrong.emplace_back("was down");
  if (found.mac != tap.mac) wrong.push_back("had the MAC address " + text_of(found.mac));
  if (found.mtu != tap.mtu) wrong.push_back(fmt::format("had an MTU of {}", found.mtu));
  std::erase_if(tap.have, [&](const InterfaceAddress& a) {
    if (standing.contains({tap.index, a.address.host(), a.length})) return false;
    wrong.push_back(fmt::format("had lost {}/{}", text_of(a.address), a.length));
    for (const auto& [key, route] : routes_) {
      if (route.source == a.address) routes_again_.insert(key);
    }
    return true;
  });
  if (wrong.empty()) return;
  log::write(log::Level::kWarning, "interface,warning",
             "{}: its device {} for programs {}, by somebody else's doing; it is put right",
             tap.name, tap.device, fmt::join(wrong, ", "));
  put_again(tap.index);
  settle_later(tap);
}

/// It is gone, or in a namespace that is not ours.
void HostPlane::lose(Tap& tap) {
  log::write(log::Level::kWarning, "interface,warning",
             "{}: its device {} for programs was removed by somebody else; it is made again",
             tap.name, tap.device);
  close(std::exchange(tap.fd, -1));
  forget_routes(tap.index);
  tap.have.clear();
  tap.since_ms = io_.now_ms();
  settle_later(tap);
}

/// At once, unless that has been so lately.
void HostPlane::settle_later(Tap& tap) {
  const uint64_t now = io_.now_ms();
  tap.pause_ms = now < tap.calm_ms ? std::min(2 * tap.pause_ms + kLookMs, kMostPauseMs) : 0;
  tap.retry_ms = now + tap.pause_ms;
  tap.calm_ms = tap.retry_ms + kCalmMs;
  tap.dirty = true;
  ++waiting_;
}

}  // namespace maclane
