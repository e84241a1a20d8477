// PacketIo over the real dataplane. Control thread only.
#pragma once

#include "control/service/packet_io.h"
#include "dataplane/dataplane.h"

namespace maclane {

class DataplaneIo final : public PacketIo {
 public:
  explicit DataplaneIo(Dataplane& dataplane) : dataplane_(dataplane) {}

  rte_mbuf* alloc() override;
  bool inject(rte_mbuf* packet) override;
  void free(rte_mbuf* packet, Drop reason, IfIndex in_if) override;
  void consume(rte_mbuf* packet) override;
  NeighbourTable& neighbours() override;
  McFilters& mc_filters() override;
  const Snapshot& snapshot() override;
  std::vector<IfIndex> ways_to(be32 address) override;
  uint64_t now_ms() override;

 private:
  Dataplane& dataplane_;
};

}  // namespace maclane
