// Layer 2: from a port's frames to L3 packets and attached vports, and back out.
//
// Input:  l2_input (parse, vport demux, flood) -> L3Queue, punt (ARP), tx (attachments, wire).
// Output: l2_send, for frames of our own interfaces and of attached vports alike: sibling or wire.
// What goes where is one decision table (stage/demux_table.h, behaviour.md ).
// Worker thread only.
#pragma once

#include <span>

#include "dataplane/worker/burst.h"

struct rte_mbuf;

namespace maclane {

struct Worker;

/// Takes `frames` as received from Snapshot::ports[port]. IPv4 packets for the router's interfaces
/// are appended to `l3` with the IP header at the start of the data; the 14 bytes before it stay an
/// untagged Ethernet header. Everything else is sent, punted or dropped.
void l2_input(Worker& w, uint16_t port, std::span<rte_mbuf*> frames, L3Queue& l3) noexcept;

/// Sends an untagged Ethernet frame from interface `from` (ethernet, vlan or macvlan, routed or
/// attached): to a bridge sibling, to the siblings and the wire (broadcast), or to the wire with
/// the interface's tags pushed. Packets for a routed sibling go to w.loopback.
void l2_send(Worker& w, rte_mbuf* m, IfIndex from) noexcept;

}  // namespace maclane
