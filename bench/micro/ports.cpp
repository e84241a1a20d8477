// Choosing the port of a source translation toward one server, by how many are taken: pick_port and
// the lookups that say whether a port is free.
#include "bench/micro/machine.h"
#include "dataplane/table/nat_ports.h"

namespace maclane::micro {
namespace {

constexpr uint32_t kWanIp = ip4(203, 0, 113, 2);
constexpr uint32_t kServer = ip4(198, 18, 0, 1);
constexpr unsigned kPicks = 64;

Tuple reply(uint16_t port) {
  return {be32::from(kServer), be32::from(kWanIp), be16::from(53), be16::from(port), kProtoUdp};
}

/// A table where this share of the ports toward the server is taken.
SessionTable& taken_by(int64_t percent) {
  static std::unique_ptr<SessionTable> table;
  static int64_t of = -1;
  if (of == percent) return *table;
  table = std::make_unique<SessionTable>(65536, 7);
  if (!table->valid()) give_up("no memory for 65536 sessions");
  Dice dice;
  const PortSpan span = port_class(1024);
  for (uint32_t port = span.first; port <= span.last; ++port) {
    if (dice.below(100) >= percent) continue;
    const Tuple original{be32::from(ip4(10, 0, 0, 0) + port), be32::from(kServer), be16::from(5000),
                         be16::from(53), kProtoUdp};
    if (table->create(original, reply(static_cast<uint16_t>(port)), TimeoutClass::kUdp, 0) ==
        SessionTable::kNone)
      give_up("a session could not be made");
  }
  of = percent;
  return *table;
}

void PortChoice(benchmark::State& state) {
  const SessionTable& table = taken_by(state.range(0));
  Random random(42);
  uint64_t tries = 0;
  uint64_t picks = 0;
  uint64_t failed = 0;
  {
    Meter meter(state);
    for (auto _ : state) {
      meter.begin();
      for (unsigned i = 0; i < kPicks; ++i) {
        uint16_t port = 0;
        const bool found = pick_port(
            port_class(1024), random, &port, [](uint16_t) { return true; },
            [&](uint16_t p) {
              ++tries;
              return !table.exists(reply(p));
            });
        failed += found ? 0 : 1;
        benchmark::DoNotOptimize(port);
      }
      meter.end(kPicks);
      picks += kPicks;
    }
  }
  state.counters["tries"] = static_cast<double>(tries) / static_cast<double>(picks);
  state.counters["failed_percent"] = 100 * static_cast<double>(failed) / static_cast<double>(picks);
}
BENCHMARK(PortChoice)->ArgName("taken_percent")->Arg(0)->Arg(50)->Arg(99)->UseManualTime();

}  // namespace
}  // namespace maclane::micro
