// The socket itself: lines in pieces, too many clients, clients that do not read, and stale files.
#include "control/door/socket.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "control/door/console_client.h"

namespace maclane::door {
namespace {

using testing::HasSubstr;

class SocketTest : public testing::Test {
 protected:
  SocketTest() {
    char pattern[] = "/tmp/maclane-door-XXXXXX";
    folder_ = ::mkdtemp(pattern);
    path_ = folder_ + "/s/console.sock";
    door_.emplace(runner_, path_);
    const auto status = door_->start();
    EXPECT_TRUE(status) << (status ? "" : status.error()[0].message);
  }
  ~SocketTest() override {
    door_.reset();
    for (int fd : mine_) ::close(fd);
    std::filesystem::remove_all(folder_);
  }

  int connect() {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    mine_.push_back(fd);
    turn();
    return fd;
  }
  /// Turns the loop until nothing happens any more.
  void turn() {
    for (int i = 0, idle = 0; i < 100'000; ++i) {
      runner_.turn();
      door_->turn();
      std::vector<pollfd> fds;
      door_->add_fds(fds);
      const bool quiet = ::poll(fds.data(), fds.size(), 0) <= 0 && runner_.jobs().empty();
      idle = quiet ? idle + 1 : 0;
      if (idle == 3) return;
      door_->handle(fds);
    }
    FAIL() << "the loop never comes to rest";
  }
  /// Sends while the door takes it.
  void send(int fd, const std::string& text) {
    size_t sent = 0;
    for (int i = 0; sent < text.size() && i < 10'000; ++i) {
      const ssize_t n = ::send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (n > 0) sent += static_cast<size_t>(n);
      turn();
      if (n < 0 && errno != EAGAIN) return;
    }
  }
  /// What has come; eof_ says whether the door closed.
  std::string receive(int fd) {
    std::string out;
    char chunk[65536];
    eof_ = false;
    for (int idle = 0; idle < 2;) {
      const ssize_t n = ::recv(fd, chunk, sizeof chunk, 0);
      if (n > 0) {
        out.append(chunk, static_cast<size_t>(n));
        idle = 0;
      } else {
        eof_ = n == 0 || errno != EAGAIN;
        if (eof_) break;
        ++idle;
      }
      turn();
    }
    return out;
  }

  static constexpr const char* kPrint = "{\"run\":\":put a\"}\n";
  model::Model model_;
  model::Commands commands_{model_};
  script::Runner runner_{commands_};
  std::string folder_;
  std::string path_;
  std::optional<SocketDoor> door_;
  std::vector<int> mine_;
  bool eof_ = false;
};

TEST_F(SocketTest, AnswersLinesHoweverTheyArrive) {
  const int fd = connect();
  const std::string line = kPrint;
  for (char c : line) send(fd, std::string(1, c));
  EXPECT_THAT(receive(fd), HasSubstr("\"code\":0"));
  send(fd, "\n  \n\r\n" + line + line + "{\"hello\":");
  std::string got = receive(fd);
  EXPECT_EQ(std::count(got.begin(), got.end(), '\n'), 4);
  send(fd, "true}\r\n");
  EXPECT_THAT(receive(fd), HasSubstr("[admin@Maclane] > "));
  // More requests than one turn answers, and a last one without its newline.
  std::string many;
  for (int i = 0; i < 500; ++i) many += line;
  send(fd, many + "{\"hello\":no");
  ::shutdown(fd, SHUT_WR);
  got = receive(fd);
  EXPECT_EQ(std::count(got.begin(), got.end(), '\n'), 1001);
  EXPECT_THAT(got, HasSubstr("not JSON"));
  EXPECT_TRUE(eof_);
  EXPECT_EQ(door_->clients(), 0U);
}

TEST_F(SocketTest, RefusesALineThatNeverEnds) {
  const int fd = connect();
  send(fd, std::string(Console::kMaxLine + 100'000, 'x'));
  EXPECT_THAT(receive(fd), HasSubstr("longer than 4 MiB"));
  EXPECT_TRUE(eof_);
  EXPECT_EQ(door_->clients(), 0U);
}

TEST_F(SocketTest, HoldsSixtyFourClients) {
  std::vector<int> fds;
  for (size_t i = 0; i < SocketDoor::kMaxClients; ++i) fds.push_back(connect());
  EXPECT_EQ(door_->clients(), SocketDoor::kMaxClients);
  const int extra = connect();
  EXPECT_THAT(receive(extra), HasSubstr("64 consoles"));
  EXPECT_TRUE(eof_);
  send(fds.front(), kPrint);
  EXPECT_THAT(receive(fds.front()), HasSubstr("\"code\":0"));
  ::shutdown(fds.back(), SHUT_RDWR);
  turn();
  const int next = connect();
  send(next, kPrint);
  EXPECT_THAT(receive(next), HasSubstr("\"code\":0"));
}

TEST_F(SocketTest, HoldsBackWhoDoesNotRead) {
  const int slow = connect();
  const int quick = connect();
  const std::string endless =
      "{\"run\":\":while (true) do={ :put \\\"0123456789012345678901234567890123456789\\\" }\"}\n";
  ASSERT_EQ(::send(slow, endless.data(), endless.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(endless.size()));
  const auto rounds = [&](int count) {
    for (int i = 0; i < count; ++i) {
      std::vector<pollfd> fds;
      door_->add_fds(fds);
      ::poll(fds.data(), fds.size(), 0);
      door_->handle(fds);
    }
  };
  rounds(300);
  ASSERT_EQ(::send(quick, kPrint, std::strlen(kPrint), MSG_NOSIGNAL),
            static_cast<ssize_t>(std::strlen(kPrint)));
  rounds(20);
  char chunk[4096];
  const ssize_t n = ::recv(quick, chunk, sizeof chunk, 0);
  ASSERT_GT(n, 0);
  EXPECT_THAT(std::string(chunk, static_cast<size_t>(n)), HasSubstr("\"code\":0"));
  // What waits is bounded; what runs ends with its client.
  ASSERT_EQ(runner_.jobs().size(), 1U);
  const std::string waiting = runner_.jobs().front()->take_output();
  EXPECT_LT(waiting.size(), 2 * script::Job::kHighWater);
  ::close(slow);
  std::erase(mine_, slow);
  turn();
  EXPECT_TRUE(runner_.jobs().empty());
  EXPECT_EQ(door_->clients(), 1U);
}

TEST_F(SocketTest, ForgetsClientsThatVanish) {
  for (int i = 0; i < 200; ++i) {
    const int fd = connect();
    send(fd, i % 2 == 0 ? kPrint : "{\"half");
    ::close(fd);
    mine_.pop_back();
    turn();
    EXPECT_EQ(door_->clients(), 0U);
  }
}

TEST_F(SocketTest, EndsWhatAVanishedClientLeftRunning) {
  const int fd = connect();
  const std::string endless = "{\"run\":\":while (true) do={ :delay 1ms }\"}\n";
  ASSERT_EQ(::send(fd, endless.data(), endless.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(endless.size()));
  const auto once = [&] {
    std::vector<pollfd> fds;
    door_->add_fds(fds);
    (void)::poll(fds.data(), fds.size(), 0);
    door_->handle(fds);
    runner_.turn();
  };
  for (int i = 0; i < 10; ++i) once();
  ASSERT_EQ(runner_.jobs().size(), 1U);
  ::close(fd);
  mine_.pop_back();
  turn();  // comes to rest
  EXPECT_TRUE(runner_.jobs().empty());
  EXPECT_EQ(door_->clients(), 0U);
}

TEST_F(SocketTest, ALineThatComesByDropsIsNotWaitedForForEver) {
  const uint64_t before = std::exchange(Patience::whole_ms, 20);
  const int slow = connect();
  const int other = connect();
  std::string said;
  const uint64_t begun = model::steady_ms();
  for (uint64_t next = begun; said.empty() && next < begun + 10'000;) {
    said = receive(slow);
    if (model::steady_ms() < next) continue;
    next = model::steady_ms() + 5;
    send(slow, "{");
    send(other, "{\"hello\": true}\n");
    EXPECT_THAT(receive(other), HasSubstr("prompt"));
  }
  EXPECT_THAT(said, HasSubstr("took too long to come"));
  turn();
  EXPECT_EQ(door_->clients(), 1U);
  // Whoever says nothing may stay.
  send(other, "{\"hello\": true}\n");
  EXPECT_THAT(receive(other), HasSubstr("prompt"));
  Patience::whole_ms = before;
}

TEST_F(SocketTest, GuardsItsPath) {
  struct stat st {};
  ASSERT_EQ(::lstat(path_.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777U, 0660U);
  SocketDoor second(runner_, path_);
  const auto stolen = second.start();
  ASSERT_FALSE(stolen);
  EXPECT_THAT(stolen.error()[0].message, HasSubstr("Another router answers"));
  door_.reset();
  EXPECT_FALSE(std::filesystem::exists(path_));
  // A socket whose owner died.
  const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(dead, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(dead);
  SocketDoor third(runner_, path_);
  EXPECT_TRUE(third.start());
  const std::string file = folder_ + "/file";
  std::ofstream(file) << "precious";
  SocketDoor fourth(runner_, file);
  EXPECT_FALSE(fourth.start());
  EXPECT_TRUE(std::filesystem::exists(file));
  EXPECT_FALSE(SocketDoor(runner_, std::string(200, 'x')).start());
  EXPECT_FALSE(SocketDoor(runner_, folder_ + "/no/such/place").start());
}

TEST_F(SocketTest, HearsALongAnswerWhileWhatAskedWaits) {
  tl::expected<Json, std::string> reply;
  std::string asked;
  std::atomic<bool> answered = false;
  const std::string value(500, 'x');
  std::jthread client([&] {
    ConsoleClient console(path_);
    reply = console.ask({{"run", "/ip/firewall/nat/add action=accept"}, {"asks", true}}, {},
                        nullptr, [&](const Json& line) -> Json {
                          asked = line["ask"].get<std::string>();
                          EXPECT_TRUE(line.contains("line"));
                          return value;
                        });
    answered = true;
  });
  while (!answered) {
    std::vector<pollfd> fds;
    door_->add_fds(fds);
    ::poll(fds.data(), fds.size(), 5);
    runner_.turn();
    door_->handle(fds);
  }
  client.join();
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_EQ(asked, "chain: ");
  EXPECT_EQ((*reply)["done"]["code"], 1) << "it is too long for a chain";
}

TEST_F(SocketTest, ServesTheConsolesClient) {
  tl::expected<Json, std::string> reply;
  std::string said;
  std::atomic<bool> answered = false;
  std::jthread client([&] {
    ConsoleClient console(path_);
    reply = console.ask({{"run", ":put a; :delay 20ms; :put b"}},
                        [&](const Json& line) { said += line["out"].get<std::string>(); });
    answered = true;
  });
  while (!answered) {
    std::vector<pollfd> fds;
    door_->add_fds(fds);
    ::poll(fds.data(), fds.size(), 5);
    runner_.turn();
    door_->handle(fds);
  }
  client.join();
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_EQ((*reply)["done"]["code"], 0);
  EXPECT_EQ(said, "a\nb\n");
  const auto nobody = ConsoleClient(folder_ + "/nobody").ask({{"hello", true}});
  ASSERT_FALSE(nobody);
  EXPECT_THAT(nobody.error(), HasSubstr("No router answers at " + folder_ + "/nobody"));
}

}  // namespace
}  // namespace maclane::door
