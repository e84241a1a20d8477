// Filling and emptying the ring ports of a World.
#pragma once

#include <rte_mbuf.h>
#include <rte_ring.h>

#include <span>

#include "bench/path/traffic.h"

namespace maclane::bench {

/// Puts n frames of a generator into a port's receive ring; how many there was room for.
inline unsigned feed(Generator& generator, unsigned port, unsigned n, unsigned queue = 0) {
  std::array<rte_mbuf*, kRingSize> m;
  rte_ring* const ring = Machine::get().port(port).rx[queue];
  n = std::min(n, rte_ring_free_count(ring));
  if (rte_pktmbuf_alloc_bulk(Machine::get().pool(), m.data(), n) != 0)
    give_up("the packet buffers ran out: some are lost");
  for (unsigned i = 0; i < n; ++i) generator.next(m[i]);
  return rte_ring_sp_enqueue_bulk(ring, reinterpret_cast<void**>(m.data()), n, nullptr);
}

/// Takes what was sent off a port and hands it to look(), then frees it, as a driver does when it
/// reuses descriptors. Returns how many.
template <typename Look>
unsigned drain(unsigned port, Look&& look, unsigned queue = 0) {
  std::array<rte_mbuf*, kRingSize> m;
  const unsigned n = rte_ring_sc_dequeue_burst(
      Machine::get().port(port).tx[queue], reinterpret_cast<void**>(m.data()), m.size(), nullptr);
  for (unsigned i = 0; i < n; ++i) look(m[i]);
  rte_pktmbuf_free_bulk(m.data(), n);
  return n;
}
inline unsigned drain(unsigned port, unsigned queue = 0) {
  return drain(
      port, [](const rte_mbuf*) {}, queue);
}

}  // namespace maclane::bench
