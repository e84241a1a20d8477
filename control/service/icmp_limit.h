// How many ICMP errors may leave (RFC 1812 4.3.2.8, as Linux does it): a token bucket for all, and
// a smallest gap per target with a burst of six, so that one traceroute gets its answers and a
// flood does not. Memory is fixed: targets share a table and the latest one keeps its place.
// Control thread.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/net/types.h"

namespace maclane {

class IcmpLimit {
 public:
  static constexpr uint64_t kPerSecond = 1000;
  static constexpr uint64_t kBurst = 50;
  static constexpr uint64_t kTargetBurst = 6;

  explicit IcmpLimit(uint64_t seed) : seed_(seed | 1) {}
  void set_gap(uint32_t gap_ms) { gap_ms_ = gap_ms; }
  /// Whether one more may go to this target now; takes the tokens if so.
  [[nodiscard]] bool allow(be32 target, uint64_t now_ms);

 private:
  struct Target {
    be32 address{};
    uint64_t paid_until_ms = 0;  // the gaps of what was sent end here
  };
  uint64_t seed_;
  uint32_t gap_ms_ = 10;
  uint64_t tokens_ = kBurst * 1000;  // thousandths
  uint64_t refilled_ms_ = 0;
  std::array<Target, 1024> targets_{};
};

}  // namespace maclane
