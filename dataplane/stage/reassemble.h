// Shallow reassembly: every fragment learns the ports of its first one (table/fragments.h). Worker
// thread only.
#pragma once

#include "dataplane/worker/burst.h"

namespace maclane {

struct Worker;

/// Gives the fragments of the burst their ports. One that comes before its first fragment is kept;
/// when that comes, those kept are appended to `released`, to be run after this burst.
void reassemble(Worker& w, Burst& b, L3Queue& released) noexcept;

}  // namespace maclane
