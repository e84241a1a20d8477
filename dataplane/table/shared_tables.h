// What all workers write together: address lists that fill by themselves, counts of connections,
// connections that helpers expect, and mappings of endpoint-independent NAT. One for a dataplane;
// lock-free, see each. Rules that remember have a RuleState.
#pragma once

#include "dataplane/table/connection_counts.h"
#include "dataplane/table/dynamic_lists.h"
#include "dataplane/table/expectations.h"
#include "dataplane/table/mappings.h"

namespace maclane {

struct SharedTables {
  /// Slots and words: powers of two.
  explicit SharedTables(uint32_t list_slots = 1u << 18, uint32_t count_words = 1u << 18,
                        uint32_t mapping_slots = 1u << 12, uint64_t seed = 1)
      : lists(list_slots), counts(count_words), mappings(mapping_slots, seed) {}
  DynamicLists lists;
  ConnectionCounts counts;
  Expectations expectations;
  Mappings mappings;
};

}  // namespace maclane
