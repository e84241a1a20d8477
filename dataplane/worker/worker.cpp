#include "dataplane/worker/worker.h"

#include "dataplane/helper/helpers.h"
#include "dataplane/port/eal.h"
#include "dataplane/stage/effects.h"
#include "dataplane/stage/endpoint.h"
#include "dataplane/worker/claim.h"

namespace maclane {
namespace {

constexpr uint32_t kOwnSlots = 1u << 10;
constexpr uint32_t kLastGeneration = 0xffffff00;

}  // namespace

Worker::Worker(unsigned worker_id, unsigned worker_count, uint32_t max_sessions, uint64_t seed,
               NeighbourTable& neighbour_table, McFilters& multicast, rte_mempool* mbufs)
    : id(worker_id),
      count(worker_count),
      sessions(max_sessions, seed, eal_leaves_huge_pages()),
      notes(max_sessions),
      helped(max_sessions),
      // The index and the port choice must not share a seed: ports are seen on the wire.
      random((seed + worker_id + 1) * 0x9e3779b97f4a7c15ULL),
      shared(std::make_shared<SharedTables>(kOwnSlots, kOwnSlots)),
      neighbours(neighbour_table),
      mc_filters(multicast),
      pool(mbufs) {
  if (worker_count > 1) (void)claims.reserve(claim_capacity(max_sessions));
  sessions.on_release(
      [](void* self, uint32_t session) {
        Worker& worker = *static_cast<Worker*>(self);
        const Session& s = worker.sessions.at(session);
        if (s.has(Session::kCounted)) forget_counts(worker, session);
        if (s.has(Session::kHelped)) forget_helper(worker, session);
        forget_mappings(worker, session);
      },
      this);
}

namespace {

/// A number that no leg has: 0 means "not judged", and the numbers come round after 2^32 of them.
uint32_t next_generation(Worker& w) noexcept {
  if (w.generation < kLastGeneration) return w.generation + 1;
  for (uint32_t i = 0; i < w.sessions.capacity(); ++i) {
    Session& s = w.sessions.at(i);
    if (s.has(Session::kUsed)) s.original.generation = s.reply.generation = 0;
  }
  w.first_generation = 1;
  return 1;
}

}  // namespace

void take_up(Worker& w, const Snapshot* snapshot) noexcept {
  w.walks.fold(w.counters);
  w.snapshot = snapshot;
  w.lists_epoch = w.shared->lists.epoch();
  w.generation = next_generation(w);
  w.first_generation = w.generation;
}

void follow_lists(Worker& w) noexcept {
  const uint32_t epoch = w.shared->lists.epoch();
  const uint32_t moved = epoch - w.lists_epoch;
  if (moved == 0) return;
  // Generations and epochs move alike, so that a leg's generation says at which epoch it was
  // judged.
  if (moved >= kLastGeneration - w.generation) {
    w.generation = kLastGeneration;
    w.generation = next_generation(w);
  } else {
    w.generation += moved;
  }
  w.lists_epoch = epoch;
}

bool revive(const Worker& w, Session& s, Leg& leg) noexcept {
  if (leg.generation == 0 || leg.generation < w.first_generation) return false;
  const uint32_t epoch = w.lists_epoch - (w.generation - leg.generation);
  const DynamicLists& lists = w.shared->lists;
  for (const be32 address : {s.original.src, s.original.dst, s.reply.src, s.reply.dst})
    if (lists.changed_since(address.host(), epoch)) return false;
  leg.generation = w.generation;
  return true;
}

}  // namespace maclane
