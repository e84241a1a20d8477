// l2_send with a queue of the caller's choice for packets to a routed sibling. For l2_input only.
#pragma once

#include "dataplane/worker/burst.h"

struct rte_mbuf;

namespace maclane {

struct Worker;

void l2_send_to(Worker& w, rte_mbuf* m, IfIndex from, L3Queue& queue) noexcept;

}  // namespace maclane
