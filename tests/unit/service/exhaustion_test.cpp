// What the log says when there is no room for new connections (B-22, N-11).
#include "control/observe/exhaustion.h"

#include <gtest/gtest.h>

#include <map>

#include "control/observe/log.h"

namespace maclane::observe {
namespace {

class ExhaustionTest : public ::testing::Test {
 protected:
  ExhaustionTest() { log::clear(); }
  /// What was said since it was last asked.
  std::vector<std::string> said() {
    std::vector<std::string> out;
    for (const auto& line : log::recent()) out.push_back(line.message);
    log::clear();
    return out;
  }
  std::map<Drop, uint64_t> dropped_;
  uint64_t neighbours_ = 0;
  Exhaustion exhaustion_{[this](Drop reason) { return dropped_[reason]; },
                         [this] { return neighbours_; }};
};

TEST_F(ExhaustionTest, IsSaidOnceAndWhenItIsOver) {
  exhaustion_.look(0);
  EXPECT_TRUE(said().empty());
  for (uint64_t ms = 1000; ms < 100'000; ms += 200) {
    dropped_[Drop::nat_ports_exhausted] += 5;
    exhaustion_.look(ms);
  }
  const auto begun = said();
  ASSERT_EQ(begun.size(), 1u);
  EXPECT_NE(begun[0].find("no port is left"), std::string::npos);
  exhaustion_.look(100'000 + Exhaustion::kQuietMs - 1000);
  EXPECT_TRUE(said().empty());
  exhaustion_.look(100'000 + Exhaustion::kQuietMs);
  EXPECT_EQ(said(), (std::vector<std::string>{"there are ports for source translations again; "
                                              "2475 packets were dropped meanwhile"}));
  dropped_[Drop::nat_ports_exhausted] += 1;
  dropped_[Drop::session_table_full] += 1;
  exhaustion_.look(300'000);
  EXPECT_EQ(said().size(), 2u) << "it began again, and of another kind";
}

TEST_F(ExhaustionTest, AFullNeighbourTableIsSaidOnceAnEpisode) {
  for (uint64_t ms = 1000; ms < 10'000; ms += 200) {
    neighbours_ += 3;
    exhaustion_.look(ms);
  }
  const auto begun = said();
  ASSERT_EQ(begun.size(), 1u);
  EXPECT_NE(begun[0].find("max-neighbor-entries"), std::string::npos);
  exhaustion_.look(10'000 + Exhaustion::kQuietMs);
  EXPECT_EQ(said(), (std::vector<std::string>{
                        "the neighbour table has room again; 135 times there was none meanwhile"}));
}

}  // namespace
}  // namespace maclane::observe
