// What a rule remembers from packet to packet, for all workers together: tokens, counts, and who
// scans. Control makes one for a rule that needs it and keeps it as long as the rule says the same,
// whatever snapshots come and go. Any worker.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "dataplane/table/meter.h"
#include "dataplane/table/scan_table.h"

namespace maclane {

struct alignas(64) RuleState {
  Meter limit;
  std::atomic<uint64_t> count{0};  // nth
  std::unique_ptr<KeyedMeters> keyed;
  std::unique_ptr<ScanTable> scans;
  uint64_t seed = 0;  // of the keys
};

}  // namespace maclane
