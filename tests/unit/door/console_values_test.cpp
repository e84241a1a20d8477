// What commands give to a script, and what values they take.
#include <gmock/gmock.h>

#include "tests/unit/door/console_fixture.h"

namespace maclane::door {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST_F(ConsoleTest, APrintInBracketsIsShownAndNoValue) {
  says("/interface list add name=a");
  EXPECT_THAT(says(":put [/interface list print]"), AllOf(HasSubstr("NAME"), HasSubstr(" a")));
  EXPECT_EQ(says(":put [/interface list print count-only where name=a]"), "1\n");
  EXPECT_EQ(says(":put [:len [/interface list print as-value where name=a]]"), "1\n");
}

TEST_F(ConsoleTest, TimesHaveFractions) {
  EXPECT_EQ(says(":put (1.5s + 1s)"), "00:00:02.500\n");
  EXPECT_EQ(says(":put (0.25h + 1ms)"), "00:15:00.001\n");
  EXPECT_EQ(says(":put [:typeof 1.5.2.3]"), "ip\n");
  EXPECT_EQ(says(":delay 0.001s; :put done"), "done\n");
  says(":delay 0.0x");
  EXPECT_NE(done_["code"], 0);
}

TEST_F(ConsoleTest, SchedulesKeepWholeSeconds) {
  EXPECT_THAT(says("/system scheduler add name=s interval=1500ms on-event=x"),
              HasSubstr("has parts of a second; it is in whole seconds, 1s or more"));
  EXPECT_EQ(done_["code"], 1);
  says("/system scheduler add name=s interval=1.0m on-event=x");
  EXPECT_EQ(done_["code"], 0);
}

}  // namespace
}  // namespace maclane::door
