#include "tests/unit/workers/world.h"

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mempool.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "dataplane/port/eal.h"
#include "dataplane/worker/packet.h"

namespace maclane::test {
namespace {

constexpr unsigned kPool = 16383;
constexpr unsigned kQueue = 4096;

MacAddr mac(uint8_t last) {
  return {{0x02, 0, 0, 0, 0, last}};
}

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::abort();
}

rte_ring* ring(const std::string& name) {
  rte_ring* r = rte_ring_create(name.c_str(), kQueue, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
  if (r == nullptr) give_up("no ring " + name);
  return r;
}

RingPort make_port(const std::string& name, uint16_t queues, rte_mempool* pool) {
  RingPort port;
  for (unsigned q = 0; q < queues; ++q) {
    port.rx[q] = ring(name + "-rx" + std::to_string(q));
    port.tx[q] = ring(name + "-tx" + std::to_string(q));
  }
  const int id =
      rte_eth_from_rings(name.c_str(), port.rx.data(), queues, port.tx.data(), queues, 0);
  if (id < 0) give_up("no port " + name);
  port.ethdev = static_cast<uint16_t>(id);
  const rte_eth_conf conf = {};
  if (rte_eth_dev_configure(port.ethdev, queues, queues, &conf) != 0) give_up("configure");
  for (uint16_t q = 0; q < queues; ++q) {
    if (rte_eth_rx_queue_setup(port.ethdev, q, kQueue, 0, nullptr, pool) != 0 ||
        rte_eth_tx_queue_setup(port.ethdev, q, kQueue, 0, nullptr) != 0)
      give_up("queue setup");
  }
  if (rte_eth_dev_start(port.ethdev) != 0) give_up("start");
  return port;
}

Rule rule(Action action, uint32_t match, uint32_t counter) {
  Rule r;
  r.action = action;
  r.match = match;
  r.counter = counter;
  return r;
}

/// What comes to the wan address at a port goes to the PC.
Rule published(uint8_t protocol, uint16_t port, uint16_t to, RuleSet& set, uint32_t counter) {
  Rule r = rule(Action::kDstNat, Rule::kInInterface | Rule::kProtocol, counter);
  r.in_if = kWan;
  r.protocol = protocol;
  RuleMore more;
  more.to_addresses = {kPc, kPc};
  if (port != 0) {
    r.match |= Rule::kDstPort;
    r.dst_ports = static_cast<uint32_t>(set.ports.size());
    r.dst_port_count = 1;
    set.ports.push_back({port, port});
    more.to_port_first = more.to_port_last = to;
  }
  set.add_more(r, more);
  return r;
}

}  // namespace

Machine& machine(const char* pool_ops) {
  static Machine made = [&] {
    Machine m;
    std::string error;
    EalConfig config;
    config.pages = EalConfig::Pages::kNormal;
    config.memory_mb = 256;
    if (!eal_start(config, &error)) give_up(error);
    m.pool = rte_pktmbuf_pool_create_by_ops("workers", kPool, 0, kPrivateSize,
                                            2048 + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY, pool_ops);
    if (m.pool == nullptr) give_up("no pool");
    m.ports[kLan] = make_port("lan", kWorkers, m.pool);
    m.ports[kWan] = make_port("wan", kWorkers, m.pool);
    m.ports[kIot] = make_port("iot", 1, m.pool);
    return m;
  }();
  return made;
}

World::World(unsigned workers_wanted, uint32_t max_sessions, uint64_t home_seed, Spread spread) {
  Machine& m = machine();
  neighbours = std::make_unique<NeighbourTable>(64);
  filters = std::make_unique<McFilters>(7);
  make_snapshot();
  if (!mesh.create(workers_wanted, home_seed, spread)) give_up("no mesh");
  for (unsigned i = 0; i < workers_wanted; ++i) {
    workers.push_back(std::make_unique<Worker>(i, workers_wanted, max_sessions, 42 + i, *neighbours,
                                               *filters, m.pool));
    Worker& w = *workers.back();
    w.shared = workers.front()->shared;
    w.handoff = mesh.end_of(i);
    take_up(w, &snapshot);
    w.now = {1, 100};
    w.inject = ring("inject" + std::to_string(i));
    w.punt = ring("punt" + std::to_string(i));
    w.requests = rte_ring_create_elem(("requests" + std::to_string(i)).c_str(), sizeof(Request), 64,
                                      SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
    states.push_back(std::make_unique<LoopState>());
    for (IfIndex port = kLan; port <= kWan; ++port) {
      snapshot.rx[i].push_back({static_cast<uint16_t>(port - 1), static_cast<uint16_t>(i)});
    }
  }
  snapshot.rx[0].push_back({kIot - 1, 0});
}

World::~World() {
  run();
  for (auto& w : workers) {
    w->fragments.expire(
        {1, w->now.cs + 1000000}, 100000, [](void*, rte_mbuf* p, IfIndex, Drop) { finish(p); },
        nullptr);
    void* p = nullptr;
    while (rte_ring_dequeue(w->punt, &p) == 0) finish(static_cast<rte_mbuf*>(p));
    rte_ring_free(w->inject);
    rte_ring_free(w->punt);
    rte_ring_free(w->requests);
  }
  for (IfIndex i = kLan; i <= kIot; ++i) (void)sent(i);
  if (rte_mempool_avail_count(machine().pool) != kPool) give_up("packets leaked");
}

void World::make_snapshot() {
  Snapshot& s = snapshot;
  s.generation = 1;
  s.interfaces.resize(kPorts + 1);
  s.domains.resize(kPorts);
  const std::array<uint32_t, kPorts + 1> own = {0, ip4(192, 168, 88, 1), kWanIp,
                                                ip4(192, 168, 99, 1)};
  for (IfIndex i = kLan; i <= kIot; ++i) {
    const auto number = static_cast<uint16_t>(i - 1);
    Interface& f = s.interfaces[i];
    f.kind = IfKind::kEthernet;
    f.up = true;
    f.port = f.domain = number;
    f.mac = mac(static_cast<uint8_t>(i));
    f.primary_address = be32::from(own[i]);
    s.domains[number].parent = i;
    s.domains[number].port = number;
    s.domains[number].macs.insert(f.mac, i);
    Port port;
    port.ethdev = machine().ports[i].ethdev;
    port.interface = i;
    port.domain = number;
    if (i == kIot) port.tx_queues = 1;
    s.ports.push_back(port);
  }
  using Kind = NextHop::Kind;
  s.next_hops = {{},
                 {Kind::kLocal, kLan, {}, {}, {}},
                 {Kind::kLocal, kWan, {}, {}, {}},
                 {Kind::kLocal, kIot, {}, {}, {}},
                 {Kind::kConnected, kLan, {}, {}, {}},
                 {Kind::kConnected, kIot, {}, {}, {}},
                 {Kind::kGateway, kWan, be32::from(ip4(203, 0, 113, 1)), {}, {}}};
  const std::vector<Fib4Route> routes = {{own[kLan], 32, 1},
                                         {own[kWan], 32, 2},
                                         {own[kIot], 32, 3},
                                         {ip4(192, 168, 88, 0), 24, 4},
                                         {ip4(192, 168, 99, 0), 24, 5},
                                         {0, 0, 6}};
  std::string error;
  s.fib = Fib4::build(routes, &error, true);
  if (s.fib == nullptr) give_up(error);
  for (auto& t : s.timeouts) t = 1000;
  for (uint32_t host : {kPc, kPc2})
    neighbours->set(kLan, be32::from(host), mac(0x10), NeighState::kPermanent);
  neighbours->set(kWan, be32::from(ip4(203, 0, 113, 1)), mac(0x11), NeighState::kPermanent);
  neighbours->set(kIot, be32::from(kIotHost), mac(0x12), NeighState::kPermanent);

  auto nat = std::make_shared<RuleSet>();
  Rule masquerade = rule(Action::kMasquerade, Rule::kOutInterface, 1);
  masquerade.out_if = kWan;
  nat->rules = {masquerade, published(kProtoTcp, 8080, 80, *nat, 2),
                published(kProtoUdp, 8080, 80, *nat, 3), published(kProtoUdp, 5060, 5060, *nat, 4),
                published(kProtoGre, 0, 0, *nat, 5)};
  nat->chains = {{0, 1, "srcnat"}, {1, 4, "dstnat"}};
  nat->srcnat = 0;
  nat->dstnat = 1;
  s.nat = nat;
}

uint16_t World::port_with_home(uint16_t from, uint16_t with, unsigned worker) const {
  while (home(from, with) != worker) ++from;
  return from;
}

rte_mbuf* World::frame(IfIndex in_if, const Bytes& packet) {
  rte_mbuf* m = rte_pktmbuf_alloc(machine().pool);
  if (m == nullptr) return nullptr;
  auto* eth = reinterpret_cast<EtherHdr*>(rte_pktmbuf_append(m, sizeof(EtherHdr)));
  *eth = {mac(static_cast<uint8_t>(in_if)), mac(0x20), be16::from(kEtherIp4)};
  std::memcpy(rte_pktmbuf_append(m, static_cast<uint16_t>(packet.size())), packet.data(),
              packet.size());
  return m;
}

void World::receive(IfIndex in_if, unsigned queue, const Bytes& packet) {
  rte_mbuf* m = frame(in_if, packet);
  if (m == nullptr || rte_ring_enqueue(machine().ports[in_if].rx[queue], m) != 0)
    give_up("the queue is full");
}

void World::run_one(unsigned worker, unsigned rounds) {
  for (unsigned i = 0; i < rounds; ++i) (void)loop_once(at(worker), *states[worker]);
}

void World::run(unsigned rounds) {
  for (unsigned i = 0; i < rounds; ++i) {
    for (unsigned worker = 0; worker < count(); ++worker) run_one(worker);
  }
}

std::vector<World::Sent> World::sent(IfIndex out_if) {
  std::vector<Sent> all;
  const RingPort& port = machine().ports[out_if];
  for (unsigned q = 0; q < kWorkers && port.tx[q] != nullptr; ++q) {
    void* p = nullptr;
    while (rte_ring_dequeue(port.tx[q], &p) == 0) {
      auto* m = static_cast<rte_mbuf*>(p);
      const auto* data = rte_pktmbuf_mtod(m, const uint8_t*);
      MacAddr to;
      std::memcpy(&to, data, sizeof(to));
      all.push_back({q, Bytes(data + sizeof(EtherHdr), data + m->data_len), to});
      finish(m);
    }
  }
  return all;
}

std::vector<Bytes> World::pass(IfIndex in_if, unsigned queue, const Bytes& packet, IfIndex out_if) {
  receive(in_if, queue, packet);
  run();
  std::vector<Bytes> packets;
  for (Sent& s : sent(out_if)) packets.push_back(std::move(s.packet));
  return packets;
}

unsigned World::sessions() const {
  unsigned n = 0;
  for (const auto& w : workers) n += w->sessions.size();
  return n;
}
unsigned World::claims() const {
  unsigned n = 0;
  for (const auto& w : workers) n += w->claims.size();
  return n;
}
uint64_t World::drops(Drop reason) const {
  uint64_t n = 0;
  for (const auto& w : workers) {
    for (const auto& row : w->counters.drops) n += row[static_cast<unsigned>(reason)];
  }
  return n;
}
uint64_t World::handed() const {
  uint64_t n = 0;
  for (const auto& w : workers) n += w->handoff.handed;
  return n;
}
void World::later(uint32_t centiseconds) {
  for (auto& w : workers) w->now.cs += centiseconds;
}

}  // namespace maclane::test
