// NAT decisions for the first packet of a connection (behaviour.md B-28 to B-34): new destination,
// new source, and the session whose reply tuple proves the choice unique. Worker thread only.
#pragma once

#include "dataplane/stage/filter.h"
#include "dataplane/table/session.h"
#include "dataplane/worker/drop.h"

namespace maclane {

struct Worker;
struct Expectation;

/// dstnat, or the chain output for what the router itself sends: `post` is the tuple after
/// destination translation (unchanged if neither a rule nor a mapping says otherwise). Fills
/// w.dnat_walk for counting. False: it is sent to a mapping that does not take it.
[[nodiscard]] bool dnat(Worker& w, const Tuple& t, RuleKey& key, Tuple& post) noexcept;
void dnat_own(Worker& w, const Tuple& t, RuleKey& key, Tuple& post) noexcept;

struct SnatResult {
  uint32_t session = SessionTable::kNone;
  Drop reason = Drop::session_table_full;  // if session is kNone
};

/// srcnat, or the chain input for what is for the router, and creation in one: chooses source
/// address and port, creates the session with original tuple `t` and the reply tuple that follows.
/// `post` is t after dnat; fills w.snat_walk. from_wire: the packet was received; out_if kIfLocal:
/// it is for the router. expected: a helper said what becomes of it, and no rule does.
[[nodiscard]] SnatResult snat_and_create(Worker& w, const Tuple& t, const Tuple& post, RuleKey& key,
                                         IfIndex out_if, TimeoutClass timeout_class,
                                         const Expectation* expected = nullptr) noexcept;

}  // namespace maclane
