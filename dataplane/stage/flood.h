// One group frame to many: copies for small frames, clones for large ones, the original last.
//
// Whoever rewrites a frame (L3, control, tag pushing) never shares it with a clone: the original is
// handed on only while no clone exists, else a copy of it. The worker's flood budget bounds the
// copies of a burst, so that a storm cannot starve unicast; a frame that it cannot take to all
// begins at a random recipient. For the layer 2 stages only.
#pragma once

#include <vector>

#include "dataplane/stage/demux_table.h"
#include "dataplane/worker/burst.h"

struct rte_mbuf;

namespace maclane {

struct Worker;
struct Domain;

inline constexpr unsigned kFloodBudget = 1024;  // copies per rx burst
/// While frames wait faster than they are worked off: a storm must not push unicast out.
inline constexpr unsigned kFloodBudgetOverloaded = 32;
inline constexpr uint32_t kCopyLimit = 512;  // bytes; up to here a copy is cheaper than a clone

struct FloodFrame {
  rte_mbuf* packet = nullptr;
  const Domain* domain = nullptr;
  IfIndex sender = kNoIf;  // the macvlan that sent it; kNoIf: from the wire
  FrameTarget target = FrameTarget::kBroadcast;
  FrameTag tag = FrameTag::kUntagged;
};

/// Carries out a cell of the decision table for a group frame; takes the packet. Copies for L3 that
/// find the queue full make room by running it (l3_input), unless it is the loopback queue.
void flood(Worker& w, const FloodFrame& frame, const DemuxCell& cell, L3Queue& queue) noexcept;

}  // namespace maclane
