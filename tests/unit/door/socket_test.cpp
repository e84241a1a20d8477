// The socket itself: lines in pieces, too many clients, clients that do not read, and stale files.
#include "control/door/socket.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
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
    door_.emplace(commands_, path_, kSmallReply);
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
    for (int i = 0; i < 100'000; ++i) {
      std::vector<pollfd> fds;
      door_->add_fds(fds);
      if (::poll(fds.data(), fds.size(), 0) <= 0) return;
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

  static constexpr const char* kPrint = "{\"path\":\"/system/identity\",\"command\":\"print\"}\n";
  static constexpr size_t kSmallReply = 3U << 20;
  model::Model model_;
  model::Commands commands_{model_};
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
  EXPECT_THAT(receive(fd), HasSubstr("\"ok\":true"));
  send(fd, "\n  \n\r\n" + line + line + "{\"command\":");
  std::string got = receive(fd);
  EXPECT_EQ(std::count(got.begin(), got.end(), '\n'), 2);
  send(fd, "\"menus\"}\r\n");
  EXPECT_THAT(receive(fd), HasSubstr("/interface/macvlan"));
  // More requests than one turn answers, and a last one without its newline.
  std::string many;
  for (int i = 0; i < 500; ++i) many += line;
  send(fd, many + "{\"command\":\"no\"");
  ::shutdown(fd, SHUT_WR);
  got = receive(fd);
  EXPECT_EQ(std::count(got.begin(), got.end(), '\n'), 501);
  EXPECT_THAT(got, HasSubstr("not JSON"));
  EXPECT_TRUE(eof_);
  EXPECT_EQ(door_->clients(), 0U);
}

TEST_F(SocketTest, RefusesALineThatNeverEnds) {
  const int fd = connect();
  send(fd, std::string((1U << 20) + 100'000, 'x'));
  EXPECT_THAT(receive(fd), HasSubstr("longer than 1 MiB"));
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
  EXPECT_THAT(receive(fds.front()), HasSubstr("\"ok\":true"));
  ::shutdown(fds.back(), SHUT_RDWR);
  turn();
  const int next = connect();
  send(next, kPrint);
  EXPECT_THAT(receive(next), HasSubstr("\"ok\":true"));
}

TEST_F(SocketTest, StopsAnsweringWhoDoesNotRead) {
  const auto says = [](size_t length) {
    return [length](const model::Call&, const model::Caller&) -> model::Answer<model::Outcome> {
      model::Outcome out;
      out.text.assign(length, 'x');
      return out;
    };
  };
  commands_.on("/system", "status", says(1U << 20));
  commands_.on("/system", "reload", says(kSmallReply));
  const int slow = connect();
  const int quick = connect();
  std::string many;
  for (int i = 0; i < 40; ++i) many += "{\"path\":\"/system\",\"command\":\"status\"}\n";
  ASSERT_EQ(::send(slow, many.data(), many.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(many.size()));
  turn();
  send(quick, kPrint);
  EXPECT_THAT(receive(quick), HasSubstr("\"ok\":true"));
  const std::string got = receive(slow);
  EXPECT_EQ(std::count(got.begin(), got.end(), '\n'), 40);
  send(quick, "{\"path\":\"/system\",\"command\":\"reload\"}\n");
  EXPECT_THAT(receive(quick), HasSubstr("too long to send"));
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

TEST_F(SocketTest, GuardsItsPath) {
  struct stat st {};
  ASSERT_EQ(::lstat(path_.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777U, 0660U);
  SocketDoor second(commands_, path_);
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
  SocketDoor third(commands_, path_);
  EXPECT_TRUE(third.start());
  const std::string file = folder_ + "/file";
  std::ofstream(file) << "precious";
  SocketDoor fourth(commands_, file);
  EXPECT_FALSE(fourth.start());
  EXPECT_TRUE(std::filesystem::exists(file));
  EXPECT_FALSE(SocketDoor(commands_, std::string(200, 'x')).start());
  EXPECT_FALSE(SocketDoor(commands_, folder_ + "/no/such/place").start());
}

TEST_F(SocketTest, ServesTheConsolesClient) {
  tl::expected<Json, std::string> reply;
  std::atomic<bool> answered = false;
  std::jthread client([&] {
    reply = ask(path_, {{"command", "menus"}});
    answered = true;
  });
  while (!answered) {
    std::vector<pollfd> fds;
    door_->add_fds(fds);
    ::poll(fds.data(), fds.size(), 10);
    door_->handle(fds);
  }
  client.join();
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_TRUE((*reply)["ok"].get<bool>());
  const auto nobody = ask(folder_ + "/nobody", {{"command", "menus"}});
  ASSERT_FALSE(nobody);
  EXPECT_THAT(nobody.error(), HasSubstr("No router answers at " + folder_ + "/nobody"));
}

}  // namespace
}  // namespace maclane::door
