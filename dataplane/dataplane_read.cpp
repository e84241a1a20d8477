// The reading side of the facade: what workers count and hold, summed for people. A worker writes
// while this reads; single figures are whole, figures together may be a packet apart.
#include <rte_cycles.h>
#include <rte_ring.h>

#include "dataplane/dataplane_impl.h"

namespace maclane {
namespace {

uint64_t read_once(const uint64_t& counter) {
  return __atomic_load_n(&counter, __ATOMIC_RELAXED);
}

}  // namespace

unsigned Dataplane::workers() const {
  return static_cast<unsigned>(impl_->threads.size());
}

WorkerStats Dataplane::worker_stats(unsigned worker) const {
  WorkerStats stats;
  if (worker >= workers()) return stats;
  const Worker& w = impl_->worker(worker);
  stats.id = worker;
  stats.cpu = impl_->threads[worker]->cpu();
  const LoopCounters& loop = w.counters.loop;
  stats.loop = {read_once(loop.loops), read_once(loop.bursts), read_once(loop.packets),
                read_once(loop.busy_tsc), read_once(loop.idle_tsc)};
  const LoopTimes& times = w.counters.times;
  for (unsigned i = 0; i < LoopTimes::kBuckets; ++i)
    stats.times.rounds[i] = read_once(times.rounds[i]);
  for (unsigned i = 0; i < kStages; ++i) stats.times.ticks[i] = read_once(times.ticks[i]);
  stats.times.sampled_packets = read_once(times.sampled_packets);
  stats.sessions = w.sessions.size();
  stats.session_capacity = w.sessions.capacity();
  stats.evicted = read_once(w.counters.evicted);
  stats.punt_depth = rte_ring_count(w.punt);
  stats.inject_depth = rte_ring_count(w.inject);
  stats.handoff_depth = impl_->mesh.depth(worker);
  stats.handed = read_once(w.handoff.handed);
  stats.claims = w.claims.size();
  for (const auto& by_reason : w.counters.drops) {
    stats.punt_full += read_once(by_reason[static_cast<unsigned>(Drop::punt_full)]);
  }
  return stats;
}

IfCounters Dataplane::interface_counters(IfIndex interface) const {
  IfCounters sum;
  if (interface >= kMaxInterfaces) return sum;
  for (unsigned i = 0; i < workers(); ++i) {
    const IfCounters& c = impl_->worker(i).counters.interfaces[interface];
    sum.rx_packets += read_once(c.rx_packets);
    sum.rx_bytes += read_once(c.rx_bytes);
    sum.tx_packets += read_once(c.tx_packets);
    sum.tx_bytes += read_once(c.tx_bytes);
  }
  return sum;
}

uint64_t Dataplane::drops(IfIndex interface, Drop reason) const {
  if (interface >= kMaxInterfaces) return 0;
  uint64_t sum = impl_->drops[interface][static_cast<unsigned>(reason)];
  for (unsigned i = 0; i < workers(); ++i) {
    sum += read_once(impl_->worker(i).counters.drops[interface][static_cast<unsigned>(reason)]);
  }
  return sum;
}

void Dataplane::rule_counters(std::span<RuleCounter> out) const {
  std::fill(out.begin(), out.end(), RuleCounter{});
  std::vector<RuleCounter> one(out.size());
  for (unsigned i = 0; i < workers(); ++i) {
    const Worker& w = impl_->worker(i);
    std::fill(one.begin(), one.end(), RuleCounter{});
    w.walks.read(w.counters, one);
    for (size_t r = 0; r < out.size(); ++r) {
      out[r].packets += one[r].packets;
      out[r].bytes += one[r].bytes;
    }
  }
}

uint32_t Dataplane::sessions_ever(unsigned worker) const {
  return worker < workers() ? impl_->worker(worker).sessions.ever_used() : 0;
}

bool Dataplane::session_at(unsigned worker, uint32_t index, Session& session,
                           SessionSide& side) const {
  return worker < workers() && impl_->worker(worker).sessions.copy(index, session, side);
}

FastTrackStart Dataplane::fast_track_start(unsigned worker, uint32_t index) const {
  if (worker >= workers() || index >= impl_->worker(worker).sessions.ever_used()) return {};
  return impl_->worker(worker).notes.fast_track_start(index);
}

void Dataplane::for_each_session(
    const std::function<bool(unsigned worker, uint32_t index, const Session&, const SessionSide&)>&
        fn) const {
  Session session;
  SessionSide side;
  for (unsigned i = 0; i < workers(); ++i) {
    const SessionTable& table = impl_->worker(i).sessions;
    const uint32_t end = table.ever_used();
    for (uint32_t s = 0; s < end; ++s) {
      if (table.copy(s, session, side) && !fn(i, s, session, side)) return;
    }
  }
}

uint64_t Dataplane::tsc_hz() {
  return rte_get_tsc_hz();
}

uint32_t Dataplane::now_cs() const {
  return impl_->clock.at(rte_rdtsc()).cs;
}

uint32_t Dataplane::nat_mappings() const {
  return impl_->shared->mappings.size();
}

std::vector<MemoryItem> Dataplane::memory() const {
  std::vector<MemoryItem> items;
  items.push_back({"packet buffers", mbuf_bytes(impl_->config)});
  uint64_t sessions = 0;
  uint64_t counters = sizeof(impl_->drops[0]) * impl_->drops.size();
  for (unsigned i = 0; i < workers(); ++i) {
    const Worker& w = impl_->worker(i);
    sessions += w.sessions.memory_bytes() + w.claims.memory_bytes();
    counters += w.counters.interfaces.size() * sizeof(IfCounters) +
                w.counters.drops.size() * sizeof(w.counters.drops[0]) +
                w.counters.rules.size() * sizeof(RuleCounter);
  }
  items.push_back({"sessions", sessions});
  items.push_back({"neighbours", impl_->neighbours->memory_bytes()});
  items.push_back({"address lists", impl_->shared->lists.bytes()});
  items.push_back({"NAT mappings", impl_->shared->mappings.bytes()});
  items.push_back({"counters", counters});
  if (workers() > 1) items.push_back({"handoff", HandoffMesh::memory_bytes(workers())});
  return items;
}

}  // namespace maclane
