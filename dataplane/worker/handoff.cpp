#include "dataplane/worker/handoff.h"

#include <rte_prefetch.h>
#include <rte_ring.h>

#include <cstdio>

#include "dataplane/stage/flood.h"
#include "dataplane/stage/l3.h"
#include "dataplane/worker/message.h"
#include "dataplane/worker/packet.h"

namespace maclane {
namespace {

static_assert(sizeof(HandoffMessage) <= kPrivateSize);
static_assert(sizeof(ClaimMessage) % 4 == 0);  // rte_ring's rule for elements

rte_ring* make_ring(const char* what, unsigned from, unsigned to, unsigned element,
                    unsigned count) {
  char name[RTE_RING_NAMESIZE];
  snprintf(name, sizeof(name), "%s%u-%u", what, from, to);
  return rte_ring_create_elem(name, element, count, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

void flush_to(Worker& w, unsigned to) noexcept {
  Handoff::Waiting& waiting = w.handoff.waiting[to];
  const unsigned count = waiting.count;
  if (count == 0) return;
  waiting.count = 0;
  // From the enqueue on a packet is the other's: what a drop needs is read before.
  std::array<IfIndex, kBurst> interface;
  for (unsigned i = 0; i < count; ++i) {
    interface[i] = handoff_message(waiting.packets[i]).interface;
  }
  const unsigned sent =
      rte_ring_sp_enqueue_burst(w.handoff.peers[to].packets_out,
                                reinterpret_cast<void**>(waiting.packets.data()), count, nullptr);
  w.handoff.handed += sent;
  for (unsigned i = sent; i < count; ++i) {
    drop(w, waiting.packets[i], Drop::handoff_full, interface[i]);
  }
}

/// A frame for a port whose queue is ours. The ports of its sender's snapshot may have had other
/// numbers: the interface it leaves by says which one it is.
void send_frame(Worker& w, rte_mbuf* m, const HandoffMessage& message) noexcept {
  const Snapshot& s = *w.snapshot;
  uint16_t port = kNoPort;
  if (message.interface < s.interfaces.size()) {
    const Interface& from = s.interfaces[message.interface];
    port = message.attachment ? from.attach_port : from.port;
  }
  // tx() drops what has no port.
  tx(w, m, port, message.interface);
}

void take_one(Worker& w, rte_mbuf* m, L3Queue& queue) noexcept {
  const HandoffMessage& message = handoff_message(m);
  if (message.kind == HandoffMessage::Kind::kFrame) return send_frame(w, m, message);
  if (message.interface >= w.snapshot->interfaces.size()) {
    drop(w, m, Drop::vport_down, message.interface);
  } else if (!queue.push(m, message.interface, message.flags)) {
    drop(w, m, Drop::no_mbuf, message.interface);  // cannot be: see take_handoff
  }
}

}  // namespace

HandoffMesh::~HandoffMesh() {
  for (auto& row : rings_) {
    for (Rings& r : row) {
      rte_ring_free(r.packets);
      rte_ring_free(r.claims);
      rte_ring_free(r.answers);
    }
  }
}

bool HandoffMesh::create(unsigned workers, uint64_t seed, Spread spread) {
  workers_ = workers;
  seed_ = seed;
  spread_ = spread;
  for (unsigned from = 0; from < workers; ++from) {
    for (unsigned to = 0; to < workers; ++to) {
      if (from == to) continue;
      Rings& r = rings_[from][to];
      r.packets = make_ring("handoff", from, to, sizeof(void*), kPacketRing);
      r.claims = make_ring("claims", from, to, sizeof(ClaimMessage), kClaimRing);
      r.answers = make_ring("answers", from, to, sizeof(ClaimMessage), kClaimRing);
      if (r.packets == nullptr || r.claims == nullptr || r.answers == nullptr) return false;
    }
  }
  return true;
}

Handoff HandoffMesh::end_of(unsigned worker) const {
  Handoff h;
  if (workers_ > 1) h.home = HomeMap(workers_, seed_, spread_);
  for (unsigned peer = 0; peer < workers_; ++peer) {
    const Rings& in = rings_[peer][worker];
    const Rings& out = rings_[worker][peer];
    h.peers[peer] = {in.packets, out.packets, in.claims, out.claims, in.answers, out.answers};
  }
  return h;
}

void HandoffMesh::drain(const std::function<void(rte_mbuf*)>& take) {
  for (auto& row : rings_) {
    for (Rings& r : row) {
      void* m = nullptr;
      while (r.packets != nullptr && rte_ring_sc_dequeue(r.packets, &m) == 0) {
        take(static_cast<rte_mbuf*>(m));
      }
    }
  }
}

unsigned HandoffMesh::depth(unsigned worker) const {
  unsigned sum = 0;
  for (unsigned from = 0; from < workers_; ++from) {
    if (from != worker) sum += rte_ring_count(rings_[from][worker].packets);
  }
  return sum;
}

uint64_t HandoffMesh::memory_bytes(unsigned workers) {
  constexpr uint64_t kHeader = 512;
  constexpr uint64_t kPair = kPacketRing * sizeof(void*) + 2 * kClaimRing * sizeof(ClaimMessage);
  return uint64_t{workers} * (workers - 1) * (kPair + 3 * kHeader);
}

void hand_over(Worker& w, rte_mbuf* m, unsigned to, const HandoffMessage& message) noexcept {
  handoff_message(m) = message;
  Handoff::Waiting& waiting = w.handoff.waiting[to];
  waiting.packets[waiting.count] = m;
  if (++waiting.count == waiting.packets.size()) flush_to(w, to);
}

void hand_frame(Worker& w, rte_mbuf* m, const Port& port, IfIndex from) noexcept {
  HandoffMessage message;
  message.kind = HandoffMessage::Kind::kFrame;
  message.interface = from;
  message.attachment = port.attachment;
  hand_over(w, m, w.id % port.tx_queues, message);
}

void handoff_flush(Worker& w) noexcept {
  for (unsigned to = 0; to < w.count; ++to) flush_to(w, to);
}

unsigned take_handoff(Worker& w, L3Queue& queue, bool* full) noexcept {
  unsigned total = 0;
  std::array<rte_mbuf*, kBurst> packets;
  for (unsigned from = 0; from < w.count; ++from) {
    rte_ring* const ring = w.handoff.peers[from].packets_in;
    if (ring == nullptr) continue;
    // As many as the queue takes: a sender that has several ports fills more than one burst.
    unsigned n = packets.size();
    for (unsigned taken = 0; n == packets.size() && taken < L3Queue::kCapacity; taken += n) {
      n = rte_ring_sc_dequeue_burst(ring, reinterpret_cast<void**>(packets.data()), packets.size(),
                                    nullptr);
      // All of them were written on another core: each line comes from there, so all come at once.
      for (unsigned i = 0; i < n; ++i) {
        auto* const m = reinterpret_cast<const uint8_t*>(packets[i]);
        rte_prefetch0(m);
        rte_prefetch0(m + sizeof(rte_mbuf));
        rte_prefetch0(m + sizeof(rte_mbuf) + kPrivateSize + RTE_PKTMBUF_HEADROOM);
      }
      for (unsigned i = 0; i < n; ++i) take_one(w, packets[i], queue);
      total += n;
    }
    *full |= queue.count == L3Queue::kCapacity;
    if (queue.count == 0) continue;
    w.flood_budget = kFloodBudget;
    l3_input(w, queue);
  }
  return total;
}

}  // namespace maclane
