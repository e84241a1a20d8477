// Header work: validation, checksums, translation. Headers are in the first caches.
#include <array>

#include "bench/micro/machine.h"
#include "dataplane/net/checksum.h"
#include "dataplane/stage/ip4_validate.h"
#include "dataplane/stage/rewrite.h"

namespace maclane::micro {
namespace {

constexpr uint32_t kWanIp = ip4(203, 0, 113, 2);

/// A burst of packets as the L3 stages meet them.
void enter(Burst& b, unsigned count) {
  static const std::vector<rte_mbuf*> packets = frames(kBurst, {{0x02, 0xdd, 0, 0, 0, 0}});
  b.count = count;
  for (unsigned i = 0; i < count; ++i) {
    b.mbuf[i] = packets[i];
    if (b.mbuf[i]->data_len == kFrameBytes) (void)rte_pktmbuf_adj(b.mbuf[i], sizeof(EtherHdr));
    b.in_if[i] = kNoIf;
    b.flags[i] = 0;
  }
}

/// Most packets: what the fast path asks.
void ValidatePlain(benchmark::State& state) {
  const auto burst = static_cast<unsigned>(state.range(0));
  static World world;
  Burst& b = world.worker.burst;
  enter(b, burst);
  bool all = true;
  Meter meter(state);
  for (auto _ : state) {
    meter.begin();
    for (unsigned at = 0; at < kWindow; at += burst) {
      ip4_begin(b);
      for (unsigned i = 0; i < burst; ++i) all &= ip4_validate_plain(b, i);
      benchmark::ClobberMemory();
    }
    meter.end(kWindow);
  }
  if (!all) state.SkipWithError("a packet was not taken");
}
BENCHMARK(ValidatePlain)->ArgName("burst")->Arg(1)->Arg(16)->Arg(64)->UseManualTime();

/// Every packet that is not plain: all checks.
void ValidateFull(benchmark::State& state) {
  const auto burst = static_cast<unsigned>(state.range(0));
  static World world;
  Burst& b = world.worker.burst;
  enter(b, burst);
  Meter meter(state);
  for (auto _ : state) {
    meter.begin();
    for (unsigned at = 0; at < kWindow; at += burst) {
      ip4_begin(b);
      for (unsigned i = 0; i < burst; ++i) ip4_validate(world.worker, b, i);
      benchmark::ClobberMemory();
    }
    meter.end(kWindow);
  }
  for (unsigned i = 0; i < burst; ++i) {
    if (b.mbuf[i] == nullptr) return state.SkipWithError("a packet was dropped");
  }
}
BENCHMARK(ValidateFull)->ArgName("burst")->Arg(1)->Arg(16)->Arg(64)->UseManualTime();

void Checksum(benchmark::State& state) {
  const auto bytes = static_cast<size_t>(state.range(0));
  std::vector<uint8_t> data(bytes, 0x5a);
  Meter meter(state);
  for (auto _ : state) {
    meter.begin();
    for (unsigned i = 0; i < kWindow; ++i) {
      uint16_t sum = checksum(data.data(), bytes);
      benchmark::DoNotOptimize(sum);
      benchmark::ClobberMemory();
    }
    meter.end(kWindow);
  }
}
BENCHMARK(Checksum)->ArgName("bytes")->Arg(20)->Arg(46)->Arg(1480)->UseManualTime();

/// Address, port, TTL and both checksums by deltas; each packet of a session of its own.
void Rewrite(benchmark::State& state) {
  const auto burst = static_cast<unsigned>(state.range(0));
  static World world;
  Burst& b = world.worker.burst;
  enter(b, burst);
  ip4_begin(b);
  SessionTable& sessions = world.worker.sessions;
  for (unsigned i = 0; i < burst; ++i) {
    if (!ip4_validate_plain(b, i)) return state.SkipWithError("a packet was not taken");
    const Tuple& t = b.tuple[i];
    const SessionTable::Hit known = sessions.find(t);
    const uint32_t id =
        known ? known.session
              : sessions.create(t, {t.dst, be32::from(kWanIp), t.dport, t.sport, t.proto},
                                TimeoutClass::kUdp, 0);
    // The frames of the run before are translated already: their tuple is another's.
    if (id == SessionTable::kNone) return state.SkipWithError("a session could not be made");
    Session& s = sessions.at(id);
    s.flags |= Session::kSrcNat;
    s.l3_delta = s.l4_delta = delta32(t.src, be32::from(kWanIp));
    b.session[i] = id;
    b.direction[i] = kOriginal;
    b.state[i] = ConnState::kEstablished;
  }
  Meter meter(state);
  for (auto _ : state) {
    for (unsigned i = 0; i < burst; ++i) b.ip[i]->ttl = 255;
    meter.begin();
    for (unsigned at = 0; at < kWindow; at += burst) {
      for (unsigned i = 0; i < burst; ++i) {
        benchmark::DoNotOptimize(translate(world.worker, b, i));
        decrement_ttl(*b.ip[i]);
      }
      benchmark::ClobberMemory();
    }
    meter.end(kWindow);
  }
  for (unsigned i = 0; i < burst; ++i) {  // as they were, for the next
    rte_mbuf* m = b.mbuf[i];
    write_frame(m, {{0x02, 0xdd, 0, 0, 0, 0}}, ip4(10, 0, 0, 0) + i, ip4(198, 18, 0, 0) + i % 256);
  }
}
BENCHMARK(Rewrite)->ArgName("burst")->Arg(1)->Arg(16)->Arg(64)->UseManualTime();

}  // namespace
}  // namespace maclane::micro
