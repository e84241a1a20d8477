// The L3 pipeline of one worker. A packet of an established connection passes validate, session and
// the fast path; everything else takes the slow path (stage/slow_path.h).
#include "dataplane/stage/l3.h"

#include <algorithm>

#include "dataplane/stage/conntrack.h"
#include "dataplane/stage/dispatch.h"
#include "dataplane/stage/fast_path.h"
#include "dataplane/stage/ip4_validate.h"
#include "dataplane/stage/overload.h"
#include "dataplane/stage/reassemble.h"
#include "dataplane/stage/refuse.h"
#include "dataplane/stage/slow_path.h"
#include "dataplane/worker/lap.h"

namespace maclane {
namespace {

/// Packets that say their way themselves go no further than raw and mangle's prerouting: no fast
/// path is for them.
[[gnu::noinline, gnu::cold]] void take_source_routed(Worker& w, Burst& b) noexcept {
  for (unsigned i = 0; i < b.count; ++i)
    if (b.mbuf[i] != nullptr && is_source_routed(*b.ip[i])) take_slowly(w, b, i);
}

/// Whether packets only need a route: nothing is tracked, nothing is filtered.
bool only_routes(const Snapshot& s) noexcept {
  return !s.tracking && s.ip_forward && s.rp_filter == RpFilter::kNo && s.routing_rules.empty() &&
         (s.raw == nullptr || s.raw->chains.empty()) &&
         (s.mangle == nullptr || s.mangle->chains.empty()) &&
         (s.filter == nullptr || s.filter->forward == RuleSet::kNoChain);
}

void run_routed(Worker& w, Burst& b) noexcept {
  std::array<uint32_t, kBurst> to;
  std::array<uint64_t, kBurst> next_hops;
  for (unsigned i = 0; i < b.count; ++i) to[i] = b.mbuf[i] == nullptr ? 0 : b.tuple[i].dst.host();
  w.snapshot->fib->lookup(to.data(), next_hops.data(), b.count);
  FastPath path(w);
  for (unsigned i = 0; i < b.count; ++i) {
    if (b.mbuf[i] == nullptr || path.routed(b, i, static_cast<uint16_t>(next_hops[i]))) continue;
    take_slowly(w, b, i);
  }
  lap(w, Stage::kForward);
}

void run(Worker& w, Burst& b, L3Queue& released, bool whole) noexcept {
  bool plain = true;
  ip4_begin(b);
  for (unsigned i = 0; i < b.count; ++i) {
    if (ip4_validate_plain(b, i)) continue;
    ip4_validate(w, b, i);
    plain = false;
  }
  const bool several = w.count > 1;
  if (several && !plain) dispatch_fragments(w, b);
  if (!plain) {
    reassemble(w, b, released, whole);
    follow_source_routes(w, b);
  }
  if (several) dispatch_home(w, b);
  lap(w, Stage::kValidate);
  if (only_routes(*w.snapshot)) {
    if (!plain) take_source_routed(w, b);
    return run_routed(w, b);
  }
  const unsigned known = session_lookup(w, b);
  if (!plain) take_source_routed(w, b);
  w.new_left = new_limit(w, known);
  lap(w, Stage::kLookup);
  FastPath path(w);
  for (unsigned i = 0; i < b.count; ++i) {
    if (b.mbuf[i] == nullptr || path.established(b, i)) continue;
    if (w.overloaded && w.new_left == 0 && of_no_connection(w, b, i)) {
      refuse(w, b, i, Drop::new_flow_limit, b.in_if[i]);
      continue;
    }
    take_slowly(w, b, i);
  }
  lap(w, Stage::kForward);
}

}  // namespace

void l3_input(Worker& w, L3Queue& queue) noexcept {
  L3Queue* from = &queue;
  // Fragments that waited for the first of this burst follow it in a second round, and so do those
  // of a datagram that could not be put together. What they release goes behind them.
  for (unsigned round = 0; round < 2; ++round) {
    for (unsigned at = 0; at < from->count;) {
      Burst& b = w.burst;
      b.count = std::min(kBurst, from->count - at);
      std::copy_n(from->packets.begin() + at, b.count, b.mbuf.begin());
      std::copy_n(from->in_if.begin() + at, b.count, b.in_if.begin());
      std::copy_n(from->flags.begin() + at, b.count, b.flags.begin());
      at += b.count;
      run(w, b, w.released, round == 0);
    }
    from->count = 0;
    from = &w.released;
  }
}

}  // namespace maclane
