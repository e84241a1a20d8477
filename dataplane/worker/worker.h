// A worker: what one poll-mode thread owns, and hands to every stage.
//
// Everything in here belongs to the thread that runs the loop, except what says otherwise. Nothing
// is allocated, locked, logged or thrown while packets are handled.
#pragma once

#include <atomic>
#include <memory>

#include "dataplane/snapshot.h"
#include "dataplane/stage/walk.h"
#include "dataplane/table/claims.h"
#include "dataplane/table/fragments.h"
#include "dataplane/table/helper_records.h"
#include "dataplane/table/mc_filter.h"
#include "dataplane/table/nat_ports.h"
#include "dataplane/table/neighbour.h"
#include "dataplane/table/session.h"
#include "dataplane/table/session_notes.h"
#include "dataplane/table/shared_tables.h"
#include "dataplane/worker/burst.h"
#include "dataplane/worker/counters.h"
#include "dataplane/worker/handoff.h"
#include "dataplane/worker/message.h"

struct rte_ring;
struct rte_mempool;

namespace maclane {

/// Frames waiting for a port, sent when full and at the end of every loop.
struct TxBuffer {
  uint16_t count = 0;
  std::array<rte_mbuf*, kBurst> packets{};
  std::array<IfIndex, kBurst> from{};  // the interface each is counted for
  std::array<uint16_t, kBurst> bytes{};
};

struct Worker {
  Worker(unsigned worker_id, unsigned worker_count, uint32_t max_sessions, uint64_t seed,
         NeighbourTable& neighbour_table, McFilters& multicast, rte_mempool* mbufs);

  const unsigned id;
  const unsigned count;                // of workers
  const Snapshot* snapshot = nullptr;  // loaded once per loop
  /// What a leg was judged under holds while this is the same. Never 0; see take_up().
  uint32_t generation = 0;
  uint32_t first_generation = 0;  // since the snapshot was taken up
  uint32_t lists_epoch = 0;       // of shared->lists, that `generation` stands for
  Now now;

  SessionTable sessions;
  SessionNotes notes;
  HelperRecords helped;
  ClaimTable claims;  // replies whose session another worker has
  FragmentTable fragments;
  WalkTable walks;
  Random random;
  Counters counters;  // control reads

  std::shared_ptr<SharedTables> shared;  // what all workers write; a worker alone has its own
  NeighbourTable& neighbours;            // control writes
  McFilters& mc_filters;                 // control writes
  rte_mempool* pool;                     // multi-producer, shared

  Handoff handoff;  // to and from the other workers

  rte_ring* punt = nullptr;      // to control: rte_mbuf*
  rte_ring* inject = nullptr;    // from control: rte_mbuf*
  rte_ring* events = nullptr;    // to control: Event
  rte_ring* requests = nullptr;  // from control: Request

  std::array<TxBuffer, 32> tx;  // by index into Snapshot::ports
  L3Queue loopback;             // packets from one of our vports to another: input of the next loop
  unsigned flood_budget = 0;    // copies left in this burst
  uint16_t tag_priority = 0;    // of the tags that control's frame gets, in their place of a TCI
  bool overloaded = false;      // frames wait faster than they are worked off
  unsigned new_left = 0;        // connections that may still be opened in this burst
  bool sampling = false;        // this round's stages are timed (worker/lap.h)
  uint64_t lap_tsc = 0;

  // scratch of the L3 stages
  Burst burst;
  L3Queue released;  // fragments that waited for the first of the burst
  WalkRecord walk;   // of the packet at hand, over all its chains but those of NAT
  WalkRecord dnat_walk;
  WalkRecord snat_walk;
  be32 last_source{};  // what the last connection's source was translated to; 0: it was not
  NeighbourRef last_stale = kNoNeighbour;  // reported to control last
  uint32_t last_stale_cs = 0;
  uint32_t last_redirect_cs = 0;
};

/// Another snapshot: every session is judged again, when its next packet comes.
void take_up(Worker& w, const Snapshot* snapshot) noexcept;
/// Address lists may have changed: legs whose addresses are concerned are judged again, the others
/// go on (revive()). Once a round.
void follow_lists(Worker& w) noexcept;
/// Whether what a leg of an earlier generation holds is still true; makes it one of this
/// generation.
[[nodiscard]] bool revive(const Worker& w, Session& s, Leg& leg) noexcept;

}  // namespace maclane
