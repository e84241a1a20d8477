// The only file that frees packets: drop, punt, copy and transmit. Worker thread only.
#define MACLANE_OWNS_FREE
#include "dataplane/worker/packet.h"

#include <rte_ethdev.h>
#include <rte_ring.h>

#include <algorithm>
#include <cstring>

namespace maclane {
namespace {

/// A delivery to an attached vport is what its interface receives; everything else is sent, by the
/// interface and by all that it stands on. Tags and PPPoE below an interface are not its bytes.
void count_sent(Worker& w, const Port& port, IfIndex from, uint32_t packets,
                uint64_t bytes) noexcept {
  const auto& interfaces = w.snapshot->interfaces;
  if (port.attachment) {
    if (from >= interfaces.size()) return;
    IfCounters& c = w.counters.interfaces[from];
    c.rx_packets += packets;
    c.rx_bytes += bytes;
    return;
  }
  // pppoe, macvlan, vlan, vlan, ethernet: five levels at most
  for (unsigned depth = 0; depth < 5 && from != kNoIf && from < interfaces.size(); ++depth) {
    const Interface& i = interfaces[from];
    IfCounters& c = w.counters.interfaces[from];
    const uint64_t below = 4u * i.tag_count + (i.kind == IfKind::kPppoe ? kPppoeOverhead : 0u);
    c.tx_packets += packets;
    c.tx_bytes += bytes - below * packets;
    from = i.parent;
  }
}

void count_in(std::vector<std::array<uint64_t, kDropCount>>& counters, Drop reason,
              IfIndex interface) noexcept {
  const IfIndex slot = interface < kMaxInterfaces ? interface : kNoIf;
  counters[slot][static_cast<unsigned>(reason)] += 1;
}

/// Eighths of the ring that a flood of these must leave to others: without ARP no packet moves, and
/// without DHCP and PPPoE an uplink goes.
unsigned eighths_left_to_others(PuntReason reason) noexcept {
  switch (reason) {
    case PuntReason::kArp:
    case PuntReason::kNeighbour:
    case PuntReason::kMembership:
      return 0;
    case PuntReason::kDhcp:
    case PuntReason::kPppoe:
      return 1;
    case PuntReason::kLocal:
    case PuntReason::kIcmpError:
    case PuntReason::kTcpReset:
    case PuntReason::kTarpit:
    case PuntReason::kLoopProtect:
      break;
  }
  return 2;
}

/// False if the ring has no room for it; the packet stays the caller's.
bool try_punt(Worker& w, rte_mbuf* m, const PacketMessage& message) noexcept {
  if (w.punt == nullptr) return false;
  const unsigned left = eighths_left_to_others(message.reason);
  if (left != 0 && rte_ring_free_count(w.punt) < rte_ring_get_capacity(w.punt) * left / 8)
    return false;
  PacketMessage& out = message_of(m);
  out = message;
  out.worker = static_cast<uint8_t>(w.id);
  return rte_ring_sp_enqueue(w.punt, m) == 0;
}

}  // namespace

void count_drop(Worker& w, Drop reason, IfIndex interface) noexcept {
  count_in(w.counters.drops, reason, interface);
}

void drop(Worker& w, rte_mbuf* m, Drop reason, IfIndex interface) noexcept {
  drop(w.counters.drops, m, reason, interface);
}

void drop(std::vector<std::array<uint64_t, kDropCount>>& counters, rte_mbuf* m, Drop reason,
          IfIndex interface) noexcept {
  count_in(counters, reason, interface);
  rte_pktmbuf_free(m);  // every named drop ends here
}

void finish(Worker& /*w*/, rte_mbuf* m) noexcept {
  finish(m);
}

void finish(rte_mbuf* m) noexcept {
  rte_pktmbuf_free(m);  // not a drop: see packet.h
}

void punt(Worker& w, rte_mbuf* m, const PacketMessage& message) noexcept {
  if (!try_punt(w, m, message)) drop(w, m, Drop::punt_full, message.in_if);
}

void punt_dropped(Worker& w, rte_mbuf* m, const PacketMessage& message) noexcept {
  if (!try_punt(w, m, message)) finish(w, m);
}

bool emit(Worker& w, const Event& event) noexcept {
  return w.events != nullptr &&
         rte_ring_sp_enqueue_elem(w.events, const_cast<Event*>(&event), sizeof(Event)) == 0;
}

rte_mbuf* alloc(Worker& w) noexcept {
  return rte_pktmbuf_alloc(w.pool);
}

rte_mbuf* copy(Worker& w, const rte_mbuf* m) noexcept {
  if (m->nb_segs > 1) return rte_pktmbuf_copy(m, w.pool, 0, UINT32_MAX);
  // A buffer in a pool has one segment, no next and one user: its second line need not be touched.
  rte_mbuf* twin = rte_mbuf_raw_alloc(w.pool);
  if (twin == nullptr) return nullptr;
  twin->data_off = RTE_PKTMBUF_HEADROOM;
  twin->ol_flags = 0;
  twin->packet_type = 0;
  twin->port = m->port;
  const uint16_t length = m->data_len;
  if (length > rte_pktmbuf_tailroom(twin)) {
    rte_pktmbuf_free(twin);  // not a drop: it held nothing
    return rte_pktmbuf_copy(m, w.pool, 0, UINT32_MAX);
  }
  twin->data_len = length;
  twin->pkt_len = length;
  auto* to = rte_pktmbuf_mtod(twin, uint8_t*);
  const auto* from = rte_pktmbuf_mtod(m, const uint8_t*);
  // Nearly all that is broadcast is this small; the rest of a buffer's first line is its own too.
  constexpr uint16_t kSmall = 64;
  if (length <= kSmall && rte_pktmbuf_tailroom(m) + length >= kSmall)
    std::memcpy(to, from, kSmall);
  else
    std::memcpy(to, from, length);
  return twin;
}

rte_mbuf* clone(Worker& w, rte_mbuf* m) noexcept {
  return rte_pktmbuf_clone(m, w.pool);
}

void flush_port(Worker& w, uint16_t index) noexcept {
  TxBuffer& buffer = w.tx[index];
  const uint16_t count = buffer.count;
  if (count == 0) return;
  buffer.count = 0;
  const auto& ports = w.snapshot->ports;
  if (index >= ports.size() || ports[index].ethdev == 0xffff) {
    for (uint16_t i = 0; i < count; ++i) drop(w, buffer.packets[i], Drop::tx_down, buffer.from[i]);
    return;
  }
  const Port& port = ports[index];
  if (w.id >= port.tx_queues) {  // the queue is another worker's
    for (uint16_t i = 0; i < count; ++i) hand_frame(w, buffer.packets[i], port, buffer.from[i]);
    return;
  }
  const uint16_t sent =
      rte_eth_tx_burst(port.ethdev, static_cast<uint16_t>(w.id), buffer.packets.data(), count);
  // The driver owns what it sent; neighbours in the buffer mostly come from one interface.
  for (uint16_t i = 0; i < sent;) {
    const IfIndex from = buffer.from[i];
    const uint16_t first = i;
    uint64_t bytes = 0;
    for (; i < sent && buffer.from[i] == from; ++i) bytes += buffer.bytes[i];
    count_sent(w, port, from, static_cast<uint32_t>(i - first), bytes);
  }
  for (uint16_t i = sent; i < count; ++i) {
    drop(w, buffer.packets[i], Drop::tx_full, buffer.from[i]);
  }
}

void tx(Worker& w, rte_mbuf* m, uint16_t port, IfIndex from) noexcept {
  if (port >= w.tx.size() || port >= w.snapshot->ports.size() ||
      w.snapshot->ports[port].ethdev == 0xffff) {
    drop(w, m, Drop::tx_down, from);
    return;
  }
  if (!w.snapshot->ports[port].multi_segment && (m->nb_segs > 1 || !RTE_MBUF_DIRECT(m))) {
    rte_mbuf* flat = copy(w, m);
    if (flat == nullptr) {
      drop(w, m, Drop::no_mbuf, from);
      return;
    }
    finish(w, m);
    m = flat;
    if (m->nb_segs > 1) {  // larger than a buffer: this port cannot carry it
      drop(w, m, Drop::tx_down, from);
      return;
    }
  }
  tx_whole(w, m, port, from, static_cast<uint16_t>(std::min<uint32_t>(m->pkt_len, UINT16_MAX)));
}

void tx_flush(Worker& w) noexcept {
  // Every port that a buffer was filled for is a port of this snapshot: the loop flushes before it
  // takes the next one.
  const size_t ports = std::min(w.snapshot->ports.size(), w.tx.size());
  for (size_t i = 0; i < ports; ++i) flush_port(w, static_cast<uint16_t>(i));
}

}  // namespace maclane
