// How long a request that comes in pieces is waited for. A client that sends it byte by byte would
// hold its place, and what it has sent so far, for ever. Control thread only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace maclane::door {

class Patience {
 public:
  /// From its first byte on a request has this long, and longer as far as it keeps up with a slow
  /// line. Tests shorten it.
  static inline uint64_t whole_ms = 60'000;
  static constexpr uint64_t kBytesPerSecond = 1024;

  /// A request is there in whole: the next begins.
  void begin_anew() { began_ms_ = 0; }
  /// Whether one of which `held` bytes have come takes too long; to be asked again and again.
  [[nodiscard]] bool is_over(size_t held, uint64_t now_ms) {
    if (held == 0) began_ms_ = 0;
    if (held == 0) return false;
    if (began_ms_ == 0) began_ms_ = std::max<uint64_t>(now_ms, 1);
    return now_ms > began_ms_ + whole_ms + held * 1000 / kBytesPerSecond;
  }

 private:
  uint64_t began_ms_ = 0;  // 0: nothing has come of it
};

}  // namespace maclane::door
