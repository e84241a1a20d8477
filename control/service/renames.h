// Interfaces that go on under another name: what one change renamed, for whoever keeps something by
// name. All of them at once, so that two may change places. Control thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/service/learned.h"

namespace maclane {

using Renames = std::map<std::string, std::string, std::less<>>;  // old names and new

[[nodiscard]] inline std::string_view renamed(const Renames& renames, std::string_view name) {
  const auto found = renames.find(name);
  return found == renames.end() ? name : std::string_view(found->second);
}

inline void rename(const Renames& renames, std::string& name) {
  const auto found = renames.find(name);
  if (found != renames.end()) name = found->second;
}

/// What stands under a new name already was another's, which is gone.
template <typename Map>
void rename_keys(const Renames& renames, Map& map) {
  std::vector<typename Map::node_type> moved;
  for (const auto& [from, to] : renames) {
    const auto found = map.find(from);
    if (found == map.end()) continue;
    moved.push_back(map.extract(found));
    moved.back().key() = to;
  }
  for (auto& node : moved) {
    map.erase(node.key());
    map.insert(std::move(node));
  }
}

void rename(const Renames& renames, Learned& learned);

}  // namespace maclane
