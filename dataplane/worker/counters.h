// One worker's counters: written by it alone, read by control at any time (a 64-bit load is whole;
// figures that belong together may be a packet apart). Fixed memory.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "dataplane/net/types.h"
#include "dataplane/worker/drop.h"

namespace maclane {

struct IfCounters {
  uint64_t rx_packets = 0, rx_bytes = 0, tx_packets = 0, tx_bytes = 0;
};

inline constexpr uint32_t kMaxRuleCounters = 65536;
struct RuleCounter {
  uint64_t packets = 0, bytes = 0;
};

struct LoopCounters {
  uint64_t loops = 0;
  uint64_t bursts = 0;  // rx bursts that were not empty
  uint64_t packets = 0;
  uint64_t busy_tsc = 0;  // in loops that handled at least one packet
  uint64_t idle_tsc = 0;  // in the others, sleep included
};

/// The parts of a round, for the time each takes.
enum class Stage : uint8_t { kReceive, kDemux, kValidate, kLookup, kForward, kTransmit, kExpire };
inline constexpr unsigned kStages = 7;
[[nodiscard]] constexpr std::string_view stage_name(Stage s) noexcept {
  constexpr std::array<std::string_view, kStages> kNames = {
      "receive", "demux", "validate", "lookup", "forward", "transmit", "expire"};
  return kNames[static_cast<unsigned>(s)];
}

/// Where a worker's time goes. Rounds with packets are counted by how long they took; of one in
/// kSampled the stages are timed, since reading the clock costs as much as half a packet.
struct LoopTimes {
  static constexpr unsigned kSampled = 16;
  static constexpr unsigned kBuckets = 40;
  std::array<uint64_t, kBuckets> rounds{};  // [n]: took at least 2^n ticks and less than 2^(n+1)
  std::array<uint64_t, kStages> ticks{};    // by Stage, of the sampled rounds
  uint64_t sampled_packets = 0;
};

struct Counters {
  Counters() : interfaces(kMaxInterfaces), drops(kMaxInterfaces), rules(kMaxRuleCounters) {}
  std::vector<IfCounters> interfaces;                   // by IfIndex
  std::vector<std::array<uint64_t, kDropCount>> drops;  // by IfIndex (0: none known), by reason
  std::vector<RuleCounter> rules;                       // by Rule::counter
  LoopCounters loop;
  LoopTimes times;
  uint64_t evicted = 0;  // connections that made room for others
};

}  // namespace maclane
