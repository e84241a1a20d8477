// Indexed rule sets beside the same without an index: a walk finds the same in both.
#pragma once

#include <gtest/gtest.h>

#include "dataplane/table/rule_index.h"
#include "tests/unit/table/rule_maker.h"

namespace maclane::test {

class RuleIndexTest : public testing::Test {
 protected:
  void expect_same(const RuleSet& linear, const RuleSet& indexed, const RuleKey& key) {
    RuleKey ours = key;
    RuleKey theirs = key;
    SessionNote note_a, note_b;
    PacketFacts facts_a, facts_b;
    if (key.facts != nullptr) {
      facts_a = facts_b = *key.facts;
      facts_a.note = &note_a;
      facts_b.note = &note_b;
      facts_a.random = &random_a_;
      facts_b.random = &random_b_;
      ours.facts = &facts_a;
      theirs.facts = &facts_b;
    }
    walk(linear, ours, *a_);
    walk(indexed, theirs, *b_);
    ASSERT_EQ(a_->hits, b_->hits);
    for (unsigned i = 0; i < a_->hits; ++i)
      ASSERT_EQ(a_->rules[i] - linear.rules.data(), b_->rules[i] - indexed.rules.data());
    ASSERT_EQ(a_->verdict.action, b_->verdict.action);
    ASSERT_EQ(a_->verdict.reject, b_->verdict.reject);
    ASSERT_EQ(a_->verdict.rule == nullptr, b_->verdict.rule == nullptr);
    if (a_->verdict.rule != nullptr) {
      ASSERT_EQ(a_->verdict.rule - linear.rules.data(), b_->verdict.rule - indexed.rules.data());
    }
    ASSERT_EQ(a_->logged, b_->logged);
    for (unsigned i = 0; i < a_->logged; ++i) ASSERT_EQ(a_->log[i].chain, b_->log[i].chain);
    ASSERT_EQ(a_->effects, b_->effects);
    ASSERT_EQ(a_->holds, b_->holds);
    ASSERT_EQ(a_->dscp, b_->dscp);
    ASSERT_EQ(a_->mss, b_->mss);
    ASSERT_EQ(a_->new_ttl, b_->new_ttl);
    ASSERT_EQ(ours.ttl, theirs.ttl);
    ASSERT_EQ(ours.connection_mark, theirs.connection_mark);
    ASSERT_EQ(ours.packet_mark, theirs.packet_mark);
    ASSERT_EQ(ours.routing_mark, theirs.routing_mark);
    if (key.facts != nullptr) {
      take(*a_, key.facts->now);
      take(*b_, key.facts->now);
    }
    hits_ += a_->hits;
    kept_ += a_->holds != Holds::kForOne ? 1 : 0;
    for (unsigned i = 0; i < a_->hits; ++i) {
      const RuleMore& more = linear.more_of(*a_->rules[i]);
      for (unsigned bit = 0; bit < RuleMore::kMatchers; ++bit)
        matched_[bit] += (more.match >> bit) & 1;
    }
  }

  void compare(Maker& make, const RuleSet& linear, uint32_t packets) {
    RuleSet indexed = with_own_states(linear);
    index_rules(indexed);
    compare(make, linear, indexed, packets);
  }

  void compare(Maker& make, const RuleSet& linear, const RuleSet& indexed, uint32_t packets) {
    SharedTables shared(256, 256);
    std::vector<uint8_t> packet;
    Session session;
    for (uint32_t i = 0; i < packets; ++i) {
      RuleKey key = make.key(linear);
      PacketFacts facts;
      make.facts(key, facts, packet, session);
      facts.shared = &shared;
      facts.now = {1, 100 + i / 4, 0};
      if (make.one_in(8))
        (void)shared.lists.add(static_cast<uint16_t>(1 + make.below(2)), key.src, 50, facts.now.cs);
      expect_same(linear, indexed, key);
      if (HasFatalFailure()) return;
    }
  }

  std::unique_ptr<WalkRecord> a_ = std::make_unique<WalkRecord>();
  std::unique_ptr<WalkRecord> b_ = std::make_unique<WalkRecord>();
  Random random_a_{5}, random_b_{5};
  uint64_t hits_ = 0;
  uint64_t kept_ = 0;
  std::array<uint64_t, RuleMore::kMatchers> matched_{};
};

}  // namespace maclane::test
