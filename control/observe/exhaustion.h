// Says in the log when the dataplane has no room for new connections: once when it begins, and once
// when none was refused for a while. How many were stands in /dataplane/drops. Control thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string_view>

#include "dataplane/worker/drop.h"

namespace maclane::observe {

class Exhaustion {
 public:
  static constexpr uint64_t kQuietMs = 60'000;  // so long without one, and it is over

  /// count: packets that were dropped for a reason since the router started.
  explicit Exhaustion(std::function<uint64_t(Drop)> count) : count_(std::move(count)) {}

  /// Now and then. now_ms: model::steady_ms().
  void look(uint64_t now_ms);

 private:
  struct Of {
    Drop reason;
    std::string_view what;   // the sentence of its beginning
    std::string_view again;  // and of its end
    uint64_t seen = 0;       // packets
    uint64_t before = 0;     // when it began
    uint64_t last_ms = 0;    // when the last was refused
    bool lasts = false;
  };
  std::function<uint64_t(Drop)> count_;
  std::array<Of, 2> all_{{
      {Drop::session_table_full,
       "the connection table is full, new connections are dropped: raise max-sessions of "
       "/dataplane, or shorten the timeouts of /ip/firewall/connection/tracking",
       "the connection table has room again"},
      {Drop::nat_ports_exhausted,
       "no port is left for a source translation, new connections are dropped: give the rule of "
       "/ip/firewall/nat more addresses or ports",
       "there are ports for source translations again"},
  }};
};

}  // namespace maclane::observe
