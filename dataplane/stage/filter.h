// Filter and NAT rules: the walk of a chain for one packet (behaviour.md B-4 to B-6, B-28). Pure
// but for the record it fills; nothing is counted here. Worker thread; `explain` may call it from
// control on a snapshot.
#pragma once

#include "dataplane/net/wire.h"
#include "dataplane/snapshot.h"
#include "dataplane/stage/walk.h"

namespace maclane {

/// What rules look at. Addresses in host order: the source before source translation, the
/// destination after destination translation (B-2).
struct RuleKey {
  enum Nat : uint8_t { kSrcNat = 1, kDstNat = 2 };
  uint32_t src = 0;
  uint32_t dst = 0;
  uint16_t sport = 0;
  uint16_t dport = 0;
  uint8_t proto = 0;
  uint8_t icmp_type = 0;
  uint8_t icmp_code = 0;
  ConnState state = ConnState::kNew;
  uint8_t nat = 0;
  IfIndex in_if = kNoIf;   // kNoIf: the router itself
  IfIndex out_if = kNoIf;  // kNoIf: to the router
};

/// Does one rule match? Disregards its action.
[[nodiscard]] bool rule_matches(const RuleSet& set, const Rule& rule, const RuleKey& key) noexcept;

/// Walks `chain` (RuleSet::kNoChain: nothing to walk) and records the matched rules and the
/// verdict, the same whether chains are indexed or not. record.cacheable stays true only if all
/// packets of this key's session, direction and state would be walked alike.
void walk_chain(const RuleSet* set, uint16_t chain, const RuleKey& key,
                WalkRecord& record) noexcept;

}  // namespace maclane
