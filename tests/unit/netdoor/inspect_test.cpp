// /console/inspect as tools ask it (D-12).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/observe/polled.h"

namespace maclane::observe {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using Strings = std::vector<std::string>;

Strings ask(const char* request, const char* path, const char* input, const char* wanted) {
  model::Call call;
  call.arguments = {{"request", request}, {"path", path}, {"input", input}};
  const auto outcome = inspect(call);
  Strings out;
  for (const model::PrintRow& row : outcome->rows) out.emplace_back(row.get(wanted));
  return out;
}

TEST(Inspect, D12_CompletesALineOrThePartBehindAPath) {
  EXPECT_THAT(ask("completion", "", "/ip addr", "completion"), ElementsAre("address"));
  EXPECT_THAT(ask("completion", "", "/ip addr", "offset"), ElementsAre("4"));
  EXPECT_THAT(ask("completion", "", "/ip/addr", "completion"), ElementsAre("address"));
  EXPECT_THAT(ask("completion", "ip", "addr", "completion"), ElementsAre("address"));
  EXPECT_THAT(ask("completion", "ip", "address ad", "completion"), ElementsAre("add"));
  EXPECT_THAT(ask("completion", "", "/ip address add ", "completion"), Contains("interface"));
  EXPECT_THAT(ask("completion", "", "/interface macvlan add mode=p", "completion"),
              ElementsAre("private"));
  EXPECT_THAT(ask("completion", "", "/nowhere x", "completion"), IsEmpty());
  EXPECT_THAT(ask("completion", "", "/", "completion"), Contains("ip"));
}

TEST(Inspect, D12_ChildrenAndSyntax) {
  EXPECT_THAT(ask("child", "ip,firewall", "", "name"), Contains("filter"));
  EXPECT_THAT(ask("child", "ip,address,add", "", "node-type"), Contains("arg"));
  EXPECT_THAT(ask("syntax", "ip,address,add,interface", "", "symbol"), ElementsAre("interface"));
  EXPECT_THAT(ask("self", "ip,address", "", "node-type"), ElementsAre("dir"));
}

}  // namespace
}  // namespace maclane::observe
