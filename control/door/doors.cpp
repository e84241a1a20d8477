// The doors put together. See doors.h.
#include "control/door/doors.h"

#include <algorithm>
#include <array>

#include "control/model/secrets.h"
#include "control/observe/log.h"
#include "control/observe/monitor_traffic.h"
#include "control/observe/polled.h"

namespace maclane::door {
namespace {

using model::Answer;
using model::Call;
using model::Caller;
using model::Outcome;
using model::View;
namespace secrets = model::secrets;

constexpr unsigned kSlowThreads = 2;

Errors seal_old_logins(model::Tree& tree) {
  Errors errors;
  const model::Menu& menu = *model::find_menu("/user");
  const auto sealed_at = static_cast<size_t>(menu.index("old-login-password"));
  for (size_t i = 0; i < tree.rows(menu).size(); ++i) {
    const model::RowPtr row = tree.rows(menu)[i];
    const View view(menu, *row);
    std::string sealed;
    if (view.get_bool("old-login")) {
      const std::string hash(view.raw("password"));
      if (hash.empty()) continue;  // as an export without secrets leaves it: nobody can log in
      // What is sealed is the hash it goes with and the password.
      const auto kept = secrets::unseal(view.raw("old-login-password"));
      if (kept && kept->starts_with(hash + '\n')) continue;
      const auto fresh = secrets::unseal(secrets::sealed_password(hash));
      if (!fresh) {
        errors.push_back(view.error(
            "old-login", "old-login=yes needs the password itself: give password= with it"));
        continue;
      }
      sealed = secrets::seal(hash + '\n' + *fresh);
    }
    if (row->values[sealed_at] == sealed) continue;
    auto next = std::make_shared<model::Row>(*row);
    next->values[sealed_at] = std::move(sealed);
    tree.edit(menu).replace(i, std::move(next));
  }
  return errors;
}

/// Whether somebody could let others in: an enabled user who may change users.
bool somebody_rules(const model::Tree& tree) {
  std::vector<std::string_view> groups;
  for_each(tree, "/user/group", [&](const View& row) {
    if (policies_of(row.get("policy")).has(model::Policy::kPolicy | model::Policy::kWrite))
      groups.push_back(row.get("name"));
  });
  bool any = false;
  for_each(tree, "/user", [&](const View& row) {
    any = any || (!row.disabled() &&
                  std::find(groups.begin(), groups.end(), row.get("group")) != groups.end());
  });
  return any;
}

bool concerns_doors(const std::vector<model::MenuDiff>& menus) {
  static constexpr std::array kTheirs = {"/user", "/user/group", "/ip/service", "/certificate",
                                         "/system/clock"};
  return std::any_of(menus.begin(), menus.end(), [](const model::MenuDiff& one) {
    return std::find(kTheirs.begin(), kTheirs.end(), one.menu->path) != kTheirs.end();
  });
}

}  // namespace

Doors::Doors(model::Commands& commands, const std::string& state_folder,
             std::function<Netns::Scope()> enter)
    : commands_(commands),
      enter_(std::move(enter)),
      background_(kSlowThreads),
      auth_(commands.model(), background_, state_folder + "/logins.json"),
      files_(state_folder + "/files"),
      certificates_(commands.model(), files_, background_, state_folder),
      backup_(commands.model(), files_, background_),
      api_(commands, auth_),
      rest_(commands, auth_) {
  commands.model().on_change([this](const model::Change& change) {
    if (started_ && concerns_doors(change.menus)) configure();
  });
  serve_users();
  serve_services();
  files_.serve(commands);
  certificates_.serve(commands);
  backup_.serve(commands);
  observe::serve_polled(commands, state_folder);
  observe::serve_monitor_traffic(commands);
  observe::serve_monitor_ethernet(commands);
}

Result<model::Tree> Doors::prepare(model::Tree tree) const {
  // What did not change was found right before.
  const auto changed = [&](const char* path) {
    return !(tree.rows(path) == commands_.model().tree().rows(path));
  };
  Errors errors;
  if (changed("/user")) errors = seal_old_logins(tree);
  if (started_ && (changed("/user") || changed("/user/group")) && !somebody_rules(tree) &&
      somebody_rules(commands_.model().tree())) {
    errors.push_back(Error{
        "failure: this would leave no enabled user with the policies policy and write, who alone "
        "can let others in; add one first",
        "/user",
        {},
        {},
        {},
        Trouble::kGeneral});
  }
  if (changed("/certificate")) {
    Errors more = Certificates::check(tree);
    errors.insert(errors.end(), more.begin(), more.end());
  }
  if (!errors.empty()) return tl::make_unexpected(std::move(errors));
  return tree;
}

void Doors::start() {
  started_ = true;
  configure();
  bool any = false;
  for_each(commands_.model().tree(), "/user",
           [&](const View& row) { any = any || (!row.disabled() && row.is_set("password")); });
  if (!any) {
    log::write(
        log::Level::kWarning, "system,warning,account",
        "no user has a password, so nobody comes in over the network; set one with maclanectl "
        "'/user/set admin password=...'");
  }
}

void Doors::serve_users() {
  model::Model& model = commands_.model();
  model.provide_rows("/user/active", [this] {
    std::vector<model::PrintRow> rows = auth_.active_rows();
    if (!local_.rows) return rows;
    for (model::PrintRow& row : local_.rows()) rows.push_back(std::move(row));
    return rows;
  });
  model.provide("/user", [this](const View& row, model::Fields& out) {
    out.emplace_back("last-logged-in", auth_.last_logged_in(row.get("name")));
  });
  commands_.on("/user/active", "request-logout",
               [this](const Call& call, const Caller&) -> Answer<Outcome> {
                 for (const std::string& id : call.rows) {
                   const uint64_t session = std::strtoull(id.c_str() + 1, nullptr, 16);
                   auth_.end_session(session);
                   if (local_.end) local_.end(session);
                 }
                 return Outcome{};
               });
  commands_.on("/", "password", [this](const Call& call, const Caller& caller) -> Answer<Outcome> {
    const std::string fresh(call.get("new-password"));
    if (fresh != call.get("confirm-new-password"))
      return model::refuse(Trouble::kGeneral, "failure: the new passwords are not the same");
    const Auth::User* user = auth_.user(caller.user);
    if (user == nullptr)
      return model::refuse(
          Trouble::kGeneral,
          "failure: you are no user of /user; set a user's password with /user/set");
    const std::string old(call.get("old-password"));
    // On the control thread: it costs milliseconds and happens rarely, to somebody who is in.
    if (!user->hash.empty() && !secrets::password_is(old, user->hash))
      return model::refuse(Trouble::kGeneral, "failure: the old password is wrong");
    const auto applied = commands_.model().apply(
        {{model::Edit::Kind::kSet, "/user", user->name, {{"password", fresh}}, {}, {}}}, caller);
    if (!applied) return model::refuse(applied.error());
    return Outcome{};
  });
}

void Doors::serve_services() {
  commands_.model().provide("/ip/service", [this](const View& row, model::Fields& out) {
    const std::string_view name = row.get("name");
    const bool tls = name == "www-ssl" || name == "api-ssl";
    const bool web = name.starts_with("www");
    if (!web && !name.starts_with("api")) return;
    const Listener& listener = web ? rest_.listener(tls) : api_.listener(tls);
    out.emplace_back("invalid", listener.invalid() ? "true" : "false");
    out.emplace_back("sessions", std::to_string(web ? rest_.connected(tls) : api_.connected(tls)));
  });
}

void Doors::prepare_tls(const ServiceSettings& service, TlsContext& context, std::string& problem) {
  if (!service.enabled) return;
  TlsSettings settings;
  settings.only_1_2 = service.only_1_2;
  Result<KeyPair> pair = KeyPair{};
  if (!service.certificate.empty()) {
    pair = certificates_.pair(service.certificate);
  } else if (service.name == "www-ssl") {
    pair = certificates_.own();
  }
  if (!pair) {
    problem = pair.error().front().message;
    return;
  }
  settings.pair = std::move(*pair);
  Kept& kept = contexts_[service.name];
  const bool same = kept.context != nullptr && kept.settings.only_1_2 == settings.only_1_2 &&
                    kept.settings.pair.certificate == settings.pair.certificate &&
                    kept.settings.pair.key == settings.pair.key;
  if (!same) {
    auto made = make_context(settings);
    if (!made) {
      problem = made.error().front().message;
      return;
    }
    kept = {std::move(settings), std::move(*made)};
  }
  context = kept.context;
}

void Doors::configure() {
  const model::Tree& tree = commands_.model().tree();
  auth_.on_config();
  ApiDoor::Settings api[2];
  RestDoor::Settings rest[2];
  for (const bool tls : {false, true}) {
    const size_t i = tls ? 1 : 0;
    api[i].service = service_settings(tree, tls ? "api-ssl" : "api");
    rest[i].service = service_settings(tree, tls ? "www-ssl" : "www");
    for_each(tree, "/ip/service", [&](const View& row) {
      if (row.get("name") == api[i].service.name)
        api[i].empty_replies = row.get_bool("empty-replies");
    });
  }
  prepare_tls(api[1].service, api[1].context, api[1].problem);
  prepare_tls(rest[1].service, rest[1].context, rest[1].problem);
  {
    const Netns::Scope scope = enter_();
    api_.configure(api[0], api[1]);
    rest_.configure(rest[0], rest[1]);
  }
  observe::set_time_zone(tree.settings("/system/clock").get("time-zone-name"));
}

void Doors::add_fds(std::vector<pollfd>& fds) const {
  fds.push_back({background_.fd(), POLLIN, 0});
  api_.add_fds(fds);
  rest_.add_fds(fds);
}

bool Doors::is_due(std::span<const pollfd> fds) const {
  return next_deadline() <= model::steady_ms() ||
         std::any_of(fds.begin(), fds.end(), [](const pollfd& one) { return one.revents != 0; });
}

void Doors::turn(std::span<const pollfd> fds) {
  if (!started_ || !is_due(fds)) return;
  background_.handle();
  api_.turn();
  rest_.turn();
  const uint64_t now_ms = model::steady_ms();
  auth_.tick(now_ms);
  if (now_ms >= retried_ms_ + 1000) retry(now_ms);
}

void Doors::retry(uint64_t now_ms) {
  retried_ms_ = now_ms;
  const Netns::Scope scope = enter_();
  api_.retry(now_ms);
  rest_.retry(now_ms);
}

uint64_t Doors::next_deadline() const {
  return std::min(api_.next_deadline(), rest_.next_deadline());
}

}  // namespace maclane::door
