// See last_logins.h.
#include "control/door/last_logins.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "control/model/state.h"
#include "control/observe/log.h"

namespace maclane::door {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kTopics = "system,warning,account";

}  // namespace

LastLogins::LastLogins(std::string path) : path_(std::move(path)) {
  if (path_.empty()) return;
  std::ifstream file(path_);
  if (!file) return;
  const Json json = Json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    log::write(log::Level::kWarning, kTopics,
               "{} is damaged: it should be a JSON object of users and times; when users logged in "
               "last is not known",
               path_);
    return;
  }
  for (const auto& [user, when] : json.items())
    if (when.is_string()) when_.emplace(user, when.get<std::string>());
}

LastLogins::~LastLogins() {
  save();
}

std::string LastLogins::of(std::string_view user) const {
  const auto found = when_.find(user);
  return found == when_.end() ? std::string{} : found->second;
}

void LastLogins::note(const std::string& user, std::string when) {
  std::string& known = when_[user];
  if (known == when) return;
  known = std::move(when);
  changed_ = true;
}

void LastLogins::keep_only(const std::function<bool(const std::string&)>& is_there) {
  if (std::erase_if(when_, [&](const auto& one) { return !is_there(one.first); }) > 0)
    changed_ = true;
}

void LastLogins::save() {
  if (!changed_ || path_.empty()) return;
  changed_ = false;
  Json json = Json::object();
  for (const auto& [user, when] : when_) json[user] = when;
  const Status status = model::write_atomically(path_, json.dump(2) + "\n");
  if (status) return;
  for (const Error& error : status.error())
    log::write(log::Level::kWarning, kTopics, "{}", error.text());
}

}  // namespace maclane::door
