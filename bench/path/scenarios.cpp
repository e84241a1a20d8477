#include "bench/path/scenarios.h"

#include <fmt/format.h>
#include <rte_cycles.h>
#include <rte_lcore.h>
#include <sched.h>
#include <time.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "bench/path/cases.h"
#include "bench/path/feed.h"
#include "dataplane/port/eal.h"

namespace maclane::bench {
namespace {

constexpr unsigned kLan = 1;  // ring ports
constexpr unsigned kWan = 0;

Case masquerade_case(uint32_t flows, uint32_t max_sessions) {
  Case c = routed_case("", "", 0,
                       filter_rules(25) +
                           "    nat:\n      - {chain: srcnat, out-interface: out, "
                           "action: masquerade}\n");
  c.flows.count = flows;
  c.world.max_sessions = max_sessions;
  return c;
}

void open_flows(World& world, Generator& generator, uint32_t flows) {
  generator.in_order(true);
  for (uint32_t made = 0; made < flows;
       made += feed(generator, kLan, std::min(32u, flows - made))) {
    world.round();
    (void)drain(kWan);
  }
  world.round();
  (void)drain(kWan);
  generator.in_order(false);
}

/// Frames arrive at a fixed rate in the time the worker takes, as they would at a NIC with a ring
/// of 1024; making them takes no time. Returns the percentage of the established flows' frames that
/// came out, while `garbage` sends ten for each of theirs.
double storm(const Flows& garbage_flows) {
  constexpr double kEstablishedPps = 0.5e6;
  constexpr unsigned kGarbage = 10;
  constexpr uint32_t kFlows = 1000;
  const Case c = masquerade_case(kFlows, 262144);
  World world(c.world);
  c.prepare(world);
  world.round();
  Generator established(c.flows, 3);
  open_flows(world, established, kFlows);
  Generator garbage(garbage_flows, 5);
  garbage.in_order(true);
  const double ticks_per_frame =
      static_cast<double>(rte_get_tsc_hz()) / (kEstablishedPps * (kGarbage + 1));
  const uint64_t interruption = rte_get_tsc_hz() / 10000;
  const uint64_t before = world.worker().sessions.size();
  uint64_t offered = 0;
  uint64_t lost = 0;
  double due = 0;
  uint64_t turn = 0;
  while (offered < 400000) {
    const auto begin = rte_rdtsc();
    world.round();
    const uint64_t took = rte_rdtsc() - begin;
    // No round takes a tenth of this: the machine ran something else meanwhile.
    if (took < interruption) due += static_cast<double>(took) / ticks_per_frame;
    for (; due >= 1; due -= 1, ++turn) {
      if (turn % (kGarbage + 1) != 0) {
        (void)feed(garbage, kLan, 1);
        continue;
      }
      ++offered;
      if (feed(established, kLan, 1) != 1) ++lost;
    }
    (void)drain(kWan);
    (void)drain(kLan);
  }
  if (world.worker().sessions.size() < before) give_up("the established flows went");
  return 100.0 * static_cast<double>(offered - lost) / static_cast<double>(offered);
}

Flows new_flows() {
  Flows f = masquerade_case(1, 1024).flows;
  f.src_base += 1u << 17;
  f.count = 1u << 30;
  return f;
}

Flows broadcasts() {
  Flows f = new_flows();
  f.dst_macs = {MacAddr{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}};
  return f;
}

void pin_thread(unsigned cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  (void)sched_setaffinity(0, sizeof(set), &set);
}

/// A worker on the last CPU under full load while this thread reloads. Milliseconds from the file's
/// text to the first packet under it; ends the program if a packet is lost.
double reload() {
  const Case c = masquerade_case(10000, 65536);
  std::string large = c.world.yaml;
  std::string vports;
  for (unsigned i = 0; i < 1000; ++i) {
    vports += fmt::format(
        "    - {{name: w{}, interface: wan, mac-address: \"02:77:00:00:{:02x}:{:02x}\"}}\n", i,
        i >> 8, i & 255);
  }
  const std::string rules = filter_rules(25);
  large.replace(large.find(rules), rules.size(), filter_rules(10000));
  large.insert(large.find("ip:\n"), vports);

  World world(c.world);
  c.prepare(world);
  world.round();
  Generator generator(c.flows, 3);
  open_flows(world, generator, 10000);
  std::atomic<bool> stop{false};
  std::atomic<uint32_t> seen{0};
  uint64_t sent = 0;
  uint64_t received = 0;
  const uint32_t first = world.snapshot().generation;
  std::thread worker([&] {
    pin_thread(usable_cpus().back());
    (void)rte_thread_register();
    while (!stop.load(std::memory_order_relaxed)) {
      sent += feed(generator, kLan, kBurst);
      world.round();
      received += drain(kWan);
      seen.store(world.worker().snapshot->generation, std::memory_order_relaxed);
    }
    rte_thread_unregister();
  });
  pin_thread(usable_cpus().front());
  while (seen.load(std::memory_order_relaxed) != first) std::this_thread::yield();
  double worst = 0;
  for (unsigned i = 0; i < 4; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    world.reload(i % 2 == 0 ? large : c.world.yaml);
    const uint32_t generation = world.snapshot().generation;
    while (seen.load(std::memory_order_relaxed) != generation) std::this_thread::yield();
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    if (i % 2 == 0) worst = std::max(worst, took.count());
  }
  stop = true;
  worker.join();
  pin_thread(usable_cpus().back());
  if (sent != received) {
    give_up(fmt::format("reload: {} of {} packets were lost; {}", sent - received, sent,
                        world.drops()));
  }
  return worst;
}

/// A worker's thread with nothing to do: its CPU time in percent, and how long the first packet
/// after a lull takes, in microseconds: the slowest of 99 in 100.
struct Idle {
  double cpu = 0;
  double latency_us = 0;
};

Idle idle() {
  static const Idle measured = [] {
    const Case c = masquerade_case(1000, 16384);
    World world(c.world);
    c.prepare(world);
    Generator generator(c.flows, 3);
    const auto thread = world.start_thread(usable_cpus().back());
    pin_thread(usable_cpus().front());
    const auto cpu_ns = [] {  // of this thread, which sleeps meanwhile, and the worker's
      timespec t{};
      clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
      return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
    };
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const double cpu_before = cpu_ns();
    std::this_thread::sleep_for(std::chrono::seconds(1));
    Idle result;
    result.cpu = (cpu_ns() - cpu_before) / 1e7;
    std::vector<double> us;
    const double ticks_per_us = static_cast<double>(rte_get_tsc_hz()) / 1e6;
    for (unsigned i = 0; i < 300; ++i) {
      std::this_thread::sleep_for(std::chrono::microseconds(3000 + i * 7));
      const uint64_t begin = rte_rdtsc();
      (void)feed(generator, kLan, 1);
      while (drain(kWan) == 0) {
      }
      us.push_back(static_cast<double>(rte_rdtsc() - begin) / ticks_per_us);
    }
    thread->stop();
    pin_thread(usable_cpus().back());
    std::sort(us.begin(), us.end());
    result.latency_us = us[us.size() * 99 / 100];
    return result;
  }();
  return measured;
}

/// Frames a second of worker 0 alone and of both, each with a generator and sink of its own on its
/// thread. `sorted`: each worker receives the flows whose home it is, as from a NIC that spreads
/// them; otherwise it hands half of them to the other. Returns both against one.
double two_workers(bool sorted) {
  const std::vector<unsigned> cpus = usable_cpus();
  if (cpus.size() < 2) give_up("two workers take two CPUs");
  constexpr uint32_t kFlows = 20000;
  constexpr uint64_t kFrames = 3000000;
  Case c = masquerade_case(kFlows, 65536);
  c.world.workers = 2;
  World world(c.world);
  c.prepare(world);
  std::array<std::vector<uint32_t>, 2> own;
  std::array<std::vector<uint32_t>, 2> mixed;
  for (uint32_t n = 0; n < kFlows; ++n) {
    const FlowTuple t = flow_tuple(c.flows, n);
    const Tuple tuple{be32::from(t.src), be32::from(t.dst), be16::from(t.sport),
                      be16::from(t.dport), kProtoUdp};
    own[world.worker().handoff.home.of(tuple)].push_back(n);
    mixed[n % 2].push_back(n);
  }
  const auto run = [&](unsigned workers, const std::array<std::vector<uint32_t>, 2>& flows) {
    std::atomic<unsigned> ready{0};
    std::atomic<uint64_t> out{0};
    std::atomic<unsigned> done{0};
    std::array<double, 2> seconds{};
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < workers; ++i) {
      threads.emplace_back([&, i] {
        pin_thread(cpus[cpus.size() - 1 - i]);
        (void)rte_thread_register();
        Generator generator(c.flows, 3 + i);
        generator.only(flows[i]);
        generator.in_order(true);
        const auto turn = [&](unsigned n) {
          const unsigned fed = feed(generator, kLan, n, i);
          world.round(i);
          out += drain(kWan, i);
          return fed;
        };
        for (uint64_t made = 0; made < 2 * flows[i].size();) made += turn(32);
        generator.in_order(false);
        ++ready;
        while (ready != workers) turn(kBurst);
        const auto begin = std::chrono::steady_clock::now();
        for (uint64_t made = 0; made < kFrames;) made += turn(kBurst);
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
        seconds[i] = took.count();
        ++done;
        while (done != workers) turn(kBurst);
        for (unsigned n = 0; n < 1000; ++n) turn(0);
        rte_thread_unregister();
      });
    }
    for (std::thread& t : threads) t.join();
    double rate = 0;
    for (unsigned i = 0; i < workers; ++i) rate += kFrames / seconds[i];
    return rate;
  };
  const double one = run(1, own);
  return run(2, sorted ? own : mixed) / one;
}

double bytes_per_session() {
  const SessionTable table(1u << 20, 1);
  return static_cast<double>(table.memory_bytes()) / static_cast<double>(table.capacity());
}

}  // namespace

std::vector<Scenario> scenarios() {
  return {
      {"memory", "memory per session, all in", "bytes", 160, false, bytes_per_session},
      {"storm-new", "established flows kept, ten times as much new-flow garbage", "%", 99.9, true,
       [] { return storm(new_flows()); }},
      {"storm-broadcast", "established flows kept, ten times as much broadcast", "%", 99.9, true,
       [] { return storm(broadcasts()); }},
      {"two-workers", "two workers against one, same work per worker", "times", 1.9, true,
       [] { return two_workers(true); }},
      {"two-workers-handoff", "the same, half of the packets handed to the other", "times", 0, true,
       [] { return two_workers(false); }},
      {"reload", "10,000 rules and 1000 vports in effect under full load, none lost", "ms", 250,
       false, reload},
      {"idle-cpu", "a worker with nothing to do", "% CPU", 5, false, [] { return idle().cpu; }},
      {"idle-latency", "first packet after idle, 99 in 100", "us", 100, false,
       [] { return idle().latency_us; }},
  };
}

}  // namespace maclane::bench
