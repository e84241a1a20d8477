// Stages and tables by themselves, in TSC ticks per packet (Google Benchmark's counter `ticks`).
//
//   micro_bench [--cpu N] [Google Benchmark's options]
//
// Without options: the median of five repetitions. Frames are hot in L2; what the stages cost
// together, and with the rest of a worker around them, is path_bench's.
#include <sched.h>

#include <cstdlib>
#include <cstring>
#include <vector>

#include "bench/micro/machine.h"
#include "dataplane/port/eal.h"

namespace {

void pin(unsigned cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof(set), &set) != 0) {
    maclane::micro::give_up("cannot run on CPU " + std::to_string(cpu) +
                            "; name one that this process may use");
  }
}

}  // namespace

int main(int argc, char** argv) {
  unsigned cpu = maclane::usable_cpus().back();
  // Google Benchmark takes the last of several; these come before the user's.
  char repetitions[] = "--benchmark_repetitions=5";
  char aggregates[] = "--benchmark_report_aggregates_only=true";
  std::vector<char*> words = {argv[0], repetitions, aggregates};
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--cpu") == 0 && i + 1 < argc) {
      cpu = static_cast<unsigned>(std::strtoul(argv[++i], nullptr, 10));
    } else {
      words.push_back(argv[i]);
    }
  }
  int count = static_cast<int>(words.size());
  words.push_back(nullptr);
  benchmark::Initialize(&count, words.data());
  if (benchmark::ReportUnrecognizedArguments(count, words.data())) return 1;
  (void)maclane::micro::pool();  // EAL moves the thread; it is put in its place afterwards
  pin(cpu);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
