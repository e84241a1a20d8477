// The router's log: topics and severity as RouterOS has them ("interface,info"), the last lines
// kept in memory for /log print, and a copy of each to stderr through spdlog.
//
// On a terminal or in a file a line is "HH:MM:SS topics message"; under journald, which has its own
// clock, it is "<priority>topics message". Bytes that could drive a terminal or forge a line are
// shown as \0A. Any thread may write or read.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace maclane::log {

enum class Level : uint8_t { kDebug, kInfo, kWarning, kError, kCritical };

inline constexpr size_t kLinesKept = 1000;

struct Line {
  std::chrono::system_clock::time_point time;
  Level level = Level::kInfo;
  std::string topics;
  std::string message;
  uint64_t number = 0;  // counts up from 1: a reader that follows knows what it has seen
};

/// Below this level nothing is kept or shown. kInfo at start.
void set_level(Level level);
[[nodiscard]] bool enabled(Level level) noexcept;
/// Whether lines also go to stderr (yes at start; tests say no).
void set_stderr(bool on);

void write_line(Level level, std::string_view topics, std::string_view message);

/// topics is a comma-separated list that ends in the severity, as people will see it.
template <typename... Args>
void write(Level level, std::string_view topics, fmt::format_string<Args...> format,
           Args&&... args) {
  if (enabled(level)) {
    write_line(level, topics, fmt::format(format, std::forward<Args>(args)...));
  }
}

/// The lines in memory, oldest first; only those after `after` (a Line::number).
[[nodiscard]] std::vector<Line> recent(uint64_t after = 0);
void clear();

}  // namespace maclane::log
