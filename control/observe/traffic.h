// What an interface carried since its counters were reset, or since it exists.
//
// Workers only ever count up, by an interface's number; numbers are given to others when their
// interface is gone. What is shown is what came since a baseline. Control thread only.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "dataplane/dataplane.h"

namespace maclane::observe {

struct Traffic {
  uint64_t rx_bytes = 0, tx_bytes = 0;
  uint64_t rx_packets = 0, tx_packets = 0;
  uint64_t rx_drops = 0, tx_drops = 0;
  uint64_t queue_drops = 0;  // of tx: the device took no more
};

/// Since the router started, of whoever had the number.
[[nodiscard]] Traffic traffic_of(const Dataplane& dataplane, IfIndex interface);

class TrafficSince {
 public:
  /// It counts from here.
  void begin(IfIndex interface, const Traffic& now) { begun_[interface] = now; }
  [[nodiscard]] Traffic of(IfIndex interface, const Traffic& now) const;

 private:
  std::unordered_map<IfIndex, Traffic> begun_;
};

}  // namespace maclane::observe
