// Random rules for the fuzzing of the firewall, in plain words and for the dataplane.
#pragma once

#include <random>

#include "tests/unit/l3/fixture.h"
#include "tests/unit/l3/plain_router.h"

namespace maclane::test {

/// Makes rules of every table, most of which let most through.
class RuleMaker {
 public:
  RuleMaker(std::mt19937& random, uint32_t first_slot) : slot(first_slot), random_(random) {}
  PlainRules rules();
  uint32_t slot;  // of the next rule's counter

 private:
  enum class Place : uint8_t { kRaw, kBeforeRouting, kAfterRouting, kSub };
  uint32_t below(uint32_t n) { return static_cast<uint32_t>(random_()) % n; }
  Matcher matcher(Place place);
  PlainRule rule(Action action, std::vector<Matcher> matchers = {});
  std::vector<Matcher> matchers(Place place);
  PlainRule raw_rule();
  PlainRule mangle_rule(Place place);
  PlainRule filter_rule(Place place);
  PlainRule dstnat_rule();
  template <typename Make>
  PlainChain chain(uint32_t most, Make&& make);

  std::mt19937& random_;
};

/// Adds a chain to a set, unless it is empty. sub: where kJump leads.
void add_plain_chain(RuleSet& set, uint16_t& number, const PlainChain& chain,
                     uint16_t sub = RuleSet::kNoChain);

}  // namespace maclane::test
