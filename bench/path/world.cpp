#include "bench/path/world.h"

#include <rte_cycles.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <cstdio>
#include <cstdlib>

#include "control/door/yaml.h"
#include "dataplane/port/eal.h"

namespace maclane::bench {
namespace {

constexpr unsigned kBuffers = 32768;
constexpr unsigned kBufferCache = 512;
constexpr uint32_t kNeighbours = 65536;

std::string text_of(const Errors& errors) {
  std::string all;
  for (const Error& e : errors) all += e.text() + "\n";
  return all;
}

}  // namespace

void give_up(const std::string& sentence) {
  std::fprintf(stderr, "path_bench: %s\n", sentence.c_str());
  std::exit(1);
}

Machine& Machine::get() {
  static Machine machine;
  return machine;
}

Machine::Machine() {
  EalConfig config;
  config.memory_mb = 700;
  std::string error;
  if (!eal_start(config, &error)) give_up(error);
  pool_ = rte_pktmbuf_pool_create("bench", kBuffers, kBufferCache, kPrivateSize,
                                  2048 + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
  if (pool_ == nullptr) give_up("no memory for the packet buffers; free huge pages or memory");
  for (unsigned i = 0; i < kRingPorts; ++i) {
    RingPort& p = ports_[i];
    const std::string n = std::to_string(i);
    for (unsigned q = 0; q < kQueues; ++q) {
      const std::string name = n + "." + std::to_string(q);
      constexpr unsigned kFlags = RING_F_SP_ENQ | RING_F_SC_DEQ;
      p.rx[q] = rte_ring_create(("rx" + name).c_str(), kRingSize, SOCKET_ID_ANY, kFlags);
      p.tx[q] = rte_ring_create(("tx" + name).c_str(), kRingSize, SOCKET_ID_ANY, kFlags);
      if (p.rx[q] == nullptr || p.tx[q] == nullptr) give_up("no memory for the rings");
    }
    const int port = rte_eth_from_rings(("bench" + n).c_str(), p.rx.data(), kQueues, p.tx.data(),
                                        kQueues, SOCKET_ID_ANY);
    if (port < 0) give_up("DPDK made no port of the rings");
    p.ethdev = static_cast<uint16_t>(port);
    rte_eth_conf conf{};
    bool started = rte_eth_dev_configure(p.ethdev, kQueues, kQueues, &conf) == 0;
    for (uint16_t q = 0; q < kQueues; ++q) {
      started =
          started &&
          rte_eth_rx_queue_setup(p.ethdev, q, kRingSize, SOCKET_ID_ANY, nullptr, pool_) == 0 &&
          rte_eth_tx_queue_setup(p.ethdev, q, kRingSize, SOCKET_ID_ANY, nullptr) == 0;
    }
    if (!started || rte_eth_dev_start(p.ethdev) != 0) give_up("a ring port did not start");
  }
}

PortInfo Machine::info(unsigned i, unsigned queues) const {
  PortInfo info;
  info.ethdev = ports_[i].ethdev;
  info.device = "ring" + std::to_string(i);
  info.mac = {{0x02, 0xee, 0, 0, 0, static_cast<uint8_t>(i)}};
  info.max_mtu = 1500;
  info.queues = static_cast<uint16_t>(queues);
  info.multi_segment = true;
  info.gates_on_link = false;
  return info;
}

World::World(const WorldConfig& config)
    : config_(config), neighbours_(kNeighbours), mc_filters_(1), publisher_(config.workers) {
  Machine& machine = Machine::get();
  if (!mesh_.create(config.workers, rte_rdtsc())) give_up("no memory for the handoff rings");
  clock_ = Clock::started_now();
  for (unsigned i = 0; i < config.workers; ++i) {
    workers_.push_back(std::make_unique<Worker>(i, config.workers, config.max_sessions, rte_rdtsc(),
                                                neighbours_, mc_filters_, machine.pool()));
    if (!workers_[i]->sessions.valid())
      give_up("no memory for " + std::to_string(config.max_sessions) + " sessions");
    workers_[i]->shared = workers_.front()->shared;
    workers_[i]->handoff = mesh_.end_of(i);
    loops_.push_back(std::make_unique<LoopState>());
  }
  publish(config.yaml);
  for (unsigned i = 0; i < config.workers; ++i) publisher_.online(i);
}

void World::publish(const std::string& yaml) {
  auto loaded = door::load_yaml_text(yaml, "benchmark");
  if (!loaded) give_up(text_of(loaded.error()));
  if (Errors errors = model::validate(loaded->tree); !errors.empty()) give_up(text_of(errors));
  compile::LearnedState learned;
  learned.workers = config_.workers;
  unsigned next = 0;
  model::for_each(loaded->tree, "/interface/ethernet", [&](const model::View& row) {
    learned.ethernets[std::string(row.raw("name"))] = {Machine::get().info(next++, config_.workers),
                                                       true};
  });
  for (const auto& [name, port] : config_.attachments) {
    learned.attachments[name] = Machine::get().info(port, config_.workers);
  }
  auto compiled =
      compile::compile_tree(loaded->tree, learned, state_.get(), compile::rte_fib_builders());
  if (!compiled) give_up(text_of(compiled.error()));
  state_ = std::move(compiled->state);
  publisher_.publish(std::move(compiled->snapshot));
}

void World::reload(const std::string& yaml) {
  publish(yaml);
}

void World::round(unsigned worker) {
  Now now = clock_.at(rte_rdtsc());
  now.cs += skipped_cs_;
  (void)loop_round(*workers_[worker], *loops_[worker], publisher_, now);
}

std::unique_ptr<WorkerThread> World::start_thread(unsigned cpu) {
  publisher_.offline(0);
  auto thread =
      std::make_unique<WorkerThread>(std::move(workers_.front()), cpu, publisher_, clock_);
  std::string error;
  if (!thread->start(&error)) give_up(error);
  return thread;
}

IfIndex World::interface(std::string_view name) const {
  return state_->names.index_of(name);
}

void World::neighbour(std::string_view name, uint32_t address, const MacAddr& mac) {
  neighbours_.set(interface(name), be32::from(address), mac, NeighState::kPermanent);
}

std::string World::drops() const {
  std::string text;
  for (unsigned reason = 0; reason < kDropCount; ++reason) {
    uint64_t sum = 0;
    for (const auto& w : workers_) {
      for (const auto& by_reason : w->counters.drops) sum += by_reason[reason];
    }
    if (sum == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(sum) + " " +
            std::string(drop_name(static_cast<Drop>(reason)));
  }
  return text;
}

}  // namespace maclane::bench
