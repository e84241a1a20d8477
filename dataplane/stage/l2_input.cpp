#include <rte_prefetch.h>

#include "dataplane/stage/flood.h"
#include "dataplane/stage/l2.h"
#include "dataplane/stage/l2_deliver.h"
#include "dataplane/stage/l2_frame.h"
#include "dataplane/stage/l2_membership.h"
#include "dataplane/stage/l2_send.h"
#include "dataplane/stage/pppoe.h"
#include "dataplane/worker/packet.h"

namespace maclane {
namespace {

/// Where a frame stands after its tags were looked at.
struct Tagged {
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
[[nodiscard]] Tagged take_tags(Worker& w, rte_mbuf* m, const Domain* domain) noexcept {
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
    const uint16_t tci = header->tci.host();
    const auto vid = static_cast<uint16_t>(tci & 0x0fff);
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
    if (depth == 0) keep_tag(m, tci);  // the outermost says what the wire gave it
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
  } else if (ether(m)->type.host() == kEtherLoopProtect) {
    punt_loop_protect(w, m, own, true);  // that it came back is what it was sent for
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
  const Tagged segment = take_tags(w, m, &s.domains[port.domain]);
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

namespace {

// What the fast way takes for granted about the decision table.
constexpr bool goes_to(FrameTarget target, uint8_t actions) {
  return demux_cell(FrameSource::kWire, target, FrameTag::kUntagged).actions == actions;
}
static_assert(goes_to(FrameTarget::kParentMac, kToParent));
static_assert(goes_to(FrameTarget::kBridgeMac, kToVport));
static_assert(goes_to(FrameTarget::kPrivateMac, kToVport));

constexpr size_t kAhead = 4;

/// Frames from a wire. Untagged IPv4 for one MAC of ours, plain or in a PPPoE session, is nearly
/// all of them: it is handed on here, counted by the run; everything else takes from_wire(), in its
/// place.
class WireInput {
 public:
  WireInput(Worker& w, const Port& port, L3Queue& l3) noexcept
      : w_(w), snapshot_(*w.snapshot), port_(port), l3_(l3) {
    if (port.interface < snapshot_.interfaces.size() && port.domain < snapshot_.domains.size() &&
        snapshot_.arrivals.size() == snapshot_.interfaces.size() &&
        snapshot_.interfaces[port.interface].up) {
      macs_ = &snapshot_.domains[port.domain].macs;
    }
  }
  ~WireInput() {
    count_vport();
    count(session_, session_packets_, session_bytes_);
    count(port_.interface, packets_, bytes_);
  }
  WireInput(const WireInput&) = delete;
  WireInput& operator=(const WireInput&) = delete;

  void take(rte_mbuf* m) noexcept {
    const EtherHdr& eth = *ether(m);
    if (macs_ == nullptr || m->data_len < kEtherHeader ||
        eth.type.raw != be16::from(kEtherIp4).raw || m->nb_segs != 1 || !RTE_MBUF_DIRECT(m) ||
        rte_mbuf_refcnt_read(m) != 1) {
      return take_other(m);
    }
    if (eth.dst.key() != key_ && !find(eth.dst.key(), m)) return;
    count_one(m->pkt_len);
    if (has_dhcp_ && is_dhcp(m, snapshot_.interfaces[to_])) {
      dhcp_punt(w_, m, to_, false);
      return;
    }
    m->data_off = static_cast<uint16_t>(m->data_off + kEtherHeader);
    m->data_len = static_cast<uint16_t>(m->data_len - kEtherHeader);
    m->pkt_len -= kEtherHeader;
    // L3 is entered after each burst, and a burst always has room.
    (void)l3_.push(m, to_, L3Queue::kNone);
  }

 private:
  /// Sets to_ for a MAC. False: the frame is not for the router's own interfaces, and was sent on.
  [[nodiscard]] bool find(uint64_t key, rte_mbuf* m) noexcept {
    const IfIndex to = macs_->find(key);  // none: nobody's, or a group
    const Arrival arrival = snapshot_.arrivals[to];
    if (to == kNoIf || !arrival.up ||
        (arrival.attach_port != kNoPort && arrival.attach_port >= w_.tx.size())) {
      from_wire(w_, port_, m, l3_);
      return false;
    }
    if (arrival.attach_port != kNoPort) {  // not remembered: the next is likely another's
      packets_ += 1;
      bytes_ += m->pkt_len;
      tx_whole(w_, m, arrival.attach_port, to, static_cast<uint16_t>(m->pkt_len));
      return false;
    }
    count_vport();
    key_ = key;
    to_ = to;
    is_vport_ = arrival.macvlan;
    has_dhcp_ = arrival.dhcp;
    return true;
  }
  void count_one(uint32_t bytes) noexcept {
    packets_ += 1;
    bytes_ += bytes;
    vport_packets_ += 1;
    vport_bytes_ += bytes;
  }
  [[gnu::noinline]] void take_other(rte_mbuf* m) noexcept {
    const EtherHdr& eth = *ether(m);
    if (macs_ == nullptr || m->data_len < kEtherHeader ||
        eth.type.raw != be16::from(kEtherPppoeSession).raw || m->nb_segs != 1 ||
        !RTE_MBUF_DIRECT(m) || rte_mbuf_refcnt_read(m) != 1) {
      return from_wire(w_, port_, m, l3_);
    }
    if (eth.dst.key() != key_ && !find(eth.dst.key(), m)) return;
    count_one(m->pkt_len);
    IfIndex session = session_;
    if (!session_head_.strip(m, to_)) {
      const PppoeSessionHead head(m, to_);
      session = pppoe_take(w_, m, to_);
      if (session == kNoIf) return;
      if (session != session_) {
        count(session_, session_packets_, session_bytes_);
        session_packets_ = session_bytes_ = 0;
      }
      session_ = session;
      session_head_ = head;
    }
    session_packets_ += 1;
    session_bytes_ += m->pkt_len;
    (void)l3_.push(m, session, L3Queue::kNone);
  }
  void count(IfIndex interface, uint64_t packets, uint64_t bytes) noexcept {
    if (packets == 0) return;
    IfCounters& c = w_.counters.interfaces[interface];
    c.rx_packets += packets;
    c.rx_bytes += bytes;
  }
  /// What an attached vport receives is counted when it is sent to its device; the wire's own
  /// interface counts all frames.
  void count_vport() noexcept {
    if (is_vport_) count(to_, vport_packets_, vport_bytes_);
    vport_packets_ = vport_bytes_ = 0;
  }

  Worker& w_;
  const Snapshot& snapshot_;
  const Port& port_;
  L3Queue& l3_;
  const MacTable* macs_ = nullptr;
  uint64_t key_ = ~uint64_t{0};  // the MAC that to_ is for
  IfIndex to_ = kNoIf;
  bool is_vport_ = false;
  bool has_dhcp_ = false;
  IfIndex session_ = kNoIf;  // of the last IPv4 packet that came in a session
  PppoeSessionHead session_head_;
  uint64_t packets_ = 0, bytes_ = 0;
  uint64_t vport_packets_ = 0, vport_bytes_ = 0;
  uint64_t session_packets_ = 0, session_bytes_ = 0;
};

}  // namespace

void l2_input(Worker& w, uint16_t port_index, std::span<rte_mbuf*> frames, L3Queue& l3) noexcept {
  const Port& port = w.snapshot->ports[port_index];
  w.flood_budget = w.overloaded ? kFloodBudgetOverloaded : kFloodBudget;
  for (size_t i = 0; i < frames.size() && i < kAhead; ++i) {
    rte_prefetch0(rte_pktmbuf_mtod(frames[i], const void*));
  }
  if (port.attachment) {
    for (size_t i = 0; i < frames.size(); ++i) {
      if (i + kAhead < frames.size())
        rte_prefetch0(rte_pktmbuf_mtod(frames[i + kAhead], const void*));
      from_attachment(w, port, frames[i], l3);
    }
    return;
  }
  WireInput input(w, port, l3);
  for (size_t i = 0; i < frames.size(); ++i) {
    if (i + kAhead < frames.size())
      rte_prefetch0(rte_pktmbuf_mtod(frames[i + kAhead], const void*));
    input.take(frames[i]);
  }
}

}  // namespace maclane
