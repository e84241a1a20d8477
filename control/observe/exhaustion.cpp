#include "control/observe/exhaustion.h"

#include <fmt/format.h>

#include "control/observe/log.h"

namespace maclane::observe {

void Exhaustion::look(uint64_t now_ms) {
  for (Of& one : all_) {
    const uint64_t count = one.count();
    if (count != one.seen) {
      if (!one.lasts) {
        one.before = one.seen;
        log::write(log::Level::kWarning, fmt::format("{},warning", one.topic), "{}", one.what);
      }
      one.lasts = true;
      one.seen = count;
      one.last_ms = now_ms;
    } else if (one.lasts && now_ms - one.last_ms >= kQuietMs) {
      one.lasts = false;
      log::write(log::Level::kInfo, fmt::format("{},info", one.topic), "{}; {} {} meanwhile",
                 one.again, one.seen - one.before, one.counted);
    }
  }
}

}  // namespace maclane::observe
