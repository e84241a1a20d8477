// The session table, full to its capacity: lookup as the stage does it (buckets and sessions
// fetched ahead over the burst), then what the fast path does to a session it found (compare,
// count, read the other leg); insertion and expiry at a steady size.
#include <algorithm>
#include <array>
#include <fstream>

#include "bench/micro/machine.h"
#include "dataplane/stage/conntrack.h"
#include "dataplane/stage/ip4_validate.h"

namespace maclane::micro {
namespace {

constexpr uint32_t kWanIp = ip4(203, 0, 113, 2);
constexpr uint32_t kBatch = 64;            // made and expired at a time
constexpr uint32_t kNobody = 3000000000u;  // numbers from here on have no session

/// Tuple n as it comes in, random neither in address nor port; each n another.
Tuple original(uint32_t n) {
  return {be32::from(ip4(10, 0, 0, 0) + n % 65536), be32::from(ip4(198, 18, 0, 0) + n % 4096),
          be16::from(static_cast<uint16_t>(n / 65536)), be16::from(53), kProtoUdp};
}
/// And its answer, masqueraded; each n another below 268 million.
Tuple reply(uint32_t n) {
  return {be32::from(ip4(198, 18, 0, 0) + n % 4096), be32::from(kWanIp), be16::from(53),
          be16::from(static_cast<uint16_t>(n / 4096)), kProtoUdp};
}

/// A worker with sessions `oldest` to `oldest + count - 1`, kBatch of them a centisecond.
struct Full {
  explicit Full(uint32_t n) : world(std::max(n, 16384u)), count(n) {
    if (!world.worker.sessions.valid()) return;
    for (uint32_t i = 0; i < n; ++i) make(i, i / kBatch);
    timeouts.fill(std::max(1u, n / kBatch));
    now_cs = n / kBatch;
  }
  void make(uint32_t n, uint32_t at_cs) {
    if (world.worker.sessions.create(original(n), reply(n), TimeoutClass::kUdp, at_cs) ==
        SessionTable::kNone)
      give_up("a session could not be made");
  }
  World world;
  const uint32_t count;
  uint32_t oldest = 0;
  uint32_t now_cs = 0;
  Timeouts timeouts{};
};

uint64_t available_memory() {
  std::ifstream file("/proc/meminfo");
  for (std::string key; file >> key;) {
    if (key != "MemAvailable:") continue;
    uint64_t kilobytes = 0;
    file >> kilobytes;
    return kilobytes << 10;
  }
  return 0;
}

/// The one of the benchmark before if it is as large; nullptr with the benchmark skipped if memory
/// lacks.
Full* full_of(benchmark::State& state) {
  static std::unique_ptr<Full> full;
  const auto count = static_cast<uint32_t>(state.range(0));
  if (full != nullptr && full->count == count) return full.get();
  full.reset();
  // 256 bytes a session with its side and note, and half as much for the index and what else is
  // about
  const uint64_t need = uint64_t{count} * 384 + (uint64_t{256} << 20);
  if (available_memory() < need) {
    state.SkipWithError(("skipped: it takes " + std::to_string(need >> 20) +
                         " MB of memory, and so much is not available")
                            .c_str());
    return nullptr;
  }
  full = std::make_unique<Full>(count);
  if (full->world.worker.sessions.valid()) return full.get();
  full.reset();
  state.SkipWithError("skipped: the memory for so many sessions could not be had");
  return nullptr;
}

/// Tuples of sessions that exist, or of none, in random order; a miss asks both its buckets, as
/// classify() does.
void look_up(benchmark::State& state, bool existing) {
  Full* full = full_of(state);
  if (full == nullptr) return;
  Worker& w = full->world.worker;
  const auto burst = static_cast<unsigned>(state.range(1));
  Burst& b = w.burst;
  b.count = burst;
  b.mbuf.fill(reinterpret_cast<rte_mbuf*>(&b));  // only asked whether they are there
  std::array<Tuple, kWindow> tuples;
  std::array<uint32_t, kWindow> made_cs;
  // Goes on from run to run: who repeats himself measures sessions that the caches still hold.
  static Dice dice;
  unsigned found = 0;
  Meter meter(state);
  for (auto _ : state) {
    for (unsigned i = 0; i < kWindow; ++i) {
      const uint32_t n =
          existing ? full->oldest + dice.below(full->count) : kNobody + dice.below(1u << 30);
      tuples[i] = original(n);
      made_cs[i] = n / kBatch;
    }
    found = 0;
    meter.begin();
    for (unsigned at = 0; at < kWindow; at += burst) {
      for (unsigned i = 0; i < burst; ++i) {
        b.tuple[i] = tuples[at + i];
        b.session[i] = SessionTable::kNone;
      }
      session_lookup(w, b);
      for (unsigned i = 0; i < burst; ++i) {
        if (b.session[i] != SessionTable::kNone &&
            w.sessions.at(b.session[i]).is(b.direction[i], b.tuple[i])) {
          Session& session = w.sessions.at(b.session[i]);
          Leg& leg = session.leg(b.direction[i]);
          session.last_seen_cs = made_cs[at + i];  // written, but it expires in its turn
          leg.packets += 1;
          leg.bytes += kFrameBytes;
          found += session.reply.dst == be32::from(kWanIp) ? 1 : 0;
        } else {
          found += w.sessions.find(b.tuple[i], b.hash[i]) ? 1 : 0;
        }
      }
    }
    meter.end(kWindow);
  }
  if (found != (existing ? kWindow : 0)) state.SkipWithError("a lookup was wrong");
}
void LookupHit(benchmark::State& state) {
  look_up(state, true);
}
void LookupMiss(benchmark::State& state) {
  look_up(state, false);
}

/// The oldest kBatch sessions expire, as many new ones are made; one of the two is measured.
void turn_over(benchmark::State& state, bool inserting) {
  Full* full = full_of(state);
  if (full == nullptr) return;
  SessionTable& sessions = full->world.worker.sessions;
  std::array<Tuple, kBatch> originals;
  std::array<Tuple, kBatch> replies;
  unsigned wrong = 0;
  Meter meter(state);
  for (auto _ : state) {
    const uint32_t next = full->oldest + full->count;
    if (!inserting) meter.begin();
    const unsigned gone = sessions.expire(full->now_cs, full->timeouts, kBatch);
    if (!inserting) meter.end(kBatch);
    for (uint32_t i = 0; i < kBatch; ++i) {
      originals[i] = original(next + i);
      replies[i] = reply(next + i);
    }
    wrong += gone != kBatch ? 1 : 0;
    if (inserting) meter.begin();
    for (uint32_t i = 0; i < kBatch; ++i) {  // as session_lookup() does for a miss
      sessions.prefetch_bucket(sessions.hash(originals[i]));
      sessions.prefetch_bucket(sessions.hash(replies[i]));
    }
    for (uint32_t i = 0; i < kBatch; ++i) {
      wrong += sessions.create(originals[i], replies[i], TimeoutClass::kUdp, full->now_cs) ==
                       SessionTable::kNone
                   ? 1
                   : 0;
    }
    if (inserting) meter.end(kBatch);
    full->oldest += kBatch;
    full->now_cs += 1;
  }
  if (wrong != 0) state.SkipWithError("a session did not expire in its turn, or was not made");
}
void Insert(benchmark::State& state) {
  turn_over(state, true);
}
void Expire(benchmark::State& state) {
  turn_over(state, false);
}

/// By size, so that each table is filled once.
const bool kRegistered = [] {
  const auto add = [](const char* name, void (*function)(benchmark::State&)) {
    return benchmark::RegisterBenchmark(name, function)->UseManualTime();
  };
  for (const int64_t count : {1, 10000, 65536, 1000000, 4000000, 10000000}) {
    for (const int64_t burst : {1, 16, 64}) {
      add("LookupHit", LookupHit)->ArgNames({"sessions", "burst"})->Args({count, burst});
      add("LookupMiss", LookupMiss)->ArgNames({"sessions", "burst"})->Args({count, burst});
    }
    if (count < 10000) continue;
    add("Insert", Insert)->ArgNames({"sessions"})->Args({count});
    add("Expire", Expire)->ArgNames({"sessions"})->Args({count});
  }
  return true;
}();

}  // namespace
}  // namespace maclane::micro
