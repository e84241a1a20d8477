// What fuzz targets that take an input as steps have in common. Included by one file of a target.
#pragma once

#include <rte_eal.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace maclane {

inline void must(bool holds) {
  if (!holds) __builtin_trap();
}

/// One thing that happens: which, to whom or how, and what bytes come with it.
struct Step {
  uint8_t what, more;
  std::span<const uint8_t> bytes;
};

/// Takes the next step off an input: a byte each for what, more and the length, and the bytes.
/// nullopt: the input is at its end.
inline std::optional<Step> take_step(std::span<const uint8_t>& rest) {
  if (rest.size() < 3) return std::nullopt;
  const Step step{rest[0], rest[1], rest.subspan(3, std::min<size_t>(rest[2], rest.size() - 3))};
  rest = rest.subspan(3 + step.bytes.size());
  return step;
}

/// EAL on one core and so much ordinary memory, with no device.
inline void start_eal(const char* megabytes) {
  std::array eal{"fuzz",    "--no-huge", "--no-shconf",      "-m",
                 megabytes, "--no-pci",  "--no-telemetry",   "--iova-mode=va",
                 "-l",      "0",         "--log-level=error"};
  std::array<char*, eal.size()> args{};
  for (size_t i = 0; i < eal.size(); ++i) args[i] = const_cast<char*>(eal[i]);  // NOLINT
  must(rte_eal_init(static_cast<int>(args.size()), args.data()) >= 0);
}

}  // namespace maclane
