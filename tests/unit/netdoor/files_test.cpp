// Files below the state folder and nowhere else; backups as bytes and as trees (C-44).
#include "control/service/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "control/model/secrets.h"
#include "control/service/backup.h"

namespace maclane {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

class FilesTest : public testing::Test {
 protected:
  FilesTest() {
    char pattern[] = "/tmp/maclane-files-XXXXXX";
    root_ = ::mkdtemp(pattern);
    files_.emplace(root_ + "/files");
  }
  ~FilesTest() override { fs::remove_all(root_); }
  std::vector<std::string> names() {
    std::vector<std::string> out;
    for (const Files::Entry& one : files_->list()) out.push_back(one.name);
    return out;
  }
  std::string root_;
  std::optional<Files> files_;
};

TEST_F(FilesTest, WritesReadsListsAndRemoves) {
  ASSERT_TRUE(files_->write("a.rsc", "/ip address print\n"));
  ASSERT_TRUE(files_->make_folder("d"));
  ASSERT_TRUE(files_->write("d/b.txt", "x"));
  EXPECT_THAT(names(), ElementsAre("a.rsc", "d", "d/b.txt"));
  EXPECT_EQ(files_->read("d/b.txt").value(), "x");
  EXPECT_EQ(files_->read("/d/b.txt").value(), "x");
  EXPECT_FALSE(files_->remove("d"));  // not empty
  EXPECT_TRUE(files_->rename("d/b.txt", "c.txt"));
  EXPECT_TRUE(files_->remove("d"));
  EXPECT_THAT(names(), ElementsAre("a.rsc", "c.txt"));
  EXPECT_THAT(files_->read("none").error().front().message, HasSubstr("no such item"));
  EXPECT_EQ(files_->read("none").error().front().trouble, Trouble::kMissing);
}

TEST_F(FilesTest, AFolderThatIsNotThereIsSaid) {
  ASSERT_TRUE(files_->write("f", "x"));
  EXPECT_THAT(files_->write("no/such.rsc", "x").error().front().message,
              HasSubstr("there is no folder no; /file/add name=no type=directory makes it"));
  EXPECT_THAT(files_->write("f/x", "x").error().front().message, HasSubstr("f is no folder"));
  EXPECT_THAT(files_->read("no/such.rsc").error().front().message, HasSubstr("no folder no"));
}

TEST_F(FilesTest, NothingOutsideTheFolderIsReached) {
  std::ofstream(root_ + "/secret") << "outside";
  ASSERT_TRUE(files_->write("x", "1"));
  for (const char* name : {"../secret", "a/../../secret", "..", ".", "", "/", "//", "a//b", "a\\b",
                           "a\nb", "x/../x"}) {
    EXPECT_FALSE(files_->read(name)) << name;
    EXPECT_FALSE(files_->write(name, "y")) << name;
    EXPECT_FALSE(files_->remove(name)) << name;
    EXPECT_FALSE(files_->make_folder(name)) << name;
    EXPECT_FALSE(files_->rename("x", name)) << name;
  }
  fs::create_symlink(root_ + "/secret", root_ + "/files/link");
  fs::create_directory_symlink(root_, root_ + "/files/up");
  EXPECT_FALSE(files_->read("link"));
  EXPECT_FALSE(files_->read("up/secret"));
  EXPECT_FALSE(files_->write("up/secret", "y"));
  EXPECT_THAT(names(), ElementsAre("x"));
  ASSERT_TRUE(files_->write("link", "z"));  // takes the link's place and not its target's
  std::ifstream file(root_ + "/secret");
  std::string text;
  file >> text;
  EXPECT_EQ(text, "outside");
}

TEST_F(FilesTest, SizesAreLimited) {
  EXPECT_THAT(files_->write("big", std::string(Files::kMaxFile + 1, 'x')).error().front().message,
              HasSubstr("longer"));
  const std::string some(Files::kMaxFile, 'x');
  Status last;
  for (int i = 0; i < 9 && last; ++i) last = files_->write("f" + std::to_string(i), some);
  ASSERT_FALSE(last);
  EXPECT_THAT(last.error().front().message, HasSubstr("remove some"));
  std::string deep = "d";
  for (int i = 0; i < 20; ++i) deep += "/d";
  EXPECT_FALSE(files_->write(deep, "x"));
  EXPECT_FALSE(files_->write(std::string(300, 'n'), "x"));
}

TEST_F(FilesTest, AFifoDoesNotHoldAnybodyUp) {
  ASSERT_TRUE(files_->write("x", "1"));
  ASSERT_EQ(::mkfifo((root_ + "/files/pipe").c_str(), 0600), 0);
  EXPECT_FALSE(files_->read("pipe"));
  EXPECT_THAT(names(), ElementsAre("x"));
}

TEST(BackupFile, WithAndWithoutAPassword) {
  for (const char* password : {"", "pw"}) {
    const auto bytes = Backup::pack("the tree", "edge1", password);
    ASSERT_TRUE(bytes);
    EXPECT_EQ(Backup::unpack(*bytes, password).value(), "the tree");
  }
  const std::string sealed = Backup::pack("the tree", "edge1", "pw").value();
  EXPECT_THAT(sealed, Not(HasSubstr("the tree")));
  EXPECT_THAT(Backup::unpack(sealed, "other").error().front().message,
              HasSubstr("password is wrong"));
  EXPECT_THAT(Backup::unpack(sealed, "").error().front().message, HasSubstr("give its password"));
}

TEST(BackupFile, DamageIsSaidWhateverByteItIs) {
  const std::string plain = Backup::pack("the tree", "edge1", "").value();
  for (size_t i = 0; i < plain.size(); ++i) {
    std::string bad = plain;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    const auto out = Backup::unpack(bad, "");
    // The line that says of whom and when may differ; what it holds may not.
    EXPECT_EQ(out.value_or("the tree"), "the tree");
  }
  for (size_t n = 0; n < plain.size(); ++n)
    EXPECT_FALSE(Backup::unpack(plain.substr(0, n), "")) << n;
  std::string sealed = Backup::pack("the tree", "edge1", "pw").value();
  sealed.back() = static_cast<char>(sealed.back() ^ 1);
  EXPECT_FALSE(Backup::unpack(sealed, "pw"));
  EXPECT_THAT(Backup::unpack("PK\x03\x04", "").error().front().message,
              HasSubstr("no backup of Maclane"));
}

TEST(BackupTree, ATreeComesBackAsItWas) {
  model::Model model;
  const auto add = [&](const char* path, model::Fields values) {
    const auto done = model.apply({{model::Edit::Kind::kAdd, path, {}, std::move(values), {}, {}}});
    ASSERT_TRUE(done) << done.error().front().text();
  };
  add("/interface/ethernet", {{"name", "ether1"}, {"device", "net_tap0"}});
  add("/interface/macvlan",
      {{"name", "gone"}, {"interface", "ether1"}, {"mac-address", "02:00:00:00:00:01"}});
  add("/interface/macvlan",
      {{"name", "m1"}, {"interface", "ether1"}, {"mac-address", "02:00:00:00:00:02"}});
  add("/user", {{"name", "u"}, {"group", "read"}, {"password", "pw"}});
  ASSERT_TRUE(
      model.apply({{model::Edit::Kind::kRemove, "/interface/macvlan", "gone", {}, {}, {}}}));
  const std::string text = Backup::tree_text(model.tree());
  const auto back = Backup::tree_of(text);
  ASSERT_TRUE(back) << back.error().front().text();
  EXPECT_EQ(Backup::tree_text(*back), text);
  const model::Menu& macvlans = *model::find_menu("/interface/macvlan");
  ASSERT_EQ(back->rows(macvlans).size(), 1U);
  EXPECT_EQ(back->rows(macvlans)[0]->id, 2U);  // identifiers stay
  EXPECT_EQ(back->coming_id(macvlans), 3U);
  EXPECT_TRUE(model.replace(*back));
}

TEST(BackupTree, WhatIsNoTreeIsRefused) {
  for (const char* text :
       {"", "{}", "[]", R"({"key":"","menus":1})", R"({"key":"AA==","menus":[1]})",
        R"({"key":"AA==","menus":[{"path":"/no","rows":[]}]})",
        R"({"key":"AA==","menus":[{"path":"/user","rows":[{"id":-1,"values":{}}]}]})",
        R"({"key":"AA==","menus":[{"path":"/user","rows":[{"id":1,"values":{"x":"1"}}]}]})",
        R"({"key":"AA==","menus":[{"path":"/user","rows":[{"id":1,"values":{"name":1}}]}]})"})
    EXPECT_FALSE(Backup::tree_of(text)) << text;
}

}  // namespace
}  // namespace maclane
