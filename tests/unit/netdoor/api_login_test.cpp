// Who comes in by the API's door, and when a session ends (C-47, C-50, D-19).
#include "control/door/strangers.h"
#include "tests/unit/netdoor/api_fixture.h"

namespace maclane::door {
namespace {

TEST_F(ApiTest, D19_PlainLogin) {
  const int fd = login();
  EXPECT_EQ(auth_.sessions(), 1U);
  ::close(fd);
  mine_.clear();
  for (int i = 0; i < 100 && auth_.sessions() > 0; ++i) turn();
  EXPECT_EQ(auth_.sessions(), 0U);
}

TEST(Strangers, TheFirstOfWhereMostComeFromGoes) {
  Strangers all;
  EXPECT_EQ(all.first_to_go(), std::nullopt);
  all.add(1, "192.0.2.1");
  EXPECT_EQ(all.first_to_go(), 1U);
  all.add(2, "2001:db8::1");
  EXPECT_EQ(all.first_to_go(), 1U) << "as many from both";
  all.add(3, "2001:db8::2");
  EXPECT_EQ(all.first_to_go(), 2U) << "one client has a whole /64";
}

TEST_F(ApiTest, C47_WhoSaysNothingKeepsNobodyOut) {
  const auto closed = [&](int fd) {
    char byte = 0;
    for (int i = 0; i < 100; ++i) {
      const ssize_t n = ::recv(fd, &byte, 1, MSG_DONTWAIT);
      if (n >= 0 || errno != EAGAIN) return true;
      turn();
    }
    return false;
  };
  std::vector<int> silent;
  while (silent.size() < settings_.service.max_sessions) silent.push_back(connect());
  std::vector<int> users;
  for (int i = 0; i < 3; ++i) users.push_back(login());
  EXPECT_TRUE(closed(silent[0]) && closed(silent[1]) && closed(silent[2]));
  EXPECT_FALSE(closed(silent[3]));
  while (users.size() < settings_.service.max_sessions) users.push_back(login());
  EXPECT_TRUE(closed(connect())) << "nobody is left to make room";
  for (const int fd : users) EXPECT_FALSE(closed(fd));
}

TEST_F(ApiTest, ASentenceThatComesByDropsIsNotWaitedForForEver) {
  const uint64_t before = std::exchange(Patience::whole_ms, 20);
  const int slow = login();
  const int other = login();
  // A word of a million letters is on its way.
  send(slow, std::string("\xCF\x42\x40", 3));
  bool ended = false;
  const uint64_t begun = model::steady_ms();
  for (uint64_t next = begun; !ended && next < begun + 10'000;) {
    turn();
    char said[256];
    ended = ::recv(slow, said, sizeof said, MSG_DONTWAIT) >= 0;
    if (model::steady_ms() < next) continue;
    next = model::steady_ms() + 5;
    send(slow, "x");
    EXPECT_FALSE(ask(other, {"/interface/list/print"}).empty());
  }
  EXPECT_TRUE(ended);
  for (int i = 0; i < 1000 && auth_.sessions() > 1; ++i) turn();
  EXPECT_EQ(auth_.sessions(), 1U) << "who only waits may stay";
  Patience::whole_ms = before;
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

TEST_F(ApiTest, C50_WhoLostSafeModeIsToldBeforeItEndsAnothers) {
  const int fd = login();
  const int other = login();
  for (const char* how : {"/safe-mode/release", "/safe-mode/unroll"}) {
    ask(fd, {"/safe-mode/take"});
    ask(fd, {"/interface/list/add", std::string("=name=") + (how + 11)});
    EXPECT_THAT(ask(other, {"/safe-mode/take", "=hijack=release"}),
                ElementsAre(ElementsAre("!done")));
    const Lines lines = ask(fd, {how});
    ASSERT_EQ(lines[0][0], "!trap") << how;
    EXPECT_THAT(lines[0], testing::Contains(
                              HasSubstr("=message=failure: Safe Mode released by another user")));
    EXPECT_NE(model_.safe_mode(), nullptr) << "it is the other's";
    ask(other, {"/safe-mode/release"});
    EXPECT_EQ(model_.safe_mode(), nullptr);
  }
}

TEST_F(ApiTest, C50_ListenTellsThatSafeModeHasEnded) {
  const int fd = login();
  const int watcher = login();
  ask(fd, {"/safe-mode/take"});
  send(watcher, bytes({"/safe-mode/listen"}));
  ask(fd, {"/interface/list/print"});
  ask(fd, {"/safe-mode/release"});
  const Lines told = read(watcher, [](const Lines& lines) { return !lines.empty(); });
  EXPECT_THAT(told.front(), testing::Contains("=.dead=yes"));
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
  const std::string hash = secrets::hash_password("pw", "old");
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

TEST_F(ApiTest, HalfSentencesAndAbsurdLengthsBeforeLogin) {
  const int fd = connect();
  send(fd, std::string("\xF0\xFF\xFF\xFF\xFF", 5));
  const Lines lines = read_done(fd);
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_THAT(lines[0], ElementsAre("!fatal", HasSubstr("too long")));
}

TEST_F(ApiTest, C47_MaxSessionsAndAddressesAreKept) {
  for (int i = 0; i < 8; ++i) login();
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

}  // namespace
}  // namespace maclane::door
