// Fuzz: frames from a wire through the workers' layer 2: tags, macvlans, PPPoE sessions, DHCP, ARP.
// The input is frames: a byte for the kind, one for the interface, one for the length, and the
// bytes. No buffer is lost, and what goes on to layer 3 lies in its buffer.
#include <rte_ethdev.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include <array>
#include <memory>
#include <span>

#include "dataplane/net/wire.h"
#include "dataplane/port/ethdev.h"
#include "dataplane/stage/flood.h"
#include "dataplane/stage/l2.h"
#include "dataplane/stage/pppoe.h"
#include "dataplane/worker/packet.h"
#include "tests/fuzz/fuzz_steps.h"

namespace {

using namespace maclane;  // NOLINT: a fuzz target is one file

constexpr IfIndex kEther = 1, kBridge = 2, kPrivate = 3, kVlan = 4, kOnVlan = 5, kSession = 6;
constexpr uint16_t kId = 7;
const MacAddr kAc{{2, 0xac, 0, 0, 0, 1}};
const MacAddr kAll = MacAddr::from_key(0xffffffffffffULL);

MacAddr mac_of(IfIndex i) {
  return {{2, 0, 0, 0, 0, static_cast<uint8_t>(i == kVlan ? kEther : i)}};
}

/// One for all inputs, as EAL is.
struct Machine {
  rte_mempool* pool =
      rte_pktmbuf_pool_create("input_fuzz", 1023, 0, kPrivateSize, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
  rte_ring* punt = rte_ring_create("input_punt", 256, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
  PortInfo port;
  Snapshot snapshot;
  NeighbourTable neighbours{16};
  McFilters filters{7};
  std::unique_ptr<Worker> worker;
  L3Queue l3;

  Machine() {
    std::string error;
    must(pool != nullptr && punt != nullptr);
    PortConfig config;
    config.device = "net_ring0";
    must(port_create({pool, 1, 1500}, config, &port, &error));
    build();
    worker = std::make_unique<Worker>(0, 1, 1024, 1, neighbours, filters, pool);
    snapshot.index_arrivals();
    take_up(*worker, &snapshot);
    worker->punt = punt;
  }

  void build() {
    Snapshot& s = snapshot;
    s.interfaces.resize(kSession + 1);
    s.domains.resize(2);
    Port wire;
    wire.ethdev = port.ethdev;
    wire.interface = kEther;
    s.ports.push_back(wire);
    for (const IfIndex i : {kEther, kBridge, kPrivate, kVlan, kOnVlan}) {
      Interface& one = s.interfaces[i];
      one.kind = i == kEther ? IfKind::kEthernet : i == kVlan ? IfKind::kVlan : IfKind::kMacvlan;
      one.mode = i == kPrivate ? VportMode::kPrivate : VportMode::kBridge;
      one.up = true;
      one.pppoe = i != kEther;
      one.dhcp = i == kBridge;
      one.port = 0;
      one.parent = i == kEther ? kNoIf : i == kOnVlan ? kVlan : kEther;
      one.domain = i == kVlan || i == kOnVlan ? 1 : 0;
      if (one.domain == 1) one.tags[one.tag_count++] = {0x8100, 30};
      one.mac = mac_of(i);
      Domain& domain = s.domains[one.domain];
      domain.macs.insert(one.mac, i);
      if (one.kind != IfKind::kMacvlan) continue;
      domain.vports.push_back(i);
      if (one.mode != VportMode::kBridge) continue;
      domain.bridge_vports.push_back(i);
      domain.has_bridge_vports = true;
    }
    s.domains[0].parent = kEther;
    s.domains[0].port = 0;
    s.domains[0].vlans.push_back({{0x8100, 30}, 1});
    s.domains[1].parent = kVlan;
    s.domains[1].port = 0;
    Interface& session = s.interfaces[kSession];
    session = s.interfaces[kBridge];
    session.kind = IfKind::kPppoe;
    session.parent = kBridge;
    session.mtu = 1492;
    session.pppoe = session.dhcp = false;
    session.pppoe_session = be16::from(kId);
    session.pppoe_peer = kAc;
    s.pppoe_sessions.insert(MacAddr::from_key(pppoe_key(kBridge, session.pppoe_session)), kSession);
  }

  /// What the workers made of a burst ends here.
  void finish_all() {
    for (unsigned i = 0; i < l3.count; ++i) {
      rte_mbuf* m = l3.packets[i];
      must(rte_mbuf_check(m, 1, nullptr) == 0 && m->nb_segs == 1 && rte_mbuf_refcnt_read(m) == 1);
      must(l3.in_if[i] < snapshot.interfaces.size() && m->pkt_len == m->data_len);
      must(m->data_off >= sizeof(EtherHdr) && m->data_off + m->data_len <= m->buf_len);
      finish(m);
    }
    l3.count = 0;
    tx_flush(*worker);
    rte_mbuf* sent[kBurst];
    while (const uint16_t n = rte_eth_rx_burst(port.ethdev, 0, sent, kBurst))
      for (uint16_t i = 0; i < n; ++i) finish(sent[i]);
    void* punted = nullptr;
    while (rte_ring_dequeue(punt, &punted) == 0) {
      auto* m = static_cast<rte_mbuf*>(punted);
      must(rte_mbuf_check(m, 1, nullptr) == 0 && message_of(m).in_if < snapshot.interfaces.size());
      finish(m);
    }
    must(rte_mempool_in_use_count(pool) == 0);
  }
};

Machine& machine() {
  static Machine one;
  return one;
}

/// A frame of the kind: rubbish, or one whose first checks are behind it.
rte_mbuf* frame(Worker& w, uint8_t what, uint8_t more, std::span<const uint8_t> bytes) {
  rte_mbuf* m = alloc(w);
  must(m != nullptr);
  const auto put = [m](const void* data, size_t size) {
    if (size != 0) std::memcpy(rte_pktmbuf_append(m, static_cast<uint16_t>(size)), data, size);
  };
  if (what % 6 != 0) {
    constexpr IfIndex kTo[] = {kEther, kBridge, kPrivate, kOnVlan};
    const MacAddr to = (more & 0x80) != 0 ? kAll : mac_of(kTo[more & 3]);
    put(&to, sizeof to);
    put(&kAc, sizeof kAc);
    constexpr uint16_t kTypes[] = {kEtherIp4, kEtherArp, kEtherPppoeDiscovery, kEtherPppoeSession,
                                   kEtherPppoeSession};
    if ((more & 4) != 0) {
      const be16 tag[] = {be16::from(0x8100), be16::from((more & 8) != 0 ? 30 : 0)};
      put(tag, sizeof tag);
    }
    const be16 type = be16::from(kTypes[what % 6 - 1]);
    put(&type, sizeof type);
    if (what % 6 >= 4) {
      const auto length = static_cast<uint16_t>(bytes.size() + sizeof(be16) - (more >> 4 & 1));
      const be16 head[] = {be16::from(0x1100), be16::from(kId), be16::from(length),
                           be16::from(what % 6 == 4 ? kPppIp4 : uint16_t{0xc021})};
      put(head, sizeof head);
    }
  }
  put(bytes.data(), bytes.size());
  return m;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  start_eal("64");
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Machine& m = machine();
  std::span<const uint8_t> rest(data, size);
  std::array<rte_mbuf*, kBurst> burst{};
  while (rest.size() >= 3) {
    // As many as one burst takes come together, so that runs of one session are met as well.
    uint16_t count = 0;
    m.worker->flood_budget = kFloodBudget;
    while (count < 8) {
      const auto step = take_step(rest);
      if (!step) break;
      burst[count++] = frame(*m.worker, step->what, step->more, step->bytes);
    }
    l2_input(*m.worker, 0, {burst.data(), count}, m.l3);
    m.finish_all();
  }
  return 0;
}
