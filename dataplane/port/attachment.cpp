#include "dataplane/port/attachment.h"

#include <net/if.h>
#include <rte_ethdev.h>
#include <unistd.h>

#include "dataplane/port/netdev.h"

namespace maclane {
namespace {

/// MAC and MTU first, while DPDK and we can still reach the device by name; then the move.
bool dress_and_move(const PortInfo& info, const std::string& kernel_name, const MacAddr& mac,
                    uint16_t mtu, int netns_fd, std::string* error) {
  rte_eth_dev_info dev;
  if (rte_eth_dev_info_get(info.ethdev, &dev) != 0 || dev.if_index == 0) {
    *error = "the tap device of " + kernel_name + " is gone";
    return false;
  }
  if (!netdev_change(dev.if_index, {.mac = &mac, .mtu = mtu}, error)) return false;
  NetdevChange last;
  last.up = true;
  if (netns_fd >= 0) {
    last.netns_fd = netns_fd;
    last.name = kernel_name;
  }
  return netdev_change(dev.if_index, last, error);
}

}  // namespace

bool attachment_create(const PortContext& context, const std::string& kernel_name,
                       const MacAddr& mac, uint16_t mtu, const std::string& netns, PortInfo* info,
                       std::string* error) {
  if (kernel_name.empty() || kernel_name.size() >= IFNAMSIZ ||
      kernel_name.find_first_of("/ ,%") != std::string::npos) {
    *error = "attached interface name '" + kernel_name +
             "' must have 1 to 15 characters, without spaces, slashes, commas or %";
    return false;
  }
  int fd = -1;
  if (!netns.empty()) {
    fd = netns_open(netns, error);
    if (fd < 0) return false;
  }
  // Another namespace may want a name that is taken in ours (eth0), so it is born with a name of
  // its own.
  static unsigned serial = 0;
  const std::string id = std::to_string(getpid() % 100000) + "." + std::to_string(serial++ % 10000);
  PortConfig config;
  config.device =
      "net_tap_at" + id + ",iface=" + (netns.empty() ? kernel_name : std::string("mla") + id);
  config.mtu = mtu;
  config.max_queues = 1;  // each costs net_tap a signal, and there are many of these
  bool done = port_create(context, config, info, error);
  if (done && !dress_and_move(*info, kernel_name, mac, mtu, fd, error)) {
    port_remove(info->ethdev);
    done = false;
  }
  if (fd >= 0) close(fd);
  if (!done) *info = {};
  return done;
}

}  // namespace maclane
