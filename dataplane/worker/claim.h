// Claims: a session's worker tells the home of its reply tuple that the replies are its own.
//
// Nearly every session has one home for both directions (table/home.h). A destination port that is
// rewritten, a source port that a rule narrows down, or a translated protocol without ports can
// give the reply tuple another home. Its session is then claimed there: the claim is in the home's
// ring before the first packet leaves, and the home reads its rings before it takes a packet for
// new (take_claims), so that the reply cannot overtake the claim. If the home knows the tuple
// already, it answers `clash`, and the session ends: the first one keeps the tuple. A claimed
// session that is released keeps its slot until its home could be told to forget it
// (SessionTable::parked), so that nothing is lost when a ring is full. Worker thread only.
#pragma once

#include <cstdint>

namespace maclane {

struct Worker;
struct Tuple;

/// Room for claims of other workers, in the table of a worker with room for `max_sessions`.
[[nodiscard]] uint32_t claim_capacity(uint32_t max_sessions) noexcept;

/// Claims the reply tuple of a new session if its home is another worker. False: the ring is full,
/// and the session must go.
[[nodiscard]] bool claim_reply(Worker& w, uint32_t session) noexcept;

/// True if another worker's session has claimed this tuple here.
[[nodiscard]] bool is_claimed(const Worker& w, const Tuple& t) noexcept;

/// Takes claims and answers of all other workers. A session that an answer ends is released. False:
/// some claims still wait, as there is no room for the answers to them.
bool take_claims(Worker& w) noexcept;

/// Ends the connection whose first packet has this tuple, whichever worker has it, if it is there.
/// Where a ring is full it lives until its timeout.
void end_session(Worker& w, const Tuple& original) noexcept;

/// Tells other homes to forget what was released, as far as the rings have room. Every loop.
void forget_released(Worker& w) noexcept;

}  // namespace maclane
