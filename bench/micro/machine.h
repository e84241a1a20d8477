// What the benchmarks of stages and tables share: DPDK, frames, a worker with a hand-made snapshot,
// and the meter. One thread.
//
// A benchmark's iteration is one window of kWindow packets (64 where sessions or ports are made)
// between two readings of the TSC; what has to be prepared or put back is done between windows and
// not counted. `ticks` is the median window's, by its packets, less what an empty window reads.
#pragma once

#include <benchmark/benchmark.h>
#include <rte_cycles.h>
#include <rte_mbuf.h>

#include <string>
#include <vector>

#include "dataplane/net/wire.h"
#include "dataplane/worker/worker.h"

namespace maclane::micro {

inline constexpr unsigned kWindow = 256;
inline constexpr unsigned kFrameBytes = 60;  // 64 with FCS

constexpr uint32_t ip4(unsigned a, unsigned b, unsigned c, unsigned d) {
  return a << 24 | b << 16 | c << 8 | d;
}

/// Ends the process with this sentence.
[[noreturn]] void give_up(const std::string& sentence);

/// Starts DPDK and makes the buffers, the first time.
[[nodiscard]] rte_mempool* pool();

/// An Ethernet frame with a UDP packet, checksums right.
void write_frame(rte_mbuf* m, const MacAddr& dst, uint32_t src_ip, uint32_t dst_ip);
/// So many of them, to the same MAC; the caller's until the process ends.
[[nodiscard]] std::vector<rte_mbuf*> frames(unsigned count, const MacAddr& dst);

/// A worker without a thread, on a snapshot that the benchmark fills.
struct World {
  explicit World(uint32_t max_sessions = 1024);
  Snapshot snapshot;
  NeighbourTable neighbours{1024};
  McFilters filters{1};
  Worker worker;
  L3Queue l3;
};

class Meter {
 public:
  explicit Meter(benchmark::State& state);
  /// Writes the counters.
  ~Meter();
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;
  void begin() noexcept { begin_ = rte_rdtsc(); }
  void end(unsigned packets) noexcept;

 private:
  benchmark::State& state_;
  uint64_t begin_ = 0;
  uint64_t empty_ = 0;
  std::vector<double> windows_;
};

/// Small and fast, and the same every time.
class Dice {
 public:
  uint32_t below(uint32_t n) noexcept {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<uint32_t>(((state_ >> 32) * n) >> 32);
  }

 private:
  uint64_t state_ = 42;
};

}  // namespace maclane::micro
