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

Tree with_filter_rules(const std::string& rules) {
  return load(with_ethers("ip:\n  firewall:\n    filter:\n" + rules));
}
constexpr const char* kFromOutput = "    - {chain: output, action: jump, jump-target: mine}\n";

TEST(Doubts, InterfacesWhereNoneIsKnown) {  // B-1
  const std::string asks =
      "    - {chain: mine, in-interface: ether1, action: drop}\n"
      "    - {chain: mine, in-interface: ether2, action: drop}\n"
      "    - {chain: mine, in-interface: '!ether2', action: drop}\n"
      "    - {chain: mine, out-interface: ether1, action: drop}\n"
      "    - {chain: mine, in-interface-list: all, action: drop, disabled: yes}\n"
      "    - {chain: other, in-interface: ether1, action: drop}\n";
  const Errors said = doubts(with_filter_rules(kFromOutput + asks), nullptr);
  ASSERT_EQ(said.size(), 2u);
  EXPECT_THAT(
      said[0].text(),
      HasSubstr("in-interface=ether1 never matches: chain mine is reached only from output, "
                "where no incoming interface is known; leave it out, or jump to mine from "
                "input or forward (the same for 1 more of its rules)"));
  EXPECT_EQ(said[0].property, "in-interface");
  EXPECT_THAT(said[1].text(), HasSubstr("in-interface=!ether2 always matches"));
  EXPECT_TRUE(doubts(with_filter_rules(asks), nullptr).empty()) << "nothing leads there yet";
  for (const char* right : {"forward", "input"}) {
    EXPECT_TRUE(doubts(with_filter_rules(kFromOutput + asks + "    - {chain: " + right +
                                         ", action: jump, jump-target: mine}\n"),
                       nullptr)
                    .empty())
        << right;
  }
}

TEST(Doubts, InterfacesBehindTwoJumps) {
  const Errors said =
      doubts(load(with_ethers("ip:\n  firewall:\n    mangle:\n"
                              "    - {chain: prerouting, action: jump, jump-target: one}\n"
                              "    - {chain: input, action: jump, jump-target: two}\n"
                              "    - {chain: one, action: jump, jump-target: two}\n"
                              "    - {chain: two, out-interface-list: all, action: accept}\n"
                              "    nat:\n"
                              "    - {chain: output, action: jump, jump-target: two}\n"
                              "    - {chain: two, in-interface-list: '!all', action: accept}\n")),
             nullptr);
  ASSERT_EQ(said.size(), 2u);
  EXPECT_THAT(said[0].text(),
              HasSubstr("chain two is reached only from prerouting and input, where no outgoing "
                        "interface is known; leave it out, or jump to two from forward or output "
                        "or postrouting"));
  EXPECT_THAT(said[1].text(), HasSubstr("chain two is reached only from output"));
}

TEST(Doubts, AnInterfaceIsDoubtedWhenItsChainLosesTheWay) {
  const Tree before = with_filter_rules(std::string(kFromOutput) +
                                        "    - {chain: forward, action: jump, jump-target: mine}\n"
                                        "    - {chain: mine, in-interface: ether1, action: drop}\n"
                                        "    - {chain: mine, action: jump, jump-target: more}\n");
  EXPECT_TRUE(doubts(before, nullptr).empty());
  const auto with = [](Tree tree, Edit edit_) {
    EXPECT_TRUE(edit(tree, {std::move(edit_)}));
    return tree;
  };
  const std::string path = "/ip/firewall/filter";
  const Tree without = with(before, {Edit::Kind::kRemove, path, "1", {}, {}, {}});
  EXPECT_EQ(doubts(without, &before).size(), 1u);
  EXPECT_TRUE(doubts(without, &without).empty());
  const Tree another_jump =
      with(without, {Edit::Kind::kAdd,
                     path,
                     {},
                     {{"chain", "output"}, {"action", "jump"}, {"jump-target", "mine"}},
                     {},
                     {}});
  EXPECT_TRUE(doubts(another_jump, &without).empty()) << "it was said";
  const Tree another_rule =
      with(without, {Edit::Kind::kAdd,
                     path,
                     {},
                     {{"chain", "more"}, {"in-interface", "ether2"}, {"action", "drop"}},
                     {},
                     {}});
  const Errors said = doubts(another_rule, &without);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_THAT(said[0].text(), HasSubstr("in-interface=ether2"));
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
