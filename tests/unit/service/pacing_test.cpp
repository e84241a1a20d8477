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
  pacing.done(at(0), at(3));
  EXPECT_FALSE(pacing.is_due(at(1000)));  // nobody asked again
  pacing.ask();
  EXPECT_TRUE(pacing.is_due(at(1000)));
  pacing.done(at(1000), at(1003));
  pacing.ask();
  pacing.ask();
  EXPECT_FALSE(pacing.is_due(at(1029)));
  EXPECT_TRUE(pacing.is_due(at(1030)));
  pacing.done(at(1030), at(1031));
  EXPECT_FALSE(pacing.is_due(at(2000)));
}

}  // namespace
}  // namespace maclane
