// Connection state: what a packet means for its connection (behaviour.md B-16 to B-20).
//
// TCP is tcp_track's affair; everything else is new until a reply is seen. Worker thread only.
#pragma once

#include "dataplane/snapshot.h"
#include "dataplane/stage/tcp_track.h"
#include "dataplane/table/session.h"
#include "dataplane/worker/burst.h"

namespace maclane {

struct Worker;

/// The TCP flags that a connection's state depends on.
inline constexpr uint8_t kTcpStateFlags = kTcpFin | kTcpSyn | kTcpRst | kTcpAck;

/// Looks up the sessions of the burst's packets, in two rounds: buckets are prefetched, then
/// sessions. What it finds is likely, and compared by who uses it. Returns how many have one.
unsigned session_lookup(Worker& w, Burst& b) noexcept;

/// Leg::steady_flags of a direction in which a packet was just classified.
[[nodiscard]] uint8_t steady_flags(const Worker& w, uint32_t session, uint8_t direction) noexcept;

/// Sets the state of packet i against its session and takes the session's step; ICMP errors find
/// the connection they quote. One packet after the other, each when those before it are through: a
/// SYN that ends one connection and opens the next must not pull the session from under them.
void classify(Worker& w, Burst& b, unsigned i) noexcept;

/// What a packet without a session is: kNew if it may open one, else kInvalid.
[[nodiscard]] ConnState opening_state(const Worker& w, Burst& b, unsigned i) noexcept;

/// The first timeout class of a session that packet i opens.
[[nodiscard]] TimeoutClass opening_class(const Burst& b, unsigned i) noexcept;
/// What of a new session is the protocol's, from the packet that opens it.
void open_session(Worker& w, const Burst& b, unsigned i, uint32_t session) noexcept;

/// Ends packet i's session if the packet was the last thing it carried.
void finish_session(Worker& w, const Burst& b, unsigned i) noexcept;

}  // namespace maclane
