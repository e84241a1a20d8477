// The whole path of a worker in ticks per packet: receive, parse, demux, session, rewrite,
// counters, transmit, free; one thread, ring ports, buffers recycled as a driver would.
//
//   path_bench [--case ID]... [--packets N] [--trials N] [--cpu N] [--json FILE] [--list]
//
// Each case is first checked (every frame that leaves: checksums, translation, order within its
// flow, none lost), then measured: the median of the trials. "source" is what the generator itself
// costs, measured apart and not in the path. Figures are TSC ticks.
#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <sched.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bench/path/cases.h"
#include "bench/path/feed.h"
#include "bench/path/scenarios.h"
#include "dataplane/port/eal.h"

namespace maclane::bench {
namespace {

struct Options {
  std::vector<std::string> only;
  uint64_t packets = 1u << 20;
  unsigned trials = 5;
  unsigned burst = 0;  // 0: as the case says
  int cpu = -1;
  std::string json;
  bool list = false;
  bool no_check = false;
};

struct Result {
  double path = 0, best = 0, source = 0;
  double create = 0, expire = 0;  // of sessions, where a case makes them
  uint64_t packets = 0;
};

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

/// One case being run.
class Run {
 public:
  Run(const Case& c, const Options& options)
      : case_(c),
        options_(options),
        burst_(options.burst != 0 ? options.burst : c.burst),
        world_(c.world),
        generator_(c.flows, 42) {
    if (c.prepare) c.prepare(world_);
    world_.round();
  }

  Result run() {
    if (case_.churn) return churn();
    Result r;
    if (case_.answered) open_sessions(&r);
    if (!options_.no_check) check();
    replying_ = case_.replies;
    std::vector<double> path;
    std::vector<double> source;
    (void)trial(options_.packets / 4);  // warm
    for (unsigned t = 0; t < options_.trials; ++t) {
      const auto [p, s] = trial(options_.packets);
      path.push_back(p);
      source.push_back(s);
    }
    r.path = median(path) / case_.copies;
    r.best = *std::min_element(path.begin(), path.end()) / case_.copies;
    r.source = median(source);
    r.packets = options_.packets * options_.trials;
    return r;
  }

 private:
  /// Opens every session, lets them all expire, and again.
  Result churn() {
    Result r;
    generator_.in_order(true);
    std::vector<double> open;
    std::vector<double> source;
    std::vector<double> expire;
    for (unsigned t = 0; t <= options_.trials; ++t) {
      const auto [p, s] = trial(case_.flows.count);
      if (world_.worker().sessions.size() != case_.flows.count)
        give_up(case_.id + ": some sessions are missing; " + world_.drops());
      world_.skip_time(1000 * 100);
      const uint64_t begin = rte_rdtsc();
      while (world_.worker().sessions.size() != 0) world_.round();
      const uint64_t ticks = rte_rdtsc() - begin;
      if (t == 0) continue;  // its memory was touched for the first time
      open.push_back(p);
      source.push_back(s);
      expire.push_back(static_cast<double>(ticks) / case_.flows.count);
    }
    r.path = median(open);
    r.best = *std::min_element(open.begin(), open.end());
    r.source = median(source);
    r.expire = median(expire);
    r.packets = uint64_t{case_.flows.count} * options_.trials;
    return r;
  }

  /// The answers of open_sessions() once more, in random order.
  void fill_replies(unsigned n) {
    std::array<rte_mbuf*, kBurst> m;
    if (rte_pktmbuf_alloc_bulk(Machine::get().pool(), m.data(), n) != 0)
      give_up("the packet buffers ran out: some are lost");
    for (unsigned i = 0; i < n; ++i) {
      random_ ^= random_ << 13;
      random_ ^= random_ >> 7;
      random_ ^= random_ << 17;
      const std::vector<uint8_t>& frame = replies_[((random_ >> 32) * replies_.size()) >> 32];
      m[i]->data_off = RTE_PKTMBUF_HEADROOM;
      m[i]->data_len = static_cast<uint16_t>(frame.size());
      m[i]->pkt_len = m[i]->data_len;
      std::memcpy(rte_pktmbuf_mtod(m[i], void*), frame.data(), frame.size());
    }
    rte_ring* const ring = Machine::get().port(case_.out_ports.front()).rx[0];
    if (rte_ring_sp_enqueue_bulk(ring, reinterpret_cast<void**>(m.data()), n, nullptr) != n)
      give_up("the receive ring is full");
  }

  void fill(unsigned n) {
    if (replying_) return fill_replies(n);
    if (feed(generator_, case_.in_port, n) != n) give_up("the receive ring is full");
  }

  uint64_t recycle() {
    if (replying_) return drain(case_.in_port);
    uint64_t taken = 0;
    for (const unsigned port : case_.out_ports) taken += drain(port);
    return taken;
  }

  std::pair<double, double> trial(uint64_t packets) {
    uint64_t source = 0;
    uint64_t path = 0;
    uint64_t sent = 0;
    uint64_t received = 0;
    while (sent < packets) {
      const uint64_t a = rte_rdtsc();
      fill(burst_);
      const uint64_t b = rte_rdtsc();
      world_.round();
      received += recycle();
      const uint64_t c = rte_rdtsc();
      source += b - a;
      path += c - b;
      sent += burst_;
    }
    if (received != sent * case_.copies) {
      give_up(case_.id + ": " + std::to_string(sent) + " in, " + std::to_string(received) +
              " out; " + world_.drops());
    }
    return {static_cast<double>(path) / static_cast<double>(sent),
            static_cast<double>(source) / static_cast<double>(sent)};
  }

  /// Every flow once, and for each the answer that comes back for it.
  void open_sessions(Result* r) {
    generator_.in_order(true);
    generator_.opening(case_.flows.tcp);
    const unsigned burst = std::min(burst_, kBurst - 4);  // whole ones without end are overload
    uint64_t ticks = 0;
    uint64_t made = 0;
    while (made < case_.flows.count) {
      const auto n = static_cast<unsigned>(std::min<uint64_t>(burst, case_.flows.count - made));
      fill(n);
      const uint64_t begin = rte_rdtsc();
      world_.round();
      ticks += rte_rdtsc() - begin;
      made += n;
      answer();
    }
    generator_.opening(false);
    // What comes after an answer is judged once more: established from now on. A TCP peer answers
    // that as well: a SYN's window is not scaled yet.
    for (uint64_t again = 0; again < case_.flows.count; again += burst) {
      fill(burst);
      world_.round();
      if (case_.flows.tcp)
        answer();
      else
        (void)recycle();
    }
    generator_.in_order(false);
    keep_replies_ = false;
    r->create = static_cast<double>(ticks) / static_cast<double>(made);
    if (world_.worker().sessions.size() != case_.flows.count) {
      give_up(case_.id + ": " + std::to_string(world_.worker().sessions.size()) +
              " sessions where " + std::to_string(case_.flows.count) + " are due; " +
              world_.drops());
    }
  }

  /// Turns what left round and sends it back in at the port it left by.
  void answer() {
    std::array<rte_mbuf*, kBurst> m;
    const RingPort& out = Machine::get().port(case_.out_ports.front());
    const unsigned n =
        rte_ring_sc_dequeue_burst(out.tx[0], reinterpret_cast<void**>(m.data()), m.size(), nullptr);
    const bool pppoe = case_.expected.pppoe_session != 0;
    for (unsigned i = 0; i < n; ++i) {
      turn_round(m[i], pppoe ? kPppoeOverhead : sizeof(EtherHdr));
      if (!keep_replies_) continue;
      const auto* bytes = rte_pktmbuf_mtod(m[i], const uint8_t*);
      replies_.emplace_back(bytes, bytes + m[i]->pkt_len);
    }
    (void)rte_ring_sp_enqueue_bulk(out.rx[0], reinterpret_cast<void**>(m.data()), n, nullptr);
    world_.round();
    const RingPort& back = Machine::get().port(case_.in_port);
    const unsigned answered = rte_ring_sc_dequeue_burst(
        back.tx[0], reinterpret_cast<void**>(m.data()), m.size(), nullptr);
    if (answered != n) give_up(case_.id + ": an answer did not come back; " + world_.drops());
    rte_pktmbuf_free_bulk(m.data(), answered);
  }

  void check() {
    Generator generator(case_.flows, 7);
    generator.stamp(true);
    generator.continue_from(generator_);
    std::vector<Sink> sinks;
    for (size_t i = 0; i < case_.out_ports.size(); ++i)
      sinks.emplace_back(case_.flows, case_.expected);
    const uint64_t frames = std::min<uint64_t>(uint64_t{4} * case_.flows.count + 4096, 400000);
    for (uint64_t made = 0; made < frames; made += burst_) {
      if (feed(generator, case_.in_port, burst_) != burst_) give_up("the receive ring is full");
      world_.round();
      for (size_t i = 0; i < sinks.size(); ++i)
        (void)drain(case_.out_ports[i], [&](const rte_mbuf* m) { sinks[i].take(m); });
    }
    generator_.continue_from(generator);
    uint64_t taken = 0;
    for (const Sink& sink : sinks) {
      if (!sink.mistake().empty()) give_up(case_.id + ": " + sink.mistake());
      taken += sink.taken();
    }
    if (taken != generator.made() * case_.copies) {
      give_up(case_.id + ": of " + std::to_string(generator.made() * case_.copies) + " frames " +
              std::to_string(taken) + " came out; " + world_.drops());
    }
  }

  const Case& case_;
  const Options& options_;
  const unsigned burst_;
  World world_;
  Generator generator_;
  std::vector<std::vector<uint8_t>> replies_;  // as they came in
  bool keep_replies_ = true;
  bool replying_ = false;
  uint64_t random_ = 43;
};

void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<size_t>(cpu), &set);
  if (sched_setaffinity(0, sizeof(set), &set) != 0)
    give_up("cannot run on CPU " + std::to_string(cpu) + "; name one that this process may use");
}

int main(int argc, char** argv) {
  Options options;
  CLI::App app("the worker's whole path in ticks per packet");
  app.add_option("--case", options.only, "only this case (several times: these)");
  app.add_option("--packets", options.packets, "frames of one trial");
  app.add_option("--trials", options.trials, "trials; the median counts");
  app.add_option("--burst", options.burst, "frames that wait in each round")
      ->check(CLI::Range(1u, kBurst));
  app.add_option("--cpu", options.cpu, "the CPU to run on; default: the last one");
  app.add_option("--json", options.json, "also write the figures to this file");
  app.add_flag("--list", options.list, "only list the cases");
  app.add_flag("--no-check", options.no_check, "measure without checking first");
  CLI11_PARSE(app, argc, argv);

  std::vector<Case> cases = path_cases();
  if (options.list) {
    for (const Case& c : cases) std::printf("%-16s %s\n", c.id.c_str(), c.title.c_str());
    for (const Scenario& s : scenarios()) std::printf("%-16s %s\n", s.id.c_str(), s.title.c_str());
    return 0;
  }
  const auto wanted = [&](const std::string& id) {
    return options.only.empty() ||
           std::find(options.only.begin(), options.only.end(), id) != options.only.end();
  };
  Machine::get();
  pin(options.cpu >= 0 ? options.cpu : static_cast<int>(usable_cpus().back()));
  nlohmann::json rows = nlohmann::json::array();
  std::printf("%-62s %7s %7s %7s %7s\n", "TSC ticks per packet", "path", "best", "source", "goal");
  for (const Case& c : cases) {
    if (!wanted(c.id)) continue;
    const Result r = Run(c, options).run();
    std::printf("%-62s %7.1f %7.1f %7.1f %7.0f", c.title.c_str(), r.path, r.best, r.source, c.goal);
    if (r.expire > 0) std::printf("   (expiry and release of each: %.1f)", r.expire);
    std::printf("\n");
    std::fflush(stdout);
    if (r.expire > 0) {
      rows.push_back({{"id", "expire"},
                      {"title", "expiry and release of a session"},
                      {"goal", 60},
                      {"ticks", r.expire},
                      {"packets", r.packets}});
    }
    rows.push_back({{"id", c.id},
                    {"title", c.title},
                    {"goal", c.goal},
                    {"ticks", r.path},
                    {"best", r.best},
                    {"source", r.source},
                    {"packets", r.packets}});
  }
  for (const Scenario& scenario : scenarios()) {
    if (!wanted(scenario.id)) continue;
    const double value = scenario.run();
    std::printf("%-62s %7.*f %s (goal %s %g)\n", scenario.title.c_str(), value < 10 ? 2 : 1, value,
                scenario.unit.c_str(), scenario.more_is_better ? "at least" : "at most",
                scenario.goal);
    std::fflush(stdout);
    rows.push_back({{"id", scenario.id},
                    {"title", scenario.title},
                    {"goal", scenario.goal},
                    {"ticks", value},
                    {"unit", scenario.unit},
                    {"more_is_better", scenario.more_is_better}});
  }
  if (!options.json.empty()) {
    std::ofstream(options.json) << rows.dump(2) << "\n";
  }
  return 0;
}

}  // namespace
}  // namespace maclane::bench

int main(int argc, char** argv) {
  return maclane::bench::main(argc, argv);
}
