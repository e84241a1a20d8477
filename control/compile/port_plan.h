// Port plan: which devices a tree needs and how they are to be set, and what to do to get there
// from what there is. Nothing here touches a device. Control thread only.
//
// Order for the caller, with snapshots that do not use what goes: publish one without the removed
// ports, synchronize(), remove, add, configure, compile, publish.
#pragma once

#include <string>
#include <vector>

#include "control/model/tree.h"
#include "dataplane/dataplane.h"

namespace maclane::compile {

struct PortPlan {
  /// An /interface/ethernet, enabled or not: a disabled one keeps its device, so that it comes
  /// back at once.
  struct Ethernet {
    std::string name;
    PortConfig config;  // macs: its configured own (set_mac), then those of the macvlans in use
  };
  /// A macvlan with attach=tap, enabled or not.
  struct Attachment {
    std::string name;
    MacAddr mac;
    uint16_t mtu = 1500;
    std::string netns;
  };
  std::vector<Ethernet> ethernets;
  std::vector<Attachment> attachments;
};

[[nodiscard]] PortPlan plan_ports(const model::Tree& tree);

/// To be done in the order of the members.
struct PortChanges {
  std::vector<std::string> remove_attachments;
  std::vector<std::string> remove_ethernets;
  std::vector<PortPlan::Ethernet> add_ethernets;
  std::vector<PortPlan::Ethernet> configure_ethernets;
  std::vector<PortPlan::Attachment> add_attachments;
  std::vector<PortPlan::Attachment> configure_attachments;  // MTU only

  [[nodiscard]] bool empty() const;
};

/// A changed device, an own MAC given up (only the device itself knows the one it came with), or an
/// attachment's changed MAC or namespace is a removal and an addition.
[[nodiscard]] PortChanges diff(const PortPlan& have, const PortPlan& want);

}  // namespace maclane::compile
