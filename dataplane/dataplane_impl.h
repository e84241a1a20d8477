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

inline constexpr uint32_t kMbufs = 16384;

[[nodiscard]] inline uint16_t data_room(const DataplaneConfig& config) {
  return static_cast<uint16_t>(std::max<uint32_t>(2048, config.max_mtu + 26u) +
                               RTE_PKTMBUF_HEADROOM);
}

[[nodiscard]] inline uint32_t mbuf_count(const DataplaneConfig& config) {
  return config.mbufs == 0 ? kMbufs : config.mbufs;
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
  std::unique_ptr<NeighbourTable> neighbours;
  std::unique_ptr<McFilters> mc_filters;
  std::vector<std::unique_ptr<WorkerThread>> threads;
  std::vector<PortInfo> ports = std::vector<PortInfo>(RTE_MAX_ETHPORTS);  // by ethdev
  std::vector<std::array<uint64_t, kDropCount>> drops =
      std::vector<std::array<uint64_t, kDropCount>>(kMaxInterfaces);
  unsigned next_punt = 0;

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
