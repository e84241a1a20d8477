// The values of a packet's field that a rule allows, as ranges of numbers: what a rule index files
// rules by. Addresses and ports in host order. Control thread, while an index is built.
#pragma once

#include <optional>
#include <vector>

#include "dataplane/snapshot.h"
#include "dataplane/table/rule_index.h"

namespace maclane {

class RuleValues {
 public:
  using Ranges = std::vector<AddressRange>;

  explicit RuleValues(const RuleSet& set) : set_(set) {}

  /// Whether the rule can be filed by this field; appends the values it allows, sorted and
  /// disjoint, if need be with some that it does not.
  bool append(const Rule& rule, RuleIndex::Field field, Ranges& out);

 private:
  void add_ports(uint32_t first, uint32_t count, Ranges& out) const;
  const Ranges& runs(uint16_t number);

  const RuleSet& set_;
  std::vector<std::optional<Ranges>> runs_;  // by interface set, made when first asked for
};

}  // namespace maclane
