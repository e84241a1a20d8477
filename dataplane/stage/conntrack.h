// Connection state: what a packet means for its connection (behaviour.md B-16 to B-20).
//
// TCP follows the state machine of the reference (the kernel's), without window tracking; UDP and
// ICMP are new until a reply is seen. Worker thread only.
#pragma once

#include "dataplane/snapshot.h"
#include "dataplane/table/session.h"
#include "dataplane/worker/burst.h"

namespace maclane {

struct Worker;

/// What a TCP packet may do to a connection.
struct TcpStep {
  enum class Result : uint8_t {
    kValid,    // take `next`
    kIgnore,   // passes, state unchanged (a repeated SYN-ACK, say)
    kInvalid,  // passes as state invalid, changes nothing
    kReopen,   // a SYN on a finished connection: forget it, this is a new one
  };
  Result result = Result::kInvalid;
  TcpState next = TcpState::kNone;
};
/// Pure: the transition for the flags of a packet in one direction.
[[nodiscard]] TcpStep tcp_step(TcpState state, uint8_t direction, uint8_t flags) noexcept;

/// The queue that a session in this state waits in.
[[nodiscard]] TimeoutClass tcp_timeout_class(TcpState state) noexcept;

/// The TCP flags that a connection's state depends on.
inline constexpr uint8_t kTcpStateFlags = kTcpFin | kTcpSyn | kTcpRst | kTcpAck;

/// Looks up the sessions of the burst's packets, in two rounds: buckets are prefetched, then
/// sessions. What it finds is likely, and compared by who uses it.
void session_lookup(Worker& w, Burst& b) noexcept;

/// Leg::steady_flags of a direction in which a packet was just classified.
[[nodiscard]] uint8_t steady_flags(const Session& s, uint8_t direction) noexcept;

/// Sets the state of packet i against its session and takes the session's step; ICMP errors find
/// the connection they quote. One packet after the other, each when those before it are through: a
/// SYN that ends one connection and opens the next must not pull the session from under them.
void classify(Worker& w, Burst& b, unsigned i) noexcept;

/// What a packet without a session is: kNew if it may open one, else kInvalid.
[[nodiscard]] ConnState opening_state(const Worker& w, Burst& b, unsigned i) noexcept;

/// The first state and timeout class of a session that packet i opens.
void open_session_state(const Burst& b, unsigned i, TcpState* tcp, TimeoutClass* cls) noexcept;

}  // namespace maclane
