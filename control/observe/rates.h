// How fast connections go (behaviour.md B-23: orig-rate, repl-rate).
//
// Workers only count bytes. Some thousand connections are looked at each time, in turn: of up to
// twenty thousand each about every second, of more less often. A rate is what came since the last
// look, or, if that was just now, between the last two; of a connection nobody has looked at twice
// it is that of its whole life. Control thread only.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dataplane/dataplane.h"

namespace maclane::observe {

class Rates {
 public:
  static constexpr unsigned kAtOnce = 4096;

  /// Five times a second.
  void look(const Dataplane& dataplane);
  /// Bits a second, by direction.
  [[nodiscard]] std::array<uint64_t, 2> of(unsigned worker, uint32_t index, const Session& s,
                                           const SessionSide& side, uint32_t now_cs) const;

 private:
  struct Sample {
    uint32_t sequence = 0;  // tells the connection from others that had its place
    uint32_t at_cs = 0;
    std::array<uint64_t, 2> bytes{};
    std::array<uint32_t, 2> rate{};  // bytes a second, up to then
    bool has_rate = false;
  };
  void take(Sample& sample, const Session& s, const SessionSide& side, uint32_t now_cs);

  std::vector<std::vector<Sample>> samples_;  // by worker and place
  unsigned worker_ = 0;
  uint32_t index_ = 0;
};

}  // namespace maclane::observe
