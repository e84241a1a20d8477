#include "dataplane/worker/loop.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_ring.h>

#include "dataplane/stage/flood.h"
#include "dataplane/stage/l2.h"
#include "dataplane/stage/l3.h"
#include "dataplane/worker/claim.h"
#include "dataplane/worker/lap.h"
#include "dataplane/worker/packet.h"

namespace maclane {
namespace {

// Looked at per round: a few in any case, and more than its packets can have made, so that expiry
// keeps up with a flood of new sessions.
constexpr unsigned kExpireSessions = 32;
constexpr unsigned kExpirePerPacket = 2;
constexpr unsigned kExpireDatagrams = 4;
constexpr uint32_t kFlushPerRound = 1024;
// So many rounds in a row in which a queue had a whole burst to give: a lull would have emptied it.
constexpr unsigned kOverloadRounds = 8;

void drop_fragment(void* worker, rte_mbuf* packet, IfIndex in_if, Drop reason) {
  drop(*static_cast<Worker*>(worker), packet, reason, in_if);
}

void carry_out(Worker& w, LoopState& state, const Request& request) noexcept {
  switch (request.kind) {
    case Request::Kind::kRemoveSession: {
      if (request.session >= w.sessions.capacity()) return;
      // The slot may have been given to another connection since control looked.
      if (w.sessions.at(request.session).has(Session::kUsed) &&
          w.sessions.sequence(request.session) == request.sequence) {
        w.sessions.release(request.session);
      }
      return;
    }
    case Request::Kind::kFlushSessions:
      state.flush_next = 0;
      return;
    case Request::Kind::kPurgeMasquerade:
      state.purge_next = 0;
      return;
  }
}

/// B-30: the connections of an interface that is down, or has another address, are over. The next
/// round's, so that it is judged by the snapshot that was published before the request.
void purge_masquerade(Worker& w, LoopState& state) noexcept {
  const auto& interfaces = w.snapshot->interfaces;
  for (uint32_t i = 0; i < kFlushPerRound; ++i, ++state.purge_next) {
    if (state.purge_next >= w.sessions.capacity() || w.sessions.size() == 0) {
      state.purge_next = SessionTable::kNone;
      return;
    }
    const Session& s = w.sessions.at(state.purge_next);
    if (!s.has(Session::kUsed) || !s.has(Session::kMasquerade)) continue;
    const IfIndex out = s.original.out_if;
    if (out >= interfaces.size() || !interfaces[out].up ||
        !(interfaces[out].primary_address == s.reply.dst)) {
      w.sessions.release(state.purge_next);
    }
  }
}

void take_requests(Worker& w, LoopState& state) noexcept {
  if (state.purge_next != SessionTable::kNone) purge_masquerade(w, state);
  std::array<Request, 16> requests;
  const unsigned n = w.requests == nullptr ? 0
                                           : rte_ring_sc_dequeue_burst_elem(
                                                 w.requests, requests.data(), sizeof(Request),
                                                 requests.size(), nullptr);
  for (unsigned i = 0; i < n; ++i) carry_out(w, state, requests[i]);
  if (state.flush_next == SessionTable::kNone) return;
  // A piece per round, so that packets do not wait for a full table.
  for (uint32_t i = 0; i < kFlushPerRound; ++i, ++state.flush_next) {
    if (state.flush_next >= w.sessions.capacity() || w.sessions.size() == 0) {
      state.flush_next = SessionTable::kNone;
      return;
    }
    if (w.sessions.at(state.flush_next).has(Session::kUsed)) w.sessions.release(state.flush_next);
  }
}

void take_injected(Worker& w, LoopState& state, rte_mbuf* m) noexcept {
  const PacketMessage message = message_of(m);
  bool queued = true;
  switch (message.kind) {
    case InjectKind::kFrame:
      if (message.out_if == kNoIf || message.out_if >= w.snapshot->interfaces.size()) {
        drop(w, m, Drop::inject_invalid, message.out_if);
      } else {
        w.tag_priority = static_cast<uint16_t>((message.priority & 7u) << 13);
        l2_send(w, m, message.out_if);
        w.tag_priority = 0;
      }
      return;
    case InjectKind::kIpOutput: {
      const auto flags = static_cast<uint8_t>(
          L3Queue::kFromRouter | (message.related ? L3Queue::kRelatedToOther : L3Queue::kNone));
      queued = state.queue.push(m, kNoIf, flags);
      break;
    }
    case InjectKind::kIpGroup:
      queued = state.queue.push(m, kNoIf, L3Queue::kFromRouter | L3Queue::kLeavesBy);
      break;
    case InjectKind::kIpInput: {
      // A packet that the router itself sent waits for ARP as well, and stays the router's own.
      const uint8_t origin = message.in_if == kNoIf ? L3Queue::kFromRouter : L3Queue::kNone;
      queued =
          state.queue.push(m, message.in_if, static_cast<uint8_t>(L3Queue::kHeldBefore | origin));
      break;
    }
  }
  if (!queued) drop(w, m, Drop::no_mbuf, message.in_if);
}

unsigned take_inject_ring(Worker& w, LoopState& state) noexcept {
  if (w.inject == nullptr) return 0;
  std::array<rte_mbuf*, kBurst> packets;
  const unsigned n = rte_ring_sc_dequeue_burst(w.inject, reinterpret_cast<void**>(packets.data()),
                                               packets.size(), nullptr);
  if (n == 0) return 0;
  w.flood_budget = kFloodBudget;
  for (unsigned i = 0; i < n; ++i) take_injected(w, state, packets[i]);
  l3_input(w, state.queue);
  return n;
}

unsigned take_loopback(Worker& w, LoopState& state) noexcept {
  const unsigned n = w.loopback.count;
  if (n == 0) return 0;
  // L3 fills the loopback again while it works; only what is there now belongs to this round.
  for (unsigned i = 0; i < n; ++i) {
    state.queue.packets[i] = w.loopback.packets[i];
    state.queue.in_if[i] = w.loopback.in_if[i];
    state.queue.flags[i] = w.loopback.flags[i];
  }
  state.queue.count = n;
  w.loopback.count = 0;
  w.flood_budget = kFloodBudget;
  l3_input(w, state.queue);
  return n;
}

unsigned take_wire(Worker& w, LoopState& state, bool* full) noexcept {
  unsigned total = 0;
  std::array<rte_mbuf*, kBurst> frames;
  for (const RxQueue& rx : w.snapshot->rx[w.id]) {
    if (rx.port >= w.snapshot->ports.size()) continue;
    const Port& port = w.snapshot->ports[rx.port];
    if (port.ethdev == 0xffff) continue;
    const uint16_t n = rte_eth_rx_burst(port.ethdev, rx.queue, frames.data(), kBurst);
    if (n == 0) continue;
    w.counters.loop.bursts += 1;
    total += n;
    *full |= n == kBurst;
    lap(w, Stage::kReceive);
    l2_input(w, rx.port, {frames.data(), n}, state.queue);
    lap(w, Stage::kDemux);
    l3_input(w, state.queue);
  }
  return total;
}

/// What the other workers have for this one.
unsigned take_others(Worker& w, LoopState& state, bool* full) noexcept {
  (void)take_claims(w);
  forget_released(w);
  return take_handoff(w, state.queue, full);
}

}  // namespace

Clock Clock::started_now() {
  return {rte_rdtsc(), ~uint64_t{0} / std::max<uint64_t>(rte_get_tsc_hz() / 100, 1)};
}

unsigned loop_once(Worker& w, LoopState& state) noexcept {
  begin_laps(w);
  follow_lists(w);
  take_requests(w, state);
  w.overloaded = state.full_rounds >= kOverloadRounds;
  bool full = false;  // more waits than was taken
  unsigned packets = w.count > 1 ? take_others(w, state, &full) : 0;
  packets += take_inject_ring(w, state);
  packets += take_loopback(w, state);
  packets += take_wire(w, state, &full);
  state.full_rounds = full ? state.full_rounds + 1 : 0;
  if (packets == 0) w.sampling = false;  // what polling in vain takes is no packet's
  tx_flush(w);
  if (w.count > 1) handoff_flush(w);
  lap(w, Stage::kTransmit);
  w.sessions.expire(w.now.cs, w.snapshot->timeouts, kExpireSessions + kExpirePerPacket * packets);
  w.fragments.expire(w.now, kExpireDatagrams, drop_fragment, &w);
  lap(w, Stage::kExpire);
  end_laps(w, packets);
  return packets;
}

Round loop_round(Worker& w, LoopState& state, Publisher& publisher, Now now) noexcept {
  w.now = now;
  const Snapshot* snapshot = publisher.load();
  if (snapshot == nullptr) return {};
  if (snapshot->generation != state.generation) {
    take_up(w, snapshot);
    state.generation = snapshot->generation;
  }
  const unsigned packets = loop_once(w, state);
  const Round round{true, packets, snapshot->max_sleep_us};
  publisher.quiescent(w.id);  // the snapshot may be gone from here on
  w.counters.loop.loops += 1;
  w.counters.loop.packets += packets;
  return round;
}

}  // namespace maclane
