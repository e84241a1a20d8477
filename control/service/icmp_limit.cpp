#include "control/service/icmp_limit.h"

#include <algorithm>

namespace maclane {

bool IcmpLimit::allow(be32 target, uint64_t now_ms) {
  const uint64_t elapsed = std::min<uint64_t>(now_ms - std::min(refilled_ms_, now_ms), 1000);
  tokens_ = std::min(tokens_ + elapsed * kPerSecond, kBurst * 1000);
  refilled_ms_ = now_ms;
  if (tokens_ < 1000) return false;

  if (gap_ms_ != 0) {
    const uint64_t hash = ((target.raw ^ seed_) * 0x9e3779b97f4a7c15ULL * seed_) >> 54;
    Target& slot = targets_[hash];
    if (slot.address != target) slot = {target, 0};
    const uint64_t paid = std::max(slot.paid_until_ms, now_ms);
    if (paid - now_ms + gap_ms_ > kTargetBurst * gap_ms_) return false;
    slot.paid_until_ms = paid + gap_ms_;
  }
  tokens_ -= 1000;
  return true;
}

}  // namespace maclane
