// Layer 3: validate, shallow reassembly, session, and for a miss dnat, route, filter, neighbour,
// snat, create; then rewrite, fragment, egress. Worker thread only.
#pragma once

#include "dataplane/worker/burst.h"

namespace maclane {

struct Worker;

/// Takes every packet of the queue and empties it. Each ends in l2_send, punt, a fragment queue, or
/// a named drop.
void l3_input(Worker& w, L3Queue& queue) noexcept;

}  // namespace maclane
