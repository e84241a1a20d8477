// When each user logged in last, which outlives a restart: `logins.json` in the state folder.
// Control thread only.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace maclane::door {

class LastLogins {
 public:
  /// Reads what was kept; "": nothing is. A file that is damaged is said in the log and begun anew.
  explicit LastLogins(std::string path);
  LastLogins(const LastLogins&) = delete;
  LastLogins& operator=(const LastLogins&) = delete;
  ~LastLogins();

  /// "2026-11-28 02:12:22"; empty: never.
  [[nodiscard]] std::string of(std::string_view user) const;
  void note(const std::string& user, std::string when);
  /// Only users that are there are remembered.
  void keep_only(const std::function<bool(const std::string&)>& is_there);
  /// Writes what changed since it was written last.
  void save();

 private:
  std::string path_;
  std::map<std::string, std::string, std::less<>> when_;
  bool changed_ = false;
};

}  // namespace maclane::door
