// What one compile of a menu of rules leaves to the next: what its rows say that is asked every
// time, and rules that need not be made again, which are those whose row is the very same and that
// mean the same in every rule set. A rule that speaks of lists, chains, prefixes or texts speaks of
// numbers of its set, one with a time of the clock, one with a memory of what is kept elsewhere:
// these are made anew. Of 10,000 rows the values alone are more than a CPU's cache holds: of those
// that did not change none is read. Included by compile*.cpp only. Control thread.
#pragma once

#include "control/compile/compile.h"
#include "control/compile/rule_columns.h"

namespace maclane::compile {

using KnownRows = std::vector<CompileState::KnownRow>;

/// The rows of a menu, in their order: as they were known before, chain and rule of that set, or as
/// they read now, with no rule. before: of the last compile, or nullptr.
[[nodiscard]] KnownRows known_rows(const model::Rows& rows, const Columns& columns,
                                   const KnownRows* before);

/// Whether a rule says the same in every set, but for where its ports stand.
[[nodiscard]] bool stands_alone(const Rule& rule, const RuleMore& more);

/// Appends a rule that stands alone to another set.
void take_rule(const RuleSet& from, uint32_t rule, RuleSet& into);

}  // namespace maclane::compile
