// Users, passwords, sessions. See auth.h.
#include "control/door/auth.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "control/door/active.h"
#include "control/model/commands.h"
#include "control/model/secrets.h"
#include "control/model/value.h"
#include "control/observe/log.h"

namespace maclane::door {
namespace {

using model::Caller;
using model::Policies;
using model::steady_ms;
using model::View;
namespace secrets = model::secrets;

constexpr std::string_view kFailureTopics = "system,error,critical";
constexpr std::string_view kAccountTopics = "system,info,account";
constexpr size_t kLongestName = 64;

std::vector<std::string> strings_of(std::string_view list) {
  std::vector<std::string> out;
  for (std::string_view part : model::split_list(list)) out.emplace_back(part);
  return out;
}

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

std::string challenge_response(std::string_view password, std::string_view challenge) {
  std::string text(1, '\0');
  text.append(password).append(challenge);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_md5(), nullptr);
  return "00" + secrets::to_hex({reinterpret_cast<const char*>(digest.data()), size});
}

bool address_allowed(std::string_view address, const std::vector<std::string>& prefixes) {
  if (prefixes.empty()) return true;
  const auto one = model::parse_ip4(address);
  if (!one) {
    const auto six = model::parse_ip6(address.substr(0, address.find('%')));
    return six && std::any_of(prefixes.begin(), prefixes.end(), [&](const std::string& text) {
             const auto prefix = model::parse_ip6_prefix(text);
             return prefix && prefix->has(*six);
           });
  }
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const std::string& text) {
    const auto prefix = model::parse_prefix(text);
    return prefix && (*one & prefix->mask()) == prefix->network();
  });
}

Policies policies_of(std::string_view list) {
  Policies out;
  for (std::string_view part : model::split_list(list)) {
    for (size_t i = 0; i < model::kPolicies; ++i) {
      if (model::kPolicyNames[i] == part) out |= static_cast<model::Policy>(i);
    }
  }
  return out;
}

Auth::Auth(model::Model& model, Background& background, std::string logins)
    : model_(model),
      background_(background),
      last_logins_(std::move(logins), "when users logged in last"),
      memory_secret_(secrets::random_bytes(32)),
      decoy_(secrets::hash_password(secrets::to_hex(secrets::random_bytes(16)))) {
  on_config();
}

void Auth::on_config() {
  const model::Tree& tree = model_.tree();
  std::map<std::string, Policies, std::less<>> groups;
  for_each(tree, "/user/group", [&](const View& row) {
    groups[std::string(row.get("name"))] = policies_of(row.get("policy"));
  });
  users_.clear();
  for_each(tree, "/user", [&](const View& row) {
    User user;
    user.name = row.get("name");
    user.group = row.get("group");
    user.hash = row.get("password");
    user.sealed = row.get("old-login-password");
    user.disabled = row.disabled();
    user.old_login = row.get_bool("old-login");
    user.logs_out = row.get("inactivity-policy") == "logout";
    user.inactivity_ms = static_cast<uint64_t>(row.get_time_ms("inactivity-timeout"));
    user.addresses = strings_of(row.get("address"));
    if (const auto group = groups.find(user.group); group != groups.end())
      user.policies = group->second;
    users_[user.name] = std::move(user);
  });
  std::vector<uint64_t> gone_sessions;
  for (auto it = sessions_.begin(); it != sessions_.end();) {
    Session& session = it->second;
    const Caller& who = session.caller;
    const User* owner = user(who.user);
    const bool gone =
        owner == nullptr || owner->disabled || !address_allowed(who.address, owner->addresses);
    if (!session.local && gone) {
      log::write(log::Level::kInfo, kAccountTopics,
                 "user {} logged out from {} via {}: the user was taken away", who.user,
                 who.address, who.via);
      gone_sessions.push_back(it->first);
      it = sessions_.erase(it);
      continue;
    }
    if (!session.local) {
      session.caller.policies = owner->policies;
      session.group = owner->group;
    }
    ++it;
  }
  // A remembered password may not be right any more.
  std::erase_if(remembered_,
                [&](const auto& item) { return !sessions_.contains(item.second.session); });
  for (const uint64_t session : gone_sessions) model_.session_died(session);
}

const Auth::User* Auth::user(std::string_view name) const {
  const auto found = users_.find(name);
  return found == users_.end() ? nullptr : &found->second;
}

std::string Auth::memory_key(const Login& login, const User& user) const {
  return digest({login.user, user.hash, login.password, login.address, login.via});
}

std::string Auth::digest(std::initializer_list<std::string_view> parts) const {
  std::string text;
  for (const std::string_view part : parts) text += fmt::format("{}:{},", part.size(), part);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), memory_secret_.data(), static_cast<int>(memory_secret_.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

void Auth::refuse(const Login& login, std::string_view why, const Done& done) {
  limits_.failed(login.address, login.user, steady_ms());
  log::write(log::Level::kError, kFailureTopics, "login failure for user {} from {} via {}{}{}",
             login.user.substr(0, kLongestName), login.address, login.via, why.empty() ? "" : ": ",
             why);
  done(tl::make_unexpected(std::string(kWrong)));
}

Caller Auth::open_session(std::string user, std::string via, std::string address,
                          Policies policies) {
  Session session;
  session.local = true;
  session.caller = {std::move(user), std::move(via), std::move(address), policies, next_session_++};
  session.group = "full";
  session.when = login_time();
  session.last_ms = steady_ms();
  return sessions_.emplace(session.caller.session, std::move(session)).first->second.caller;
}

void Auth::accept(const Login& login, const User& user, bool remember, const Done& done) {
  if (sessions_.size() >= kMaxSessions) {
    done(tl::make_unexpected(std::string("too many users are logged in; try again later")));
    return;
  }
  limits_.succeeded(login.address, login.user, steady_ms());
  Session session;
  session.caller = {user.name, login.via, login.address, user.policies, next_session_++};
  session.group = user.group;
  session.when = login_time();
  session.last_ms = steady_ms();
  session.remembered = remember;
  last_logins_.note(user.name, session.when);
  if (remember) {
    if (remembered_.size() >= kMaxRemembered) {
      const auto oldest = std::min_element(
          remembered_.begin(), remembered_.end(),
          [](const auto& a, const auto& b) { return a.second.until_ms < b.second.until_ms; });
      end_session(oldest->second.session);
      remembered_.erase(oldest);
    }
    remembered_[memory_key(login, user)] = {steady_ms() + kRememberMs, session.caller.session};
  }
  log::write(log::Level::kInfo, kAccountTopics, "user {} logged in from {} via {}", user.name,
             login.address, login.via);
  const Caller caller = session.caller;
  sessions_.emplace(caller.session, std::move(session));
  done(caller);
}

void Auth::login(Login login, Done done) {
  check(std::move(login), false, std::move(done));
}

void Auth::login_remembered(const Login& login, Done done) {
  if (const User* found = user(login.user); found != nullptr) {
    const auto known = remembered_.find(memory_key(login, *found));
    if (known != remembered_.end() && known->second.until_ms > steady_ms()) {
      const auto session = sessions_.find(known->second.session);
      if (session != sessions_.end() && session->second.caller.may(login.needed)) {
        session->second.last_ms = steady_ms();
        done(session->second.caller);
        return;
      }
    }
  }
  check(login, true, std::move(done));
}

void Auth::check(Login login, bool remember, Done done) {
  if (const uint64_t wait = limits_.wait_ms(login.address, login.user, steady_ms()); wait > 0) {
    done(tl::make_unexpected(
        fmt::format("{}; too many failures, try again in {} s", kWrong, (wait + 999) / 1000)));
    return;
  }
  const User* found = user(login.user);
  std::string why;
  if (found != nullptr && found->hash.empty()) {
    why = fmt::format(
        "the user has no password, and nobody comes in over the network without one; set it with "
        "maclanectl '/user/set {} password=...'",
        found->name);
  }
  const bool allowed = found != nullptr && why.empty() && !found->disabled &&
                       address_allowed(login.address, found->addresses) &&
                       found->policies.has(login.needed);
  if (!login.response.empty()) {
    if (!allowed) return refuse(login, why, done);
    // The hash it goes with and the password.
    auto password = found->old_login ? secrets::unseal(found->sealed) : std::nullopt;
    if (password && password->starts_with(found->hash + '\n')) {
      password->erase(0, found->hash.size() + 1);
    } else {
      password.reset();
    }
    if (!password) {
      log::write(log::Level::kError, kFailureTopics,
                 "login failure for user {} from {} via {}: the old login needs old-login=yes",
                 login.user, login.address, login.via);
      limits_.failed(login.address, login.user, steady_ms());
      done(tl::make_unexpected(
          std::string("cannot log in: the old login is not kept for this user; use the plain one "
                      "(=name= and =password=), or set old-login=yes and the password anew")));
      return;
    }
    std::string given = login.response;
    std::transform(given.begin(), given.end(), given.begin(),
                   [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
    if (!same(given, challenge_response(*password, login.challenge)))
      return refuse(login, "", done);
    return accept(login, *found, remember, done);
  }
  // Many clients of one user (a poller that was started again) cost one check, not one each.
  const std::string key = allowed ? digest({login.user, found->hash, login.password}) : "";
  if (const auto known = proven_.find(key); known != proven_.end() && known->second > steady_ms())
    return accept(login, *found, remember, done);
  const std::string hash = allowed ? found->hash : decoy_;
  const std::string password = login.password;
  Asked asked{std::move(login), std::move(done), hash, why, remember};
  if (const auto under_way = checking_.find(key); under_way != checking_.end()) {
    under_way->second.push_back(std::move(asked));
    return;
  }
  const auto group = std::make_shared<std::vector<Asked>>();
  group->push_back(std::move(asked));
  const bool taken =
      background_.submit([this, key, group, hash, password, allowed]() -> Background::Finish {
        const bool right = secrets::password_is(password, hash) && allowed;
        return [this, key, group, right] { checked(key, std::move(*group), right); };
      });
  if (!taken) {
    group->front().done(tl::make_unexpected(std::string("too many logins at once; try again")));
  } else if (allowed) {
    checking_[key];
  }
}

void Auth::checked(const std::string& key, std::vector<Asked> asked, bool right) {
  if (auto waited = checking_.extract(key)) {
    std::move(waited.mapped().begin(), waited.mapped().end(), std::back_inserter(asked));
  }
  if (right) {
    if (proven_.size() >= kMaxRemembered) proven_.clear();
    proven_[key] = steady_ms() + kRememberMs;
  }
  for (const Asked& one : asked) {
    // The user may have been changed or removed meanwhile.
    const User* now = user(one.login.user);
    if (!right || now == nullptr || now->disabled || now->hash != one.hash ||
        !now->policies.has(one.login.needed)) {
      refuse(one.login, one.why, one.done);
    } else {
      accept(one.login, *now, one.remember, one.done);
    }
  }
}

void Auth::end_session(uint64_t session) {
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) return;
  const Caller& caller = found->second.caller;
  if (!found->second.local) {
    log::write(log::Level::kInfo, kAccountTopics, "user {} logged out from {} via {}", caller.user,
               caller.address, caller.via);
  }
  sessions_.erase(found);
  model_.session_died(session);  // what it changed in safe mode is undone
}

const Caller* Auth::caller(uint64_t session) const {
  const auto found = sessions_.find(session);
  return found == sessions_.end() ? nullptr : &found->second.caller;
}

void Auth::touch(uint64_t session) {
  if (const auto found = sessions_.find(session); found != sessions_.end())
    found->second.last_ms = steady_ms();
}

void Auth::tick(uint64_t now_ms) {
  if (now_ms < checked_ms_ + 1000) return;
  checked_ms_ = now_ms;
  last_logins_.keep_only([this](const std::string& name) { return users_.contains(name); });
  last_logins_.save();
  std::vector<uint64_t> over;
  for (const auto& [id, session] : sessions_) {
    const User* owner = session.local ? nullptr : user(session.caller.user);
    const uint64_t idle = now_ms - std::min(now_ms, session.last_ms);
    const bool logs_out = owner != nullptr && owner->logs_out && owner->inactivity_ms > 0 &&
                          idle > owner->inactivity_ms;
    if ((session.remembered && idle > kRememberMs) || logs_out) over.push_back(id);
  }
  for (const uint64_t id : over) end_session(id);
  std::erase_if(remembered_, [&](const auto& item) {
    return item.second.until_ms <= now_ms || !sessions_.contains(item.second.session);
  });
}

std::vector<model::PrintRow> Auth::active_rows() const {
  std::vector<model::PrintRow> rows;
  for (const auto& [id, session] : sessions_)
    rows.push_back(active_row(id, session.when, session.caller, session.group));
  return rows;
}

}  // namespace maclane::door
