// Keeps work that walks over everything from taking the control thread. One thread.
#pragma once

#include <algorithm>
#include <chrono>

namespace maclane {

/// Work that is asked for at each change is done at once where changes are few; where they come in
/// a row it takes a tenth of the time, or is done five times a second, and the last of them is
/// never left out.
class Pacing {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr Clock::duration kLongest = std::chrono::milliseconds(200);

  void ask() { asked_ = true; }
  [[nodiscard]] bool is_asked() const { return asked_; }
  /// Somebody asked, and the work before it is long enough ago.
  [[nodiscard]] bool is_due(Clock::time_point now) const { return asked_ && now >= not_before_; }
  /// It is done now, and with it what was asked for before.
  void begin(Clock::time_point now) {
    asked_ = false;
    began_ = now;
  }
  void end(Clock::time_point now) { not_before_ = now + std::min(9 * (now - began_), kLongest); }

 private:
  bool asked_ = false;
  Clock::time_point began_{}, not_before_{};
};

}  // namespace maclane
