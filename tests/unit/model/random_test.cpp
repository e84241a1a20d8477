// What holds of every tree: written and loaded again it is the same, validating what changed finds
// what validating everything finds, and two versions of a menu are compared rightly.
#include <map>

#include "tests/unit/model/model_test_help.h"
#include "tests/unit/model/random_tree.h"

namespace maclane::model {
namespace {

std::vector<std::string> texts(const Errors& errors) {
  std::vector<std::string> out;
  for (const Error& error : errors) out.push_back(error.text());
  std::sort(out.begin(), out.end());
  return out;
}

TEST(RandomTrees, YamlOutThenInGivesTheSame) {
  for (uint32_t seed = 1; seed <= 40; ++seed) {
    const Tree tree = RandomTree(seed).make(20 + seed * 5);
    const std::string yaml = door::to_yaml(tree);
    auto loaded = door::load_yaml_text(yaml, "t.yaml");
    ASSERT_TRUE(loaded) << all_text(loaded.error()) << yaml;
    EXPECT_THAT(loaded->warnings, testing::IsEmpty());
    // A row that its parent's new MTU clamps is written as it is in effect.
    if (validate(tree).empty()) {
      ASSERT_EQ(difference(tree, loaded->tree), "") << yaml;
    }
    EXPECT_EQ(all_text(validate(loaded->tree)), "") << yaml;
    EXPECT_EQ(door::to_yaml(loaded->tree), yaml);
  }
}

TEST(RandomTrees, EveryPropertyGoesOutAndInByYaml) {
  const CoveredTrees covered = covered_trees();
  // A row with a timeout is in no configuration.
  EXPECT_THAT(covered.missing, testing::ElementsAre("/ip/firewall/address-list timeout"))
      << "properties that no round trip is shown for";
  for (const Tree& tree : covered.trees) {
    const std::string yaml = door::to_yaml(tree);
    auto loaded = door::load_yaml_text(yaml, "t.yaml");
    ASSERT_TRUE(loaded) << all_text(loaded.error()) << yaml;
    ASSERT_EQ(difference(tree, loaded->tree), "") << yaml;
    EXPECT_EQ(door::to_yaml(loaded->tree), yaml);
  }
}

TEST(RandomTrees, WhatChangedIsValidatedAsAllOfIt) {
  size_t wrong = 0;
  size_t right = 0;
  for (uint32_t seed = 1; seed <= 30; ++seed) {
    RandomTree random(seed);
    Tree tree = random.make(random.below(60));
    for (int i = 0; i < 300; ++i) {
      Tree next = tree;
      std::vector<Edit> edits;
      for (size_t n = 1 + random.below(3); n > 0; --n) edits.push_back(random.random_edit(tree));
      if (!edit(next, edits)) continue;
      const auto quick = texts(validate(next, &tree));
      const auto whole = texts(validate(next, &tree, /*whole=*/true));
      ASSERT_EQ(quick, whole) << "seed " << seed << " step " << i << "\n" << door::to_yaml(next);
      ++(whole.empty() ? right : wrong);
      if (whole.empty()) tree = std::move(next);
    }
  }
  EXPECT_GT(wrong, 500U) << "both kinds of edits are met";
  EXPECT_GT(right, 500U);
}

TEST(Rows, AreWhatAVectorWouldBe) {
  std::mt19937 random(5);
  const Menu& menu = *find_menu("/interface/list");
  const auto name = static_cast<size_t>(name_index(menu));
  const auto make = [&](uint32_t id) {
    auto row = std::make_shared<Row>();
    row->id = id;
    row->values.resize(menu.properties.size());
    row->values[name] = "n" + std::to_string(id % 50);
    return row;
  };
  for (int round = 0; round < 8; ++round) {
    Rows rows(key_of(menu));
    std::vector<RowPtr> plain;
    Rows before = rows;
    std::vector<RowPtr> plain_before;
    uint32_t id = 0;
    for (int step = 0; step < 2500; ++step) {
      const size_t what = random() % 10;
      const size_t place = plain.empty() ? 0 : random() % plain.size();
      const auto at = plain.begin() + static_cast<std::ptrdiff_t>(place);
      if (plain.empty() || what < 4) {
        const RowPtr row = make(++id);
        const bool last = what % 2 == 0;
        rows.insert(last ? rows.size() : place, row);
        plain.insert(last ? plain.end() : at, row);
      } else if (what < 6 || (round % 2 == 1 && what < 8)) {
        rows.erase(place);
        plain.erase(at);
      } else if (what < 8) {
        const auto row = std::make_shared<Row>(**at);
        row->values[name] += "x";
        rows.replace(place, row);
        *at = row;
      } else {
        const size_t to = random() % (plain.size() + 1);
        rows.move(place, to);
        const RowPtr row = *at;
        plain.erase(at);
        plain.insert(plain.begin() + static_cast<std::ptrdiff_t>(to > place ? to - 1 : to), row);
      }
      if (step % 50 != 0) continue;
      ASSERT_EQ(rows.size(), plain.size());
      ASSERT_TRUE(std::equal(rows.begin(), rows.end(), plain.begin(), plain.end()));
      for (size_t i = 0; i < plain.size(); i += 7) {
        ASSERT_EQ(rows[i], plain[i]);
        ASSERT_EQ(rows.place_of(plain[i]->id), i);
        ASSERT_EQ(rows.by_id(plain[i]->id), plain[i]);
        std::vector<RowPtr> same;
        rows.with_key(name_hash(plain[i]->values[name]),
                      [&](const RowPtr& r) { same.push_back(r); });
        std::vector<RowPtr> expected;
        std::copy_if(plain.begin(), plain.end(), std::back_inserter(expected),
                     [&](const RowPtr& r) { return rows.same_key(*r, *plain[i]); });
        ASSERT_EQ(same, expected);
      }
      ASSERT_EQ(rows.by_id(id + 1), nullptr);
      // The copy from before is as it was, and the difference between the two is the difference.
      ASSERT_TRUE(
          std::equal(before.begin(), before.end(), plain_before.begin(), plain_before.end()));
      ASSERT_EQ(before == rows, plain_before == plain);
      const RowsDiff diff = compare(before, rows);
      std::map<uint32_t, RowPtr> then;
      std::map<uint32_t, RowPtr> now;
      for (const RowPtr& r : plain_before) then.emplace(r->id, r);
      for (const RowPtr& r : plain) now.emplace(r->id, r);
      size_t added = 0;
      size_t changed = 0;
      for (const auto& [one, row] : now) {
        if (then.count(one) == 0) ++added;
        if (then.count(one) != 0 && then[one] != row) ++changed;
      }
      ASSERT_EQ(diff.added.size(), added);
      ASSERT_EQ(diff.changed.size(), changed);
      ASSERT_EQ(diff.removed.size(), then.size() + added - now.size());
      std::vector<uint32_t> order_then;
      std::vector<uint32_t> order_now;
      for (const RowPtr& r : plain_before) {
        if (now.count(r->id) != 0) order_then.push_back(r->id);
      }
      for (const RowPtr& r : plain) {
        if (then.count(r->id) != 0) order_now.push_back(r->id);
      }
      ASSERT_EQ(diff.moved, order_then != order_now);
      before = rows;
      plain_before = plain;
    }
  }
}

}  // namespace
}  // namespace maclane::model
