#include "dataplane/table/scan_table.h"

#include <algorithm>

namespace maclane {

ScanTable::ScanTable(uint32_t buckets)
    : mask_(buckets - 1), sources_(std::make_unique<Source[]>(size_t{buckets} * kWays)) {}

bool ScanTable::count(Source& s, const ScanLimits& limits, uint16_t port) noexcept {
  if (s.weight >= limits.threshold) return true;
  const auto known = s.ports.begin() + s.used;
  if (std::find(s.ports.begin(), known, port) != known) return false;
  // The oldest of many ports is forgotten: who tries it again only looks more like a scanner.
  s.ports[s.next] = port;
  s.next = static_cast<uint16_t>((s.next + 1u) % kPorts);
  s.used = static_cast<uint16_t>(std::min<unsigned>(s.used + 1u, kPorts));
  s.weight += port < 1024 ? limits.low_weight : limits.high_weight;
  return s.weight >= limits.threshold;
}

bool ScanTable::is_scan(const ScanLimits& limits, uint32_t source, uint16_t port,
                        uint32_t now_cs) noexcept {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  const uint64_t owner = uint64_t{1} << 32 | source;
  Source* const bucket =
      &sources_[(((source * 0x9e3779b97f4a7c15ULL) >> 32) & mask_) * size_t{kWays}];
  Source* chosen = nullptr;
  uint32_t quiet = 0;
  for (Source* s = bucket; s != bucket + kWays; ++s) {
    const uint64_t whose = s->owner.load(kRelaxed);
    if (whose == owner) {
      chosen = s;
      break;
    }
    const uint32_t rank = whose == 0 ? ~uint32_t{0} : now_cs - s->seen_cs.load(kRelaxed);
    if (chosen != nullptr && rank <= quiet) continue;
    chosen = s;
    quiet = rank;
  }
  Source& s = *chosen;
  uint32_t free = 0;
  if (!s.busy.compare_exchange_strong(free, 1, std::memory_order_acquire)) return false;
  if (s.owner.load(kRelaxed) != owner || now_cs - s.seen_cs.load(kRelaxed) > limits.delay_cs) {
    s.owner.store(owner, kRelaxed);
    s.weight = 0;
    s.used = s.next = 0;
  }
  s.seen_cs.store(now_cs, kRelaxed);
  const bool scan = count(s, limits, port);
  s.busy.store(0, std::memory_order_release);
  return scan;
}

}  // namespace maclane
