#include "control/observe/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>

namespace maclane::log {
namespace {

struct State {
  std::atomic<Level> level{Level::kInfo};
  std::atomic<bool> to_stderr{true};
  std::mutex mutex;  // guards lines and written
  std::deque<Line> lines;
  uint64_t written = 0;
  bool journald = false;
  std::shared_ptr<spdlog::logger> logger;

  State() {
    journald = std::getenv("JOURNAL_STREAM") != nullptr;
    logger = std::make_shared<spdlog::logger>("maclane",
                                              std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger->set_level(spdlog::level::trace);
    logger->flush_on(spdlog::level::trace);
    logger->set_pattern(journald ? "%v" : "%H:%M:%S %v");
  }
};

State& state() {
  // Never destroyed: other objects may still log while the process ends.
  static State* const instance = new State;
  return *instance;
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\{:02X}", byte);
    } else {
      out.push_back(c);
    }
  }
  return out;
}

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
    case Level::kCritical:
      break;
  }
  return spdlog::level::critical;
}

// sd-daemon(3): the priorities of syslog.
int priority(Level level) {
  constexpr int kPriorities[] = {7, 6, 4, 3, 2};
  return kPriorities[static_cast<size_t>(level)];
}

}  // namespace

void set_level(Level level) {
  state().level.store(level, std::memory_order_relaxed);
}

bool enabled(Level level) noexcept {
  return level >= state().level.load(std::memory_order_relaxed);
}

void set_stderr(bool on) {
  state().to_stderr.store(on, std::memory_order_relaxed);
}

void write_line(Level level, std::string_view topics, std::string_view message) {
  if (!enabled(level)) return;
  State& s = state();
  Line line{std::chrono::system_clock::now(), level, printable(topics), printable(message), 0};
  if (s.to_stderr.load(std::memory_order_relaxed)) {
    if (s.journald) {
      s.logger->log(spdlog_level(level), "<{}>{} {}", priority(level), line.topics, line.message);
    } else {
      s.logger->log(spdlog_level(level), "{} {}", line.topics, line.message);
    }
  }
  const std::lock_guard lock(s.mutex);
  line.number = ++s.written;
  s.lines.push_back(std::move(line));
  if (s.lines.size() > kLinesKept) s.lines.pop_front();
}

std::vector<Line> recent(uint64_t after) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  std::vector<Line> out;
  for (const Line& line : s.lines) {
    if (line.number > after) out.push_back(line);
  }
  return out;
}

void clear() {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.lines.clear();
}

}  // namespace maclane::log
