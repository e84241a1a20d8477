// Address lists as sorted, disjoint ranges.
#include "tests/unit/compile/testing.h"

namespace maclane::compile {
namespace {

using testing::add;
using testing::Bench;
using testing::ip;

constexpr std::string_view kList = "/ip/firewall/address-list";

std::vector<std::pair<uint32_t, uint32_t>> ranges(const AddressSet& set) {
  std::vector<std::pair<uint32_t, uint32_t>> result;
  for (const AddressRange& range : set) result.emplace_back(range.first, range.last);
  return result;
}

TEST(CompileAddressLists, RangesAreSortedAndMerged) {
  Bench b;
  for (std::string_view address :
       {"255.255.255.255", "10.0.1.0/24", "192.0.2.7", "10.0.0.0/24", "10.0.0.128-10.0.1.3",
        "255.255.255.0-255.255.255.254", "192.0.2.9", "0.0.0.0"}) {
    add(b.tree, kList, {{"list", "a"}, {"address", address}});
  }
  add(b.tree, kList, {{"list", "a"}, {"address", "192.0.2.8"}, {"disabled", "yes"}});
  add(b.tree, kFilter, {{"chain", "forward"}, {"src-address-list", "a"}});
  b.must_compile();
  const RuleSet& filter = *b.now.snapshot->filter;
  ASSERT_EQ(filter.address_sets.size(), 1u);
  EXPECT_EQ(ranges(*filter.address_sets[0]),
            (std::vector<std::pair<uint32_t, uint32_t>>{{0, 0},
                                                        {ip("10.0.0.0"), ip("10.0.1.255")},
                                                        {ip("192.0.2.7"), ip("192.0.2.7")},
                                                        {ip("192.0.2.9"), ip("192.0.2.9")},
                                                        {ip("255.255.255.0"), 0xffffffff}}));
}

TEST(CompileAddressLists, OneSetForAllWhoNameIt) {
  Bench b;
  add(b.tree, kList, {{"list", "a"}, {"address", "10.0.0.1"}});
  add(b.tree, kFilter, {{"chain", "forward"}, {"src-address-list", "a"}});
  add(b.tree, kFilter, {{"chain", "forward"}, {"dst-address-list", "a"}});
  add(b.tree, kFilter, {{"chain", "forward"}, {"dst-address-list", "unheard-of"}});
  add(b.tree, "/ip/firewall/nat",
      {{"chain", "srcnat"}, {"src-address-list", "a"}, {"action", "masquerade"}});
  b.must_compile();
  const RuleSet& filter = *b.now.snapshot->filter;
  const auto rules = b.chain(filter, "forward");
  EXPECT_EQ(rules[0].src_list, rules[1].dst_list);
  EXPECT_TRUE(filter.address_sets[rules[2].dst_list]->empty());
  EXPECT_EQ(filter.address_sets[rules[0].src_list], b.now.snapshot->nat->address_sets[0]);
}

TEST(CompileAddressLists, OnlyTheChangedListIsMadeAnew) {
  Bench b;
  add(b.tree, kList, {{"list", "a"}, {"address", "10.0.0.1"}});
  add(b.tree, kList, {{"list", "b"}, {"address", "10.0.0.2"}});
  add(b.tree, kFilter, {{"chain", "forward"}, {"src-address-list", "a"}});
  add(b.tree, kFilter, {{"chain", "forward"}, {"src-address-list", "b"}});
  b.must_compile();
  const auto before = b.now.snapshot->filter;
  add(b.tree, kList, {{"list", "b"}, {"address", "10.0.0.4"}});
  b.must_compile();
  const auto after = b.now.snapshot->filter;
  EXPECT_NE(before, after);
  EXPECT_EQ(before->address_sets[0], after->address_sets[0]);
  EXPECT_NE(before->address_sets[1], after->address_sets[1]);
  EXPECT_EQ(after->address_sets[1]->size(), 2u);
}

}  // namespace
}  // namespace maclane::compile
