// What all workers write together: address lists that fill by themselves, counts of connections,
// and connections that helpers expect. One for a dataplane; lock-free, see each. Rules that
// remember have a RuleState.
#pragma once

#include "dataplane/table/connection_counts.h"
#include "dataplane/table/dynamic_lists.h"
#include "dataplane/table/expectations.h"

namespace maclane {

struct SharedTables {
  /// Slots and words: powers of two.
  explicit SharedTables(uint32_t list_slots = 1u << 18, uint32_t count_words = 1u << 18)
      : lists(list_slots), counts(count_words) {}
  DynamicLists lists;
  ConnectionCounts counts;
  Expectations expectations;
};

}  // namespace maclane
