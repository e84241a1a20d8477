// Rules that the last compile of a menu made and this one need not make again: those whose row is
// the very same and that mean the same in every rule set. A rule that speaks of lists, chains,
// prefixes or texts speaks of numbers of its set, one with a time of the clock, one with a memory
// of what is kept elsewhere: these are made anew. Included by compile*.cpp only. Control thread.
#pragma once

#include "control/compile/compile.h"

namespace maclane::compile {

/// Whether a rule says the same in every set, but for where its ports stand.
[[nodiscard]] bool stands_alone(const Rule& rule, const RuleMore& more);

class FormerRules {
 public:
  /// before: what the last compile made; nullptr: nothing of it can be taken.
  explicit FormerRules(const CompileState::Rules* before) : before_(before) {}

  /// Appends the row's rule, as it was, to a set; false: it has to be made. Rows come in the order
  /// of the rules, as they did before.
  bool take(const model::RowPtr& row, RuleSet& into);

 private:
  const CompileState::Rules* before_;
  size_t next_ = 0;  // of before_->alone
};

}  // namespace maclane::compile
