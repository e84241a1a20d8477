// Dispatch: packets whose connection belongs to another worker go there (table/home.h). Only with
// several workers. Worker thread only.
//
// A packet is handed over at most three times, which its flags say: to the worker that its datagram
// meets at (kAtReassembler), to the home of its tuple (kAtHome), and to the worker that claimed the
// tuple there (kClaimed; worker/claim.h). ICMP errors go to the home of the packet they quote.
#pragma once

#include "dataplane/worker/burst.h"

namespace maclane {

struct Worker;

/// Before reassembly: fragments of datagrams that meet elsewhere.
void dispatch_fragments(Worker& w, Burst& b) noexcept;

/// After it: packets whose home is elsewhere.
void dispatch_home(Worker& w, Burst& b) noexcept;

/// Of a packet that found no session: true if another worker has claimed its tuple and has it now.
[[nodiscard]] bool dispatch_claimed(Worker& w, Burst& b, unsigned i) noexcept;

/// A later fragment that comes from its reassembler: what it learned there.
void recall_ports(Burst& b, unsigned i) noexcept;

}  // namespace maclane
