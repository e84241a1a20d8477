// Addresses that come into lists by themselves (behaviour.md B-13).
#include "dataplane/table/dynamic_lists.h"

#include <gtest/gtest.h>

namespace maclane {
namespace {

using Added = DynamicLists::Added;

TEST(DynamicLists, AnEntryLastsAsLongAsItWasGiven) {  // B-13
  DynamicLists lists(1024);
  EXPECT_EQ(lists.add(1, 10, 100, 5000), Added::kNew);
  EXPECT_EQ(lists.add(1, 10, 200, 5050), Added::kKnown);
  EXPECT_TRUE(lists.contains(1, 10, 5249));
  EXPECT_FALSE(lists.contains(1, 10, 5250));
  EXPECT_FALSE(lists.contains(2, 10, 5000));
  EXPECT_EQ(lists.add(1, 10, 100, 6000), Added::kNew) << "its time was over";
}

TEST(DynamicLists, WhatIsThereForEverStaysSo) {  // B-13
  DynamicLists lists(1024);
  EXPECT_EQ(lists.add(1, 10, DynamicLists::kForever, 5000), Added::kNew);
  EXPECT_EQ(lists.add(1, 10, 100, 5000), Added::kKnown);
  EXPECT_TRUE(lists.contains(1, 10, 2000000000));
  EXPECT_EQ(lists.add(1, 11, 100, 5000), Added::kNew);
  EXPECT_EQ(lists.add(1, 11, DynamicLists::kForever, 5000), Added::kKnown);
  EXPECT_TRUE(lists.contains(1, 11, 2000000000));
}

TEST(DynamicLists, WhatIsToBeKeptIsCounted) {  // B-13
  DynamicLists lists(1024);
  EXPECT_EQ(lists.add(1, 10, 100, 5000), Added::kNew);
  EXPECT_EQ(lists.add(1, 10, DynamicLists::kToKeep, 5000), Added::kKnown);
  EXPECT_EQ(lists.to_keep(), 1u);
  EXPECT_EQ(lists.add(1, 10, DynamicLists::kToKeep, 5000), Added::kKnown) << "it is kept already";
  EXPECT_EQ(lists.add(1, 10, 100, 5000), Added::kKnown);
  EXPECT_EQ(lists.to_keep(), 1u);
  EXPECT_EQ(lists.get(1, 10, 2000000000).expires_cs, DynamicLists::kToKeep);
  EXPECT_EQ(lists.add(1, 11, DynamicLists::kToKeep, 5000), Added::kNew);
  EXPECT_EQ(lists.to_keep(), 2u);
  EXPECT_EQ(lists.add(1, 12, 100, 5000), Added::kNew);
  EXPECT_EQ(lists.get(1, 12, 5099).created_cs, 5000u);
  EXPECT_EQ(lists.get(1, 12, 5100).list, 0) << "its time is over";
}

TEST(DynamicLists, SweepingFreesWhatIsOverAndSaysSo) {
  DynamicLists lists(1024);
  for (uint32_t i = 0; i < 500; ++i) (void)lists.add(1, i * 77, i % 2 == 0 ? 100 : 300, 5000);
  EXPECT_EQ(lists.size(), 500u);
  const uint32_t epoch = lists.epoch();
  lists.sweep(5200, lists.slots());
  EXPECT_EQ(lists.size(), 250u);
  EXPECT_TRUE(lists.changed_since(0, epoch));
  EXPECT_FALSE(lists.changed_since(0, lists.epoch()));
  EXPECT_TRUE(lists.contains(1, 77, 5200));
}

TEST(DynamicLists, RoomForAHundredThousand) {
  DynamicLists lists;
  for (uint32_t i = 0; i < 100000; ++i)
    ASSERT_EQ(lists.add(1, 0x0a000000 + i, 0, 5000), Added::kNew) << i;
  EXPECT_EQ(lists.full(), 0u);
  lists.clear(1);
  EXPECT_EQ(lists.size(), 0u);
}

TEST(DynamicLists, AFullTableSaysSo) {
  DynamicLists lists(8);
  Added last = Added::kNew;
  for (uint32_t i = 0; i < 9; ++i) last = lists.add(1, i, 0, 5000);
  EXPECT_EQ(last, Added::kFull);
  EXPECT_GT(lists.full(), 0u);
  EXPECT_LE(lists.size(), 8u);
}

}  // namespace
}  // namespace maclane
