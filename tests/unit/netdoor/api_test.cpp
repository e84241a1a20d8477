// What the API's door replies, batches, and its limits (D-17 to D-25). Who comes in:
// api_login_test.cpp.
#include "tests/unit/netdoor/api_fixture.h"

namespace maclane::door {
namespace {

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
