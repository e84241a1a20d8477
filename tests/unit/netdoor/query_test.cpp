// The query stack machine, against the examples of the manual and the forms that clients send
// (D-21).
#include "control/door/query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maclane::door {
namespace {

using testing::HasSubstr;

model::PrintRow row(model::Fields fields, std::string id = "*1") {
  model::PrintRow out;
  out.id = std::move(id);
  out.fields = std::move(fields);
  return out;
}

const model::PrintRow kEther =
    row({{"name", "ether1"}, {"type", "ether"}, {"mtu", "1500"}, {"disabled", "false"}});
const model::PrintRow kVlan =
    row({{"name", "v1"}, {"type", "vlan"}, {"mtu", "900"}, {"comment", "x"}, {"disabled", "true"}},
        "*2");
const model::PrintRow kMacvlan =
    row({{"name", "m1"}, {"type", "macvlan"}, {"disabled", "false"}}, "*A");

bool passes(const std::vector<std::string>& words, const model::PrintRow& one,
            const char* menu = "/interface") {
  const auto query = Query::compile(model::find_menu(menu), words);
  EXPECT_TRUE(query) << (query ? "" : query.error());
  return query && query->matches(one);
}

TEST(ApiQuery, D21_HasAndLacks) {
  EXPECT_TRUE(passes({"comment"}, kVlan));
  EXPECT_FALSE(passes({"comment"}, kEther));
  EXPECT_TRUE(passes({"-comment"}, kEther));
  EXPECT_FALSE(passes({"-comment"}, kVlan));
}

TEST(ApiQuery, D26_EqualInBothForms) {
  EXPECT_TRUE(passes({"type=ether"}, kEther));
  EXPECT_TRUE(passes({"=type=ether"}, kEther));
  EXPECT_FALSE(passes({"=type=ether"}, kVlan));
  EXPECT_TRUE(passes({".id=*A"}, kMacvlan));
  EXPECT_TRUE(passes({"disabled=no"}, kEther));  // as the menu writes it: false
  EXPECT_TRUE(passes({"disabled=yes"}, kVlan));
}

TEST(ApiQuery, D21_LessAndGreaterByValue) {
  EXPECT_TRUE(passes({"<mtu=1000"}, kVlan));
  EXPECT_FALSE(passes({"<mtu=1000"}, kEther));  // 1500 is less than 1000 as text only
  EXPECT_TRUE(passes({">mtu=1000"}, kEther));
  EXPECT_FALSE(passes({">mtu=1000"}, kMacvlan));  // no value: neither
  EXPECT_LT(compare_values("9.0.0.1", "10.0.0.1"), 0);
  EXPECT_LT(compare_values("50s", "1m"), 0);
  EXPECT_LT(compare_values("abc", "abd"), 0);
  EXPECT_EQ(compare_values("7", "7"), 0);
}

TEST(ApiQuery, D21_AValueThatNoRowCanHaveFindsNothing) {
  for (const char* word :
       {"mtu=foo", "disabled=perhaps", "type=no such", "mac-address=foo", "no-such=1"})
    EXPECT_FALSE(passes({word}, kEther)) << word;
}

TEST(ApiQuery, D21_SeveralWordsAreAll) {
  EXPECT_TRUE(passes({"type=ether", "disabled=false"}, kEther));
  EXPECT_FALSE(passes({"type=ether", "disabled=true"}, kEther));
}

TEST(ApiQuery, D21_OrOfTheManual) {
  // /interface/print ?type=ether ?type=vlan ?#|!   : neither ethernet nor vlan
  EXPECT_FALSE(passes({"type=ether", "type=vlan", "#|!"}, kEther));
  EXPECT_FALSE(passes({"type=ether", "type=vlan", "#|!"}, kVlan));
  EXPECT_TRUE(passes({"type=ether", "type=vlan", "#|!"}, kMacvlan));
  EXPECT_TRUE(passes({"type=ether", "type=vlan", "#|"}, kVlan));
  EXPECT_FALSE(passes({"type=ether", "type=vlan", "#|"}, kMacvlan));
}

TEST(ApiQuery, D21_AndNot) {
  EXPECT_TRUE(passes({"type=ether", "disabled=true", "#!", "#&"}, kEther));
  EXPECT_TRUE(passes({"type=ether", "disabled=true", "#!&"}, kEther));
  EXPECT_FALSE(passes({"type=ether", "#!"}, kEther));
}

TEST(ApiQuery, D21_IndicesAndCopies) {
  // An index followed by something pushes a copy: [false, true], "1" is false.
  EXPECT_FALSE(passes({"type=vlan", "type=ether", "#1."}, kEther));
  // At the end it keeps only that one: true is index 0.
  EXPECT_TRUE(passes({"type=vlan", "type=ether", "#0"}, kEther));
  EXPECT_FALSE(passes({"type=vlan", "type=ether", "#1"}, kEther));
  // '.' after anything else copies the top: false! is true, with the copy false left beneath it.
  EXPECT_FALSE(passes({"type=vlan", "#!.!&"}, kEther));
  // Below the stack are true values.
  EXPECT_TRUE(passes({"type=ether", "#&&&&"}, kEther));
  EXPECT_TRUE(passes({"#99"}, kEther));
  EXPECT_FALSE(passes({"#!"}, kEther));
  // An index with a dot and an operation: copy of index 1, then or.
  EXPECT_TRUE(passes({"type=ether", "type=vlan", "#1.|0"}, kEther));
}

TEST(ApiQuery, MistakesAreSentences) {
  const auto problem = [](const std::vector<std::string>& words) {
    const auto query = Query::compile(nullptr, words);
    return query ? std::string() : query.error();
  };
  EXPECT_THAT(problem({""}), HasSubstr("empty"));
  EXPECT_THAT(problem({"="}), HasSubstr("must be name"));
  EXPECT_THAT(problem({"<mtu"}), HasSubstr("must be name"));
  EXPECT_THAT(problem({"#x"}), HasSubstr("operations"));
  EXPECT_THAT(problem(std::vector<std::string>(300, "a")), HasSubstr("more than"));
  EXPECT_EQ(problem({"#" + std::string(1000, '.')}), "");
  EXPECT_NE(problem({"#" + std::string(5000, '.')}), "");
}

}  // namespace
}  // namespace maclane::door
