// The store: what is written is read again, random changes too; a kill at any moment leaves the old
// state or the new; damage is a sentence.
#include "control/model/store.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "tests/unit/model/model_test_help.h"
#include "tests/unit/model/random_tree.h"

namespace maclane::model {
namespace {

using testing::HasSubstr;

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "maclane-store-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  Store open() {
    auto opened = Store::open(folder_);
    EXPECT_TRUE(opened) << all_text(opened.error());
    return std::move(*opened);
  }
  std::optional<Store::Kept> kept() {
    Store store = open();
    auto found = store.read();
    EXPECT_TRUE(found) << all_text(found.error());
    return found ? std::move(*found) : std::nullopt;
  }
  /// Rows, ids, order and the ids to come, of every menu.
  static void expect_same(const Tree& one, const Tree& other) {
    ASSERT_EQ(difference(one, other), "");
    for (const Menu& menu : menus()) {
      EXPECT_EQ(one.coming_id(menu), other.coming_id(menu)) << menu.path;
      const auto ids = [&](const Tree& tree) {
        std::vector<uint32_t> out;
        for (const RowPtr& row : tree.rows(menu)) out.push_back(row->id);
        return out;
      };
      ASSERT_EQ(ids(one), ids(other)) << menu.path;
    }
  }
  std::string folder_;
};

TEST_F(StoreTest, TheFirstStartHasNothing) {
  EXPECT_FALSE(kept());
  EXPECT_FALSE(kept()) << "opening and reading keeps nothing";
}

TEST_F(StoreTest, OnlyItsOwnerReadsIt) {
  (void)open();
  struct stat facts {};
  ASSERT_EQ(stat((folder_ + "/maclane.db").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
}

TEST_F(StoreTest, KeepsThreeTreesAndTheFile) {
  const Base base{RandomTree(1).make(20), "base: of some text\n"};
  const Tree running = RandomTree(2).make(40);
  const Tree go_back = RandomTree(3).make(10);
  {
    Store store = open();
    ASSERT_TRUE(store.write({running, base, &go_back}));
  }
  auto found = kept();
  ASSERT_TRUE(found);
  expect_same(found->tree, running);
  expect_same(found->base.tree, base.tree);
  EXPECT_EQ(found->base.text, base.text);
  ASSERT_TRUE(found->go_back);
  expect_same(*found->go_back, go_back);
  {
    Store store = open();
    ASSERT_TRUE(store.read());
    ASSERT_TRUE(store.write({running, base, nullptr}));
  }
  EXPECT_FALSE(kept()->go_back);
}

TEST_F(StoreTest, RandomChangesAreReadAsTheyWere) {
  for (uint32_t seed = 1; seed <= 12; ++seed) {
    std::filesystem::remove_all(folder_);
    RandomTree random(seed);
    Base base{random.make(15), "x"};
    Model model;
    auto store = std::make_unique<Store>(open());
    model.on_persist([&](const Lasting& state) { return store->write(state); });
    ASSERT_TRUE(model.start(base.tree, base));
    for (int step = 0; step < 120; ++step) {
      const size_t what = random.below(10);
      if (what == 0) {
        (void)model.undo({});
      } else if (what == 1) {
        (void)model.redo({});
      } else {
        std::vector<Edit> edits;
        for (size_t n = 1 + random.below(3); n > 0; --n)
          edits.push_back(random.random_edit(model.tree()));
        (void)model.apply(edits);
      }
      if (step % 20 != 0) continue;
      // A restart: what comes is written beside what was read.
      store = std::make_unique<Store>(open());
      auto found = store->read();
      ASSERT_TRUE(found) << all_text(found.error());
      expect_same((*found)->tree, model.tree());
      expect_same((*found)->base.tree, base.tree);
    }
    ASSERT_EQ(kept().has_value(), true);
    expect_same(kept()->tree, model.tree());
  }
}

TEST_F(StoreTest, WhatCannotBeKeptDoesNotHappen) {
  Model model;
  int commits = 0;
  bool full = false;
  model.on_commit([&](const Tree&) -> Status {
    ++commits;
    return {};
  });
  model.on_persist([&](const Lasting&) -> Status {
    if (full) return fail("the disk is full");
    return {};
  });
  ASSERT_TRUE(model.start(load(with_ethers("")), {}));
  full = true;
  Edit name{Edit::Kind::kSet, "/system/identity", "", {{"name", "edge"}}, "", ""};
  const auto done = model.apply({name});
  ASSERT_FALSE(done);
  EXPECT_THAT(all_text(done.error()), HasSubstr("the disk is full"));
  EXPECT_EQ(model.tree().settings("/system/identity").raw("name"), "");
  EXPECT_EQ(commits, 3) << "what was published is taken back";
  full = false;
  ASSERT_TRUE(model.apply({name}));
}

/// The state after a number of changes: identity says the number; two lists of each of the last
/// twenty changes; rules turned round by one each time.
std::vector<Edit> change_number(const Tree& tree, int number) {
  std::vector<Edit> edits;
  const auto named = [&](char letter, int of) {
    return std::string(1, letter) + std::to_string(of);
  };
  edits.push_back(
      {Edit::Kind::kSet, "/system/identity", "", {{"name", std::to_string(number)}}, "", ""});
  for (const char letter : {'a', 'b'}) {
    edits.push_back(
        {Edit::Kind::kAdd, "/interface/list", "", {{"name", named(letter, number)}}, "", ""});
    if (number > 20)
      edits.push_back(
          {Edit::Kind::kRemove, "/interface/list", named(letter, number - 20), {}, "", ""});
  }
  const Rows& rules = tree.rows("/ip/firewall/filter");
  edits.push_back(
      {Edit::Kind::kMove, "/ip/firewall/filter", row_id(rules.front()->id), {}, "", ""});
  return edits;
}

void expect_whole(const Tree& tree, int number) {
  std::vector<std::string> lists;
  for_each(tree, "/interface/list", [&](const View& row) { lists.emplace_back(row.get("name")); });
  std::vector<std::string> expected;
  for (int n = std::max(1, number - 19); n <= number; ++n) {
    expected.push_back("a" + std::to_string(n));
    expected.push_back("b" + std::to_string(n));
  }
  EXPECT_EQ(lists, expected);
  std::vector<std::string> rules, turned;
  for_each(tree, "/ip/firewall/filter",
           [&](const View& row) { rules.emplace_back(row.get("comment")); });
  for (int i = 0; i < 7; ++i) turned.push_back(std::to_string((i + number) % 7));
  EXPECT_EQ(rules, turned);
}

uint64_t now_us() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

/// Changes without end, told through the pipe as each is done. Ends the process if one fails.
[[noreturn]] void change_on(const std::string& folder, int told) {
  auto store = Store::open(folder);
  if (!store) _exit(1);
  auto found = store->read();
  if (!found || !*found) _exit(2);
  Model model;
  model.on_persist([&](const Lasting& state) { return store->write(state); });
  if (!model.start((*found)->tree, (*found)->base)) _exit(3);
  for (;;) {
    const int number =
        std::stoi(std::string(model.tree().settings("/system/identity").get("name"))) + 1;
    if (!model.apply(change_number(model.tree(), number))) _exit(4);
    if (write(told, &number, sizeof number) != sizeof number) _exit(5);
  }
}

TEST_F(StoreTest, AKillAtAnyMomentLeavesTheOldStateOrTheNew) {
  std::string yaml = "system: {identity: {name: '0'}}\nip:\n  firewall:\n    filter:\n";
  for (int i = 0; i < 7; ++i)
    yaml += "    - {chain: input, action: accept, comment: '" + std::to_string(i) + "'}\n";
  {
    Store store = open();
    const Base base{load(yaml), yaml};
    ASSERT_TRUE(store.write({base.tree, base, nullptr}));
  }
  std::mt19937 random(7);
  int last = 0;
  for (int round = 0; round < 20; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(ends[0]);
      change_on(folder_, ends[1]);
    }
    close(ends[1]);
    // Killed somewhere in the change that follows so many, wherever it is by then.
    int told = last;
    for (size_t left = 1 + random() % 40; left > 0; --left) {
      ASSERT_EQ(read(ends[0], &told, sizeof told), ssize_t{sizeof told}) << "it ended by itself";
    }
    const uint64_t until = now_us() + random() % 400;
    while (now_us() < until) continue;
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
    while (read(ends[0], &told, sizeof told) == ssize_t{sizeof told}) continue;
    close(ends[0]);
    auto found = kept();
    ASSERT_TRUE(found);
    last = std::stoi(std::string(found->tree.settings("/system/identity").get("name")));
    EXPECT_TRUE(last == told || last == told + 1) << last << " of " << told;
    expect_whole(found->tree, last);
    EXPECT_EQ(found->base.text, yaml);
  }
  EXPECT_GT(last, 20);
}

TEST_F(StoreTest, DamageIsASentence) {
  {
    Store store = open();
    const Base base{load(with_ethers("")), ""};
    ASSERT_TRUE(store.write({base.tree, base, nullptr}));
  }
  const auto damage = [&](const std::string& statement) {
    auto database = sqlite::Database::open(folder_ + "/maclane.db");
    ASSERT_TRUE(database);
    ASSERT_TRUE(database->run(statement));
  };
  const auto said = [&]() -> std::string {
    auto store = Store::open(folder_);
    if (!store) return all_text(store.error());
    auto found = store->read();
    return found ? std::string("read") : all_text(found.error());
  };
  ASSERT_EQ(said(), "read");
  damage("INSERT INTO rows VALUES(0, '/no/menu', 1, '{}')");
  EXPECT_THAT(said(), HasSubstr("there is no such menu"));
  damage("DELETE FROM rows WHERE menu = '/no/menu'");
  for (const auto& [row, why] : std::vector<std::pair<std::string, std::string>>{
           {"[", "no JSON object"},
           {"{\"colour\":\"red\"}", "no property colour"},
           {"{\"mtu\":1500}", "mtu is no text"},
           {"{\"mtu\":\"x\"}", "mtu: "}}) {
    damage("INSERT OR REPLACE INTO rows VALUES(0, '/interface/ethernet', 9, '" + row + "')");
    EXPECT_THAT(said(), HasSubstr(why));
    EXPECT_THAT(said(), HasSubstr("maclane.db is damaged or of another version"));
  }
  damage("DELETE FROM rows WHERE id = 9; PRAGMA user_version = 77");
  EXPECT_THAT(said(), HasSubstr("its format is 77"));
  for (const char* end : {"", "-wal", "-shm"})
    std::filesystem::remove(folder_ + "/maclane.db" + end);
  std::ofstream(folder_ + "/maclane.db")
      << "no database at all, but long enough to be taken for one";
  EXPECT_THAT(said(), HasSubstr("not a database"));
}

TEST_F(StoreTest, AMenuThatIsNewHasItsFirstRows) {
  {
    Store store = open();
    const Base base{load(with_ethers("")), ""};
    ASSERT_TRUE(store.write({base.tree, base, nullptr}));
  }
  const Menu* first = nullptr;
  for (const Menu& menu : menus()) {
    if (first == nullptr && !menu.initial.empty()) first = &menu;
  }
  if (first == nullptr) GTEST_SKIP() << "no menu has rows from the start";
  {
    auto database = sqlite::Database::open(folder_ + "/maclane.db");
    ASSERT_TRUE(database->run("DELETE FROM menus WHERE menu = '" + std::string(first->path) +
                              "'; DELETE FROM rows WHERE menu = '" + std::string(first->path) +
                              "'"));
  }
  EXPECT_EQ(kept()->tree.rows(*first).size(), first->initial.size());
}

}  // namespace
}  // namespace maclane::model
