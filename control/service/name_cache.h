// What dnsmasq remembers, read from what it writes at SIGUSR1, where names are cut at 30 characters
// and data at 40. Whole names stand in its notes on each question, which are read for that only; of
// two that begin alike the table does not say which is which, and they are taken in turn. Control
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

namespace maclane {

/// Columns of its table.
inline constexpr size_t kCachedNameWidth = 30, kCachedDataWidth = 40, kCachedFlagsAt = 72;

struct CachedName {
  std::string name, type, data;
  uint64_t ttl_s = 0;
  bool is_static = false;
  bool negative = false;
};

/// Names that are longer than the table shows them, for as many as are asked about.
class LongNames {
 public:
  static constexpr size_t kShown = 30, kMost = 16'384;
  void learn(std::string_view name);
  /// A whole name that begins so: of several the next one each time.
  [[nodiscard]] std::string whole(std::string_view cut);

 private:
  struct Alike {
    std::set<std::string, std::less<>> names;
    std::string last;  // given the last time
  };
  std::unordered_map<std::string, Alike> by_head_;
  size_t count_ = 0;
};

/// Names that the cache may hold, or that there are none of, since it was emptied.
class AskedNames {
 public:
  static constexpr size_t kMost = 16'384;
  void learn(std::string_view name);
  /// True of any name once there were too many to know.
  [[nodiscard]] bool contains(std::string_view name) const;
  void clear();

 private:
  std::set<std::string, std::less<>> names_;
  bool too_many_ = false;
};

/// A text without blanks before and after it.
[[nodiscard]] std::string_view without_blanks(std::string_view text);
/// The line above the table.
[[nodiscard]] bool is_cache_head(std::string_view line);
/// One line of dnsmasq's table, without what its log puts before it; `now_s` in seconds of the
/// clock. False: it is none.
[[nodiscard]] bool read_cache_line(std::string_view line, uint64_t now_s, CachedName& out);

}  // namespace maclane
