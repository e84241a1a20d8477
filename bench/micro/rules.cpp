// A new connection before an indexed chain none of whose rules fits: what the index costs when it
// was built, and with rules among its rest that came one by one since (RuleIndex::kMostLate at
// most).
#include <array>

#include "bench/micro/machine.h"
#include "dataplane/stage/filter.h"
#include "dataplane/stage/walk.h"
#include "dataplane/table/rule_index.h"

namespace maclane::micro {
namespace {

/// A host and a port of it, which nobody asks for here.
void append(RuleSet& set, Dice& dice) {
  Rule rule;
  rule.match = Rule::kSrc | Rule::kProtocol | Rule::kDstPort;
  const uint32_t host = ip4(10, 0, 0, 0) + dice.below(1U << 24);
  rule.src = {host, host};
  rule.protocol = kProtoTcp;
  rule.dst_ports = static_cast<uint32_t>(set.ports.size());
  rule.dst_port_count = 1;
  const auto port = static_cast<uint16_t>(1 + dice.below(60000));
  set.ports.push_back({port, port});
  rule.action = Action::kDrop;
  rule.counter = static_cast<uint32_t>(set.rules.size());
  set.rules.push_back(rule);
  ++set.chains[0].count;
}

void Rules(benchmark::State& state) {
  Dice dice;
  RuleSet set;
  set.chains.push_back({0, 0, "forward"});
  for (int64_t i = 0; i < state.range(0); ++i) append(set, dice);
  index_rules(set);
  for (int64_t i = 0; i < state.range(1); ++i) {
    RuleSet next = set;
    append(next, dice);
    index_rules(next, &set);
    set = std::move(next);
  }
  if (set.chains[0].index == nullptr) return state.SkipWithError("the chain has no index");
  WalkRecord record;
  std::array<RuleKey, kWindow> keys;
  Meter meter(state);
  for (auto _ : state) {
    for (RuleKey& key : keys) {
      key.src = ip4(11, 0, 0, 0) + dice.below(1U << 24);
      key.dst = ip4(198, 51, 100, 1);
      key.sport = static_cast<uint16_t>(1024 + dice.below(60000));
      key.dport = 443;
      key.proto = kProtoTcp;
    }
    meter.begin();
    for (RuleKey& key : keys) {
      record.clear();
      walk_chain(&set, 0, RuleTable::kFilter, key, record);
    }
    meter.end(kWindow);
    if (record.hits != 0) state.SkipWithError("a rule fits");
  }
}
BENCHMARK(Rules)
    ->ArgNames({"rules", "late"})
    ->Args({100, 0})
    ->Args({100, 16})
    ->Args({10000, 0})
    ->Args({10000, 1})
    ->Args({10000, 16})
    ->UseManualTime();

}  // namespace
}  // namespace maclane::micro
