// One router in this process, without threads: a configuration as a user writes it, compiled as the
// daemon compiles it, on ring ports that a benchmark fills and empties by hand.
//
// EAL, the buffers and the ring ports are made once per process; a World is made per case. One
// thread only.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "control/compile/compile.h"
#include "dataplane/worker/loop.h"

struct rte_mempool;
struct rte_ring;

namespace maclane::bench {

inline constexpr unsigned kRingPorts = 28;  // of DPDK's 32
inline constexpr unsigned kRingSize = 1024;
inline constexpr unsigned kQueues = 2;  // of each port; most cases use the first alone

/// An ethdev whose two sides are rings of ours.
struct RingPort {
  uint16_t ethdev = 0xffff;
  std::array<rte_ring*, kQueues> rx{};  // by queue: what its worker will receive
  std::array<rte_ring*, kQueues> tx{};  // what it sent
};

/// The process's EAL, buffers and ports. Ends the process with a sentence if they cannot be had.
class Machine {
 public:
  static Machine& get();
  [[nodiscard]] rte_mempool* pool() const { return pool_; }
  [[nodiscard]] const RingPort& port(unsigned i) const { return ports_[i]; }
  [[nodiscard]] PortInfo info(unsigned i, unsigned queues) const;

 private:
  Machine();
  rte_mempool* pool_ = nullptr;
  std::array<RingPort, kRingPorts> ports_;
};

struct WorldConfig {
  std::string yaml;
  uint32_t max_sessions = 1024;
  unsigned workers = 1;
  /// Macvlan names whose kernel device is a ring port, and its number.
  std::vector<std::pair<std::string, unsigned>> attachments;
};

class World {
 public:
  /// Ends the process with the mistakes of the configuration, if it has any.
  explicit World(const WorldConfig& config);

  /// Compiles another configuration and publishes it, as a reload does.
  void reload(const std::string& yaml);
  /// One round of a worker's loop, as its thread runs it.
  void round(unsigned worker = 0);
  /// Hands the only worker to a thread of its own, as the daemon runs it; no round() from then on.
  std::unique_ptr<WorkerThread> start_thread(unsigned cpu);
  /// Moves the worker's clock on by hand.
  void skip_time(uint32_t centiseconds) { skipped_cs_ += centiseconds; }

  [[nodiscard]] IfIndex interface(std::string_view name) const;
  void neighbour(std::string_view interface, uint32_t address, const MacAddr& mac);
  [[nodiscard]] Worker& worker(unsigned i = 0) { return *workers_[i]; }
  [[nodiscard]] const Snapshot& snapshot() const { return *publisher_.current(); }
  /// All packets dropped, by name, for the report of a case that lost some.
  [[nodiscard]] std::string drops() const;

 private:
  void publish(const std::string& yaml);

  WorldConfig config_;
  NeighbourTable neighbours_;
  McFilters mc_filters_;
  Publisher publisher_;
  std::unique_ptr<compile::CompileState> state_;
  HandoffMesh mesh_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::unique_ptr<LoopState>> loops_;
  Clock clock_;
  uint32_t skipped_cs_ = 0;
};

[[noreturn]] void give_up(const std::string& sentence);

}  // namespace maclane::bench
