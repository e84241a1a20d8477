// Generated MACs: their form, that they are kept, and what happens to damaged or unwritable state.
#include "control/model/state.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "control/model/store.h"
#include "control/model/value.h"
#include "tests/unit/model/model_test_help.h"

namespace maclane::model {
namespace {

using testing::HasSubstr;

class State : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "maclane-state-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  Store store() {
    auto opened = Store::open(folder_);
    EXPECT_TRUE(opened) << all_text(opened.error());
    return std::move(*opened);
  }
  static std::string mac_of(const Tree& tree, std::string_view name) {
    const Menu& menu = *find_menu("/interface/macvlan");
    return std::string(View(menu, *tree.find(menu, name)).raw("mac-address"));
  }
  std::string folder_;
};

TEST_F(State, GeneratedMacsAreLocalUnicastAndDistinct) {
  Store state = store();
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string text = state.mac_for("m" + std::to_string(i));
    const auto mac = parse_mac(text);
    ASSERT_TRUE(mac);
    EXPECT_EQ((*mac)[0] & 3, 2) << text;
    EXPECT_EQ(format_mac(*mac), text);
    seen.insert(text);
  }
  EXPECT_EQ(seen.size(), 1000u);
}

TEST_F(State, MacsAreKept) {  // A-8, E-40, F-12..F-14
  const std::string yaml = with_ethers(
      "  macvlan:\n  - {name: m1, interface: ether1, mac-address: auto}\n"
      "  - {name: m2, interface: ether1, mac-address: 02:00:00:00:00:77}\n");
  Store first = store();
  auto one = with_generated_macs(load(yaml), first);
  ASSERT_TRUE(one);
  EXPECT_FALSE(mac_of(*one, "m1").empty());
  EXPECT_EQ(mac_of(*one, "m2"), "02:00:00:00:00:77");
  EXPECT_TRUE(validate(*one).empty());

  // A restart, another parent, disabled: the same address.
  Store second = store();
  auto two = with_generated_macs(
      load(with_ethers("  macvlan: [{name: m1, interface: ether2, disabled: yes}]\n")), second);
  ASSERT_TRUE(two);
  EXPECT_EQ(mac_of(*two, "m1"), mac_of(*one, "m1"));

  // Removed and added again: still.
  ASSERT_TRUE(with_generated_macs(Tree(), second));
  Store third = store();
  EXPECT_EQ(third.mac_for("m1"), mac_of(*one, "m1"));
}

TEST_F(State, AKeptMacThatIsInUseIsGeneratedAnew) {
  Store state = store();
  const std::string kept = state.mac_for("m1");
  auto tree =
      with_generated_macs(load(with_ethers("  macvlan:\n  - {name: m1, interface: ether1}\n"
                                           "  - {name: other, interface: ether1, mac-address: '" +
                                           kept + "'}\n")),
                          state);
  ASSERT_TRUE(tree);
  EXPECT_NE(mac_of(*tree, "m1"), kept);
}

/// A file after another, as a router loads it.
Tree next_file(const Tree& before, const std::string& macvlans, Store& store) {
  auto tree = with_generated_macs(
      with_kept_macs(before, load(with_ethers("  macvlan:\n" + macvlans)), store), store);
  EXPECT_TRUE(tree);
  return tree ? std::move(*tree) : Tree();
}

TEST_F(State, AGeneratedMacGoesWithItsMacvlanToAnotherName) {  // A-8, F-12
  const std::string a = "  - {name: a, interface: ether1}\n";
  const std::string b = "  - {name: b, interface: ether1}\n";
  const std::string c = "  - {name: c, interface: ether1}\n";
  Store state = store();
  const Tree first = next_file(Tree(), a + b, state);
  const std::string mac_a = mac_of(first, "a"), mac_b = mac_of(first, "b");
  const Tree second = next_file(first, a + c, state);
  EXPECT_EQ(mac_of(second, "a"), mac_a);
  EXPECT_EQ(mac_of(second, "c"), mac_b);
  // It is that name's: in the next file, after a restart, and when it comes back.
  EXPECT_EQ(mac_of(next_file(second, c + a, state), "c"), mac_b);
  Store again = store();
  EXPECT_EQ(mac_of(next_file(second, c + a, again), "c"), mac_b);
  const Tree without = next_file(second, a, again);
  EXPECT_EQ(mac_of(next_file(without, a + c, again), "c"), mac_b);
  // The name that was left begins anew beside it.
  const Tree both = next_file(second, a + b + c, again);
  EXPECT_EQ(mac_of(both, "c"), mac_b);
  EXPECT_NE(mac_of(both, "b"), mac_b);
  // Two that change places keep each its own.
  const Tree crossed = next_file(first, b + a, again);
  EXPECT_EQ(mac_of(crossed, "a"), mac_a);
}

TEST_F(State, AMacThatAPersonWroteIsNobodysElse) {
  Store state = store();
  const std::string mac = "02:00:00:00:00:77";
  const Tree first =
      next_file(Tree(), "  - {name: a, interface: ether1, mac-address: '" + mac + "'}\n", state);
  const Tree second = next_file(first, "  - {name: b, interface: ether1}\n", state);
  EXPECT_NE(mac_of(second, "b"), mac);
  EXPECT_NE(mac_of(second, "b"), "");
}

TEST_F(State, WhoWasGivenTheMacOfAnotherTakesItFromNobody) {
  Store state = store();
  const std::string mac = state.mac_for("a");
  const std::string own = ", mac-address: '" + mac + "'}\n";  // a door may do so on another parent
  const Tree before = load(with_ethers("  macvlan:\n  - {name: x, interface: ether2" + own +
                                       "  - {name: a, interface: ether1" + own));
  EXPECT_EQ(mac_of(next_file(before, "  - {name: a, interface: ether1}\n", state), "a"), mac);
}

TEST_F(State, AFileThatWasOnlyPlannedKeepsNothing) {
  Store state = store();
  const std::string kept = state.mac_for("b");  // it was there once
  const Tree first = next_file(Tree(), "  - {name: a, interface: ether1}\n", state);
  const Tree planned = next_file(first, "  - {name: b, interface: ether1}\n", state);
  EXPECT_EQ(mac_of(planned, "b"), mac_of(first, "a"));
  const Tree other = next_file(
      first, "  - {name: a, interface: ether1}\n  - {name: b, interface: ether1}\n", state);
  EXPECT_EQ(mac_of(other, "b"), kept);
}

TEST_F(State, TheModelGeneratesBeforeItCommits) {
  Store state = store();
  Model model;
  model.on_prepare([&](Tree next) { return with_generated_macs(std::move(next), state); });
  std::string seen;
  model.on_commit([&](const Tree& next) -> Status {
    seen = mac_of(next, "macvlan1");
    return {};
  });
  Tree tree = load(with_ethers(""));
  auto added =
      edit(tree, {{Edit::Kind::kAdd, "/interface/macvlan", "", {{"interface", "ether1"}}, ""}});
  ASSERT_TRUE(added);
  ASSERT_TRUE(model.replace(std::move(tree)));
  EXPECT_FALSE(seen.empty());
  EXPECT_EQ(model.print(*find_menu("/interface/macvlan"))[0].get("mac-address"), seen);
}

TEST_F(State, DamagedStateIsASentence) {
  for (const char* text : {"", "{", "[]", "{\"m1\": 3}", "{\"m1\": \"01:00:00:00:00:00\"}"}) {
    std::ofstream(folder_ + "/macs.json") << text;
    auto opened = Store::open(folder_);
    ASSERT_FALSE(opened) << text;
    EXPECT_THAT(all_text(opened.error()), HasSubstr("is damaged"));
  }
}

TEST_F(State, AFolderThatCannotBeIsASentence) {
  std::ofstream(folder_ + "/file") << "x";
  auto opened = Store::open(folder_ + "/file/below");
  ASSERT_FALSE(opened);
  EXPECT_THAT(all_text(opened.error()), HasSubstr("cannot use the state folder"));
  const Status written = write_atomically(folder_ + "/none/x", "text");
  ASSERT_FALSE(written);
  EXPECT_THAT(all_text(written.error()), HasSubstr("the folder must exist"));
}

TEST_F(State, FilesAreReplacedWhole) {
  const std::string path = folder_ + "/x";
  ASSERT_TRUE(write_atomically(path, "long text"));
  ASSERT_TRUE(write_atomically(path, "short"));
  std::string text;
  std::getline(std::ifstream(path), text);
  EXPECT_EQ(text, "short");
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
}

}  // namespace
}  // namespace maclane::model
