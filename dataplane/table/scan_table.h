// Who scans ports: the sources a psd matcher watches (behaviour.md B-11), for all workers together.
//
// A source collects weight for each port that it tries and has not tried lately, more for a low
// one; it begins anew when it was quiet for the delay. A source has one line of memory; one of four
// in its bucket, and where all are others' the one quiet longest gives way. A worker that finds a
// line in another's hands leaves the packet uncounted: nobody waits. Any worker.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "dataplane/net/types.h"

namespace maclane {

struct ScanLimits {
  uint32_t threshold = 21;
  uint32_t delay_cs = 300;
  uint16_t low_weight = 3;   // of ports below 1024
  uint16_t high_weight = 1;  // of the others
  friend bool operator==(const ScanLimits&, const ScanLimits&) = default;
};

class ScanTable {
 public:
  explicit ScanTable(uint32_t buckets);  // a power of two

  /// Counts a packet of `source` to `port`; true if the source is a scanner by now.
  [[nodiscard]] bool is_scan(const ScanLimits& limits, uint32_t source, uint16_t port,
                             uint32_t now_cs) noexcept;

 private:
  static constexpr unsigned kWays = 4;
  static constexpr unsigned kPorts = 20;
  struct alignas(64) Source {
    std::atomic<uint64_t> owner{0};  // the address, and a bit that there is one
    std::atomic<uint32_t> seen_cs{0};
    std::atomic<uint32_t> busy{0};  // the rest is whose who set it
    uint32_t weight = 0;
    uint16_t used = 0, next = 0;
    std::array<uint16_t, kPorts> ports{};
  };
  static_assert(sizeof(Source) == 64);

  [[nodiscard]] static bool count(Source& s, const ScanLimits& limits, uint16_t port) noexcept;

  uint32_t mask_;
  std::unique_ptr<Source[]> sources_;
};

}  // namespace maclane
