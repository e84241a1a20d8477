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

/// After the session lookup: packets that found none, but whose tuple another worker has claimed.
void dispatch_claimed(Worker& w, Burst& b) noexcept;

/// A later fragment that comes from its reassembler: what it learned there.
void recall_ports(Burst& b, unsigned i) noexcept;

}  // namespace maclane
