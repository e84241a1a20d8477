// What a YAML file's reader says of it: every mistake with its place, warnings, and no more than a
// bounded number of each. Control thread only.
#pragma once

#include <yaml-cpp/yaml.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "control/model/result.h"

namespace maclane::door {

class YamlReport {
 public:
  static constexpr size_t kMostErrors = 1000;

  /// file: what it is called.
  explicit YamlReport(std::string file) : file_(std::move(file)) {}

  void complain_at(const YAML::Mark& mark, std::string message);

  Errors errors;
  std::vector<std::string> warnings;  // one line each, with file:line:column

 protected:
  [[nodiscard]] Source source(const YAML::Mark& mark) const;
  void complain(const YAML::Node& at, std::string_view path, std::string_view row,
                std::string_view property, std::string message);
  void warn(const YAML::Node& at, std::string_view message);
  /// Counts what is read; false once it is too much.
  bool afford(size_t bytes);
  /// The key's text; complains if it is none or was in this map before.
  bool take_key(const YAML::Node& key, std::string_view path, std::string_view row,
                std::map<std::string, Source>& seen, std::string& out);

 private:
  std::string file_;
  size_t read_ = 0;
};

}  // namespace maclane::door
