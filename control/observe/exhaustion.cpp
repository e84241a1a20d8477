#include "control/observe/exhaustion.h"

#include "control/observe/log.h"

namespace maclane::observe {

void Exhaustion::look(uint64_t now_ms) {
  for (Of& one : all_) {
    const uint64_t count = count_(one.reason);
    if (count != one.seen) {
      if (!one.lasts) {
        one.before = one.seen;
        log::write(log::Level::kWarning, "firewall,warning", "{}", one.what);
      }
      one.lasts = true;
      one.seen = count;
      one.last_ms = now_ms;
    } else if (one.lasts && now_ms - one.last_ms >= kQuietMs) {
      one.lasts = false;
      log::write(log::Level::kInfo, "firewall,info", "{}; {} packets were dropped meanwhile",
                 one.again, one.seen - one.before);
    }
  }
}

}  // namespace maclane::observe
