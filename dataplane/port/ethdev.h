// Ports: DPDK devices, created from devargs or a PCI address, set up for the workers, and removed.
// Control thread only.
#pragma once

#include <string>

#include "dataplane/dataplane.h"

struct rte_mempool;

namespace maclane {

/// What every port is set up with.
struct PortContext {
  rte_mempool* pool = nullptr;
  uint16_t workers = 1;  // queues, one of each kind per worker
  uint16_t max_mtu = 1500;
  bool rss = false;  // spread as Spread::kRss says, where a device can
};

/// Creates, sets up and starts a device; on failure nothing is left of it.
bool port_create(const PortContext& context, const PortConfig& config, PortInfo* info,
                 std::string* error);
/// Changes MTU, own MAC and MAC filters of a started port. It is stopped for that only if
/// config.idle; without, a driver that insists makes this fail with info->must_stop.
bool port_configure(uint16_t ethdev, const PortConfig& config, PortInfo* info, std::string* error);
void port_remove(uint16_t ethdev);
[[nodiscard]] bool port_link_up(uint16_t ethdev);
[[nodiscard]] unsigned ports_in_use();

}  // namespace maclane
