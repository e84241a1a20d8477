#include <rte_prefetch.h>

#include "dataplane/stage/flood.h"
#include "dataplane/stage/l2.h"
#include "dataplane/stage/l2_deliver.h"
#include "dataplane/stage/l2_frame.h"
#include "dataplane/stage/l2_membership.h"
#include "dataplane/stage/l2_send.h"
#include "dataplane/worker/packet.h"

namespace maclane {
namespace {

/// Where a frame stands after its tags were looked at.
struct Segment {
  const Domain* domain = nullptr;  // nullptr: the frame was dropped
  FrameTag tag = FrameTag::kUntagged;
};

[[nodiscard]] const Domain::Vlan* find_vlan(const Domain& domain, VlanTag tag) noexcept {
  for (const Domain::Vlan& vlan : domain.vlans) {
    if (vlan.tag.vid == tag.vid && vlan.tag.tpid == tag.tpid) return &vlan;
  }
  return nullptr;
}

/// Takes off priority tags and the tags of VLAN interfaces, and stops at the first
/// tag that is neither. Each VLAN interface on the way counts the frame.
[[nodiscard]] Segment take_tags(Worker& w, rte_mbuf* m, const Domain* domain) noexcept {
  const Snapshot& s = *w.snapshot;
  for (unsigned depth = 0;; ++depth) {
    const uint16_t type = ether(m)->type.host();
    if (!is_vlan_type(type)) return {domain, FrameTag::kUntagged};
    if (m->data_len < kEtherHeader + kVlanHeader) {
      drop(w, m, Drop::short_frame, domain->parent);
      return {};
    }
    // Two VLANs and as many priority tags; who nests deeper is not speaking to us.
    if (depth == 4) return {domain, FrameTag::kUnknown};
    const auto* header = rte_pktmbuf_mtod_offset(m, const VlanHdr*, kEtherHeader);
    const auto vid = static_cast<uint16_t>(header->tci.host() & 0x0fff);
    if (vid != 0) {
      const Domain::Vlan* vlan = find_vlan(*domain, {type, vid});
      if (vlan == nullptr) return {domain, FrameTag::kUnknown};
      domain = &s.domains[vlan->domain];
      if (!s.interfaces[domain->parent].up) {
        drop(w, m, Drop::vport_down, domain->parent);
        return {};
      }
      strip_tag(m);
      count_rx(w, domain->parent, m->pkt_len);
    } else {
      strip_tag(m);
    }
  }
}

/// A group frame whose source MAC is one of our macvlans comes back from the switch.
[[nodiscard]] FrameSource group_source(const Worker& w, const Domain& domain, const EtherHdr& eth,
                                       IfIndex* own) noexcept {
  *own = domain.macs.find(eth.src.key());
  if (*own == kNoIf || *own == domain.parent) return FrameSource::kWire;
  return w.snapshot->interfaces[*own].mode == VportMode::kBridge ? FrameSource::kWireOwnBridge
                                                                 : FrameSource::kWireOwnPrivate;
}

/// Back to the private macvlan that sent it, if that is a kernel device.
void to_source(Worker& w, rte_mbuf* m, IfIndex own, const DemuxCell& cell) noexcept {
  const Interface& interface = w.snapshot->interfaces[own];
  if (interface.attached && interface.up) {
    tx(w, m, interface.attach_port, own);
  } else {
    drop(w, m, cell.otherwise, own);
  }
}

void from_wire(Worker& w, const Port& port, rte_mbuf* m, L3Queue& l3) noexcept {
  const Snapshot& s = *w.snapshot;
  if (port.interface >= s.interfaces.size() || port.domain >= s.domains.size() ||
      !s.interfaces[port.interface].up) {
    drop(w, m, Drop::vport_down, port.interface);
    return;
  }
  count_rx(w, port.interface, m->pkt_len);
  if (m->data_len < kEtherHeader) {
    drop(w, m, Drop::short_frame, port.interface);
    return;
  }
  const Segment segment = take_tags(w, m, &s.domains[port.domain]);
  if (segment.domain == nullptr) return;
  const Domain& domain = *segment.domain;
  const EtherHdr& eth = *ether(m);

  IfIndex hit = kNoIf;
  IfIndex own = kNoIf;
  const FrameTarget target = classify(w, domain, eth, &hit);
  const FrameSource source = eth.dst.is_multicast() && target != FrameTarget::kPause
                                 ? group_source(w, domain, eth, &own)
                                 : FrameSource::kWire;
  const DemuxCell& cell = demux_cell(source, target, segment.tag);
  if (cell.actions == kToParent) {
    to_router(w, m, domain.parent, kNoIf, l3);
  } else if ((cell.actions & kToVport) != 0) {
    to_vport(w, m, hit, kNoIf, segment.tag == FrameTag::kUnknown, l3);
  } else if ((cell.actions & kToSource) != 0) {
    to_source(w, m, own, cell);
  } else if (cell.actions != 0) {
    flood(w, {m, &domain, kNoIf, target, segment.tag}, cell, l3);
  } else {
    drop(w, m, cell.otherwise, domain.parent);
  }
}

void from_attachment(Worker& w, const Port& port, rte_mbuf* m, L3Queue& l3) noexcept {
  if (m->data_len >= kEtherHeader && ether(m)->dst.is_multicast() && is_membership(m)) {
    if (rte_mbuf* report = copy(w, m); report != nullptr) {
      PacketMessage message;
      message.reason = PuntReason::kMembership;
      message.in_if = port.interface;
      message.broadcast = true;
      punt(w, report, message);
    } else {
      count_drop(w, Drop::no_mbuf, port.interface);
    }
  }
  l2_send_to(w, m, port.interface, l3);
}

}  // namespace

void l2_input(Worker& w, uint16_t port_index, std::span<rte_mbuf*> frames, L3Queue& l3) noexcept {
  const Port& port = w.snapshot->ports[port_index];
  w.flood_budget = kFloodBudget;
  constexpr size_t kAhead = 4;
  for (size_t i = 0; i < frames.size() && i < kAhead; ++i) {
    rte_prefetch0(rte_pktmbuf_mtod(frames[i], const void*));
  }
  for (size_t i = 0; i < frames.size(); ++i) {
    if (i + kAhead < frames.size()) {
      rte_prefetch0(rte_pktmbuf_mtod(frames[i + kAhead], const void*));
    }
    if (port.attachment) {
      from_attachment(w, port, frames[i], l3);
    } else {
      from_wire(w, port, frames[i], l3);
    }
  }
}

}  // namespace maclane
