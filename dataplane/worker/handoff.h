// Handing packets from worker to worker, and the messages that go with them.
//
// One single-producer single-consumer ring per ordered pair of workers and kind. Packets are
// gathered and enqueued in bursts; the receiver takes them before it polls its own queues and runs
// them through L3, or sends them if they are finished frames for a port whose queue is its own. A
// packet travels with its HandoffMessage in the mbuf's private area. A full ring is the named drop
// handoff_full. Claims (worker/claim.h) and the answers to them have rings of their own: answers
// are taken without sending anything, so no ring can wait for another.
//
// HandoffMesh is control's: it makes and frees the rings. The rest is for the worker itself.
#pragma once

#include <rte_mbuf.h>

#include <array>
#include <cstdint>
#include <functional>

#include "dataplane/table/home.h"
#include "dataplane/table/session.h"
#include "dataplane/worker/burst.h"

struct rte_ring;

namespace maclane {

struct Worker;
struct Port;

/// In the private area of a mbuf on its way to another worker.
struct HandoffMessage {
  enum class Kind : uint8_t {
    kPacket,  // an IPv4 packet for L3 (IP header first)
    kFrame,   // a finished frame for a port that the receiver transmits on
  };
  Kind kind = Kind::kPacket;
  uint8_t flags = 0;          // kPacket: L3Queue::Flag
  IfIndex interface = kNoIf;  // kPacket: where it came in; kFrame: the interface that sends it
  bool attachment = false;    // kFrame: to the interface's kernel device, not to the wire
  // kPacket, a later fragment: what it learned from its first one
  uint8_t icmp_type = 0;
  uint8_t icmp_code = 0;
  be16 sport{};
  be16 dport{};
};

[[nodiscard]] inline HandoffMessage& handoff_message(rte_mbuf* m) noexcept {
  return *static_cast<HandoffMessage*>(rte_mbuf_to_priv(m));
}

/// About a reply tuple whose home is another worker than its session's. 24 bytes.
struct ClaimMessage {
  enum class Kind : uint8_t {
    kClaim,   // to the home: packets of this tuple are mine
    kForget,  // to the home: they are not any more
    kClash,   // answer: another connection has the tuple
    kFull,    // answer: no room to remember it
    kEnd,     // to the home: the connection with this tuple is over
  } kind = Kind::kClaim;
  Tuple tuple{};
  uint8_t padding[2] = {};
  uint32_t session = 0;   // the claimant's
  uint32_t sequence = 0;  // Session::sequence: guards against a slot that was reused
};
static_assert(sizeof(ClaimMessage) == 24);

/// A worker's ends of the rings. Empty (no rings) with one worker.
struct Handoff {
  struct Peer {
    rte_ring* packets_in = nullptr;
    rte_ring* packets_out = nullptr;
    rte_ring* claims_in = nullptr;
    rte_ring* claims_out = nullptr;
    rte_ring* answers_in = nullptr;
    rte_ring* answers_out = nullptr;
  };
  struct Waiting {
    unsigned count = 0;
    std::array<rte_mbuf*, kBurst> packets{};
  };
  HomeMap home;
  std::array<Peer, kMaxWorkers> peers{};       // by worker; its own is empty
  std::array<Waiting, kMaxWorkers> waiting{};  // gathered for each worker in this round
  uint64_t handed = 0;                         // packets given to other workers; control reads
};

class HandoffMesh {
 public:
  static constexpr unsigned kPacketRing = 1024;
  static constexpr unsigned kClaimRing = 1024;

  HandoffMesh() = default;
  ~HandoffMesh();
  HandoffMesh(const HandoffMesh&) = delete;
  HandoffMesh& operator=(const HandoffMesh&) = delete;
  /// Makes the rings between `workers` workers (none for one). False: no memory.
  [[nodiscard]] bool create(unsigned workers, uint64_t seed, Spread spread = Spread::kPorts);
  /// A worker's ends, for Worker::handoff, before it starts.
  [[nodiscard]] Handoff end_of(unsigned worker) const;
  /// Takes the packets that still are in the rings; the workers must have stopped.
  void drain(const std::function<void(rte_mbuf*)>& take);
  /// Packets in the rings to a worker.
  [[nodiscard]] unsigned depth(unsigned worker) const;
  [[nodiscard]] static uint64_t memory_bytes(unsigned workers);

 private:
  struct Rings {
    rte_ring* packets = nullptr;
    rte_ring* claims = nullptr;
    rte_ring* answers = nullptr;
  };
  unsigned workers_ = 1;
  uint64_t seed_ = 0;
  Spread spread_ = Spread::kPorts;
  std::array<std::array<Rings, kMaxWorkers>, kMaxWorkers> rings_{};  // [from][to]
};

/// Hands a packet with its message to another worker, at the latest at the end of the round.
void hand_over(Worker& w, rte_mbuf* m, unsigned to, const HandoffMessage& message) noexcept;

/// Hands a finished frame to the worker that has a transmit queue of the port.
void hand_frame(Worker& w, rte_mbuf* m, const Port& port, IfIndex from) noexcept;

/// Enqueues what was gathered. End of each loop.
void handoff_flush(Worker& w) noexcept;

/// Takes what other workers handed over and runs it. Returns the packets; *full becomes true if a
/// worker had more than were taken. Start of each loop.
unsigned take_handoff(Worker& w, L3Queue& queue, bool* full) noexcept;

}  // namespace maclane
