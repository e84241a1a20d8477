// The facade: puts EAL, pools, tables, workers and ports together, and is all that control calls.
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <sys/random.h>

#include <algorithm>
#include <bit>

#include "dataplane/dataplane_impl.h"
#include "dataplane/port/attachment.h"
#include "dataplane/port/eal.h"
#include "dataplane/worker/packet.h"

namespace maclane {
namespace {

constexpr unsigned kPacketRing = 2048;
constexpr unsigned kEventRing = 4096;
constexpr unsigned kRequestRing = 1024;
constexpr unsigned kMbufCache = 256;
constexpr uint32_t kListSlots = 1u << 18;
constexpr uint32_t kCountWords = 1u << 18;

/// What EAL must be able to hand out: buffers; the FIB of the snapshot in use, the one being
/// compiled and one that waits for its readers; and what drivers take (net_tap: a pool per queue).
uint32_t memory_mb(const DataplaneConfig& config) {
  if (config.memory_mb != 0) return config.memory_mb;
  constexpr uint64_t kFibMb = 3 * (32 + 24);
  constexpr uint64_t kDriversMb = 48;
  const auto workers = static_cast<unsigned>(std::max<size_t>(config.worker_cpus.size(), 1));
  const uint64_t rings = HandoffMesh::memory_bytes(workers);
  return static_cast<uint32_t>(
      std::max<uint64_t>(((mbuf_bytes(config) + rings) >> 20) + 1 + kFibMb + kDriversMb, 256));
}

uint64_t random_seed() {
  uint64_t seed = 0;
  if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) seed = rte_rdtsc() * 0x9e3779b97f4a7c15ULL;
  return seed;
}

rte_ring* make_ring(const char* what, unsigned worker, unsigned element, unsigned count) {
  char name[RTE_RING_NAMESIZE];
  snprintf(name, sizeof(name), "%s%u", what, worker);
  return rte_ring_create_elem(name, element, count, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

}  // namespace

bool Dataplane::Impl::start_eal(std::string* error) {
  cpus = config.worker_cpus;
  if (cpus.empty()) cpus = {usable_cpus().back()};
  if (cpus.size() > kMaxWorkers) {
    *error = std::to_string(cpus.size()) + " workers are too many; at most " +
             std::to_string(kMaxWorkers);
    return false;
  }
  EalConfig eal;
  switch (config.huge_pages) {
    case DataplaneConfig::HugePages::kAuto:
      eal.pages = EalConfig::Pages::kAuto;
      break;
    case DataplaneConfig::HugePages::kYes:
      eal.pages = EalConfig::Pages::kHuge;
      break;
    case DataplaneConfig::HugePages::kNo:
      eal.pages = EalConfig::Pages::kNormal;
      break;
  }
  eal.memory_mb = memory_mb(config);
  eal.sessions_mb = static_cast<uint32_t>(
      (SessionTable::bytes_for(config.max_sessions) * cpus.size() >> 20) + 2 * cpus.size());
  eal.worker_cpus = cpus;
  eal.pci = config.pci;
  return eal_start(eal, error);
}

bool Dataplane::Impl::start(std::string* error) {
  if (!start_eal(error)) return false;
  context.workers = static_cast<uint16_t>(cpus.size());
  context.max_mtu = config.max_mtu;
  context.rss = config.rss;
  context.pool = rte_pktmbuf_pool_create("mbufs", mbuf_count(config), kMbufCache, kPrivateSize,
                                         data_room(config), SOCKET_ID_ANY);
  if (context.pool == nullptr) {
    *error = "no memory for " + std::to_string(mbuf_count(config)) + " packet buffers of " +
             std::to_string(data_room(config)) + " bytes; set fewer mbufs or more memory";
    return false;
  }
  clock = Clock::started_now();
  publisher = std::make_unique<Publisher>(context.workers);
  if (!publisher->valid()) {
    *error = "no memory for the snapshot publisher; set more memory";
    return false;
  }
  neighbours = std::make_unique<NeighbourTable>(config.max_neighbours);
  mc_filters = std::make_unique<McFilters>(random_seed());
  // A mapping has two entries, and a connection one mapping at the most.
  const uint64_t connections = uint64_t{config.max_sessions} * context.workers;
  const uint64_t slots = std::clamp<uint64_t>(std::bit_ceil(4 * connections), 1u << 12, 1u << 22);
  shared = std::make_shared<SharedTables>(kListSlots, kCountWords, static_cast<uint32_t>(slots),
                                          random_seed());
  if (!shared->mappings.valid()) {
    *error = "no memory for NAT mappings; set a smaller max-sessions";
    return false;
  }
  if (!mesh.create(context.workers, random_seed(), config.rss ? Spread::kRss : Spread::kPorts)) {
    *error = "no memory for the rings between " + std::to_string(context.workers) +
             " workers; set more memory";
    return false;
  }
  for (unsigned i = 0; i < cpus.size(); ++i) {
    if (!add_worker(i, error)) return false;
  }
  return true;
}

bool Dataplane::Impl::add_worker(unsigned id, std::string* error) {
  auto w = std::make_unique<Worker>(id, context.workers, config.max_sessions, random_seed(),
                                    *neighbours, *mc_filters, context.pool);
  if (!w->sessions.valid() || (context.workers > 1 && w->claims.capacity() == 0)) {
    *error = "no memory for " + std::to_string(config.max_sessions) +
             " sessions; set a smaller max-sessions";
    return false;
  }
  w->shared = shared;
  w->handoff = mesh.end_of(id);
  w->punt = make_ring("punt", id, sizeof(void*), kPacketRing);
  w->inject = make_ring("inject", id, sizeof(void*), kPacketRing);
  w->events = make_ring("events", id, sizeof(Event), kEventRing);
  w->requests = make_ring("requests", id, sizeof(Request), kRequestRing);
  const bool rings =
      w->punt != nullptr && w->inject != nullptr && w->events != nullptr && w->requests != nullptr;
  threads.push_back(std::make_unique<WorkerThread>(std::move(w), cpus[id], *publisher, clock));
  if (!rings) {
    *error = "no memory for the rings of worker " + std::to_string(id) + "; set more memory";
    return false;
  }
  return threads.back()->start(error);
}

void Dataplane::Impl::drain(rte_ring* ring) {
  if (ring == nullptr) return;
  void* m = nullptr;
  while (rte_ring_sc_dequeue(ring, &m) == 0) {
    drop(drops, static_cast<rte_mbuf*>(m), Drop::shutdown, kNoIf);
  }
  rte_ring_free(ring);
}

Dataplane::Dataplane() : impl_(std::make_unique<Impl>()) {}

std::unique_ptr<Dataplane> Dataplane::start(const DataplaneConfig& config, std::string* error) {
  std::unique_ptr<Dataplane> d(new Dataplane);
  d->impl_->config = config;
  if (!d->impl_->start(error)) return nullptr;
  return d;
}

Dataplane::~Dataplane() {
  for (auto& thread : impl_->threads) thread->stop();
  impl_->mesh.drain([this](rte_mbuf* m) { drop(impl_->drops, m, Drop::shutdown, kNoIf); });
  for (auto& thread : impl_->threads) {
    Worker& w = thread->worker();
    impl_->drain(w.punt);
    impl_->drain(w.inject);
    rte_ring_free(w.events);
    rte_ring_free(w.requests);
  }
  for (const PortInfo& info : impl_->ports) {
    if (info.ethdev != 0xffff) port_remove(info.ethdev);
  }
  impl_->threads.clear();
  impl_->publisher.reset();
  rte_mempool_free(impl_->context.pool);
}

bool Dataplane::add_port(const PortConfig& config, PortInfo* info, std::string* error) {
  if (!port_create(impl_->context, config, info, error)) return false;
  impl_->remember(*info);
  return true;
}

bool Dataplane::configure_port(uint16_t ethdev, const PortConfig& config, PortInfo* info,
                               std::string* error) {
  if (ethdev >= impl_->ports.size() || impl_->ports[ethdev].ethdev == 0xffff) {
    *error = "port " + std::to_string(ethdev) + " does not exist";
    return false;
  }
  PortInfo& known = impl_->ports[ethdev];
  const bool done = port_configure(ethdev, config, &known, error);
  *info = known;
  return done;
}

void Dataplane::remove_port(uint16_t ethdev) {
  port_remove(ethdev);
  if (ethdev < impl_->ports.size()) impl_->ports[ethdev] = {};
}

bool Dataplane::add_attachment(const std::string& kernel_name, const MacAddr& mac, uint16_t mtu,
                               const std::string& netns, PortInfo* info, std::string* error) {
  if (!attachment_create(impl_->context, kernel_name, mac, mtu, netns, info, error)) return false;
  impl_->remember(*info);
  return true;
}

bool Dataplane::link_up(uint16_t ethdev) const {
  return port_link_up(ethdev);
}

unsigned Dataplane::ports_left() const {
  const unsigned used = ports_in_use();
  return used < RTE_MAX_ETHPORTS ? RTE_MAX_ETHPORTS - used : 0;
}

void Dataplane::publish(std::unique_ptr<Snapshot> snapshot) {
  impl_->publisher->publish(std::move(snapshot));
}
const Snapshot* Dataplane::current() const {
  return impl_->publisher->current();
}
bool Dataplane::synchronize(unsigned timeout_ms) {
  return impl_->publisher->synchronize(timeout_ms);
}
void Dataplane::poll() {
  impl_->publisher->poll();
  // Far more than run out of time meanwhile, and too few to keep anybody waiting.
  impl_->shared->lists.sweep(now_cs(), kSweptAtOnce);
  impl_->shared->expectations.sweep(now_cs());
}

NeighbourTable& Dataplane::neighbours() {
  return *impl_->neighbours;
}
DynamicLists& Dataplane::address_lists() const {
  return impl_->shared->lists;
}
McFilters& Dataplane::mc_filters() {
  return *impl_->mc_filters;
}

unsigned Dataplane::receive(std::span<rte_mbuf*> packets) {
  // Starting with another worker each time, so that a busy one does not silence the rest.
  const unsigned workers = this->workers();
  unsigned n = 0;
  for (unsigned i = 0; i < workers && n < packets.size(); ++i) {
    Worker& w = impl_->worker((impl_->next_punt + i) % workers);
    n += rte_ring_sc_dequeue_burst(w.punt, reinterpret_cast<void**>(packets.data() + n),
                                   static_cast<unsigned>(packets.size() - n), nullptr);
  }
  impl_->next_punt = (impl_->next_punt + 1) % workers;
  return n;
}

unsigned Dataplane::receive_events(std::span<Event> events) {
  const unsigned workers = this->workers();
  unsigned n = 0;
  for (unsigned i = 0; i < workers && n < events.size(); ++i) {
    Worker& w = impl_->worker((impl_->next_event + i) % workers);
    n += rte_ring_sc_dequeue_burst_elem(w.events, events.data() + n, sizeof(Event),
                                        static_cast<unsigned>(events.size() - n), nullptr);
  }
  impl_->next_event = (impl_->next_event + 1) % workers;
  return n;
}

rte_mbuf* Dataplane::alloc_packet() {
  rte_mbuf* m = rte_pktmbuf_alloc(impl_->context.pool);
  if (m != nullptr) message_of(m) = PacketMessage{};
  return m;
}

bool Dataplane::inject(rte_mbuf* packet) {
  const PacketMessage& message = message_of(packet);
  const unsigned target = message.worker < workers() ? message.worker : 0;
  if (rte_ring_sp_enqueue(impl_->worker(target).inject, packet) == 0) return true;
  const IfIndex interface = message.out_if != kNoIf ? message.out_if : message.in_if;
  drop(impl_->drops, packet, Drop::inject_full, interface);
  return false;
}

void Dataplane::free_packet(rte_mbuf* packet, Drop reason, IfIndex in_if) {
  drop(impl_->drops, packet, reason, in_if);
}
void Dataplane::consume_packet(rte_mbuf* packet) {
  finish(packet);
}

bool Dataplane::request(unsigned worker, const Request& request) {
  if (worker >= workers()) return false;
  return rte_ring_sp_enqueue_elem(impl_->worker(worker).requests, const_cast<Request*>(&request),
                                  sizeof(Request)) == 0;
}

}  // namespace maclane
