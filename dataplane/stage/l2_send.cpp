#include "dataplane/stage/l2_send.h"

#include "dataplane/stage/flood.h"
#include "dataplane/stage/l2.h"
#include "dataplane/stage/l2_deliver.h"
#include "dataplane/stage/l2_frame.h"
#include "dataplane/worker/packet.h"

namespace maclane {
namespace {

[[nodiscard]] FrameSource source_of(const Interface& interface) noexcept {
  if (interface.kind != IfKind::kMacvlan) return FrameSource::kParent;
  return interface.mode == VportMode::kBridge ? FrameSource::kBridge : FrameSource::kPrivate;
}

/// Sent, but not on a wire: the sibling hears it and nothing below does.
void count_tx_local(Worker& w, IfIndex from, uint32_t bytes) noexcept {
  IfCounters& c = w.counters.interfaces[from];
  c.tx_packets += 1;
  c.tx_bytes += bytes;
}

}  // namespace

void l2_send_to(Worker& w, rte_mbuf* m, IfIndex from, L3Queue& queue) noexcept {
  const Snapshot& s = *w.snapshot;
  if (from == kNoIf || from >= s.interfaces.size() || !s.interfaces[from].up) {
    drop(w, m, Drop::vport_down, from);
    return;
  }
  const Interface& interface = s.interfaces[from];
  if (m->data_len < kEtherHeader) {
    drop(w, m, Drop::short_frame, from);
    return;
  }
  const EtherHdr& eth = *ether(m);
  const bool has_tag = is_vlan_type(eth.type.host());
  if (m->pkt_len > interface.mtu + kEtherHeader + (has_tag ? 4u : 0u)) {
    drop(w, m, Drop::oversize, from);
    return;
  }
  const FrameSource source = source_of(interface);
  const Domain& domain = s.domains[interface.domain];
  const FrameTag tag = has_tag && has_vlan(m) ? FrameTag::kUnknown : FrameTag::kUntagged;

  IfIndex hit = kNoIf;
  FrameTarget target = FrameTarget::kUnknownMac;
  // Only a bridge macvlan's unicast depends on whose MAC it is (asserted in demux_table.cpp).
  if (source == FrameSource::kBridge || eth.dst.is_multicast() || eth.type.host() == kEtherPause) {
    target = classify(w, domain, eth, &hit);
  }
  const DemuxCell& cell = demux_cell(source, target, tag);
  if (cell.actions == kToWire) {
    to_wire(w, m, from);
  } else if ((cell.actions & kToVport) != 0) {
    count_tx_local(w, from, m->pkt_len);
    to_vport(w, m, hit, from, tag == FrameTag::kUnknown, queue);
  } else if ((cell.actions & kToSiblings) != 0) {
    flood(w, {m, &domain, from, target, tag}, cell, queue);
  } else {
    drop(w, m, cell.otherwise, from);
  }
}

void l2_send(Worker& w, rte_mbuf* m, IfIndex from) noexcept {
  l2_send_to(w, m, from, w.loopback);
}

}  // namespace maclane
