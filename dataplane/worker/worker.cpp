#include "dataplane/worker/worker.h"

#include "dataplane/port/eal.h"
#include "dataplane/worker/claim.h"

namespace maclane {

Worker::Worker(unsigned worker_id, unsigned worker_count, uint32_t max_sessions, uint64_t seed,
               NeighbourTable& neighbour_table, McFilters& multicast, rte_mempool* mbufs)
    : id(worker_id),
      count(worker_count),
      sessions(max_sessions, seed, eal_leaves_huge_pages()),
      // The index and the port choice must not share a seed: ports are seen on the wire.
      random((seed + worker_id + 1) * 0x9e3779b97f4a7c15ULL),
      neighbours(neighbour_table),
      mc_filters(multicast),
      pool(mbufs) {
  if (worker_count > 1) (void)claims.reserve(claim_capacity(max_sessions));
}

void take_up(Worker& w, const Snapshot* snapshot) noexcept {
  w.walks.fold(w.counters);
  w.snapshot = snapshot;
  if (++w.generation == 0) w.generation = 1;  // 0 means "not judged" in sessions
}

}  // namespace maclane
