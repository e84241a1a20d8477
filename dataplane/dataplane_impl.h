// What the facade holds. For dataplane.cpp and dataplane_read.cpp only.
#pragma once

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <algorithm>

#include "dataplane/dataplane.h"
#include "dataplane/port/ethdev.h"
#include "dataplane/worker/loop.h"

struct rte_ring;

namespace maclane {

inline constexpr uint32_t kSweptAtOnce = 8192;  // slots of address lists
inline constexpr uint32_t kMbufs = 16384;
inline constexpr uint32_t kMbufsPerWorker = 8192;  // of the second and more

[[nodiscard]] inline uint16_t data_room(const DataplaneConfig& config) {
  return static_cast<uint16_t>(std::max<uint32_t>(2048, config.max_mtu + 26u) +
                               RTE_PKTMBUF_HEADROOM);
}

[[nodiscard]] inline uint32_t mbuf_count(const DataplaneConfig& config) {
  if (config.mbufs != 0) return config.mbufs;
  const auto workers = static_cast<uint32_t>(std::max<size_t>(config.worker_cpus.size(), 1));
  return kMbufs + kMbufsPerWorker * (workers - 1);
}

[[nodiscard]] inline uint64_t mbuf_bytes(const DataplaneConfig& config) {
  // the buffer, its header, private area and mempool header
  return uint64_t{mbuf_count(config)} * (data_room(config) + sizeof(rte_mbuf) + kPrivateSize + 128);
}

struct Dataplane::Impl {
  DataplaneConfig config;
  std::vector<unsigned> cpus;
  Clock clock;
  PortContext context;
  std::unique_ptr<Publisher> publisher;
  HandoffMesh mesh;
  std::unique_ptr<NeighbourTable> neighbours;
  std::unique_ptr<McFilters> mc_filters;
  std::shared_ptr<SharedTables> shared;
  std::vector<std::unique_ptr<WorkerThread>> threads;
  std::vector<PortInfo> ports = std::vector<PortInfo>(RTE_MAX_ETHPORTS);  // by ethdev
  std::vector<std::array<uint64_t, kDropCount>> drops =
      std::vector<std::array<uint64_t, kDropCount>>(kMaxInterfaces);
  unsigned next_punt = 0;
  unsigned next_event = 0;

  [[nodiscard]] Worker& worker(unsigned i) const { return threads[i]->worker(); }
  bool start(std::string* error);
  bool start_eal(std::string* error);
  bool add_worker(unsigned id, std::string* error);
  void remember(const PortInfo& info) {
    if (info.ethdev < ports.size()) ports[info.ethdev] = info;
  }
  void drain(rte_ring* ring);
};

}  // namespace maclane
