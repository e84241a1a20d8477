// What dnsmasq writes of its cache, and a program that is supervised (C-33).
#include "control/service/name_server.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>

#include <filesystem>
#include <fstream>

#include "control/observe/log.h"

namespace maclane::test {
namespace {

TEST(NameServerTest, ReadsALineOfTheCache) {
  CachedName one;
  ASSERT_TRUE(
      read_cache_line("c.test                         b.test"
                      "                                   CF         "
                      "Thu Nov 26 01:41:45 2026",
                      1795657260, one));
  EXPECT_EQ(one.name, "c.test");
  EXPECT_EQ(one.type, "CNAME");
  EXPECT_EQ(one.data, "b.test");
  EXPECT_EQ(one.ttl_s, 45u);
  EXPECT_FALSE(one.is_static);
  EXPECT_FALSE(one.negative);
  ASSERT_TRUE(
      read_cache_line("local.test                     1.2.3.4"
                      "                                  4FRI   HC"
                      "                           config",
                      0, one));
  EXPECT_TRUE(one.is_static);
  EXPECT_EQ(one.type, "A");
  for (const char* line : {"", "short",
                           "test                                                       "
                           "             !F I   HC"})
    EXPECT_FALSE(read_cache_line(line, 0, one)) << line;
}

// The table cuts names at 30 characters: whole ones are known from what was asked.
TEST(NameServerTest, KnowsLongNamesWhole) {
  LongNames names;
  const std::string head(LongNames::kShown, 'a');
  EXPECT_EQ(names.whole(head), head) << "nobody asked";
  names.learn("short.example");
  names.learn(head);
  EXPECT_EQ(names.whole(head), head) << "it is whole";
  names.learn(head + ".one.example");
  names.learn(head + ".two.example");
  names.learn(head + ".two.example");
  EXPECT_EQ(names.whole(head + ".two"), head + ".two.example");
  EXPECT_EQ(names.whole(head), head + ".one.example") << "in turn";
  EXPECT_EQ(names.whole(head), head + ".two.example");
  EXPECT_EQ(names.whole(head + ".x"), head + ".x");
  for (size_t i = 0; i <= LongNames::kMost; ++i)
    names.learn("a-name-that-is-long-and-is-no-other-" + std::to_string(i));
  EXPECT_EQ(names.whole(head), head) << "bounded: begun anew";
}

std::string answer_of(std::string question, const std::string& more) {
  question[2] = static_cast<char>(0x81);
  question[3] = static_cast<char>(0x80);
  question[7] = 1;
  return question + more;
}

TEST(DohForwarderTest, AsksForAnAddressAndReadsTheAnswer) {  // RFC 1035
  const std::string question = address_question("dns.example", 0x1234);
  ASSERT_EQ(question.size(), 12u + 13u + 4u);
  EXPECT_EQ(question.substr(0, 2), "\x12\x34");
  const std::string record("\xc0\x0c\0\x01\0\x01\0\0\x01\x2c\0\x04\xcb\0\x71\x35", 16);
  const std::string answer = answer_of(question, record);
  uint32_t ttl = 0;
  EXPECT_EQ(read_address_answer(answer, 0x1234, ttl), "203.0.113.53");
  EXPECT_EQ(ttl, 300u);
  EXPECT_EQ(read_address_answer(answer, 0x1235, ttl), "") << "another's";
  EXPECT_EQ(read_address_answer(question, 0x1234, ttl), "") << "no answer";
  for (size_t size = 0; size < answer.size(); ++size)
    EXPECT_EQ(read_address_answer(answer.substr(0, size), 0x1234, ttl), "") << size;
  std::string refused = answer;
  refused[3] = static_cast<char>(0x83);
  EXPECT_EQ(read_address_answer(refused, 0x1234, ttl), "") << "NXDOMAIN";
  EXPECT_EQ(address_question("no..name", 1), "");
}

TEST(ChildTest, IsStartedAgainAndEndedWithItsOwner) {
  const std::string pid_file = std::filesystem::temp_directory_path() / "maclane-child-test.pid";
  const Netns here = Netns::here();
  uint64_t now = 1000;
  const auto turn_until = [&](auto&& done) {
    for (int i = 0; i < 5000 && !done(); ++i) {
      (void)poll(nullptr, 0, 2);
      now += Child::kLookMs;
      // A test's clock runs faster: what waits for it has its time.
    }
  };
  log::clear();
  pid_t first = 0;
  {
    Child child("sleeper", "test", pid_file);
    child.run({"sleep", "600"}, here, now);
    ASSERT_TRUE(child.is_running());
    first = child.pid();
    ASSERT_EQ(kill(first, SIGKILL), 0);
    turn_until([&] {
      child.tick(now);
      return child.restarts() == 1 && child.is_running();
    });
    EXPECT_EQ(child.restarts(), 1u);
    ASSERT_TRUE(child.is_running());
    EXPECT_NE(child.pid(), first);
    bool told = false;
    for (const auto& line : log::recent())
      told |= line.message == "sleeper was ended by signal 9; it is started again";
    EXPECT_TRUE(told);
    EXPECT_TRUE(std::filesystem::exists(pid_file));
    first = child.pid();
  }
  EXPECT_EQ(kill(first, 0), -1) << "it ends with its owner";
  EXPECT_FALSE(std::filesystem::exists(pid_file));
}

TEST(ChildTest, AProgramThatIsNotThereIsSaidOnce) {
  const Netns here = Netns::here();
  log::clear();
  Child child("nobody", "test", "");
  child.run({"maclane-no-such-program"}, here, 0);
  for (uint64_t now = 0; now < 10'000; now += 20) child.tick(now);
  EXPECT_FALSE(child.is_running());
  size_t lines = 0;
  for (const auto& line : log::recent()) lines += line.message.starts_with("nobody cannot") ? 1 : 0;
  EXPECT_EQ(lines, 1u);
}

}  // namespace
}  // namespace maclane::test
