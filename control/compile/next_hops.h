// The next hops of one snapshot: equal ones are one, and a set of equal ways has a leader whose
// alternatives are the set. Included by compile_routes.cpp and redirected.cpp only.
// Control thread.
#pragma once

#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "dataplane/snapshot.h"

namespace maclane::compile {

class NextHops {
 public:
  explicit NextHops(std::vector<NextHop>& out) : out_(out) { out_.assign(1, NextHop{}); }

  /// nullopt: there are more than the FIB can tell apart.
  std::optional<uint16_t> add(const NextHop& hop) {
    const Key key{hop.kind, hop.out_if, hop.gateway.host(), hop.pref_src.host()};
    if (auto it = singles_.find(key); it != singles_.end()) return it->second;
    if (out_.size() > Fib4::kMaxNextHop) return std::nullopt;
    const auto index = static_cast<uint16_t>(out_.size());
    out_.push_back(hop);
    singles_.emplace(key, index);
    return index;
  }

  /// ways: what add() gave, each once, the preferred first.
  std::optional<uint16_t> add_group(const std::vector<uint16_t>& ways) {
    if (ways.size() == 1) return ways.front();
    if (auto it = groups_.find(ways); it != groups_.end()) return it->second;
    if (out_.size() > Fib4::kMaxNextHop) return std::nullopt;
    const auto index = static_cast<uint16_t>(out_.size());
    NextHop leader = out_[ways.front()];
    leader.alternatives = ways;
    leader.alternatives.front() = index;
    out_.push_back(std::move(leader));
    groups_.emplace(ways, index);
    return index;
  }

 private:
  using Key = std::tuple<NextHop::Kind, IfIndex, uint32_t, uint32_t>;
  std::vector<NextHop>& out_;
  std::map<Key, uint16_t> singles_;
  std::map<std::vector<uint16_t>, uint16_t> groups_;
};

}  // namespace maclane::compile
