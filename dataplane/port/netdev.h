// The kernel side of a tap device: its address, MTU, state and namespace, by rtnetlink. Control
// thread only.
#pragma once

#include <cstdint>
#include <string>

#include "dataplane/net/types.h"

namespace maclane {

struct NetdevChange {
  const MacAddr* mac = nullptr;
  uint16_t mtu = 0;   // 0: as it is
  int netns_fd = -1;  // -1: stays where it is
  std::string name;   // empty: as it is
  bool up = false;    // true: is set up; false: as it is
};

/// The index of a device in our own namespace; 0 if there is none.
[[nodiscard]] unsigned netdev_index(const std::string& name);

/// Carries out one change in one request: the kernel moves first, then renames, then sets the rest.
bool netdev_change(unsigned index, const NetdevChange& change, std::string* error);

/// Opens a namespace: a name of `ip netns`, or a path. -1 and a sentence if there is none.
int netns_open(const std::string& netns, std::string* error);

}  // namespace maclane
