#include "dataplane/stage/l2_deliver.h"

#include "dataplane/stage/l2_frame.h"
#include "dataplane/stage/pppoe.h"
#include "dataplane/worker/packet.h"

namespace maclane {
namespace {

/// L3 rewrites what it is given: a chain, a clone or a shared buffer is copied first.
[[nodiscard]] rte_mbuf* writable(Worker& w, rte_mbuf* m, IfIndex interface) noexcept {
  if (m->nb_segs == 1 && RTE_MBUF_DIRECT(m) && rte_mbuf_refcnt_read(m) == 1) return m;
  rte_mbuf* own = copy(w, m);
  if (own == nullptr) {
    drop(w, m, Drop::no_mbuf, interface);
    return nullptr;
  }
  finish(w, m);
  return own;
}

/// Tags are written before the payload, into the headroom: the data must be ours and have room.
[[nodiscard]] bool can_push(const rte_mbuf* m, uint16_t bytes) noexcept {
  return RTE_MBUF_DIRECT(m) && rte_mbuf_refcnt_read(m) == 1 && rte_pktmbuf_headroom(m) >= bytes;
}

}  // namespace

FrameTarget classify(const Worker& w, const Domain& domain, const EtherHdr& eth,
                     IfIndex* hit) noexcept {
  *hit = kNoIf;
  if (eth.type.host() == kEtherPause) return FrameTarget::kPause;
  if (eth.dst.is_multicast()) {
    if (eth.dst.is_broadcast()) return FrameTarget::kBroadcast;
    // 01:80:c2:00:00:0x, first byte lowest
    constexpr uint64_t kGroup = 0x000000c28001ULL;
    return (eth.dst.key() & 0xf0ffffffffffULL) == kGroup ? FrameTarget::kLinkLocal
                                                         : FrameTarget::kMulticast;
  }
  *hit = domain.macs.find(eth.dst.key());
  if (*hit == kNoIf) return FrameTarget::kUnknownMac;
  if (*hit == domain.parent) return FrameTarget::kParentMac;
  return w.snapshot->interfaces[*hit].mode == VportMode::kBridge ? FrameTarget::kBridgeMac
                                                                 : FrameTarget::kPrivateMac;
}

void count_rx(Worker& w, IfIndex interface, uint32_t bytes) noexcept {
  IfCounters& c = w.counters.interfaces[interface];
  c.rx_packets += 1;
  c.rx_bytes += bytes;
}

void dhcp_punt(Worker& w, rte_mbuf* m, IfIndex heard_on, bool broadcast, IfIndex sender) noexcept {
  PacketMessage message;
  message.reason = PuntReason::kDhcp;
  message.in_if = heard_on;
  message.out_if = sender;
  message.broadcast = broadcast;
  punt(w, m, message);
}

void to_router(Worker& w, rte_mbuf* m, IfIndex in_if, IfIndex sender, L3Queue& queue) noexcept {
  const Interface& interface = w.snapshot->interfaces[in_if];
  if (!interface.up) {
    drop(w, m, Drop::vport_down, in_if);
    return;
  }
  if (interface.kind == IfKind::kMacvlan) count_rx(w, in_if, m->pkt_len);
  m = writable(w, m, in_if);
  if (m == nullptr) return;
  const uint16_t type = ether(m)->type.host();
  if (type == kEtherIp4) {
    if (interface.hears_dhcp() && is_dhcp(m, interface)) return dhcp_punt(w, m, in_if, false);
    rte_pktmbuf_adj(m, kEtherHeader);
    // l2_input keeps room for every frame of its burst; only the loopback queue can be full.
    if (!queue.push(m, in_if, L3Queue::kNone)) drop(w, m, Drop::inject_full, in_if);
  } else if (type == kEtherPppoeSession) {
    const IfIndex session = pppoe_take(w, m, in_if);
    if (session == kNoIf) return;
    count_rx(w, session, m->pkt_len);
    if (!queue.push(m, session, L3Queue::kNone)) drop(w, m, Drop::inject_full, session);
  } else if (type == kEtherPppoeDiscovery) {
    pppoe_punt(w, m, in_if);
  } else if (type == kEtherArp) {
    PacketMessage message;
    message.reason = PuntReason::kArp;
    message.in_if = in_if;
    message.out_if = sender;
    punt(w, m, message);
  } else if (type == kEtherLoopProtect && sender == kNoIf) {
    punt_loop_protect(w, m, in_if, false);
  } else {
    drop(w, m, Drop::unknown_ethertype, in_if);
  }
}

void punt_loop_protect(Worker& w, rte_mbuf* m, IfIndex in_if, bool broadcast) noexcept {
  PacketMessage message;
  message.reason = PuntReason::kLoopProtect;
  message.in_if = in_if;
  message.broadcast = broadcast;
  punt(w, m, message);
}

void to_vport(Worker& w, rte_mbuf* m, IfIndex vport, IfIndex sender, bool tagged,
              L3Queue& queue) noexcept {
  const Interface& interface = w.snapshot->interfaces[vport];
  if (!interface.up) {
    drop(w, m, Drop::vport_down, vport);
  } else if (interface.attached) {
    tx(w, m, interface.attach_port, vport);
  } else if (tagged) {
    drop(w, m, Drop::vlan_unknown, vport);
  } else {
    if (sender != kNoIf) {  // from the wire they are off already
      m = writable(w, m, vport);
      if (m == nullptr) return;
      (void)strip_priority_tags(m);
    }
    to_router(w, m, vport, sender, queue);
  }
}

void to_wire(Worker& w, rte_mbuf* m, IfIndex from) noexcept {
  const Interface& interface = w.snapshot->interfaces[from];
  if (interface.tag_count != 0) {
    const auto bytes = static_cast<uint16_t>(interface.tag_count * kVlanHeader);
    if (!can_push(m, bytes)) {
      rte_mbuf* own = copy(w, m);
      if (own == nullptr) {
        drop(w, m, Drop::no_mbuf, from);
        return;
      }
      finish(w, m);
      m = own;
    }
    auto* start = reinterpret_cast<uint8_t*>(rte_pktmbuf_prepend(m, bytes));
    if (start == nullptr) {
      drop(w, m, Drop::tx_down, from);
      return;
    }
    std::memmove(start, start + bytes, 12);
    for (unsigned i = 0; i < interface.tag_count; ++i) {
      const auto tci = static_cast<uint16_t>(interface.tags[i].vid | w.tag_priority);
      const be16 tag[2] = {be16::from(interface.tags[i].tpid), be16::from(tci)};
      std::memcpy(start + 12 + 4 * i, tag, sizeof(tag));
    }
  }
  tx(w, m, interface.port, from);
}

}  // namespace maclane
