#include "dataplane/port/rt_signals.h"

#include <rte_config.h>
#include <signal.h>

#include <array>

namespace maclane {
namespace {

std::array<RtSignals, RTE_MAX_ETHPORTS> owned{};

bool has_handler(int number) {
  struct sigaction action = {};
  return sigaction(number, nullptr, &action) == 0 && action.sa_handler != SIG_DFL;
}

}  // namespace

RtSignals rt_signals_in_use() {
  RtSignals set = 0;
  for (int s = SIGRTMIN; s <= SIGRTMAX; ++s) {
    if (has_handler(s)) set |= RtSignals{1} << (s - 1);
  }
  return set;
}

unsigned rt_signals_left() {
  unsigned left = 0;
  for (int s = SIGRTMIN + 1; s < SIGRTMAX; ++s) {
    if (!has_handler(s)) ++left;
  }
  return left;
}

void rt_signals_assign(uint16_t ethdev, RtSignals before) {
  if (ethdev < owned.size()) owned[ethdev] |= rt_signals_in_use() & ~before;
}

void rt_signals_release(uint16_t ethdev) {
  if (ethdev >= owned.size()) return;
  for (int s = SIGRTMIN; s <= SIGRTMAX; ++s) {
    if ((owned[ethdev] & (RtSignals{1} << (s - 1))) == 0) continue;
    // Ignoring first throws away what is still pending, whose default would end the process.
    signal(s, SIG_IGN);
    signal(s, SIG_DFL);
  }
  owned[ethdev] = 0;
}

}  // namespace maclane
