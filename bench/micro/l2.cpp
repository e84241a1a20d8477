// Frames from a wire to vports by their MAC: l2_input up to the L3 queue.
#include "dataplane/stage/l2.h"

#include <algorithm>
#include <array>

#include "bench/micro/machine.h"

namespace maclane::micro {
namespace {

MacAddr vport_mac(unsigned n) {
  return {{0x02, 0xdd, 0, 0, static_cast<uint8_t>(n >> 8), static_cast<uint8_t>(n)}};
}

/// An ethernet and this many routed macvlans on it.
void fill(Snapshot& s, unsigned vports) {
  s.interfaces.assign(2 + vports, Interface{});
  s.domains.assign(1, Domain{});
  s.ports.assign(1, Port{});
  s.ports[0].interface = 1;
  s.ports[0].domain = 0;
  Domain& domain = s.domains[0];
  domain.parent = 1;
  domain.port = 0;
  domain.has_bridge_vports = true;
  Interface& ether = s.interfaces[1];
  ether.kind = IfKind::kEthernet;
  ether.up = true;
  ether.port = 0;
  ether.domain = 0;
  ether.mac = MacAddr{{0x02, 0xee, 0, 0, 0, 1}};
  domain.macs.insert(ether.mac, 1);
  for (unsigned n = 0; n < vports; ++n) {
    const auto i = static_cast<IfIndex>(2 + n);
    Interface& v = s.interfaces[i];
    v.kind = IfKind::kMacvlan;
    v.up = true;
    v.parent = 1;
    v.port = 0;
    v.domain = 0;
    v.mac = vport_mac(n);
    domain.macs.insert(v.mac, i);
    domain.vports.push_back(i);
    domain.bridge_vports.push_back(i);
  }
  s.index_arrivals();
}

void Demux(benchmark::State& state) {
  const auto vports = static_cast<unsigned>(state.range(0));
  const auto burst = static_cast<unsigned>(state.range(1));
  static World world;
  fill(world.snapshot, vports);
  static const std::vector<rte_mbuf*> packets = frames(kWindow, vport_mac(0));
  std::vector<rte_mbuf*> order = packets;
  Dice dice;
  Meter meter(state);
  unsigned arrived = 0;
  for (auto _ : state) {
    for (rte_mbuf* m : packets) {
      m->data_off = RTE_PKTMBUF_HEADROOM;
      m->data_len = kFrameBytes;
      m->pkt_len = kFrameBytes;
      rte_pktmbuf_mtod(m, EtherHdr*)->dst = vport_mac(dice.below(vports));
    }
    arrived = 0;
    meter.begin();
    for (unsigned at = 0; at < kWindow; at += burst) {
      l2_input(world.worker, 0, {order.data() + at, burst}, world.l3);
      arrived += world.l3.count;
      world.l3.count = 0;  // as l3_input() leaves it
    }
    meter.end(kWindow);
  }
  if (arrived != kWindow) state.SkipWithError("some frames did not reach their vport");
}
BENCHMARK(Demux)
    ->ArgNames({"vports", "burst"})
    ->ArgsProduct({{1, 24, 100, 1000, 4096}, {1, 16, 64}})
    ->UseManualTime();

}  // namespace
}  // namespace maclane::micro
