// What /system/resource says of the processor. Control thread only.
#pragma once

#include <string>

namespace maclane::observe {

struct Processor {
  std::string model;  // as /proc/cpuinfo has it
  int mhz = 0;        // 0: not told
};
[[nodiscard]] const Processor& processor();

/// Percent of all CPUs' time that was used since the last look at least a second ago.
[[nodiscard]] int processor_load();

}  // namespace maclane::observe
