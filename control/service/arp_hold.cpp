#include "control/service/arp_hold.h"

#include <utility>

namespace maclane {

bool ArpHold::push(uint64_t neighbour, rte_mbuf* packet) {
  if (size_ >= kInAll) return false;
  std::vector<rte_mbuf*>& queue = queues_[neighbour];
  if (queue.size() >= kPerNeighbour) return false;
  queue.push_back(packet);
  ++size_;
  return true;
}

std::vector<rte_mbuf*> ArpHold::take(uint64_t neighbour) {
  const auto found = queues_.find(neighbour);
  if (found == queues_.end()) return {};
  std::vector<rte_mbuf*> packets = std::move(found->second);
  queues_.erase(found);
  size_ -= packets.size();
  return packets;
}

bool ArpHold::full(uint64_t neighbour) const {
  const auto found = queues_.find(neighbour);
  return found != queues_.end() && found->second.size() >= kPerNeighbour;
}

}  // namespace maclane
