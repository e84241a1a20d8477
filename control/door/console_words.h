// Words of a console line and the walk along a path. Internal to control/door/console_*.cpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/door/console_line.h"

namespace maclane::door {

struct Word {
  std::string text;     // as written, quotes and all
  size_t position = 0;  // in the line
  [[nodiscard]] bool has_value() const;
  /// Name and value, the value without its quotes; a word without = is a name alone.
  [[nodiscard]] std::pair<std::string, std::string> pair() const;
};

/// Splits at spaces outside quotes. The error is an open quote before any `where`.
[[nodiscard]] std::optional<LineError> split_words(std::string_view line, std::vector<Word>& out);

/// The name that is meant: itself, or the only one that begins so.
[[nodiscard]] std::optional<std::string> resolve(std::string_view word,
                                                 const std::vector<std::string>& names);

/// Follows words along the menus, up to the command.
class PathWalk {
 public:
  enum class Step : uint8_t { kPath, kCommand, kError };
  PathWalk(const Catalog& catalog, std::string_view path) : catalog_(&catalog), path_(path) {}

  /// One word, which may hold several parts: "/interface/macvlan/print".
  Step take(const Word& word);
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::string& command() const { return command_; }
  [[nodiscard]] const LineError& error() const { return error_; }

 private:
  Step take_part(std::string_view part, size_t position);

  const Catalog* catalog_;
  std::string path_;
  std::string command_;
  LineError error_;
};

}  // namespace maclane::door
