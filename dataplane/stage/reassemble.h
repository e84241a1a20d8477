// Shallow reassembly: every fragment learns the ports of its first one (table/fragments.h). Worker
// thread only.
#pragma once

#include "dataplane/worker/burst.h"

namespace maclane {

struct Worker;

/// Gives the fragments of the burst their ports. One that comes before its first fragment is kept;
/// when that comes, those kept are appended to `released`, to be run after this burst.
/// whole: datagrams that a helper may want to read become one packet, at the last of their pieces;
/// if they cannot, they are appended to `released`, to be run with whole false.
void reassemble(Worker& w, Burst& b, L3Queue& released, bool whole) noexcept;

}  // namespace maclane
