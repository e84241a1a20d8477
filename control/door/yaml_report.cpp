#include "control/door/yaml_report.h"

#include <fmt/format.h>

namespace maclane::door {
namespace {

// A file of 100,000 rows is about 8 MiB. Aliases let a small file say a thing many times over, so
// what is read is bounded too, not only what is written.
constexpr size_t kMostRead = 128u << 20;

}  // namespace

void YamlReport::complain_at(const YAML::Mark& mark, std::string message) {
  errors.push_back(Error{std::move(message), {}, {}, {}, source(mark)});
}

Source YamlReport::source(const YAML::Mark& mark) const {
  if (mark.is_null()) return Source{file_, 0, 0};
  return Source{file_, static_cast<uint32_t>(mark.line + 1),
                static_cast<uint32_t>(mark.column + 1)};
}

void YamlReport::complain(const YAML::Node& at, std::string_view path, std::string_view row,
                          std::string_view property, std::string message) {
  if (errors.size() >= kMostErrors) return;
  errors.push_back(Error{std::move(message), std::string(path), std::string(row),
                         std::string(property), source(at.Mark())});
}

void YamlReport::warn(const YAML::Node& at, std::string_view message) {
  if (warnings.size() >= kMostErrors) return;
  const Source s = source(at.Mark());
  warnings.push_back(fmt::format("{}:{}:{}: {}", s.file, s.line, s.column, message));
}

bool YamlReport::afford(size_t bytes) {
  const bool had = read_ <= kMostRead;
  read_ += bytes;
  if (had && read_ > kMostRead) {
    errors.push_back(Error{fmt::format("the file's aliases repeat more than {} MiB of values; "
                                       "write fewer of them",
                                       kMostRead >> 20),
                           {},
                           {},
                           {},
                           Source{file_, 0, 0}});
  }
  return read_ <= kMostRead;
}

bool YamlReport::take_key(const YAML::Node& key, std::string_view path, std::string_view row,
                          std::map<std::string, Source>& seen, std::string& out) {
  if (!key.IsScalar() || key.Scalar().empty()) {
    complain(key, path, row, "", "a key is a word");
    return false;
  }
  out = key.Scalar();
  if (!afford(out.size() + 16)) return false;
  const auto [it, fresh] = seen.emplace(out, source(key.Mark()));
  if (fresh) return true;
  complain(key, path, row, "",
           fmt::format("\"{}\" stands here twice, first at line {}; leave one out",
                       out.substr(0, 64), it->second.line));
  return false;
}

}  // namespace maclane::door
