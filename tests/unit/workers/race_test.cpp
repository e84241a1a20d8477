// Two workers on threads of their own, under load from both sides: built with ThreadSanitizer by
// scripts/test.sh, and right without it as well.
//
// A thread feeds its own receive queues and takes from its own transmit queues, so that no packet
// crosses threads but through the rings under test and the wire below, all of which ThreadSanitizer
// sees (RTE_USE_C11_MEM_MODEL). DPDK's libraries are not built with it: the buffers come from a
// mempool whose store is this program's, instead of from one behind a library's ring.
#include <gtest/gtest.h>
#include <rte_lcore.h>
#include <rte_mempool.h>

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <tuple>
#include <utility>

#include "dataplane/worker/claim.h"
#include "dataplane/worker/packet.h"
#include "tests/unit/workers/world.h"

namespace maclane::test {
namespace {

constexpr unsigned kThreads = 2;
constexpr size_t kQuestion = 8;  // bytes of data of a UDP packet that wants an answer

// A mempool store that ThreadSanitizer sees.
struct Store {
  std::mutex mutex;
  std::vector<void*> objects;
};
Store* store_of(const rte_mempool* pool) {
  return static_cast<Store*>(pool->pool_data);
}
int store_alloc(rte_mempool* pool) {
  pool->pool_data = new Store;
  return 0;
}
void store_free(rte_mempool* pool) {
  delete store_of(pool);
}
int store_put(rte_mempool* pool, void* const* objects, unsigned n) {
  Store& s = *store_of(pool);
  const std::lock_guard guard(s.mutex);
  s.objects.insert(s.objects.end(), objects, objects + n);
  return 0;
}
int store_get(rte_mempool* pool, void** objects, unsigned n) {
  Store& s = *store_of(pool);
  const std::lock_guard guard(s.mutex);
  if (s.objects.size() < n) return -ENOBUFS;
  std::copy(s.objects.end() - n, s.objects.end(), objects);
  s.objects.resize(s.objects.size() - n);
  return 0;
}
unsigned store_count(const rte_mempool* pool) {
  Store& s = *store_of(pool);
  const std::lock_guard guard(s.mutex);
  return static_cast<unsigned>(s.objects.size());
}

void use_visible_store() {
  static bool used = false;
  if (std::exchange(used, true)) return;
  rte_mempool_ops ops = {};
  std::strcpy(ops.name, "visible");
  ops.alloc = store_alloc;
  ops.free = store_free;
  ops.enqueue = store_put;
  ops.dequeue = store_get;
  ops.get_count = store_count;
  if (rte_mempool_register_ops(&ops) < 0) std::abort();
  (void)machine("visible");
}

/// Frames on their way to a receive queue of the other thread.
struct Wire {
  std::mutex mutex;
  std::vector<std::pair<IfIndex, rte_mbuf*>> frames;
};

class Race {
 public:
  explicit Race(unsigned rounds, bool rfc = false) : rounds_(rounds), rfc_(rfc) {
    for (auto& t : world_.snapshot.timeouts) t = 3;  // they end while others begin
    world_.snapshot.endpoint_independent = rfc;
    world_.snapshot.address_filtering = false;
  }

  void run() {
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < kThreads; ++i) threads.emplace_back([this, i] { work(i); });
    for (std::thread& t : threads) t.join();
    for (Wire& wire : wires_) {
      for (const auto& [interface, m] : wire.frames) finish(m);
    }
    world_.run(64);
  }

  World& world() { return world_; }
  [[nodiscard]] uint64_t answered() const { return answered_; }

 private:
  void work(unsigned self) {
    if (rte_thread_register() != 0) std::abort();
    uint64_t random = 88172645463325252ULL + self;
    for (unsigned round = 0; round < rounds_; ++round) {
      world_.at(self).now.cs = 100 + round / 16;
      for (unsigned i = 0; i < 4; ++i) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        offer(self, static_cast<uint32_t>(random >> 20));
      }
      take_wire(self);
      world_.run_one(self);
      answer(self);
      if (round % 500 == 250) flush(self);
    }
    rte_thread_unregister();
  }

  /// Something new: few ports, so that both threads often begin the same connection, and from both
  /// of its sides.
  void offer(unsigned self, uint32_t random) {
    const auto port = static_cast<uint16_t>(9000 + random % 64);
    if (rfc_ && random / 512 % 2 == 0) return offer_mapped(self, port, random / 64);
    switch (random / 64 % 8) {
      case 0:
        return feed(self, kLan, udp(kPc, port, kServer, 53));
      case 1:
        return feed(self, kLan, udp(kPc2, port, kServer, 53));
      case 2:
        return feed(self, kWan, udp(kServer, port, kWanIp, 8080));
      case 3:
        return feed(self, kLan, udp(kPc, 80, kServer, port));
      case 4:
        return feed(self, kLan, tcp(kPc, port, kServer, 443, kTcpSyn));
      case 5:
        return feed(self, kLan, udp(kPc, port, kIotHost, 6000));
      case 6:
        return feed(self, kLan, gre(kPc, kServer + port % 8));
      default:
        for (const Bytes& piece :
             fragments(kPc, port, kServer, 4000, 3, static_cast<uint16_t>(random >> 10))) {
          send(self, kLan, piece, random >>= 1);
        }
    }
  }

  /// One inner port to several destinations, and what comes from outside to outer ports.
  static void offer_mapped(unsigned self, uint16_t port, uint32_t random) {
    const uint32_t far = kServer + random % 8;
    switch (random / 8 % 4) {
      case 0:
        return feed(self, kWan, udp(far, 700, kWanIp, port));
      case 1:
        return feed(self, kLan, tcp(kPc2, port, far, 80, kTcpSyn));
      default:
        return feed(self, kLan, udp(random % 2 == 0 ? kPc : kPc2, port, far, 53));
    }
  }

  static void feed(unsigned self, IfIndex in_if, const Bytes& packet) {
    rte_mbuf* m = World::frame(in_if, packet);
    if (m != nullptr && rte_ring_enqueue(machine().ports[in_if].rx[self], m) != 0) finish(m);
  }

  /// To a queue of this thread or of the other.
  void send(unsigned self, IfIndex in_if, const Bytes& packet, uint32_t choice) {
    if (choice % 2 == 0) return feed(self, in_if, packet);
    rte_mbuf* m = World::frame(in_if, packet);
    if (m == nullptr) return;
    Wire& wire = wires_[1 - self];
    const std::lock_guard guard(wire.mutex);
    wire.frames.emplace_back(in_if, m);
  }

  void take_wire(unsigned self) {
    Wire& wire = wires_[self];
    const std::lock_guard guard(wire.mutex);
    for (const auto& [in_if, m] : wire.frames) {
      if (rte_ring_enqueue(machine().ports[in_if].rx[self], m) != 0) finish(m);
    }
    wire.frames.clear();
  }

  /// What left by this thread's queues is answered once, by either thread's.
  void answer(unsigned self) {
    for (const IfIndex out_if : {kLan, kWan, kIot}) {
      rte_ring* const ring = machine().ports[out_if].tx[out_if == kIot ? 0 : self];
      if (out_if == kIot && self != 0) continue;
      void* p = nullptr;
      while (rte_ring_dequeue(ring, &p) == 0) {
        auto* m = static_cast<rte_mbuf*>(p);
        const auto* data = rte_pktmbuf_mtod(m, const uint8_t*) + sizeof(EtherHdr);
        reply(self, out_if, data);
        finish(m);
      }
    }
  }

  void reply(unsigned self, IfIndex out_if, const uint8_t* data) {
    const auto& ip = *reinterpret_cast<const Ip4Hdr*>(data);
    if (ip.is_fragment()) return;
    const uint32_t src = ip.dst.host();
    const uint32_t dst = ip.src.host();
    const auto* ports = reinterpret_cast<const UdpHdr*>(data + ip.header_length());
    const uint16_t sport = ports->dport.host();
    const uint16_t dport = ports->sport.host();
    // Only what thread 0 can take: the port has one queue, and it is worker 0's.
    const auto choice = out_if == kIot ? 0u : static_cast<uint32_t>(sport ^ dport ^ answered_);
    // An answer is not answered: it has more data, or the ACK flag.
    if (ip.proto == kProtoUdp && ports->length.host() == 8 + kQuestion) {
      answered_.fetch_add(1, std::memory_order_relaxed);
      send(self, out_if, udp(src, sport, dst, dport, kQuestion + 8), choice);
    } else if (ip.proto == kProtoTcp && reinterpret_cast<const TcpHdr*>(ports)->flags == kTcpSyn) {
      answered_.fetch_add(1, std::memory_order_relaxed);
      send(self, out_if, tcp(src, sport, dst, dport, kTcpSyn | kTcpAck), choice);
    }
  }

  void flush(unsigned worker) {
    Request request;
    request.kind = Request::Kind::kFlushSessions;
    (void)rte_ring_sp_enqueue_elem(world_.at(worker).requests, &request, sizeof(request));
  }

  World world_{kThreads};
  std::array<Wire, kThreads> wires_;
  std::atomic<uint64_t> answered_{0};
  const unsigned rounds_;
  const bool rfc_;
};

TEST(Race, TrafficFromBothSidesOnTwoThreads) {
  use_visible_store();
  Race race(6000);
  race.run();
  World& world = race.world();
  EXPECT_GT(race.answered(), 1000u);
  EXPECT_GT(world.handed(), 1000u);
  EXPECT_GT(world.drops(Drop::reply_clash), 0u);
  EXPECT_EQ(world.drops(Drop::no_mbuf), 0u);

  // At rest every tuple belongs to one session, and every claim to a session that made it.
  std::map<std::string, unsigned> owners;
  std::set<std::pair<unsigned, uint32_t>> claimed;
  for (unsigned i = 0; i < kThreads; ++i) {
    Worker& w = world.at(i);
    for (uint32_t s = 0; s < w.sessions.capacity(); ++s) {
      const Session& session = w.sessions.at(s);
      if (!session.has(Session::kUsed)) continue;
      for (const uint8_t direction : {kOriginal, kReply}) {
        const Tuple t = session.tuple(direction);
        ++owners[std::string(reinterpret_cast<const char*>(&t), sizeof t)];
      }
      EXPECT_EQ(world.home(session.tuple(kOriginal)), i);
      const bool away = world.home(session.tuple(kReply)) != i;
      EXPECT_EQ(session.has(Session::kClaimed), away);
      if (!away) continue;
      EXPECT_TRUE(is_claimed(world.at(1 - i), session.tuple(kReply)));
      claimed.emplace(i, s);
    }
  }
  for (const auto& [tuple, count] : owners) EXPECT_EQ(count, 1u);
  EXPECT_EQ(world.claims(), claimed.size());

  for (unsigned i = 0; i < kThreads; ++i) world.at(i).now.cs = 1000000;
  world.run(256);
  EXPECT_EQ(world.sessions() + world.claims(), 0u);
}

// N-1, N-3, N-15 with nat-profile=rfc: whichever thread begins, an inner port has one outer port,
// that nobody else has; and all are given back.
TEST(Race, MappingsAreOneToOneOnTwoThreads) {
  use_visible_store();
  Race race(4000, true);
  race.run();
  World& world = race.world();
  EXPECT_GT(race.answered(), 1000u);
  using End = std::tuple<uint8_t, uint32_t, uint16_t>;
  std::map<End, End> outer, inner;
  unsigned mapped = 0, from_outside = 0;
  for (unsigned i = 0; i < kThreads; ++i) {
    const Worker& w = world.at(i);
    for (uint32_t s = 0; s < w.sessions.capacity(); ++s) {
      const Session& session = w.sessions.at(s);
      if (!session.has(Session::kUsed)) continue;
      from_outside += session.has(Session::kDstMapped) ? 1 : 0;
      if (!session.has(Session::kSrcMapped)) continue;
      ++mapped;
      const End in{session.proto, session.original.src.host(), session.original.sport.host()};
      const End out{session.proto, session.reply.dst.host(), session.reply.dport.host()};
      EXPECT_EQ(outer.emplace(in, out).first->second, out);
      EXPECT_EQ(inner.emplace(out, in).first->second, in);
    }
  }
  EXPECT_GT(mapped, 20u);
  EXPECT_GT(from_outside, 0u);
  EXPECT_GE(world.at(0).shared->mappings.size(), outer.size());
  for (unsigned i = 0; i < kThreads; ++i) world.at(i).now.cs = 1000000;
  world.run(256);
  EXPECT_EQ(world.sessions() + world.claims(), 0u);
  EXPECT_EQ(world.at(0).shared->mappings.size(), 0u);
}

}  // namespace
}  // namespace maclane::test
