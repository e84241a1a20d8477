// Keeps work that walks over everything from taking the control thread. One thread.
#pragma once

#include <chrono>

namespace maclane {

/// Work that is asked for at each change is done at once where changes are few; where they come in
/// a row it takes a tenth of the time, and the last of them is never left out.
class Pacing {
 public:
  using Clock = std::chrono::steady_clock;

  void ask() { asked_ = true; }
  /// Somebody asked, and the work before it is long enough ago.
  [[nodiscard]] bool is_due(Clock::time_point now) const { return asked_ && now >= not_before_; }
  /// What was asked for until it began is done.
  void done(Clock::time_point began, Clock::time_point ended) {
    asked_ = false;
    not_before_ = ended + 9 * (ended - began);
  }

 private:
  bool asked_ = false;
  Clock::time_point not_before_{};
};

}  // namespace maclane
