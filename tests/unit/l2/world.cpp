#include "tests/unit/l2/world.h"

#include <rte_ethdev.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include "dataplane/port/eal.h"
#include "dataplane/port/ethdev.h"
#include "dataplane/stage/flood.h"
#include "dataplane/stage/l2.h"
#include "dataplane/worker/packet.h"

namespace maclane {
namespace {

constexpr unsigned kPorts = 4;

/// One per process, as EAL is: pool, punt ring and four ports.
struct Machine {
  rte_mempool* pool = nullptr;
  rte_ring* punt = nullptr;
  std::array<PortInfo, kPorts> ports;
};

Machine* machine() {
  static Machine* const made = []() -> Machine* {
    static Machine m;
    std::string error;
    EalConfig config;
    config.pages = EalConfig::Pages::kNormal;
    config.memory_mb = 256;
    if (!eal_start(config, &error)) {
      ADD_FAILURE() << error;
      return nullptr;
    }
    // No cache, so that the number of free buffers is exact.
    m.pool = rte_pktmbuf_pool_create("l2_test", kPoolSize, 0, kPrivateSize,
                                     2048 + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
    m.punt = rte_ring_create("l2_punt", 4096, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
    for (unsigned i = 0; i < kPorts; ++i) {
      PortConfig port;
      port.device = "net_ring" + std::to_string(i);
      if (!port_create({m.pool, 1, 1500}, port, &m.ports[i], &error)) ADD_FAILURE() << error;
    }
    return &m;
  }();
  return made;
}

Bytes bytes_of(const rte_mbuf* m) {
  Bytes bytes(m->pkt_len);
  std::vector<uint8_t> scratch(m->pkt_len);
  const void* data = rte_pktmbuf_read(m, 0, m->pkt_len, scratch.data());
  if (data != nullptr && !bytes.empty()) std::memcpy(bytes.data(), data, bytes.size());
  return bytes;
}

void add_macvlan(Snapshot& s, IfIndex i, VportMode mode, IfIndex parent, uint16_t attach_port) {
  Interface& f = s.interfaces[i];
  const Interface& p = s.interfaces[parent];
  f.kind = IfKind::kMacvlan;
  f.mode = mode;
  f.up = i != kDown;
  f.attached = attach_port != kNoPort;
  f.parent = parent;
  f.port = p.port;
  f.attach_port = attach_port;
  f.domain = p.domain;
  f.tag_count = p.tag_count;
  f.tags = p.tags;
  f.mac = MacAddr{{0x02, 0, 0, 0, 1, static_cast<uint8_t>(i)}};
  if (!f.up) return;
  Domain& d = s.domains[f.domain];
  d.macs.insert(f.mac, i);
  d.vports.push_back(i);
  if (mode == VportMode::kBridge) {
    d.bridge_vports.push_back(i);
    d.has_bridge_vports = true;
  }
}

void add_vlan(Snapshot& s, IfIndex i, IfIndex parent, uint16_t domain, VlanTag tag) {
  Interface& f = s.interfaces[i];
  f = s.interfaces[parent];
  f.kind = IfKind::kVlan;
  f.parent = parent;
  f.domain = domain;
  f.tags[f.tag_count++] = tag;
  s.domains[s.interfaces[parent].domain].vlans.push_back({tag, domain});
  s.domains[domain].parent = i;
  s.domains[domain].port = kWirePort;
  s.domains[domain].macs.insert(f.mac, i);
}

}  // namespace

World::World() {
  Machine* const m = machine();
  snapshot.interfaces.resize(12);
  snapshot.domains.resize(4);
  for (unsigned i = 0; i < kPorts; ++i) {
    Port port;
    port.ethdev = m->ports[i].ethdev;
    port.attachment = i != kWirePort;
    port.multi_segment = i != 2;
    snapshot.ports.push_back(port);
  }
  snapshot.ports[0].interface = kEther;
  snapshot.ports[0].domain = 0;
  snapshot.ports[1].interface = kB2;
  snapshot.ports[2].interface = kB3;
  snapshot.ports[3].interface = kP2;
  Interface& ether = snapshot.interfaces[kEther];
  ether.kind = IfKind::kEthernet;
  ether.up = true;
  ether.port = kWirePort;
  ether.domain = 0;
  ether.mac = MacAddr{{0x02, 0, 0, 0, 0, 1}};
  snapshot.domains[0].parent = kEther;
  snapshot.domains[0].port = kWirePort;
  snapshot.domains[0].macs.insert(ether.mac, kEther);
  add_vlan(snapshot, kVlan10, kEther, 1, {0x8100, 10});
  add_vlan(snapshot, kVlan20, kVlan10, 2, {0x8100, 20});
  add_vlan(snapshot, kStag, kEther, 3, {0x88a8, 30});
  add_macvlan(snapshot, kB1, VportMode::kBridge, kEther, kNoPort);
  add_macvlan(snapshot, kB2, VportMode::kBridge, kEther, 1);
  add_macvlan(snapshot, kB3, VportMode::kBridge, kEther, 2);
  add_macvlan(snapshot, kP1, VportMode::kPrivate, kEther, kNoPort);
  add_macvlan(snapshot, kP2, VportMode::kPrivate, kEther, 3);
  add_macvlan(snapshot, kV1, VportMode::kBridge, kVlan10, kNoPort);
  add_macvlan(snapshot, kDown, VportMode::kBridge, kEther, kNoPort);

  neighbours = std::make_unique<NeighbourTable>(16);
  filters = std::make_unique<McFilters>(7);
  worker = std::make_unique<Worker>(0, 1, 1024, 1, *neighbours, *filters, m->pool);
  take_up(*worker, &snapshot);
  worker->punt = m->punt;
  worker->flood_budget = kFloodBudget;
}

World::~World() {
  for (uint16_t p = 0; p < kPorts; ++p) (void)sent(p);
  (void)to_l3();
  (void)looped();
  (void)punts();
  EXPECT_EQ(rte_mempool_avail_count(machine()->pool), kPoolSize);
}

MacAddr World::mac_of(IfIndex i) {
  if (i == kEther || i == kVlan10 || i == kVlan20 || i == kStag) return {{0x02, 0, 0, 0, 0, 1}};
  return {{0x02, 0, 0, 0, 1, static_cast<uint8_t>(i)}};
}

rte_mbuf* World::packet(const Bytes& bytes) {
  rte_mbuf* m = alloc(*worker);
  if (m == nullptr) return nullptr;
  char* room = rte_pktmbuf_append(m, static_cast<uint16_t>(bytes.size()));
  if (!bytes.empty()) std::memcpy(room, bytes.data(), bytes.size());
  return m;
}

void World::receive(uint16_t port, const std::vector<Bytes>& frames) {
  std::vector<rte_mbuf*> burst;
  for (const Bytes& f : frames) burst.push_back(packet(f));
  for (size_t i = 0; i < burst.size(); i += kBurst) {
    snapshot.index_arrivals();  // tests change it as they go
    l2_input(*worker, port, {burst.data() + i, std::min<size_t>(kBurst, burst.size() - i)}, l3);
  }
  tx_flush(*worker);
}

void World::send(IfIndex from, const Bytes& bytes) {
  l2_send(*worker, packet(bytes), from);
  tx_flush(*worker);
}

std::vector<Bytes> World::sent(uint16_t port) {
  std::vector<Bytes> frames;
  rte_mbuf* burst[64];
  while (const uint16_t n = rte_eth_rx_burst(machine()->ports[port].ethdev, 0, burst, 64)) {
    for (uint16_t i = 0; i < n; ++i) {
      frames.push_back(bytes_of(burst[i]));
      finish(burst[i]);
    }
  }
  return frames;
}

std::vector<World::Taken> World::take(L3Queue& queue) {
  std::vector<Taken> taken;
  for (unsigned i = 0; i < queue.count; ++i) {
    rte_mbuf* m = queue.packets[i];
    // What L3 may do: write to it.
    EXPECT_TRUE(RTE_MBUF_DIRECT(m) && rte_mbuf_refcnt_read(m) == 1 && m->nb_segs == 1);
    const auto* header = rte_pktmbuf_mtod_offset(m, uint8_t*, -14);
    taken.push_back({queue.in_if[i], queue.flags[i], bytes_of(m), Bytes(header, header + 14)});
    finish(m);
  }
  queue.count = 0;
  return taken;
}

std::vector<World::Punt> World::punts() {
  std::vector<Punt> taken;
  void* m = nullptr;
  while (rte_ring_dequeue(machine()->punt, &m) == 0) {
    auto* packet = static_cast<rte_mbuf*>(m);
    EXPECT_TRUE(RTE_MBUF_DIRECT(packet) && rte_mbuf_refcnt_read(packet) == 1);
    taken.push_back({message_of(packet), bytes_of(packet)});
    finish(packet);
  }
  return taken;
}

uint64_t World::all_drops() const {
  uint64_t sum = 0;
  for (const auto& by_reason : worker->counters.drops) {
    for (uint64_t n : by_reason) sum += n;
  }
  return sum;
}

Bytes payload(size_t size) {
  Bytes bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(i + 1);
  return bytes;
}

Bytes frame(const MacAddr& dst, const MacAddr& src, uint16_t type, size_t size,
            const std::vector<std::pair<uint16_t, uint16_t>>& tags) {
  Bytes bytes(dst.bytes.begin(), dst.bytes.end());
  bytes.insert(bytes.end(), src.bytes.begin(), src.bytes.end());
  const auto add16 = [&bytes](uint16_t value) {
    bytes.push_back(static_cast<uint8_t>(value >> 8));
    bytes.push_back(static_cast<uint8_t>(value));
  };
  for (const auto& [tpid, tci] : tags) {
    add16(tpid);
    add16(tci);
  }
  add16(type);
  const Bytes rest = payload(size);
  bytes.insert(bytes.end(), rest.begin(), rest.end());
  return bytes;
}

}  // namespace maclane
