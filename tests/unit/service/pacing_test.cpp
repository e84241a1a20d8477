#include "control/service/pacing.h"

#include <gtest/gtest.h>

namespace maclane {
namespace {

using std::chrono::milliseconds;

TEST(Pacing, WorkIsDoneAtOnceAndThenInATenthOfTheTime) {
  Pacing pacing;
  const Pacing::Clock::time_point start(milliseconds(1'000'000));
  const auto at = [&](int ms) { return start + milliseconds(ms); };
  EXPECT_FALSE(pacing.is_due(at(0)));
  pacing.ask();
  ASSERT_TRUE(pacing.is_due(at(0)));
  pacing.begin(at(0));
  pacing.end(at(3));
  EXPECT_FALSE(pacing.is_due(at(1000)));  // nobody asked again
  pacing.ask();
  EXPECT_TRUE(pacing.is_due(at(1000)));
  pacing.begin(at(1000));
  pacing.end(at(1003));
  pacing.ask();
  pacing.ask();
  EXPECT_FALSE(pacing.is_due(at(1029)));
  EXPECT_TRUE(pacing.is_due(at(1030)));
  pacing.begin(at(1030));
  pacing.end(at(1031));
  EXPECT_FALSE(pacing.is_due(at(2000)));
  pacing.ask();
  EXPECT_TRUE(pacing.is_asked());
  pacing.begin(at(3000));
  pacing.end(at(5000));
  EXPECT_FALSE(pacing.is_asked());
  pacing.ask();
  EXPECT_FALSE(pacing.is_due(at(5199)));
  EXPECT_TRUE(pacing.is_due(at(5200)));
}

}  // namespace
}  // namespace maclane
