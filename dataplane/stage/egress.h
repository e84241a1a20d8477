// Egress: fragmentation to the interface's MTU (RFC 791 3.2), the Ethernet header, and l2_send.
// Worker thread only.
#pragma once

#include "dataplane/net/types.h"

struct rte_mbuf;

namespace maclane {

struct Worker;

/// Sends a finished IPv4 packet (IP header first) from `out_if` to `dst`, cut into fragments if it
/// is longer than the MTU (DF was checked before). A PPPoE session has one end only: `dst` is not
/// asked.
void egress(Worker& w, rte_mbuf* m, IfIndex out_if, const MacAddr& dst) noexcept;

}  // namespace maclane
