// Which name server says nothing (C-31).
#include "control/service/server_watch.h"

#include <gtest/gtest.h>

namespace maclane::test {
namespace {

constexpr uint64_t kPatience = 4000;

TEST(ServerWatchTest, OneThatAnswersNothingIsSilent) {
  ServerWatch watch;
  watch.hear("1 ", "query[A] a.example from 192.0.2.9", 1000);
  watch.hear("1 ", "forwarded a.example to 203.0.113.53", 1000);
  EXPECT_EQ(watch.silent(4999, kPatience), "");
  watch.hear("1 ", "forwarded a.example to 203.0.113.53", 3000);  // asked again
  EXPECT_EQ(watch.silent(5000, kPatience), "203.0.113.53");
  EXPECT_EQ(watch.silent(6000, kPatience), "") << "told once";
}

TEST(ServerWatchTest, OneThatIsSlowForSomeNamesIsNot) {
  ServerWatch watch;
  watch.hear("1 ", "forwarded slow.example to 203.0.113.53", 1000);
  watch.hear("2 ", "forwarded a.example to 203.0.113.53", 2000);
  watch.hear("2 ", "reply a.example is NXDOMAIN", 2010);
  EXPECT_EQ(watch.silent(5000, kPatience), "");
  EXPECT_EQ(watch.silent(9000, kPatience), "");
  watch.hear("3 ", "forwarded b.example to 203.0.113.53", 9000);
  watch.hear("3 ", "reply b.example is <CNAME>", 9010);
  watch.hear("3 ", "reply c.example is 192.0.2.1", 9010);
  EXPECT_EQ(watch.silent(20'000, kPatience), "");
}

TEST(ServerWatchTest, AQuestionToSeveralSaysNothingOfOne) {
  ServerWatch watch;
  watch.hear("1 ", "forwarded a.example to 203.0.113.53", 1000);
  watch.hear("1 ", "forwarded a.example to 203.0.113.54", 1000);
  EXPECT_EQ(watch.silent(9000, kPatience), "");
  watch.hear("2 ", "forwarded b.example to 203.0.113.53", 9000);
  watch.hear("3 ", "forwarded c.example to 203.0.113.53", 9000);
  watch.hear("3 ", "forwarded c.example to 203.0.113.54", 9001);
  watch.hear("3 ", "reply c.example is 192.0.2.1", 9010);
  EXPECT_EQ(watch.silent(13'000, kPatience), "203.0.113.53") << "the other one may have answered";
}

TEST(ServerWatchTest, NonsenseIsNoQuestion) {
  ServerWatch watch;
  for (const char* words : {"forwarded ", "forwarded a.example", "reply ", "", "forwarded to "})
    watch.hear("1 ", words, 1000);
  EXPECT_EQ(watch.silent(9000, kPatience), "");
  for (int i = 0; i < 20'000; ++i)
    watch.hear(std::to_string(i) + " ", "forwarded a.example to 203.0.113.53", 10'000);
  EXPECT_EQ(watch.silent(14'000, kPatience), "203.0.113.53");
  watch.clear();
  EXPECT_EQ(watch.silent(20'000, kPatience), "");
}

}  // namespace
}  // namespace maclane::test
