// How many core cycles a TSC tick is at this moment: a chain of dependent multiplications, three
// cycles each on every x86-64 since 2008, timed by the TSC. The TSC's own rate is taken against the
// monotonic clock meanwhile. Prints one line of JSON.
//
//   core_clock [CPU]
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#ifdef __x86_64__
#include <x86intrin.h>
#endif

namespace {

#ifdef __x86_64__
constexpr unsigned kPieces = 40;
constexpr unsigned kChain = 500000;  // 1.5 million cycles: an interrupt spoils a piece, not all
constexpr double kCyclesEach = 3;

/// Ticks of one chain.
uint64_t piece() {
  uint64_t x = 3;
  const uint64_t begin = __rdtsc();
  for (unsigned i = 0; i < kChain / 10; ++i) {
    // NOLINTNEXTLINE(hicpp-no-assembler)
    asm volatile(
        "imul %0, %0\n\timul %0, %0\n\timul %0, %0\n\timul %0, %0\n\timul %0, %0\n\t"
        "imul %0, %0\n\timul %0, %0\n\timul %0, %0\n\timul %0, %0\n\timul %0, %0"
        : "+r"(x));
  }
  return __rdtsc() - begin;
}

void measure() {
  using clock = std::chrono::steady_clock;
  const auto began = clock::now();
  const uint64_t first = __rdtsc();
  uint64_t pieces[kPieces];
  for (uint64_t& p : pieces) p = piece();
  const uint64_t ticks = __rdtsc() - first;
  const std::chrono::duration<double> seconds = clock::now() - began;
  std::sort(pieces, pieces + kPieces);
  constexpr unsigned kMiddle = kPieces / 2;
  const double ratio = kChain * kCyclesEach / static_cast<double>(pieces[kMiddle]);
  std::printf("{\"tsc_hz\": %.0f, \"cycles_per_tick\": %.4f}\n",
              static_cast<double>(ticks) / seconds.count(), ratio);
}
#else
void measure() {
  std::printf("{\"tsc_hz\": null, \"cycles_per_tick\": null}\n");
}
#endif

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<size_t>(std::strtoul(argv[1], nullptr, 10)), &set);
    if (sched_setaffinity(0, sizeof(set), &set) != 0) {
      std::fprintf(stderr, "core_clock: CPU %s may not be used by this process\n", argv[1]);
      return 1;
    }
  }
  measure();
  return 0;
}
