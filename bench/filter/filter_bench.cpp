// What the rules cost a new flow: one walk of a chain, by the number of rules, with and without the
// index. Rules are of mixed kinds (networks and hosts, protocol, ports, interfaces), packets are
// many different ones. `tsc` is ticks per walk, `candidates` the rules a walk looks at.
//
//   build/bench/filter/filter_bench --benchmark_filter=Walk
#include <benchmark/benchmark.h>
#include <rte_cycles.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "dataplane/stage/filter.h"
#include "dataplane/table/rule_index.h"

namespace maclane {
namespace {

enum Target : int64_t { kLastRule, kAnyRule };

constexpr size_t kBatch = 64;

struct Load {
  RuleSet set;
  std::vector<RuleKey> keys;
};

AddressRange prefix(uint32_t address, unsigned length) {
  const uint32_t hosts = length == 0 ? ~0U : ~(~0U << (32 - length));
  return {address & ~hosts, address | hosts};
}

/// A rule as people write them, and a packet it matches.
Rule make_rule(std::mt19937& random, RuleSet& set, RuleKey& key) {
  Rule r;
  r.action = random() % 2 != 0 ? Action::kAccept : Action::kDrop;
  key.src = 0x0a000000 | (random() & 0x00ffffff);
  key.dst = random() % 2 != 0 ? 0xc0a80000 | (random() & 0xffff) : static_cast<uint32_t>(random());
  key.sport = static_cast<uint16_t>(32768 + random() % 28000);
  key.dport = static_cast<uint16_t>(random() % 4 == 0 ? 443 : 1 + random() % 10000);
  key.proto = random() % 4 == 0 ? 17 : 6;
  key.in_if = static_cast<IfIndex>(1 + random() % 64);
  key.out_if = static_cast<IfIndex>(1 + random() % 4);
  r.protocol = key.proto;
  const auto with_port = [&](unsigned span) {
    r.match |= Rule::kDstPort | Rule::kProtocol;
    r.dst_ports = static_cast<uint32_t>(set.ports.size());
    r.dst_port_count = 1;
    set.ports.push_back({key.dport, static_cast<uint16_t>(key.dport + span)});
  };
  switch (random() % 6) {
    case 0:  // a client network to a service
      r.match = Rule::kSrc;
      r.src = prefix(key.src, 24);
      with_port(0);
      break;
    case 1:  // a service on a host
      r.match = Rule::kDst;
      r.dst = prefix(key.dst, 32);
      with_port(0);
      break;
    case 2:  // network to network
      r.match = Rule::kSrc | Rule::kDst;
      r.src = prefix(key.src, static_cast<unsigned>(16 + random() % 9));
      r.dst = prefix(key.dst, static_cast<unsigned>(20 + random() % 9));
      break;
    case 3:  // a host
      r.match = Rule::kSrc;
      r.src = prefix(key.src, 32);
      break;
    case 4:  // a vport to a range of ports
      r.match = Rule::kInInterface | Rule::kDst;
      r.in_if = key.in_if;
      r.dst = prefix(key.dst, 24);
      with_port(static_cast<unsigned>(random() % 100));
      break;
    default:  // anybody's packets of one protocol to a network
      r.match = Rule::kDst | Rule::kProtocol | Rule::kOutInterface;
      r.out_if = key.out_if;
      r.dst = prefix(key.dst, 22);
      break;
  }
  return r;
}

Load make(uint32_t count, bool indexed, Target target) {
  constexpr unsigned kPackets = 4096;
  std::mt19937 random(1);
  Load load;
  std::vector<RuleKey> of_rules;
  for (uint32_t i = 0; i + 1 < count; ++i) {
    RuleKey key;
    load.set.rules.push_back(make_rule(random, load.set, key));
    of_rules.push_back(key);
  }
  load.set.rules.emplace_back().action = Action::kDrop;  // of everything else
  of_rules.push_back({});
  load.set.chains.push_back({0, count, "forward"});
  load.set.forward = 0;
  for (uint32_t i = 0; i < count; ++i) load.set.rules[i].counter = i;
  while (load.keys.size() < kPackets) {
    RuleKey key = of_rules[random() % count];
    if (target == kLastRule) {  // from and to where no rule looks
      RuleSet scratch;
      make_rule(random, scratch, key);
      key.src = 0xac100000 | (random() & 0xfffff);
      key.dst = 0xe0000000 | static_cast<uint32_t>(random());
    }
    load.keys.push_back(key);
  }
  if (indexed) load.set.chains[0].index = RuleIndex::build(load.set, 0, count, 1);
  return load;
}

void Walk(benchmark::State& state) {
  const auto count = static_cast<uint32_t>(state.range(0));
  const bool indexed = state.range(1) != 0;
  Load load = make(count, indexed, static_cast<Target>(state.range(2)));
  const auto record = std::make_unique<WalkRecord>();
  size_t next = 0;
  std::vector<uint64_t> batches;  // ticks of each; the median leaves out what others interrupted
  uint64_t begin = rte_rdtsc();
  for (auto _ : state) {
    record->clear();
    walk_chain(&load.set, 0, RuleTable::kFilter, load.keys[next], *record);
    benchmark::DoNotOptimize(record->verdict);
    next = (next + 1) % load.keys.size();
    if (next % kBatch != 0) continue;
    const uint64_t now = rte_rdtsc();
    batches.push_back(now - begin);
    begin = now;
  }
  if (!batches.empty()) {
    const auto middle = batches.begin() + static_cast<ptrdiff_t>(batches.size() / 2);
    std::nth_element(batches.begin(), middle, batches.end());
    state.counters["tsc"] = static_cast<double>(*middle) / kBatch;
  }
  const RuleIndex* index = load.set.chains[0].index.get();
  if (index == nullptr) return;
  uint64_t candidates = 0;
  for (RuleKey& key : load.keys) {
    RuleIndex::Cursor cursor;
    cursor.start(*index,
                 {key.dst, key.src, key.dport, key.sport, key.in_if, key.out_if, key.proto});
    record->clear();
    walk_chain(&load.set, 0, RuleTable::kFilter, key, *record);
    const auto last = static_cast<uint16_t>(record->verdict.rule - load.set.rules.data());
    uint16_t position = 0;
    do {
      position = cursor.next();
      ++candidates;
    } while (position < last);
  }
  state.counters["candidates"] =
      static_cast<double>(candidates) / static_cast<double>(load.keys.size());
}
BENCHMARK(Walk)
    ->ArgNames({"rules", "indexed", "any"})
    ->ArgsProduct({{1, 25, 100, 1000, 10000}, {0, 1}, {kLastRule, kAnyRule}});
// Where the index begins to pay: kFewRules.
BENCHMARK(Walk)
    ->Name("Crossing")
    ->ArgNames({"rules", "indexed", "any"})
    ->ArgsProduct({{4, 8, 12, 16, 20, 24, 32}, {0, 1}, {kLastRule, kAnyRule}});

void Build(benchmark::State& state) {
  const auto count = static_cast<uint32_t>(state.range(0));
  const Load load = make(count, false, kLastRule);
  size_t bytes = 0;
  for (auto _ : state) {
    const auto index = RuleIndex::build(load.set, 0, count);
    bytes = index->bytes();
  }
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(Build)->Arg(100)->Arg(1000)->Arg(10000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace maclane

BENCHMARK_MAIN();
