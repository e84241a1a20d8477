#include "control/door/strangers.h"

#include <algorithm>

#include "control/door/login_limits.h"

namespace maclane::door {

void Strangers::add(uint64_t id, std::string_view address) {
  Crowd& crowd = crowds_[client_key(address)];
  if (crowd.count++ == 0) crowd.first = id;
}

std::optional<uint64_t> Strangers::first_to_go() const {
  const auto most =
      std::max_element(crowds_.begin(), crowds_.end(), [](const auto& one, const auto& other) {
        const Crowd& a = one.second;
        const Crowd& b = other.second;
        return a.count != b.count ? a.count < b.count : a.first > b.first;
      });
  if (most == crowds_.end()) return std::nullopt;
  return most->second.first;
}

}  // namespace maclane::door
