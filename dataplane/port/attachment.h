// Attachments: the kernel device that a container or namespace sees as its macvlan, and the net_tap
// port behind it. Control thread only.
#pragma once

#include <string>

#include "dataplane/port/ethdev.h"

namespace maclane {

/// Creates the device under a passing name, gives it MAC and MTU, and moves, renames and brings it
/// up in one request; on failure nothing is left of it. When the namespace goes, the device goes
/// with it: the port hears nothing then and what it sends is counted as not sent.
bool attachment_create(const PortContext& context, const std::string& kernel_name,
                       const MacAddr& mac, uint16_t mtu, const std::string& netns, PortInfo* info,
                       std::string* error);

}  // namespace maclane
