// The API's door over real sockets, its model without a dataplane.
#pragma once

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/door/api.h"
#include "control/model/secrets.h"
#include "control/observe/log.h"

namespace maclane::door {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;
namespace secrets = model::secrets;

using Lines = std::vector<Words>;

class ApiTest : public testing::Test {
 protected:
  ApiTest() {
    log::set_stderr(false);
    model_.on_commit([this](const model::Tree&) {
      ++commits_;
      return refuse_ ? Status(fail("refused by the test")) : Status{};
    });
    edit("/user", "admin", {{"password", "secret"}});
    add("/user", {{"name", "reader"}, {"group", "read"}, {"password", "r"}});
    add("/interface/ethernet", {{"name", "ether1"}, {"device", "net_tap0"}});
    ApiDoor::Settings on;
    on.service.name = "api";
    on.service.enabled = true;
    on.service.max_sessions = 8;
    configure(on);
  }
  ~ApiTest() override {
    for (const int fd : mine_) ::close(fd);
  }
  void configure(const ApiDoor::Settings& plain) {
    settings_ = plain;
    auth_.on_config();
    door_.configure(plain, {});
    sockaddr_in6 address{};
    socklen_t size = sizeof address;
    ::getsockname(door_.listener(false).fd(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = address.sin6_port;
  }
  void edit(const char* path, const char* row, model::Fields values) {
    apply({model::Edit::Kind::kSet, path, row, std::move(values), {}, {}});
  }
  void add(const char* path, model::Fields values) {
    apply({model::Edit::Kind::kAdd, path, {}, std::move(values), {}, {}});
  }
  void apply(const model::Edit& edit) {
    const auto done = model_.apply({edit});
    ASSERT_TRUE(done) << done.error().front().text();
    auth_.on_config();
  }

  int connect() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = port_;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    mine_.push_back(fd);
    turn();
    return fd;
  }
  void turn() {
    pollfd fd{background_.fd(), POLLIN, 0};
    ::poll(&fd, 1, 0);
    background_.handle();
    door_.turn();
  }
  static std::string bytes(const Words& words) {
    std::string out;
    for (const std::string& word : words) append_word(out, word);
    end_sentence(out);
    return out;
  }
  void send(int fd, const std::string& text) {
    for (size_t at = 0; at < text.size();) {
      const ssize_t n = ::send(fd, text.data() + at, text.size() - at, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n > 0) at += static_cast<size_t>(n);
      if (n < 0 && errno != EAGAIN) return;
      turn();
    }
  }
  /// Reads sentences until `done` says enough, the connection ends, or nothing comes for long.
  Lines read(int fd, const std::function<bool(const Lines&)>& done) {
    SentenceReader& reader =
        readers_.try_emplace(fd, SentenceReader({1U << 24, 1U << 24, 100'000})).first->second;
    Lines out;
    for (int i = 0; i < 20'000; ++i) {
      turn();
      char chunk[65536];
      const ssize_t n = ::recv(fd, chunk, sizeof chunk, MSG_DONTWAIT);
      if (n > 0) reader.feed({chunk, static_cast<size_t>(n)});
      Words words;
      while (reader.next(words) == SentenceReader::Next::kSentence) out.push_back(words);
      if (done(out) || n == 0 || (n < 0 && errno != EAGAIN)) return out;
      pollfd answer{fd, POLLIN, 0};
      if (n < 0) (void)::poll(&answer, 1, 1);
    }
    ADD_FAILURE() << "no answer";
    return out;
  }
  Lines read_done(int fd, size_t how_many = 1) {
    return read(fd, [&](const Lines& lines) {
      return static_cast<size_t>(std::count_if(lines.begin(), lines.end(), [](const Words& w) {
               return w[0] == "!done" || w[0] == "!fatal";
             })) >= how_many;
    });
  }
  Lines ask(int fd, const Words& words) {
    send(fd, bytes(words));
    return read_done(fd);
  }
  int login(const std::string& user = "admin", const std::string& password = "secret") {
    const int fd = connect();
    EXPECT_THAT(ask(fd, {"/login", "=name=" + user, "=password=" + password}),
                ElementsAre(ElementsAre("!done")));
    return fd;
  }

  model::Model model_;
  model::Commands commands_{model_};
  Background background_{1};
  Auth auth_{model_, background_};
  ApiDoor door_{commands_, auth_};
  ApiDoor::Settings settings_;
  in_port_t port_ = 0;
  std::vector<int> mine_;
  std::map<int, SentenceReader> readers_;
  int commits_ = 0;
  bool refuse_ = false;
};

}  // namespace maclane::door
