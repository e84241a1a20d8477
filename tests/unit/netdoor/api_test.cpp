// The API's door over real sockets, its model without a dataplane: logins, replies, batches,
// limits.
#include "control/door/api.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/model/secrets.h"
#include "control/observe/log.h"

namespace maclane::door {
namespace {

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

TEST_F(ApiTest, D19_PlainLogin) {
  const int fd = login();
  EXPECT_EQ(auth_.sessions(), 1U);
  ::close(fd);
  mine_.clear();
  for (int i = 0; i < 100 && auth_.sessions() > 0; ++i) turn();
  EXPECT_EQ(auth_.sessions(), 0U);
}

TEST_F(ApiTest, C50_AConnectionThatIsLostInSafeModeIsUndone) {
  const int fd = login();
  const int other = login();
  EXPECT_THAT(ask(fd, {"/safe-mode/take"}), ElementsAre(ElementsAre("!done")));
  EXPECT_EQ(ask(fd, {"/interface/list/add", "=name=mine"}).size(), 1U);
  EXPECT_EQ(ask(other, {"/interface/list/add", "=name=theirs"}).size(), 1U);
  EXPECT_EQ(ask(other, {"/safe-mode/take"})[0][0], "!trap");
  ::close(fd);
  std::erase(mine_, fd);
  for (int i = 0; i < 100 && auth_.sessions() > 1; ++i) turn();
  EXPECT_EQ(model_.safe_mode(), nullptr);
  EXPECT_TRUE(model_.tree().rows("/interface/list").empty());
}

TEST_F(ApiTest, D19_AWrongPasswordIsATrapThenDone) {
  const int fd = connect();
  const Lines lines = ask(fd, {"/login", "=name=admin", "=password=no", ".tag=1"});
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_THAT(lines[0], ElementsAre("!trap", "=category=5",
                                    "=message=invalid user name or password (6)", ".tag=1"));
  EXPECT_THAT(lines[1], ElementsAre("!done", ".tag=1"));
}

TEST_F(ApiTest, NobodyComesInWithoutAPassword) {
  add("/user", {{"name", "empty"}, {"group", "full"}});
  const int fd = connect();
  EXPECT_THAT(ask(fd, {"/login", "=name=empty", "=password="})[0],
              ElementsAre("!trap", "=category=5", HasSubstr("invalid user")));
}

TEST_F(ApiTest, D19_OldLoginIsForThoseWhoKeepIt) {
  add("/user", {{"name", "old"}, {"group", "full"}, {"password", "pw"}});
  int fd = connect();
  auto challenge = [&] {
    const Lines lines = ask(fd, {"/login"});
    const std::string ret = lines[0][1].substr(5);
    std::string raw;
    for (size_t i = 0; i + 1 < ret.size(); i += 2)
      raw.push_back(static_cast<char>(std::stoi(ret.substr(i, 2), nullptr, 16)));
    EXPECT_EQ(raw.size(), 16U);
    return raw;
  };
  Lines lines =
      ask(fd, {"/login", "=name=old", "=response=" + challenge_response("pw", challenge())});
  EXPECT_THAT(lines[0], ElementsAre("!trap", "=category=5", HasSubstr("old-login=yes")));
  // What Doors::prepare does for old-login=yes.
  const std::string hash = secrets::hash_password("pw");
  edit("/user", "old",
       {{"old-login", "yes"}, {"old-login-password", secrets::seal(hash + "\npw")}});
  fd = connect();
  lines = ask(fd, {"/login", "=name=old", "=response=" + challenge_response("no", challenge())});
  EXPECT_EQ(lines[0][0], "!trap");
  lines = ask(fd, {"/login", "=name=old", "=response=" + challenge_response("pw", challenge())});
  EXPECT_THAT(lines, ElementsAre(ElementsAre("!done")));
}

TEST_F(ApiTest, WithoutALoginThereIsOneFatalReply) {
  const int fd = connect();
  EXPECT_THAT(ask(fd, {"/interface/print"}), ElementsAre(ElementsAre("!fatal", "not logged in")));
}

TEST_F(ApiTest, D17_QuitIsFatalAndCloses) {
  const int fd = login();
  EXPECT_THAT(ask(fd, {"/quit"}),
              ElementsAre(ElementsAre("!fatal", "session terminated on request")));
  char c = 0;
  for (int i = 0; i < 100; ++i) turn();
  EXPECT_EQ(::recv(fd, &c, 1, 0), 0);
}

TEST_F(ApiTest, D20_AddSetPrintUnsetRemove) {
  const int fd = login();
  Lines lines = ask(fd, {"/interface/macvlan/add", "=name=m1", "=interface=ether1",
                         "=mac-address=02:00:00:00:00:11"});
  EXPECT_THAT(lines, ElementsAre(ElementsAre("!done", "=ret=*1")));
  lines = ask(fd, {"/interface/macvlan/set", "=.id=*1", "=comment=a=b", "=mode=PRIVATE"});
  EXPECT_EQ(lines[0][0], "!trap");  // D-29: enums are lower-case
  lines = ask(fd, {"/interface/macvlan/set", "=.id=*1", "=comment=a=b"});
  EXPECT_THAT(lines, ElementsAre(ElementsAre("!done")));
  lines = ask(fd, {"/interface/macvlan/print", "=.proplist=name,comment", "?name=m1", ".tag=x"});
  EXPECT_THAT(lines, ElementsAre(ElementsAre("!re", "=name=m1", "=comment=a=b", ".tag=x"),
                                 ElementsAre("!done", ".tag=x")));
  EXPECT_THAT(ask(fd, {"/interface/macvlan/set", "=.id=*1", "=!comment="}),
              ElementsAre(ElementsAre("!done")));
  lines = ask(fd, {"/interface/macvlan/getall", "=.proplist=.id,comment"});
  EXPECT_THAT(lines[0], ElementsAre("!re", "=.id=*1"));
  EXPECT_THAT(ask(fd, {"/interface/macvlan/print", "=count-only="}),
              ElementsAre(ElementsAre("!done", "=ret=1")));
  EXPECT_THAT(ask(fd, {"/interface/macvlan/remove", "=.id=m1"}), ElementsAre(ElementsAre("!done")));
  lines = ask(fd, {"/interface/macvlan/remove", "=.id=*1"});
  EXPECT_THAT(lines[0], ElementsAre("!trap", "=category=0", StartsWith("=message=no such item")));
}

TEST_F(ApiTest, D25_D40_WhatIsNotThere) {
  const int fd = login();
  EXPECT_THAT(ask(fd, {"/wireless/print"})[0],
              ElementsAre("!trap", "=category=0", StartsWith("=message=no such command prefix")));
  EXPECT_THAT(ask(fd, {"/interface/macvlan/fly"})[0],
              ElementsAre("!trap", "=category=0", StartsWith("=message=no such command")));
  EXPECT_THAT(ask(fd, {"/interface/macvlan/add", "=colour=red"})[0],
              ElementsAre("!trap", "=category=1", StartsWith("=message=unknown parameter colour")));
  EXPECT_THAT(ask(fd, {"no slash"})[0],
              ElementsAre("!trap", "=category=0", HasSubstr("no such command")));
  EXPECT_THAT(ask(fd, {"/interface/print", "nonsense"})[0],
              ElementsAre("!trap", "=category=5", HasSubstr("nonsense")));
  EXPECT_THAT(ask(fd, {"/interface/print", "?#x"})[0],
              ElementsAre("!trap", "=category=5", HasSubstr("operations")));
}

TEST_F(ApiTest, C48_AReaderMayNotWrite) {
  const int fd = login("reader", "r");
  EXPECT_THAT(ask(fd, {"/system/identity/print"})[0], ElementsAre("!re", "=name=Maclane"));
  EXPECT_THAT(ask(fd, {"/system/identity/set", "=name=x"})[0],
              ElementsAre("!trap", "=category=4", HasSubstr("not enough permissions (9)")));
  EXPECT_EQ(model_.tree().settings("/system/identity").get("name"), "Maclane");
}

TEST_F(ApiTest, D17_EmptyRepliesOnlyWhereTheyAreAskedFor) {
  const int fd = login();
  EXPECT_THAT(ask(fd, {"/ip/address/print"}), ElementsAre(ElementsAre("!done")));
  settings_.empty_replies = true;
  door_.configure(settings_, {});
  EXPECT_THAT(ask(fd, {"/ip/address/print"}),
              ElementsAre(ElementsAre("!empty"), ElementsAre("!done")));
  EXPECT_THAT(ask(fd, {"/system/identity/set", "=name=x"}), ElementsAre(ElementsAre("!done")));
}

TEST_F(ApiTest, PipelinedEditsAreOneChange) {
  const int fd = login();
  const int before = commits_;
  std::string text;
  for (int i = 0; i < 100; ++i)
    text += bytes({"/ip/address/add", "=address=10.0." + std::to_string(i) + ".1/24",
                   "=interface=ether1", ".tag=" + std::to_string(i)});
  send(fd, text);
  const Lines lines = read_done(fd, 100);
  ASSERT_THAT(lines, SizeIs(100));
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(lines[static_cast<size_t>(i)].back(), ".tag=" + std::to_string(i));
  EXPECT_EQ(model_.tree().rows("/ip/address").size(), 100U);
  EXPECT_LE(commits_ - before, 10);
}

TEST_F(ApiTest, ALongBatchIsCutSoThatTheRoutersOwnWorkGoesOn) {
  const int fd = login();
  model_.on_prepare([](model::Tree tree) -> Result<model::Tree> {
    for (const uint64_t until = model::steady_ms() + 10; model::steady_ms() < until;) continue;
    return tree;
  });
  std::string all;
  for (int i = 0; i < 60; ++i) all += bytes({"/interface/list/add", "=name=l" + std::to_string(i)});
  commits_ = 0;
  send(fd, all);
  const Lines answers = read_done(fd, 60);
  EXPECT_THAT(answers, testing::SizeIs(60));
  EXPECT_GE(commits_, 5);
  EXPECT_LT(commits_, 60);
}

TEST_F(ApiTest, InABatchOnlyTheWrongOneFails) {
  const int fd = login();
  send(fd, bytes({"/ip/address/add", "=address=10.0.0.1/24", "=interface=ether1"}) +
               bytes({"/ip/address/add", "=address=nonsense", "=interface=ether1"}) +
               bytes({"/ip/address/add", "=address=10.0.1.1/24", "=interface=ether1"}));
  const Lines lines = read_done(fd, 3);
  ASSERT_THAT(lines, SizeIs(4));
  EXPECT_EQ(lines[0][0], "!done");
  EXPECT_EQ(lines[1][0], "!trap");
  EXPECT_EQ(lines[3][0], "!done");
  EXPECT_EQ(model_.tree().rows("/ip/address").size(), 2U);
}

TEST_F(ApiTest, ABatchThatCannotTakeEffectIsCarriedOutOneByOne) {
  const int fd = login();
  // Refuses any tree with the second address in it.
  model_.on_commit([](const model::Tree& tree) {
    Status out;
    for_each(tree, "/ip/address", [&](const model::View& row) {
      if (row.get("address") == "10.0.1.1/24") out = fail("refused by the test");
    });
    return out;
  });
  std::string text;
  for (int i = 0; i < 3; ++i)
    text += bytes(
        {"/ip/address/add", "=address=10.0." + std::to_string(i) + ".1/24", "=interface=ether1"});
  send(fd, text);
  const Lines lines = read_done(fd, 3);
  ASSERT_THAT(lines, SizeIs(4));
  EXPECT_EQ(lines[0][0], "!done");
  EXPECT_THAT(lines[1], ElementsAre("!trap", testing::_, HasSubstr("refused by the test")));
  EXPECT_EQ(lines[3][0], "!done");
  EXPECT_EQ(model_.tree().rows("/ip/address").size(), 2U);
}

TEST_F(ApiTest, D22_ListenTellsChangesUntilItIsCancelled) {
  const int fd = login();
  send(fd, bytes({"/ip/address/listen", ".tag=l"}));
  turn();
  add("/ip/address", {{"address", "10.0.0.1/24"}, {"interface", "ether1"}});
  Lines lines = read(fd, [](const Lines& l) { return !l.empty(); });
  EXPECT_EQ(lines[0].front(), "!re");
  EXPECT_EQ(lines[0].back(), ".tag=l");
  EXPECT_THAT(lines[0], testing::Contains("=address=10.0.0.1/24"));
  apply({model::Edit::Kind::kRemove, "/ip/address", "*1", {}, {}, {}});
  lines = read(fd, [](const Lines& l) { return !l.empty(); });
  EXPECT_THAT(lines[0], testing::Contains("=.dead=yes"));
  send(fd, bytes({"/cancel", "=tag=l", ".tag=c"}));
  lines = read_done(fd, 2);
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_THAT(lines[0], ElementsAre("!trap", "=category=2", "=message=interrupted", ".tag=l"));
  EXPECT_THAT(lines[1], ElementsAre("!done", ".tag=l"));
  EXPECT_THAT(lines[2], ElementsAre("!done", ".tag=c"));
}

TEST_F(ApiTest, HalfSentencesAndAbsurdLengthsBeforeLogin) {
  const int fd = connect();
  send(fd, std::string("\xF0\xFF\xFF\xFF\xFF", 5));
  const Lines lines = read_done(fd);
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_THAT(lines[0], ElementsAre("!fatal", HasSubstr("too long")));
}

TEST_F(ApiTest, C47_MaxSessionsAndAddressesAreKept) {
  for (int i = 0; i < 8; ++i) connect();
  EXPECT_EQ(door_.clients(), 8U);
  const int ninth = connect();
  for (int i = 0; i < 50; ++i) turn();
  char c = 0;
  EXPECT_EQ(::recv(ninth, &c, 1, 0), 0);
  EXPECT_EQ(door_.clients(), 8U);
  settings_.service.addresses = {"192.0.2.0/24"};
  door_.configure(settings_, {});
  for (int i = 0; i < 50; ++i) turn();
  EXPECT_EQ(door_.clients(), 0U);  // who may not be here any more is ended
  const int other = connect();
  for (int i = 0; i < 50; ++i) turn();
  EXPECT_EQ(::recv(other, &c, 1, 0), 0);
}

TEST_F(ApiTest, ASessionEndsWithItsUser) {
  const int fd = login("reader", "r");
  apply({model::Edit::Kind::kRemove, "/user", "reader", {}, {}, {}});
  const Lines lines = ask(fd, {"/system/identity/print"});
  EXPECT_THAT(lines, ElementsAre(ElementsAre("!fatal", HasSubstr("session was ended"))));
}

TEST_F(ApiTest, AClientThatDoesNotReadHoldsABoundedReply) {
  for (int i = 0; i < 2000; ++i) {
    model::Edit one{model::Edit::Kind::kAdd,
                    "/ip/firewall/address-list",
                    {},
                    {{"list", "l"},
                     {"address", "10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250)},
                     {"comment", std::string(900, 'c')}},
                    {},
                    {}};
    if (i == 0) model_.begin_batch();
    ASSERT_TRUE(model_.apply({one}));
  }
  ASSERT_TRUE(model_.commit_batch());
  const int fd = login();
  std::string text;
  for (int i = 0; i < 20; ++i) text += bytes({"/ip/firewall/address-list/print"});
  send(fd, text);
  for (int i = 0; i < 200; ++i) turn();
  // It reads at last and gets all 20 answers in whole.
  const Lines lines = read_done(fd, 20);
  EXPECT_EQ(lines.size(), 20U * 2001U);
}

TEST_F(ApiTest, ManyClientsAreServedInTurns) {
  std::vector<int> fds;
  for (int i = 0; i < 8; ++i) fds.push_back(login());
  std::string much;
  for (int i = 0; i < 2000; ++i) much += bytes({"/system/identity/print"});
  for (int i = 1; i < 8; ++i)
    ::send(fds[static_cast<size_t>(i)], much.data(), much.size(), MSG_DONTWAIT);
  EXPECT_THAT(ask(fds[0], {"/system/identity/print"}), SizeIs(2));
}

TEST_F(ApiTest, WordsWithoutTheSecondEqualsSign) {
  const int fd = login();
  EXPECT_THAT(ask(fd, {"/interface/ethernet/set", "=.id=ether1", "=comment=x"}),
              ElementsAre(ElementsAre("!done")));
  EXPECT_THAT(ask(fd, {"/interface/ethernet/set", "=.id=ether1", "=comment"}),
              ElementsAre(ElementsAre("!done")));
  EXPECT_THAT(ask(fd, {"/interface/ethernet/print", "=.proplist=comment"})[0], ElementsAre("!re"));
}

}  // namespace
}  // namespace maclane::door
