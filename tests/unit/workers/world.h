// Several workers over ports made of rings, run by hand or by threads of their own.
//
// lan (if 1, 192.168.88.1/24) and wan (if 2, 203.0.113.2/24, gateway .1) have a queue for each
// worker, iot (if 3, 192.168.99.1/24) has one for all. NAT: masquerade out of wan; what comes to
// the wan address goes to the PC on lan: TCP and UDP 8080 to port 80, 5060 to 5060, GRE as it is.
#pragma once

#include <rte_mbuf.h>
#include <rte_ring.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/worker/loop.h"
#include "tests/unit/workers/packets.h"

namespace maclane::test {

inline constexpr IfIndex kLan = 1, kWan = 2, kIot = 3;
inline constexpr unsigned kPorts = 3;
inline constexpr uint32_t kPc = ip4(192, 168, 88, 10), kPc2 = ip4(192, 168, 88, 11);
inline constexpr uint32_t kWanIp = ip4(203, 0, 113, 2), kServer = ip4(198, 51, 100, 7);
inline constexpr uint32_t kIotHost = ip4(192, 168, 99, 20);
inline constexpr unsigned kWorkers = 4;  // at most

/// A port whose both ends of each queue the test holds.
struct RingPort {
  uint16_t ethdev = 0xffff;
  std::array<rte_ring*, kWorkers> rx{};
  std::array<rte_ring*, kWorkers> tx{};
};

/// What there is once in a process: EAL, buffers, ports.
struct Machine {
  rte_mempool* pool = nullptr;
  std::array<RingPort, kPorts + 1> ports;  // by IfIndex
};
/// `pool_ops`: of the mempool; nullptr: DPDK's own.
Machine& machine(const char* pool_ops = nullptr);

class World {
 public:
  explicit World(unsigned workers, uint32_t max_sessions = 4096, uint64_t home_seed = 1,
                 Spread spread = Spread::kPorts);
  ~World();

  [[nodiscard]] Worker& at(unsigned i) { return *workers[i]; }
  [[nodiscard]] unsigned count() const { return static_cast<unsigned>(workers.size()); }
  [[nodiscard]] unsigned home(const Tuple& t) const { return at0().handoff.home.of(t); }
  [[nodiscard]] unsigned home(uint16_t a, uint16_t b) const {
    return home({{}, {}, be16::from(a), be16::from(b), kProtoUdp});
  }
  /// The first port from `from` on with home(port, with) == worker.
  [[nodiscard]] uint16_t port_with_home(uint16_t from, uint16_t with, unsigned worker) const;

  /// Puts a packet into a queue of an interface's port.
  void receive(IfIndex in_if, unsigned queue, const Bytes& packet);
  /// A buffer with the Ethernet frame of a packet that comes in by an interface.
  [[nodiscard]] static rte_mbuf* frame(IfIndex in_if, const Bytes& packet);
  /// One round of each worker in turn, `rounds` times.
  void run(unsigned rounds = 8);
  void run_one(unsigned worker, unsigned rounds = 1);
  /// The packets that left by an interface since the last call; queue: that they left by.
  struct Sent {
    unsigned queue;
    Bytes packet;
    MacAddr to;  // of its frame
  };
  [[nodiscard]] std::vector<Sent> sent(IfIndex out_if);
  /// Delivers, runs, and returns what left.
  [[nodiscard]] std::vector<Bytes> pass(IfIndex in_if, unsigned queue, const Bytes& packet,
                                        IfIndex out_if);

  [[nodiscard]] unsigned sessions() const;
  [[nodiscard]] unsigned claims() const;
  [[nodiscard]] uint64_t drops(Drop reason) const;
  [[nodiscard]] uint64_t handed() const;
  /// Lets time pass for all workers.
  void later(uint32_t centiseconds);

  Snapshot snapshot;
  std::unique_ptr<NeighbourTable> neighbours;
  std::unique_ptr<McFilters> filters;
  HandoffMesh mesh;
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<std::unique_ptr<LoopState>> states;

 private:
  [[nodiscard]] const Worker& at0() const { return *workers[0]; }
  void make_snapshot();
};

}  // namespace maclane::test
