#include "control/service/dataplane_io.h"

#include <chrono>

namespace maclane {

rte_mbuf* DataplaneIo::alloc() {
  return dataplane_.alloc_packet();
}

bool DataplaneIo::inject(rte_mbuf* packet) {
  return dataplane_.inject(packet);
}

void DataplaneIo::free(rte_mbuf* packet, Drop reason, IfIndex in_if) {
  dataplane_.free_packet(packet, reason, in_if);
}

void DataplaneIo::consume(rte_mbuf* packet) {
  dataplane_.consume_packet(packet);
}

NeighbourTable& DataplaneIo::neighbours() {
  return dataplane_.neighbours();
}

McFilters& DataplaneIo::mc_filters() {
  return dataplane_.mc_filters();
}

const Snapshot& DataplaneIo::snapshot() {
  static const Snapshot none;
  const Snapshot* current = dataplane_.current();
  return current != nullptr ? *current : none;
}

std::vector<IfIndex> DataplaneIo::ways_to(be32 address) {
  const Snapshot& s = snapshot();
  if (s.fib == nullptr) return {};
  const NextHop& hop = s.next_hops[s.fib->lookup(address.host())];
  std::vector<IfIndex> ways;
  const auto add = [&](const NextHop& way) {
    if (way.kind == NextHop::Kind::kLocal || way.kind == NextHop::Kind::kConnected ||
        way.kind == NextHop::Kind::kGateway) {
      ways.push_back(way.out_if);
    }
  };
  if (hop.alternatives.empty()) add(hop);
  for (const uint16_t way : hop.alternatives) add(s.next_hops[way]);
  return ways;
}

uint64_t DataplaneIo::now_ms() {
  const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(since_start).count());
}

}  // namespace maclane
