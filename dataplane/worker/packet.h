// Ending, punting and sending packets: the only ways a packet leaves a worker's hands.
//
// A packet is never freed without a Drop: the DPDK free functions are poisoned for whoever includes
// this header. Worker thread only.
#pragma once

#include <rte_mbuf.h>

#include "dataplane/worker/worker.h"

namespace maclane {

/// Frees a packet and counts the reason for an interface (kNoIf: not known yet).
void drop(Worker& w, rte_mbuf* m, Drop reason, IfIndex interface) noexcept;

/// The same for control, which has drop counters of its own.
void drop(std::vector<std::array<uint64_t, kDropCount>>& counters, rte_mbuf* m, Drop reason,
          IfIndex interface) noexcept;

/// Frees a packet whose content went on in others (fragments, copies, clones). Not a drop.
void finish(Worker& w, rte_mbuf* m) noexcept;
/// The same for control, of a packet that did its work.
void finish(rte_mbuf* m) noexcept;

/// Counts a reason without ending a packet: one recipient of a broadcast went without.
void count_drop(Worker& w, Drop reason, IfIndex interface) noexcept;

/// Hands a packet to control with its message; dropped as punt_full if the ring is full. The last
/// quarter of the ring is for what keeps the network alive: an eighth for ARP, neighbours and
/// membership alone, one for DHCP and PPPoE as well.
void punt(Worker& w, rte_mbuf* m, const PacketMessage& message) noexcept;
/// The same for a packet that is counted as dropped already and only waits for an answer: if the
/// ring is full it ends without being counted again.
void punt_dropped(Worker& w, rte_mbuf* m, const PacketMessage& message) noexcept;

/// Hands an event to control. False if the ring is full (a lost event is never an error).
bool emit(Worker& w, const Event& event) noexcept;

/// A fresh buffer; nullptr if none is left. The private area is not set.
[[nodiscard]] rte_mbuf* alloc(Worker& w) noexcept;

/// A writable one-segment-or-chained copy; nullptr if no buffer is left.
[[nodiscard]] rte_mbuf* copy(Worker& w, const rte_mbuf* m) noexcept;

/// A read-only twin that shares m's data; nullptr if no buffer is left. Whoever rewrites m or the
/// twin afterwards must take a copy first.
[[nodiscard]] rte_mbuf* clone(Worker& w, rte_mbuf* m) noexcept;

/// Puts a complete frame into a port's buffer; counts tx for `from` when it is sent, tx_full or
/// tx_down when it is not. `port` is an index into Snapshot::ports.
void tx(Worker& w, rte_mbuf* m, uint16_t port, IfIndex from) noexcept;
/// Sends what waits on one port.
void flush_port(Worker& w, uint16_t port) noexcept;
/// The same for a direct one-segment buffer and a port that is there: any port can send it.
inline void tx_whole(Worker& w, rte_mbuf* m, uint16_t port, IfIndex from, uint16_t bytes) noexcept {
  TxBuffer& buffer = w.tx[port];
  const uint16_t at = buffer.count;
  buffer.packets[at] = m;
  buffer.from[at] = from;
  buffer.bytes[at] = bytes;
  buffer.count = static_cast<uint16_t>(at + 1);
  if (at + 1 == kBurst) flush_port(w, port);
}
/// Sends what waits on every port. End of each loop.
void tx_flush(Worker& w) noexcept;

}  // namespace maclane

#if defined(__GNUC__) && !defined(MACLANE_OWNS_FREE)
#pragma GCC poison rte_pktmbuf_free rte_pktmbuf_free_bulk
#endif
