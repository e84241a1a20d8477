// Says in the log when there is no room for new connections or neighbours: once when it begins, and
// once when none was refused for a while. How many packets were dropped stands in
// /dataplane/drops. Control thread.
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

  /// count: packets that were dropped for a reason since the router started; neighbours: how often
  /// one had no room.
  Exhaustion(std::function<uint64_t(Drop)> count, std::function<uint64_t()> neighbours)
      : all_{{
            {[count] { return count(Drop::session_table_full); }, "firewall",
             "the connection table is full, new connections are dropped: raise max-sessions of "
             "/dataplane, or shorten the timeouts of /ip/firewall/connection/tracking",
             "the connection table has room again", "packets were dropped"},
            {[count] { return count(Drop::nat_ports_exhausted); }, "firewall",
             "no port is left for a source translation, new connections are dropped: give the "
             "rule of /ip/firewall/nat more addresses or ports",
             "there are ports for source translations again", "packets were dropped"},
            {std::move(neighbours), "arp",
             "the neighbour table is full, or half of it waits for answers to ARP, as after a "
             "scan: new neighbours are not learned; raise max-neighbor-entries of /ip/settings "
             "if there are that many hosts",
             "the neighbour table has room again", "times there was none"},
        }} {}

  /// Now and then. now_ms: model::steady_ms().
  void look(uint64_t now_ms);

 private:
  struct Of {
    std::function<uint64_t()> count;
    std::string_view topic;
    std::string_view what;   // the sentence of its beginning
    std::string_view again;  // and of its end
    std::string_view counted;
    uint64_t seen = 0;
    uint64_t before = 0;   // when it began
    uint64_t last_ms = 0;  // when the last was refused
    bool lasts = false;
  };
  std::array<Of, 3> all_;
};

}  // namespace maclane::observe
