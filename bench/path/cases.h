// The cases of the whole-path table: what is configured, what is sent, what is due.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/path/traffic.h"

namespace maclane::bench {

struct Case {
  std::string id;     // for --case
  std::string title;  // as in the table
  double goal = 0;    // TSC ticks a packet; 0: none
  WorldConfig world;
  Flows flows;
  Expected expected;
  unsigned in_port = 1;                 // ring port that frames come in at
  std::vector<unsigned> out_ports{0};   // and leave by
  unsigned copies = 1;                  // frames out for one in
  bool answered = false;                // sessions see a reply before the measurement
  bool replies = false;                 // answered, and measured is the way of the answers
  bool churn = false;                   // every frame opens a session; all expire between trials
  unsigned burst = kBurst;              // frames that wait in each round
  std::function<void(World&)> prepare;  // neighbours and the like
};

/// All cases; sessions: one case each for these numbers of established connections.
[[nodiscard]] std::vector<Case> path_cases();

/// 25, 1000 ... filter rules of which the last one matches, as YAML lines.
[[nodiscard]] std::string filter_rules(unsigned count);
/// The routed configuration: LAN macvlan to WAN macvlan, with these pieces of YAML.
[[nodiscard]] Case routed_case(const std::string& id, const std::string& title, double goal,
                               const std::string& firewall, const std::string& more_routes = {});

}  // namespace maclane::bench
