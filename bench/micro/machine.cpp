#include "bench/micro/machine.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "dataplane/net/checksum.h"
#include "dataplane/port/eal.h"

namespace maclane::micro {
namespace {

constexpr unsigned kBuffers = 16384;
constexpr unsigned kBufferCache = 512;
constexpr uint32_t kMemoryMb = 300;  // the buffers, and route tables of 32 MB and more

/// What a window reads that holds nothing.
uint64_t empty_window() {
  std::vector<uint64_t> seen(1001);
  for (uint64_t& s : seen) {
    const uint64_t begin = rte_rdtsc();
    s = rte_rdtsc() - begin;
  }
  std::nth_element(seen.begin(), seen.begin() + 500, seen.end());
  return seen[500];
}

}  // namespace

void give_up(const std::string& sentence) {
  std::fprintf(stderr, "micro_bench: %s\n", sentence.c_str());
  std::exit(1);
}

rte_mempool* pool() {
  static rte_mempool* const made = [] {
    EalConfig config;
    config.memory_mb = kMemoryMb;
    std::string error;
    if (!eal_start(config, &error)) give_up(error);
    rte_mempool* p = rte_pktmbuf_pool_create("micro", kBuffers, kBufferCache, kPrivateSize,
                                             2048 + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
    if (p == nullptr) give_up("no memory for the packet buffers; free huge pages or memory");
    return p;
  }();
  return made;
}

void write_frame(rte_mbuf* m, const MacAddr& dst, uint32_t src_ip, uint32_t dst_ip) {
  rte_pktmbuf_reset(m);
  auto* eth = reinterpret_cast<EtherHdr*>(rte_pktmbuf_append(m, kFrameBytes));
  std::memset(static_cast<void*>(eth), 0, kFrameBytes);
  eth->dst = dst;
  eth->src = MacAddr{{0x02, 0xaa, 0, 0, 0, 1}};
  eth->type = be16::from(kEtherIp4);
  auto* ip = reinterpret_cast<Ip4Hdr*>(eth + 1);
  constexpr auto kTotal = static_cast<uint16_t>(kFrameBytes - sizeof(EtherHdr));
  constexpr auto kUdpLength = static_cast<uint16_t>(kTotal - sizeof(Ip4Hdr));
  ip->version_ihl = 0x45;
  ip->total_length = be16::from(kTotal);
  ip->ttl = 64;
  ip->proto = kProtoUdp;
  ip->src = be32::from(src_ip);
  ip->dst = be32::from(dst_ip);
  ip->checksum.raw = checksum(ip, sizeof(Ip4Hdr));
  auto* udp = reinterpret_cast<UdpHdr*>(ip + 1);
  udp->sport = be16::from(static_cast<uint16_t>(1024 + src_ip % 50000));
  udp->dport = be16::from(53);
  udp->length = be16::from(kUdpLength);
  udp->checksum.raw =
      checksum(udp, kUdpLength, pseudo_sum(ip->src, ip->dst, kProtoUdp, kUdpLength));
}

std::vector<rte_mbuf*> frames(unsigned count, const MacAddr& dst) {
  std::vector<rte_mbuf*> made(count);
  if (rte_pktmbuf_alloc_bulk(pool(), made.data(), count) != 0)
    give_up("the packet buffers ran out: a benchmark keeps some");
  for (unsigned i = 0; i < count; ++i) {
    write_frame(made[i], dst, ip4(10, 0, 0, 0) + i, ip4(198, 18, 0, 0) + i % 256);
  }
  return made;
}

World::World(uint32_t max_sessions) : worker(0, 1, max_sessions, 7, neighbours, filters, pool()) {
  snapshot.generation = 1;
  snapshot.interfaces.resize(1);
  take_up(worker, &snapshot);
}

Meter::Meter(benchmark::State& state) : state_(state) {
  static const uint64_t empty = empty_window();
  empty_ = empty;
  windows_.reserve(1u << 16);
}

void Meter::end(unsigned packets) noexcept {
  const uint64_t gone = rte_rdtsc() - begin_;
  const uint64_t ticks = gone > empty_ ? gone - empty_ : 0;
  windows_.push_back(static_cast<double>(ticks) / packets);
  state_.SetIterationTime(static_cast<double>(ticks) / static_cast<double>(rte_get_tsc_hz()));
}

Meter::~Meter() {
  if (windows_.empty()) return;
  const auto middle = windows_.begin() + static_cast<ptrdiff_t>(windows_.size() / 2);
  std::nth_element(windows_.begin(), middle, windows_.end());
  state_.counters["ticks"] = *middle;
}

}  // namespace maclane::micro
