// Timing the stages of a sampled round: each lap is what passed since the one before. In rounds
// that are not sampled it is one predictable branch a stage and burst. Worker thread only.
#pragma once

#include <rte_cycles.h>

#include "dataplane/worker/worker.h"

namespace maclane {

inline void begin_laps(Worker& w) noexcept {
  w.sampling = (w.counters.loop.loops % LoopTimes::kSampled) == 0;
  if (w.sampling) w.lap_tsc = rte_rdtsc();
}

inline void lap(Worker& w, Stage stage) noexcept {
  if (!w.sampling) return;
  const uint64_t now = rte_rdtsc();
  w.counters.times.ticks[static_cast<unsigned>(stage)] += now - w.lap_tsc;
  w.lap_tsc = now;
}

/// Ends the round; only those that had packets are of interest.
inline void end_laps(Worker& w, unsigned packets) noexcept {
  if (w.sampling) w.counters.times.sampled_packets += packets;
}

}  // namespace maclane
