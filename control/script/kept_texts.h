// Texts by name that outlive a restart, in a JSON file of the state folder: when users logged in
// last, since when schedules are there. Control thread only.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace maclane::script {

class KeptTexts {
 public:
  /// Reads what was kept; path "": nothing is. Of a file that is damaged the log says what is not
  /// known for that, `lost`, and it is begun anew.
  KeptTexts(std::string path, std::string_view lost);
  KeptTexts(const KeptTexts&) = delete;
  KeptTexts& operator=(const KeptTexts&) = delete;
  ~KeptTexts();

  /// Empty: there is none.
  [[nodiscard]] std::string of(std::string_view name) const;
  void note(const std::string& name, std::string text);
  /// Only names that are there are remembered.
  void keep_only(const std::function<bool(const std::string&)>& is_there);
  /// Writes what changed since it was written last.
  void save();

 private:
  std::string path_;
  std::map<std::string, std::string, std::less<>> texts_;
  bool changed_ = false;
};

}  // namespace maclane::script
