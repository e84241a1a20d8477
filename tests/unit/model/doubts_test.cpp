// What is allowed and hardly meant is said, once.
#include "control/model/doubts.h"

#include "tests/unit/model/model_test_help.h"

namespace maclane::model {
namespace {

using testing::HasSubstr;

Tree with_nat_rule(const std::string& rule) {
  return load(with_ethers("ip:\n  firewall:\n    nat:\n    - {" + rule + "}\n"));
}

TEST(Doubts, NetmapOntoFewerAddresses) {  // B-29
  const Errors said =
      doubts(with_nat_rule("chain: srcnat, src-address: 10.0.0.0/24, action: netmap, "
                           "to-addresses: 203.0.113.0/28"),
             nullptr);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_THAT(said[0].text(), HasSubstr("netmap maps the 256 addresses of src-address=10.0.0.0/24 "
                                        "onto 16, so that several share each"));
  EXPECT_EQ(said[0].property, "to-addresses");
  EXPECT_EQ(doubts(with_nat_rule("chain: dstnat, dst-address: 203.0.113.0/24, action: netmap, "
                                 "to-addresses: 10.0.0.0/25"),
                   nullptr)
                .size(),
            1u);
  for (const char* right :
       {"chain: srcnat, src-address: 10.0.0.0/24, action: netmap, to-addresses: 203.0.113.0/24",
        "chain: srcnat, src-address: 10.0.0.0/28, action: netmap, to-addresses: 203.0.113.0/24",
        "chain: srcnat, dst-address: 10.0.0.0/8, action: netmap, to-addresses: 203.0.113.0/24",
        "chain: srcnat, src-address: 10.0.0.0/24, action: src-nat, to-addresses: 203.0.113.1",
        "chain: srcnat, src-address: 10.0.0.0/24, action: netmap, to-addresses: 203.0.113.0/28, "
        "disabled: true"})
    EXPECT_TRUE(doubts(with_nat_rule(right), nullptr).empty()) << right;
}

TEST(Doubts, OnlyWhatChangedIsSaidAgain) {
  const Tree before = with_nat_rule(
      "chain: srcnat, src-address: 10.0.0.0/24, action: netmap, "
      "to-addresses: 203.0.113.0/28");
  EXPECT_EQ(doubts(before, nullptr).size(), 1u);
  EXPECT_TRUE(doubts(before, &before).empty());
  Tree after = before;
  const auto edited = edit(after, {{Edit::Kind::kAdd,
                                    "/ip/firewall/nat",
                                    {},
                                    {{"chain", "srcnat"},
                                     {"action", "netmap"},
                                     {"src-address", "10.1.0.0/30"},
                                     {"to-addresses", "203.0.113.0/31"}},
                                    {},
                                    {}}});
  ASSERT_TRUE(edited);
  const Errors said = doubts(after, &before);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_THAT(said[0].text(), HasSubstr("the 4 addresses"));
}

}  // namespace
}  // namespace maclane::model
