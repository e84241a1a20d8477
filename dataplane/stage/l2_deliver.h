// Handing a frame to one recipient: the router's own interface, an attached vport's kernel device,
// or the wire. For the layer 2 stages only; worker thread only.
#pragma once

#include "dataplane/stage/demux_table.h"
#include "dataplane/worker/burst.h"

struct rte_mbuf;

namespace maclane {

struct Worker;
struct Domain;
struct Interface;
struct EtherHdr;

/// Which destination class a frame is of; *hit is the owner of a unicast MAC of this domain.
[[nodiscard]] FrameTarget classify(const Worker& w, const Domain& domain, const EtherHdr& eth,
                                   IfIndex* hit) noexcept;

void count_rx(Worker& w, IfIndex interface, uint32_t bytes) noexcept;

/// A message for the DHCP client or server of an interface, or, heard as a broadcast, for any of
/// its domain: to control.
void dhcp_punt(Worker& w, rte_mbuf* m, IfIndex heard_on, bool broadcast,
               IfIndex sender = kNoIf) noexcept;

/// A unicast frame for one of the router's own interfaces: IPv4 to the queue, also that of a PPPoE
/// session, ARP and what control's services speak to control, the rest dropped. `sender` is the
/// macvlan that sent it, kNoIf if it came from the wire.
void to_router(Worker& w, rte_mbuf* m, IfIndex in_if, IfIndex sender, L3Queue& queue) noexcept;

/// A loop protect frame from the wire: to control.
void punt_loop_protect(Worker& w, rte_mbuf* m, IfIndex in_if, bool broadcast) noexcept;

/// A unicast frame for a macvlan, routed or attached. Frames with a VLAN go to attached ones only
/// (`tagged`).
void to_vport(Worker& w, rte_mbuf* m, IfIndex vport, IfIndex sender, bool tagged,
              L3Queue& queue) noexcept;

/// Out of the port below `from`, with its tags pushed.
void to_wire(Worker& w, rte_mbuf* m, IfIndex from) noexcept;

}  // namespace maclane
