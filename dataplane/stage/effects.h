// What the rules that a packet met want done, once it is settled what becomes of the packet: their
// counts, log lines, tokens, list entries, and changes of the packet itself. Worker thread only.
#pragma once

#include "dataplane/stage/filter.h"
#include "dataplane/worker/burst.h"

namespace maclane {

struct Worker;

/// What a rule may ask about packet i.
[[nodiscard]] PacketFacts facts_of(Worker& w, const Burst& b, unsigned i) noexcept;

/// Forgets what chains said about the packet before.
void clear_walks(Worker& w) noexcept;

/// For all chains packet i passed: writes log lines in the order of the packet flow (B-1), takes
/// tokens, fills lists, and marks or counts `session` (kNone: the packet has none, or is dropped).
/// Counts the rules of nat, but not those of Worker::walk, of whose lines `before_dstnat` are from
/// before dstnat.
void settle(Worker& w, const Burst& b, unsigned i, const RuleKey& key, unsigned before_dstnat,
            uint32_t session) noexcept;

/// Changes packet i as the record says: TTL, DSCP, DF, MSS, checksums by their deltas.
void change_packet(Burst& b, unsigned i, const WalkRecord& record, uint8_t ttl) noexcept;
/// The DSCP alone.
void change_dscp(Ip4Hdr& ip, uint8_t dscp) noexcept;

/// A session that was counted ends.
void forget_counts(Worker& w, uint32_t session) noexcept;

}  // namespace maclane
