// Matchers: whether one rule matches one packet (behaviour.md B-11). For stage/filter.cpp alone.
#pragma once

#include "dataplane/stage/filter.h"

namespace maclane {

/// The matchers whose answer is the same for all packets of a session, direction and state.
[[nodiscard]] bool session_matches(const RuleSet& set, const Rule& rule,
                                   const RuleKey& key) noexcept;

/// How long the answer of the other matchers holds.
[[nodiscard]] Holds packet_holds(const RuleSet& set, const Rule& rule, const RuleKey& key) noexcept;

/// The other matchers. What those that count would count goes into the record.
[[nodiscard]] bool packet_matches(const RuleSet& set, const Rule& rule, const RuleKey& key,
                                  WalkRecord& record) noexcept;

/// The key of dst-limit, or the hash of per-connection-classifier: of the fields in `mode`.
[[nodiscard]] uint64_t classify_key(uint8_t mode, const RuleKey& key, uint64_t seed) noexcept;

}  // namespace maclane
