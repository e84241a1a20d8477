// The DNS forwarder and cache (behaviour.md C5): dnsmasq, supervised (child.h). Control thread.
//
// It runs in the host plane's namespace while /ip/dns has something for it to do, and is given a
// file made from the tree and from what was learned. A change of that file starts it anew, which
// takes it some milliseconds: questions that were under way are asked again by who asked them. The
// cache is read from what it writes when it gets SIGUSR1, where names are cut at 30 characters and
// data at 40; only lines of that are kept, its notes on each question are not.
#pragma once

#include <string>
#include <vector>

#include "control/service/child.h"

namespace maclane {

struct CachedName {
  std::string name, type, data;
  uint64_t ttl_s = 0;
  bool is_static = false;
  bool negative = false;
};

class NameServer {
 public:
  explicit NameServer(const std::string& state_folder);

  /// The text of its file; "": it is not needed.
  void configure(const std::string& text, const Netns& where, uint64_t now_ms);
  void tick(uint64_t now_ms) { child_.tick(now_ms); }
  /// What it has cached; waits for its answer, at most a tenth of a second.
  [[nodiscard]] std::vector<CachedName> cache();
  void flush() const;
  /// "running", "stopped", or that it is being started again.
  [[nodiscard]] std::string state() const;
  [[nodiscard]] const Child& child() const { return child_; }

 private:
  /// True: it is no line for the log.
  bool hear(std::string_view line);

  std::string file_, text_;
  Child child_;
  std::vector<CachedName> cache_;
  bool in_table_ = false;
};

/// One line of dnsmasq's table, without what its log puts before it; `now_s` in seconds of the
/// clock. False: it is none.
[[nodiscard]] bool read_cache_line(std::string_view line, uint64_t now_s, CachedName& out);

}  // namespace maclane
