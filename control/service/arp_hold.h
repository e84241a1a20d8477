// The packets that wait for a neighbour's MAC address, oldest first, bounded per neighbour and in
// all. Control thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

struct rte_mbuf;

namespace maclane {

class ArpHold {
 public:
  static constexpr size_t kPerNeighbour = 64;
  static constexpr size_t kInAll = 2048;

  /// Takes a packet; false if there is no room, and the packet stays the caller's.
  bool push(uint64_t neighbour, rte_mbuf* packet);
  /// Gives back a neighbour's packets, in the order they came.
  [[nodiscard]] std::vector<rte_mbuf*> take(uint64_t neighbour);
  [[nodiscard]] bool full(uint64_t neighbour) const;
  [[nodiscard]] size_t size() const { return size_; }

 private:
  std::map<uint64_t, std::vector<rte_mbuf*>> queues_;
  size_t size_ = 0;
};

}  // namespace maclane
