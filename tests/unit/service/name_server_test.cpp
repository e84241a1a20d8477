// What dnsmasq writes of its cache, and a program that is supervised (C-33).
#include "control/service/name_server.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "control/observe/log.h"
#include "control/service/open_questions.h"

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
  // What its time is over for, and an alias of a name that is not there any more, is no answer.
  for (const uint64_t later : {1795657305u, 1795657400u}) {
    EXPECT_FALSE(
        read_cache_line("c.test                         b.test"
                        "                                   CF         "
                        "Thu Nov 26 01:41:45 2026",
                        later, one))
        << later;
  }
  EXPECT_FALSE(
      read_cache_line("c.test                               "
                      "                                   CF         "
                      "Thu Nov 26 01:41:45 2026",
                      1795657260, one));
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

TEST(NameServerTest, KnowsWhatItWasAsked) {
  AskedNames names;
  names.learn("PC.lan");
  EXPECT_TRUE(names.contains("pc.lan"));
  EXPECT_FALSE(names.contains("other.lan"));
  for (size_t i = 0; i < AskedNames::kMost; ++i) names.learn(std::to_string(i));
  EXPECT_TRUE(names.contains("other.lan")) << "too many to know";
  names.clear();
  EXPECT_FALSE(names.contains("pc.lan"));
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

TEST(DnsQuestionTest, IsAsRfc1035HasIt) {
  const std::string question = address_question("dns.example", 0x1234);
  ASSERT_EQ(question.size(), 12u + 13u + 4u);
  EXPECT_EQ(question.substr(0, 2), "\x12\x34");
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

// Where it cannot be told to end with its router: the next one ends it, and no other process.
TEST(ChildTest, OneOfAKilledRouterIsEnded) {
  const std::string pid_file = std::filesystem::temp_directory_path() / "maclane-former.pid";
  std::string program = "sleep", time = "600";
  std::array<char*, 3> words = {program.data(), time.data(), nullptr};
  for (const bool is_it : {false, true}) {
    pid_t pid = 0;
    ASSERT_EQ(posix_spawnp(&pid, "sleep", nullptr, nullptr, words.data(), environ), 0);
    // It is there before its words are.
    for (int i = 0; i < 5000; ++i) {
      std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline");
      if (file.peek() != std::ifstream::traits_type::eof()) break;
      (void)poll(nullptr, 0, 1);
    }
    std::ofstream(pid_file, std::ios::binary)
        << pid << '\n'
        << std::string_view(is_it ? "sleep\000600\0" : "sleep\000900\0", 10);
    Child("sleeper", "test", pid_file).end_predecessor();
    int status = 0;
    kill(pid, SIGTERM);  // too late for one that was ended
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(WTERMSIG(status), is_it ? SIGKILL : SIGTERM);
    EXPECT_FALSE(std::filesystem::exists(pid_file));
  }
}

// One that makes room for another runs on, and is not started again when it ends.
TEST(ChildTest, ARetiredOneEndsForGood) {
  const std::string folder = std::filesystem::temp_directory_path();
  const std::string first = folder + "/maclane-retired-1.pid";
  const std::string second = folder + "/maclane-retired-2.pid";
  const Netns here = Netns::here();
  uint64_t now = 1000;
  log::clear();
  Child child("sleeper", "test", first);
  child.run({"sleep", "600"}, here, now);
  ASSERT_TRUE(child.is_running());
  child.retire(second);
  EXPECT_TRUE(child.is_running());
  EXPECT_FALSE(std::filesystem::exists(first));
  EXPECT_TRUE(std::filesystem::exists(second));
  ASSERT_EQ(kill(child.pid(), SIGKILL), 0);
  for (int i = 0; i < 5000 && child.is_running(); ++i) {
    (void)poll(nullptr, 0, 2);
    child.tick(now += Child::kLookMs);
  }
  EXPECT_FALSE(child.is_running());
  EXPECT_EQ(child.restarts(), 0u);
  EXPECT_TRUE(log::recent().empty()) << "it was to end";
  child.stop();
  EXPECT_FALSE(std::filesystem::exists(second));
}

TEST(OpenQuestionsTest, ReadsTheKernelsTableOfSockets) {
  std::set<uint64_t> asking;
  read_asking_sockets(
      "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
      "inode ref pointer drops\n"
      "  345: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 "
      "4057969 2 0000000000000000 0\n"
      " 9874: 00000000:B1C3 00000000:0000 07 00000000:00000000 00:00000000 00000000 65534        0 "
      "4058001 2 0000000000000000 0\n"
      "  12: 00000000000000000000000001000000:0036 0:0 07 0:0 0:0 0 0 0 77 2 0 0\n"
      "nonsense\n 1: x:zz y z\n",
      asking);
  EXPECT_EQ(asking, (std::set<uint64_t>{77, 4058001}));
}

TEST(OpenQuestionsTest, AQuestionHasASocketOfItsOwnOrAProcess) {
  EXPECT_FALSE(has_open_questions(0)) << "nobody's";
  const int question = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ASSERT_GE(question, 0);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  ASSERT_EQ(::bind(question, reinterpret_cast<const sockaddr*>(&any), sizeof(any)), 0);
  EXPECT_TRUE(has_open_questions(getpid()));
  close(question);
  EXPECT_FALSE(has_open_questions(getpid()));
  const Netns here = Netns::here();
  Child child("sleeper", "test", "");
  child.run({"sleep", "600"}, here, 0);
  EXPECT_TRUE(has_open_questions(getpid()));
}

TEST(ChildTest, RunsToItsEnd) {
  const Netns here = Netns::here();
  Ran ran = run_to_end({"sh", "-c", "echo one; echo two >&2"}, here, 5000);
  EXPECT_TRUE(ran.ok);
  EXPECT_EQ(ran.said, "one\ntwo\n");
  EXPECT_FALSE(run_to_end({"sh", "-c", "exit 3"}, here, 5000).ok);
  // It closes its output and then waits, for somebody who writes long after.
  const std::string fifo = std::filesystem::temp_directory_path() / "maclane-child-test.fifo";
  std::filesystem::remove(fifo);
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  std::jthread writer([&] {
    std::ofstream(fifo) << "go\n";  // opens once somebody reads
  });
  EXPECT_TRUE(
      run_to_end({"sh", "-c", "exec >/dev/null 2>&1; read word < \"$0\"", fifo}, here, 5000).ok)
      << "it closed its output before it ended";
  writer.join();
  std::filesystem::remove(fifo);
  ran = run_to_end({"sleep", "600"}, here, 20);
  EXPECT_FALSE(ran.ok) << "it is not waited for longer";
  EXPECT_EQ(ran.said, "sleep did not end within 20 ms");
  ran = run_to_end({"maclane-no-such-program"}, here, 5000);
  EXPECT_FALSE(ran.ok);
  EXPECT_NE(ran.said.find("cannot be started"), std::string::npos);
}

TEST(ChildTest, OneThatWasStoppedIsEndedAtOnce) {
  const Netns here = Netns::here();
  Child child("sleeper", "test", "");
  child.run({"sleep", "600"}, here, 0);
  const pid_t pid = child.pid();
  ASSERT_EQ(kill(pid, SIGSTOP), 0);
  const auto before = std::chrono::steady_clock::now();
  child.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(1500));
  EXPECT_EQ(kill(pid, 0), -1);
}

TEST(NameProbeTest, SilenceToSeveralQuestionsIsAHang) {
  const Netns here = Netns::here();
  const int server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  ASSERT_EQ(bind(server, reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
  ASSERT_EQ(getsockname(server, reinterpret_cast<sockaddr*>(&at), &size), 0);
  NameProbe probe("127.0.0.1", ntohs(at.sin_port));
  uint64_t now = 1000;
  const auto turn = [&] {
    return probe.is_hung(7, here, now += NameProbe::kEveryMs, version_question);
  };
  EXPECT_FALSE(turn());
  EXPECT_FALSE(turn());
  std::array<char, 512> question{};
  sockaddr_in from{};
  for (int i = 0; i < 3; ++i) {  // it answers
    ASSERT_GT(recvfrom(server, question.data(), question.size(), 0,
                       reinterpret_cast<sockaddr*>(&from), &size),
              12);
    ASSERT_EQ(sendto(server, "x", 1, 0, reinterpret_cast<const sockaddr*>(&from), size), 1);
    EXPECT_FALSE(turn());
    EXPECT_FALSE(probe.is_silent());
  }
  unsigned turns = 0;
  while (!turn()) ASSERT_LT(++turns, 2 * NameProbe::kMost);
  EXPECT_TRUE(probe.is_silent());
  EXPECT_FALSE(probe.is_hung(8, here, now, version_question)) << "another process has its time";
  EXPECT_FALSE(probe.is_silent());
  close(server);
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(turn()) << "nobody listens there: no silence";
}

// What dnsmasq would not start with takes nothing's place. The port is nobody's.
TEST(NameServerTest, ARefusedConfigurationTakesNothingsPlace) {
  if (geteuid() != 0) GTEST_SKIP() << "its folder is in /run";
  const Netns here = Netns::here();
  const std::string state = std::filesystem::temp_directory_path() / "maclane-names-test";
  std::filesystem::create_directories(state);
  log::clear();
  Resolver resolver([] { return std::vector<be32>(); }, [] { return Netns::here().enter(); });
  NameServer server(state, resolver);
  NameFiles files;
  files.servers = "nameserver 192.0.2.1\n";
  files.config = "port=0\nno-such-word\n";
  server.configure(files, here, 0);
  EXPECT_FALSE(server.child().is_running());
  EXPECT_NE(server.state().find("stopped: dnsmasq refuses"), std::string::npos) << server.state();
  files.config = "port=0\n";
  server.configure(files, here, 0);
  const pid_t first = server.child().pid();
  ASSERT_GT(first, 0);
  EXPECT_EQ(server.state(), "running");
  NameFiles wrong = files;
  wrong.config += "no-such-word\n";
  server.configure(wrong, here, 0);
  EXPECT_EQ(server.child().pid(), first);
  EXPECT_NE(server.state().find("running with what it had before: dnsmasq refuses"),
            std::string::npos);
  bool told = false;
  for (const auto& line : log::recent())
    told |= line.message.find("it goes on with what it had") != std::string::npos;
  EXPECT_TRUE(told);
  wrong = files;
  wrong.domains = "server=/x.example/not-an-address\n";
  server.configure(wrong, here, 0);
  EXPECT_EQ(server.child().pid(), first);
  EXPECT_NE(server.state(), "running") << "whatever dnsmasq had to say, or had no time to say";
  server.configure(files, here, 0);
  EXPECT_EQ(server.state(), "running");
  EXPECT_EQ(server.child().pid(), first);
  std::filesystem::remove_all(state);
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
