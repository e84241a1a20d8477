// One broadcast to many attached vports, ticks per copy: l2_input and the sending, on ring ports
// that are emptied between windows.
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ring.h>

#include <algorithm>
#include <array>

#include "bench/micro/machine.h"
#include "dataplane/stage/l2.h"
#include "dataplane/worker/packet.h"

namespace maclane::micro {
namespace {

constexpr unsigned kMost = 24;
constexpr unsigned kRing = 1024;
constexpr MacAddr kEverybody{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

struct RingPort {
  uint16_t ethdev = 0xffff;
  rte_ring* sent = nullptr;
};

const std::array<RingPort, kMost>& ring_ports() {
  static const std::array<RingPort, kMost> made = [] {
    std::array<RingPort, kMost> ports;
    for (unsigned i = 0; i < kMost; ++i) {
      const std::string n = std::to_string(i);
      constexpr unsigned kFlags = RING_F_SP_ENQ | RING_F_SC_DEQ;
      rte_ring* received = rte_ring_create(("mrx" + n).c_str(), kRing, SOCKET_ID_ANY, kFlags);
      rte_ring* sent = rte_ring_create(("mtx" + n).c_str(), kRing, SOCKET_ID_ANY, kFlags);
      if (received == nullptr || sent == nullptr) give_up("no memory for the rings");
      const int port =
          rte_eth_from_rings(("micro" + n).c_str(), &received, 1, &sent, 1, SOCKET_ID_ANY);
      if (port < 0) give_up("DPDK made no port of the rings");
      const auto id = static_cast<uint16_t>(port);
      const rte_eth_conf conf{};
      if (rte_eth_dev_configure(id, 1, 1, &conf) != 0 ||
          rte_eth_rx_queue_setup(id, 0, kRing, SOCKET_ID_ANY, nullptr, pool()) != 0 ||
          rte_eth_tx_queue_setup(id, 0, kRing, SOCKET_ID_ANY, nullptr) != 0 ||
          rte_eth_dev_start(id) != 0) {
        give_up("a ring port did not start");
      }
      ports[i] = {id, sent};
    }
    return ports;
  }();
  return made;
}

/// An ethernet and this many attached macvlans on it.
void fill(Snapshot& s, unsigned vports) {
  s.interfaces.assign(2 + vports, Interface{});
  s.domains.assign(1, Domain{});
  s.ports.assign(1 + vports, Port{});
  s.ports[0].interface = 1;
  s.ports[0].domain = 0;
  s.domains[0].parent = 1;
  s.domains[0].port = 0;
  s.interfaces[1].kind = IfKind::kEthernet;
  s.interfaces[1].up = true;
  s.interfaces[1].port = 0;
  s.interfaces[1].domain = 0;
  for (unsigned n = 0; n < vports; ++n) {
    const auto i = static_cast<IfIndex>(2 + n);
    Interface& v = s.interfaces[i];
    v.kind = IfKind::kMacvlan;
    v.up = v.attached = true;
    v.parent = 1;
    v.port = 0;
    v.domain = 0;
    v.attach_port = static_cast<uint16_t>(1 + n);
    v.mac = MacAddr{{0x02, 0xdd, 0, 0, 0, static_cast<uint8_t>(n)}};
    s.ports[1 + n].ethdev = ring_ports()[n].ethdev;
    s.ports[1 + n].attachment = true;
    s.ports[1 + n].multi_segment = true;
    s.ports[1 + n].interface = i;
    s.domains[0].macs.insert(v.mac, i);
    s.domains[0].vports.push_back(i);
    s.domains[0].bridge_vports.push_back(i);
  }
  s.index_arrivals();
}

unsigned empty_rings(Worker& w, unsigned vports) {
  unsigned taken = 0;
  std::array<rte_mbuf*, kRing> sent;
  for (unsigned i = 0; i < vports; ++i) {
    const unsigned n = rte_ring_sc_dequeue_burst(
        ring_ports()[i].sent, reinterpret_cast<void**>(sent.data()), kRing, nullptr);
    for (unsigned k = 0; k < n; ++k) finish(w, sent[k]);
    taken += n;
  }
  return taken;
}

void Flood(benchmark::State& state) {
  const auto vports = static_cast<unsigned>(state.range(0));
  const auto burst = static_cast<unsigned>(state.range(1));
  static World world;
  fill(world.snapshot, vports);
  const unsigned bursts = std::max(1u, kWindow / (vports * burst));
  const unsigned copies = bursts * burst * vports;
  unsigned sent = 0;
  Meter meter(state);
  for (auto _ : state) {
    std::vector<rte_mbuf*> packets = frames(bursts * burst, kEverybody);
    meter.begin();
    for (unsigned at = 0; at < packets.size(); at += burst) {
      l2_input(world.worker, 0, {packets.data() + at, burst}, world.l3);
      for (unsigned i = 0; i < world.l3.count; ++i) finish(world.worker, world.l3.packets[i]);
      world.l3.count = 0;
      tx_flush(world.worker);
    }
    meter.end(copies);
    sent = empty_rings(world.worker, vports);
  }
  if (sent != copies) state.SkipWithError("some vports did not hear the broadcast");
}
BENCHMARK(Flood)
    ->ArgNames({"vports", "burst"})
    ->ArgsProduct({{1, 8, kMost}, {1, 16}})
    ->UseManualTime();

}  // namespace
}  // namespace maclane::micro
