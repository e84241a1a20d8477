// Who may come in over the network, and who is in.
//
// login() finds the user in /user, checks where they come from and what their group may do, has the
// password checked off the control thread, and opens a session that /user/active shows. Nobody
// comes in with an empty password. Failures cost growing waits (login_limits.h) and are logged in
// RouterOS's words (C-43). REST, which sends the password each time, is remembered for minutes
// under a keyed hash, so that only the first request pays for the hash; a new password, group or
// address makes the memory void. What a client is told never says which part was wrong. Control
// thread only.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

#include "control/door/background.h"
#include "control/door/login_limits.h"
#include "control/model/caller.h"
#include "control/model/model.h"
#include "control/script/kept_texts.h"

namespace maclane::door {

struct Login {
  std::string user;
  std::string password;
  std::string challenge, response;  // the old form: raw challenge bytes, "00" and 32 hex digits
  std::string address;              // of the client; "" for local ones
  std::string via;                  // "api", "api-ssl", "rest-api"
  model::Policies needed;           // what the group must allow to come in this way
};

class Auth {
 public:
  using Done = std::function<void(tl::expected<model::Caller, std::string>)>;
  static constexpr std::string_view kWrong = "invalid user name or password (6)";
  static constexpr size_t kMaxSessions = 4096;
  static constexpr size_t kMaxRemembered = 512;
  static constexpr uint64_t kRememberMs = 300'000;

  /// logins: the file in which it is kept who logged in when; "": none.
  Auth(model::Model& model, Background& background, std::string logins = {});

  /// done is called once, at once or later, on the control thread.
  void login(Login login, Done done);
  /// The same for who sends the password with every request: sessions are shared and end by
  /// themselves when no request came for kRememberMs.
  void login_remembered(const Login& login, Done done);

  /// A session of somebody who needs no password here (the console's socket).
  [[nodiscard]] model::Caller open_session(std::string user, std::string via, std::string address,
                                           model::Policies policies);
  void end_session(uint64_t session);
  /// The caller of a session as the users stand now; nullptr if it ended (its user went).
  [[nodiscard]] const model::Caller* caller(uint64_t session) const;
  /// For inactivity-timeout: something was asked in this session.
  void touch(uint64_t session);

  /// After each change of the tree: users, groups.
  void on_config();
  void tick(uint64_t now_ms);

  [[nodiscard]] std::vector<model::PrintRow> active_rows() const;
  [[nodiscard]] std::string last_logged_in(std::string_view user) const {
    return last_logins_.of(user);
  }
  [[nodiscard]] size_t sessions() const { return sessions_.size(); }

  struct User {
    std::string name, group, hash, sealed;
    bool disabled = false, old_login = false, logs_out = false;
    uint64_t inactivity_ms = 0;
    std::vector<std::string> addresses;
    model::Policies policies;
  };
  [[nodiscard]] const User* user(std::string_view name) const;

 private:
  struct Session {
    model::Caller caller;
    std::string group;
    std::string when;
    uint64_t last_ms = 0;
    bool remembered = false;  // ends by itself
    bool local = false;       // of no row of /user
  };
  struct Asked {  // a login whose password is being checked
    Login login;
    Done done;
    std::string hash;  // that it is checked against
    std::string why;   // it cannot be right
    bool remember = false;
  };
  struct Remembered {
    uint64_t until_ms = 0;
    uint64_t session = 0;
  };
  [[nodiscard]] bool may_enter(const Login& login, const User* user) const;
  void refuse(const Login& login, std::string_view why, const Done& done);
  void accept(const Login& login, const User& user, bool remember, const Done& done);
  void check(Login login, bool remember, Done done);
  void checked(const std::string& key, std::vector<Asked> asked, bool right);
  /// Of secrets, under a secret of this process.
  [[nodiscard]] std::string digest(std::initializer_list<std::string_view> parts) const;
  [[nodiscard]] std::string memory_key(const Login& login, const User& user) const;

  model::Model& model_;
  Background& background_;
  LoginLimits limits_;
  std::map<std::string, User, std::less<>> users_;
  std::map<uint64_t, Session> sessions_;
  std::map<std::string, Remembered> remembered_;
  std::map<std::string, uint64_t> proven_;              // password by digest(): right until then
  std::map<std::string, std::vector<Asked>> checking_;  // who waits for a check under way
  script::KeptTexts last_logins_;                       // by user
  std::string memory_secret_;
  std::string decoy_;  // a hash to check against where there is no user: the same time
  uint64_t next_session_ = 1;
  uint64_t checked_ms_ = 0;
};

/// md5(0 + password + challenge) in hex, with "00" before it (D-19).
[[nodiscard]] std::string challenge_response(std::string_view password, std::string_view challenge);

/// Whether an address lies in one of the prefixes; an empty list takes all.
[[nodiscard]] bool address_allowed(std::string_view address,
                                   const std::vector<std::string>& prefixes);

[[nodiscard]] model::Policies policies_of(std::string_view list);

}  // namespace maclane::door
