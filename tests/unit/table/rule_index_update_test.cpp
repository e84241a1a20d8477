// An index that was taken over from the rule set before serves as one that was built anew.
#include "tests/unit/table/rule_index_fixture.h"

namespace maclane::test {
namespace {

using RuleIndexUpdate = RuleIndexTest;

/// A set in which some rules of a chain, all in one place, are others.
RuleSet edited(Maker& make, const RuleSet& before) {
  RuleSet set = with_own_states(before);
  for (RuleSet::Chain& one : set.chains) one.index = nullptr;
  const auto number = make.below(static_cast<uint32_t>(set.chains.size()));
  RuleSet::Chain& chain = set.chains[number];
  const uint32_t place = make.one_in(3) ? chain.count : make.below(chain.count + 1);
  const uint32_t gone = std::min(make.below(4), chain.count - place);
  const uint32_t fresh = make.one_in(10) ? 30 : make.below(4);
  const auto at = set.rules.begin() + chain.first + place;
  set.rules.erase(at, at + gone);
  for (uint32_t i = 0; i < fresh; ++i) {
    const Rule rule = make.rule(set, number, static_cast<uint32_t>(set.chains.size()), 12);
    set.rules.insert(set.rules.begin() + chain.first + place, rule);
  }
  chain.count += fresh - gone;
  for (size_t i = number + 1; i < set.chains.size(); ++i) set.chains[i].first += fresh - gone;
  for (uint32_t i = 0; i < set.rules.size(); ++i) set.rules[i].counter = i;
  return set;
}

TEST_F(RuleIndexUpdate, TakenOverItAgreesWithTheLinearWalk) {
  for (uint32_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Maker make(seed);
    RuleSet linear = make.rule_set(10 + make.below(200), 1 + seed % 3, seed % 3 == 0 ? 3 : 12);
    RuleSet indexed = with_own_states(linear);
    index_rules(indexed);
    for (unsigned round = 0; round < 25; ++round) {
      linear = edited(make, linear);
      if (make.one_in(5)) {  // lists say something else
        linear.interface_sets[2][0] ^= make.below(4096);
        linear.address_sets[2] = std::make_shared<AddressSet>(make.address_set(5));
        linear.dynamic_lists[1] ^= 1;
      }
      RuleSet next = with_own_states(linear);
      index_rules(next, &indexed);
      compare(make, linear, next, 40);
      if (HasFatalFailure()) return;
      indexed = std::move(next);
    }
  }
}

TEST_F(RuleIndexUpdate, TakesOverFewNewRulesAndIsBuiltAnewForMany) {
  const auto host = [](uint32_t i) {
    Rule rule;
    rule.match = Rule::kSrc;
    rule.src = {i, i};
    return rule;
  };
  RuleSet set;
  for (uint32_t i = 0; i < 1000; ++i) set.rules.push_back(host(i));
  set.chains.push_back({0, 1000, "forward"});
  index_rules(set);
  const auto next = [&](uint32_t fresh, size_t place) {
    RuleSet other = set;
    for (uint32_t i = 0; i < fresh; ++i)
      other.rules.insert(other.rules.begin() + static_cast<std::ptrdiff_t>(place),
                         host(static_cast<uint32_t>(5000 + other.rules.size())));
    other.chains[0] = {0, static_cast<uint32_t>(other.rules.size()), "forward", nullptr};
    index_rules(other, &set);
    set = std::move(other);
    return set.chains[0].index->rest();
  };
  const auto index = set.chains[0].index;
  EXPECT_EQ(next(0, 0), 0u);
  EXPECT_EQ(set.chains[0].index, index) << "the very same";
  EXPECT_EQ(next(1, 1000), 1u);
  EXPECT_EQ(next(3, 500), 4u);
  EXPECT_EQ(next(12, 0), 16u);
  EXPECT_EQ(next(1, 1016), 0u) << "built anew";
  EXPECT_EQ(next(17, 7), 0u) << "built anew";
  set.rules.resize(900);
  set.chains[0].count = 900;
  EXPECT_EQ(next(0, 0), 0u) << "many are gone";
}

}  // namespace
}  // namespace maclane::test
