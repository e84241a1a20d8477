// Route lookup: random destinations inside the routes, prefix lengths as a full table has them.
#include <array>
#include <set>

#include "bench/micro/machine.h"
#include "dataplane/table/fib4.h"

namespace maclane::micro {
namespace {

struct Table {
  uint32_t routes = 0;
  std::shared_ptr<const Fib4> fib;
  std::vector<uint32_t> inside;  // an address of each route
};

/// The table of the benchmark before, if it is as large.
const Table& table_of(uint32_t count) {
  static Table table;
  if (table.routes == count) return table;
  table = {};
  Dice dice;
  std::set<uint64_t> taken;
  std::vector<Fib4Route> routes;
  while (routes.size() < count) {
    const uint32_t kind = dice.below(16);
    const unsigned length = kind == 0 ? 28 : kind < 10 ? 24 : 16 + dice.below(8);
    const uint32_t network =
        (ip4(11, 0, 0, 0) + dice.below(ip4(90, 0, 0, 0))) & (~uint32_t{0} << (32 - length));
    if (!taken.insert(uint64_t{network} << 8 | length).second) continue;
    routes.push_back(
        {network, static_cast<uint8_t>(length), static_cast<uint16_t>(1 + dice.below(1000))});
    table.inside.push_back(network + 1);
  }
  std::string error;
  table.fib = Fib4::build(routes, &error);
  if (table.fib == nullptr) give_up(error);
  table.routes = count;
  return table;
}

void Route(benchmark::State& state) {
  const Table& table = table_of(static_cast<uint32_t>(state.range(0)));
  const auto burst = static_cast<unsigned>(state.range(1));
  std::array<uint32_t, kWindow> addresses;
  std::array<uint64_t, kWindow> next_hops;
  Dice dice;
  Meter meter(state);
  for (auto _ : state) {
    for (uint32_t& a : addresses)
      a = table.inside[dice.below(static_cast<uint32_t>(table.inside.size()))];
    meter.begin();
    for (unsigned at = 0; at < kWindow; at += burst) {
      table.fib->lookup(addresses.data() + at, next_hops.data() + at, burst);
    }
    meter.end(kWindow);
    benchmark::DoNotOptimize(next_hops);
  }
  for (const uint64_t hop : next_hops) {
    if (hop == 0) state.SkipWithError("an address has no route");
  }
}
void arguments(benchmark::internal::Benchmark* b) {
  for (const int64_t routes : {1, 10000, 100000}) {
    for (const int64_t burst : {1, 16, 64}) b->Args({routes, burst});
  }
}
BENCHMARK(Route)->ArgNames({"routes", "burst"})->Apply(arguments)->UseManualTime();

}  // namespace
}  // namespace maclane::micro
