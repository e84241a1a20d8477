// Passwords, seals, waits against guessing, and the old login's sum (C-48, D-19).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "control/door/auth.h"
#include "control/door/login_limits.h"
#include "control/model/secrets.h"
#include "control/observe/log.h"

namespace maclane::door {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
namespace secrets = model::secrets;

struct Folder {
  std::string path;
  Folder() {
    char pattern[] = "/tmp/maclane-secrets-XXXXXX";
    path = ::mkdtemp(pattern);
  }
  ~Folder() { std::filesystem::remove_all(path); }
};

TEST(Secrets, APasswordIsKeptAsAYescryptHash) {
  const std::string hash = secrets::hash_password("secret");
  EXPECT_THAT(hash, StartsWith("$y$"));
  EXPECT_TRUE(secrets::password_is("secret", hash));
  EXPECT_FALSE(secrets::password_is("Secret", hash));
  EXPECT_FALSE(secrets::password_is("", hash));
  EXPECT_FALSE(secrets::password_is("secret", ""));
  EXPECT_FALSE(secrets::password_is("secret", "secret"));  // a plain text is no hash
}

TEST(Secrets, TheSamePasswordIsNoChangeAndAHashStays) {
  const auto once = secrets::convert_password("secret");
  ASSERT_TRUE(once);
  EXPECT_EQ(secrets::convert_password("secret"), once);
  EXPECT_EQ(secrets::convert_password(*once), once);
  EXPECT_NE(secrets::convert_password("secret2"), once);
  EXPECT_EQ(secrets::convert_password("").value(), "");
}

TEST(Secrets, UsersWithTheSamePasswordDoNotShareItsHash) {
  model::Model model;
  const auto set = [&](const char* user, const char* property, const char* value) {
    ASSERT_TRUE(
        model.apply({{model::Edit::Kind::kSet, "/user", user, {{property, value}}, {}, {}}}));
  };
  const auto hash = [&](const char* user) {
    const model::Tree& tree = model.tree();
    return std::string(tree.find(*model::find_menu("/user"), user)
                           ->at(model::find_menu("/user")->index("password")));
  };
  ASSERT_TRUE(model.apply({{model::Edit::Kind::kAdd,
                            "/user",
                            {},
                            {{"password", "same"}, {"group", "read"}, {"name", "p1"}},
                            {},
                            {}}}));
  set("admin", "password", "same");
  EXPECT_NE(hash("admin"), hash("p1"));
  EXPECT_TRUE(secrets::password_is("same", hash("admin")));
  EXPECT_TRUE(secrets::password_is("same", hash("p1")));
  const std::string before = hash("admin");
  set("admin", "password", "same");
  EXPECT_EQ(hash("admin"), before) << "no change";
  set("admin", "name", "boss");
  EXPECT_EQ(hash("boss"), before);
}

TEST(Secrets, TheKeyFileIsForItsOwnerAndIsKept) {
  const Folder folder;
  ASSERT_TRUE(secrets::open(folder.path));
  const std::string sealed = secrets::seal("text");
  const std::string hash = secrets::hash_password("pw");
  struct stat st {};
  ASSERT_EQ(::stat((folder.path + "/secret.key").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600U);
  ASSERT_TRUE(secrets::open(folder.path));  // the next start
  EXPECT_EQ(secrets::unseal(sealed), "text");
  EXPECT_EQ(secrets::hash_password("pw"), hash);
}

TEST(Secrets, AnotherRoutersKeyOpensNothingAndHashesOtherwise) {
  const Folder one;
  const Folder other;
  ASSERT_TRUE(secrets::open(one.path));
  const std::string sealed = secrets::seal("text");
  const std::string hash = secrets::hash_password("pw");
  ASSERT_TRUE(secrets::open(other.path));
  EXPECT_EQ(secrets::unseal(sealed), std::nullopt);
  EXPECT_NE(secrets::hash_password("pw"), hash);
  EXPECT_TRUE(secrets::password_is("pw", hash));  // the hash itself holds everywhere
}

TEST(Secrets, ADamagedSealOrKeyFileIsSaid) {
  const Folder folder;
  ASSERT_TRUE(secrets::open(folder.path));
  std::string sealed = secrets::seal(std::string("with\0zero", 9));
  EXPECT_EQ(secrets::unseal(sealed), std::string("with\0zero", 9));
  sealed[sealed.size() - 6] = sealed[sealed.size() - 6] == 'A' ? 'B' : 'A';
  EXPECT_EQ(secrets::unseal(sealed), std::nullopt);
  EXPECT_EQ(secrets::unseal("$sealed$"), std::nullopt);
  EXPECT_EQ(secrets::unseal("$sealed$####"), std::nullopt);
  std::filesystem::resize_file(folder.path + "/secret.key", 10);
  const Status status = secrets::open(folder.path);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().front().message, HasSubstr("damaged"));
}

TEST(Secrets, SealsOfOneTextDiffer) {
  EXPECT_NE(secrets::seal("text"), secrets::seal("text"));
  EXPECT_THAT(secrets::seal("text"), Not(HasSubstr("text")));
}

TEST(Secrets, ThePasswordOfALateHashCanBeSealed) {
  const std::string hash = secrets::hash_password("for the old login");
  EXPECT_EQ(secrets::unseal(secrets::sealed_password(hash)), "for the old login");
  EXPECT_EQ(secrets::sealed_password("$y$other"), "");
}

TEST(LoginLimits, AFewMistakesCostNothingThenWaitsGrow) {
  LoginLimits limits;
  for (unsigned i = 0; i < LoginLimits::kFreeTries; ++i) limits.failed("10.0.0.1", "admin", 1000);
  EXPECT_EQ(limits.wait_ms("10.0.0.1", "admin", 1000), 0U);
  uint64_t last = 0;
  uint64_t now = 1000;
  for (int i = 0; i < 10; ++i) {
    limits.failed("10.0.0.1", "x" + std::to_string(i), now);
    const uint64_t wait = limits.wait_ms("10.0.0.1", "other", now);
    EXPECT_GE(wait, last);
    EXPECT_GT(wait, 0U);
    last = wait;
    now += wait;
    EXPECT_EQ(limits.wait_ms("10.0.0.1", "other", now), 0U);
  }
  EXPECT_EQ(last, LoginLimits::kLongestAddressWaitMs);
  EXPECT_EQ(limits.wait_ms("10.0.0.2", "other", now), 0U);
}

TEST(LoginLimits, AUserIsHeldUpForSecondsOnlyAndNotWhereTheyUsuallyAre) {
  LoginLimits limits;
  limits.succeeded("192.0.2.1", "admin", 0);
  for (int i = 0; i < 100; ++i) limits.failed("10.0.0." + std::to_string(i), "admin", 1000);
  const uint64_t wait = limits.wait_ms("10.0.0.200", "admin", 1000);
  EXPECT_GT(wait, 0U);
  EXPECT_LE(wait, LoginLimits::kLongestUserWaitMs);
  EXPECT_EQ(limits.wait_ms("192.0.2.1", "admin", 1000), 0U);
}

TEST(LoginLimits, AGuessersManyAddressesDoNotKeepOutWhoComesFromElsewhere) {
  LoginLimits limits;
  uint64_t now = 1000;
  for (int i = 0; i < 200; ++i, now += 50)
    limits.failed("10.0." + std::to_string(i) + ".1", "admin", now);
  EXPECT_EQ(limits.wait_ms("192.0.2.9", "admin", now), 0U);
  EXPECT_GT(limits.wait_ms("10.0.7.200", "admin", now), 0U);  // beside one that guessed
  limits.failed("192.0.2.9", "admin", now);                   // that was the free one
  EXPECT_GT(limits.wait_ms("192.0.2.9", "admin", now), 0U);
  EXPECT_GT(limits.wait_ms("192.0.2.10", "admin", now), 0U);
  // The whole /48 of IPv6 is one network; after a while without failures it is new again.
  limits.failed("2001:db8:1:2::3", "admin", now);
  EXPECT_GT(limits.wait_ms("2001:db8:1:ffff::1", "admin", now), 0U);
  EXPECT_EQ(limits.wait_ms("2001:db8:2::1", "admin", now), 0U);
  EXPECT_EQ(limits.wait_ms("192.0.2.9", "admin", now + 2 * LoginLimits::kForgetMs), 0U);
}

TEST(LoginLimits, MemoryIsBoundedAndAFloodDoesNotFreeTheFlooder) {
  LoginLimits limits;
  for (int i = 0; i < 20; ++i) limits.failed("10.9.9.9", "admin", 100'000);
  for (unsigned i = 0; i < 3 * LoginLimits::kMaxEntries; ++i)
    limits.failed("fd00:" + std::to_string(i % 9999) + "::1", "u" + std::to_string(i), 100 + i);
  EXPECT_LE(limits.entries(), 4 * LoginLimits::kMaxEntries);
  EXPECT_GT(limits.wait_ms("10.9.9.9", "x", 100'000), 0U);
}

TEST(LoginLimits, Ipv6ClientsCountByTheirNetwork) {
  EXPECT_EQ(network_key("2001:db8:1:2::9"), network_key("2001:db8:1:3::9"));
  EXPECT_NE(network_key("2001:db8:1::9"), network_key("2001:db8:2::9"));
  EXPECT_EQ(network_key("10.0.0.1"), "10.0.0.0/24");
  EXPECT_EQ(network_key("unix"), "unix");
  EXPECT_EQ(client_key("2001:db8:1:2:3:4:5:6"), client_key("2001:db8:1:2::9"));
  EXPECT_NE(client_key("2001:db8:1:2::9"), client_key("2001:db8:1:3::9"));
  EXPECT_EQ(client_key("10.0.0.1"), "10.0.0.1");
}

TEST(OldLogin, D19_TheSumIsMd5OfZeroPasswordAndChallenge) {
  // printf '\0secret0123456789abcdef' | md5sum
  EXPECT_EQ(challenge_response("secret", "0123456789abcdef"), "0083a91e3969eccc88c3a2cbdf69f148d3");
}

TEST(Auth, AddressesOfAUserOrService) {
  EXPECT_TRUE(address_allowed("10.0.0.7", {}));
  EXPECT_TRUE(address_allowed("10.0.0.7", {"192.0.2.0/24", "10.0.0.0/8"}));
  EXPECT_FALSE(address_allowed("11.0.0.7", {"192.0.2.0/24", "10.0.0.0/8"}));
  EXPECT_FALSE(address_allowed("2001:db8::1", {"10.0.0.0/8"}));
  EXPECT_TRUE(address_allowed("2001:db8::1", {}));
}

TEST(Auth, Ipv6AddressesOfAUserOrService) {
  const std::vector<std::string> some = {"192.0.2.0/24", "2001:db8:1::/48", "fe80::/10"};
  EXPECT_TRUE(address_allowed("2001:db8:1:2::3", some));
  EXPECT_TRUE(address_allowed("fe80::1%ether1", some));
  EXPECT_TRUE(address_allowed("192.0.2.7", some));
  EXPECT_FALSE(address_allowed("2001:db8:2::3", some));
  EXPECT_FALSE(address_allowed("192.0.3.7", some));
  EXPECT_FALSE(address_allowed("fe80::1", {"192.0.2.0/24"}));
  EXPECT_TRUE(address_allowed("2001:db8::1", {"::/0"}));
}

TEST(Auth, PoliciesOfAGroup) {
  const model::Policies some = policies_of("read,write,!ftp,rest-api");
  EXPECT_TRUE(some.has(model::Policy::kRead | model::Policy::kRestApi));
  EXPECT_FALSE(some.has(model::Policy::kFtp));
  EXPECT_FALSE(some.has(model::Policy::kPolicy));
}

TEST(KeptTexts, OutliveARestart) {  // C-48: last-logged-in
  const Folder folder;
  const std::string path = folder.path + "/logins.json";
  {
    script::KeptTexts logins(path, "");
    EXPECT_EQ(logins.of("admin"), "");
    logins.note("admin", "2026-11-27 10:00:00");
    logins.note("gone", "2026-11-27 11:00:00");
    logins.save();
    logins.note("admin", "2026-11-28 10:00:00");
  }
  {
    script::KeptTexts logins(path, "");
    EXPECT_EQ(logins.of("admin"), "2026-11-28 10:00:00");
    logins.keep_only([](const std::string& user) { return user == "admin"; });
  }
  EXPECT_EQ(script::KeptTexts(path, "").of("gone"), "");
  script::KeptTexts(path, "").note("\xff", "no UTF-8");  // is written, not thrown about
  EXPECT_EQ(script::KeptTexts(path, "").of("admin"), "2026-11-28 10:00:00");
  std::ofstream(path) << "[";
  log::set_stderr(false);
  EXPECT_EQ(script::KeptTexts(path, "anything").of("admin"), "");  // and goes on
}

TEST(Logins, ManyClientsOfOneUserCostOneCheckOfThePassword) {
  log::set_stderr(false);
  model::Model model;
  ASSERT_TRUE(
      model.apply({{model::Edit::Kind::kSet, "/user", "admin", {{"password", "a"}}, {}, {}}}));
  Background background{1};
  Auth auth{model, background};
  size_t in = 0;
  size_t out = 0;
  const auto login = [&](const char* password) {
    Login asked;
    asked.user = "admin";
    asked.password = password;
    asked.address = "10.0.0.1";
    asked.via = "api";
    asked.needed = model::Policy::kApi;
    auth.login(asked, [&](const auto& result) { ++(result ? in : out); });
  };
  const auto finish = [&](size_t count) {
    for (int i = 0; i < 600 && in + out < count; ++i) {
      pollfd fd{background.fd(), POLLIN, 0};
      ::poll(&fd, 1, 100);
      background.handle();
    }
  };
  const size_t many = Background::kMostWaiting + 100;
  for (size_t i = 0; i < many; ++i) login("a");
  finish(many);
  EXPECT_EQ(in, many);
  EXPECT_EQ(auth.sessions(), many);
  // A wrong one is none of theirs, also of two who ask together.
  login("b");
  login("b");
  finish(many + 2);
  EXPECT_EQ(out, 2U);
  // Nor is the old one, once it was changed.
  ASSERT_TRUE(
      model.apply({{model::Edit::Kind::kSet, "/user", "admin", {{"password", "c"}}, {}, {}}}));
  auth.on_config();
  login("a");
  finish(many + 3);
  EXPECT_EQ(out, 3U);
}

}  // namespace
}  // namespace maclane::door
