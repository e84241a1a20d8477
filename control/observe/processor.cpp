// /proc/cpuinfo and /proc/stat (proc(5)). See processor.h.
#include "control/observe/processor.h"

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>

namespace maclane::observe {
namespace {

struct Times {
  uint64_t used = 0;
  uint64_t all = 0;
};

Times read_times() {
  std::ifstream file("/proc/stat");
  std::string cpu;
  file >> cpu;
  Times out;
  // user nice system idle iowait irq softirq steal
  for (int i = 0; i < 8; ++i) {
    uint64_t ticks = 0;
    file >> ticks;
    out.all += ticks;
    if (i != 3 && i != 4) out.used += ticks;
  }
  return out;
}

}  // namespace

const Processor& processor() {
  static const Processor found = [] {
    Processor out;
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line) && !line.empty();) {
      const size_t colon = line.find(": ");
      if (colon == std::string::npos) continue;
      if (line.starts_with("model name")) out.model = line.substr(colon + 2);
      if (line.starts_with("cpu MHz")) out.mhz = std::atoi(line.c_str() + colon + 2);
    }
    return out;
  }();
  return found;
}

int processor_load() {
  using Clock = std::chrono::steady_clock;
  static Times last;  // since the machine was started, at the first look
  static Clock::time_point looked;
  static int percent = 0;
  if (looked != Clock::time_point{} && Clock::now() < looked + std::chrono::seconds(1))
    return percent;
  looked = Clock::now();
  const Times now = read_times();
  if (now.all > last.all)
    percent = static_cast<int>((now.used - last.used) * 100 / (now.all - last.all));
  last = now;
  return percent;
}

}  // namespace maclane::observe
