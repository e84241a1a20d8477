// What is not a matter of ticks per packet: storms, reloads, sleep, memory.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace maclane::bench {

struct Scenario {
  std::string id;
  std::string title;
  std::string unit;
  double goal = 0;
  bool more_is_better = false;
  std::function<double()> run;
};

[[nodiscard]] std::vector<Scenario> scenarios();

}  // namespace maclane::bench
