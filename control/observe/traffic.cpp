// Sums of counters, and what they were. See traffic.h.
#include "control/observe/traffic.h"

namespace maclane::observe {

Traffic traffic_of(const Dataplane& dataplane, IfIndex interface) {
  const IfCounters c = dataplane.interface_counters(interface);
  Traffic out{c.rx_bytes, c.tx_bytes, c.rx_packets, c.tx_packets, 0, 0, 0};
  for (unsigned r = 0; r < kDropCount; ++r) {
    const auto reason = static_cast<Drop>(r);
    const uint64_t n = dataplane.drops(interface, reason);
    if (reason == Drop::tx_full) out.queue_drops += n;
    const bool sent =
        reason == Drop::tx_full || reason == Drop::tx_down || reason == Drop::oversize;
    (sent ? out.tx_drops : out.rx_drops) += n;
  }
  return out;
}

Traffic TrafficSince::of(IfIndex interface, const Traffic& now) const {
  const auto found = begun_.find(interface);
  if (found == begun_.end()) return now;
  const Traffic& then = found->second;
  return {now.rx_bytes - then.rx_bytes,      now.tx_bytes - then.tx_bytes,
          now.rx_packets - then.rx_packets,  now.tx_packets - then.tx_packets,
          now.rx_drops - then.rx_drops,      now.tx_drops - then.tx_drops,
          now.queue_drops - then.queue_drops};
}

}  // namespace maclane::observe
