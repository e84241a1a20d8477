// Who makes room where all the sessions of a service are taken: of those that are connected and
// have not logged in, the one that came first from the address that most of them come from. So
// connections that say nothing keep nobody out, and who floods ends their own. A value; the control
// thread's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace maclane::door {

class Strangers {
 public:
  /// In the order in which they came.
  void add(uint64_t id, std::string_view address);
  /// Who goes first; nullopt if all are known.
  [[nodiscard]] std::optional<uint64_t> first_to_go() const;

 private:
  struct Crowd {
    size_t count = 0;
    uint64_t first = 0;
  };
  std::map<std::string, Crowd> crowds_;  // by client_key()
};

}  // namespace maclane::door
