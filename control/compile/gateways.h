// What the gateways of routes stand for: the connected networks and the router's own addresses, and
// ways by gateway as written. Part of compile_routes.cpp, whose order the calls have: addresses,
// collect(), resolve(). Control thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "control/compile/parts.h"

namespace maclane::compile {

class Gateways {
 public:
  struct Resolved {
    std::vector<NextHop> ways;   // none: it cannot be reached now
    std::string_view immediate;  // the ways as text, of the RouteTable
    std::vector<uint16_t> hops;  // compile_routes.cpp's numbers for the ways, once it needed them
  };

  explicit Gateways(Work& work) : work_(work) {}

  void add_own(uint32_t address) { own_.insert(address); }
  /// A network that an address of the interface is in; false if an address before has told so.
  bool add_network(const model::Ip4Prefix& network, IfIndex interface, uint32_t address);
  /// All addresses are in: leaves the networks that can be reached now.
  void collect();

  /// Many routes share few gateways. The text must last as long as this object.
  Resolved& resolve(std::string_view gateway);
  /// Whether an address is the router's own, which leads nowhere.
  [[nodiscard]] bool is_own(uint32_t address) const { return own_.contains(address); }

  /// Ways by gateways as text: "192.0.2.1%ether1", several with commas.
  [[nodiscard]] std::string text_of(std::span<const NextHop> ways) const;

  /// The address to send from: the primary one need not be named, it is what 0 means.
  [[nodiscard]] be32 source(IfIndex interface, uint32_t address) const;

 private:
  struct Connected {
    IfIndex out_if = kNoIf;
    uint32_t address = 0;  // the router's own in this network
  };

  [[nodiscard]] const std::vector<Connected>* connected(uint32_t address) const;
  [[nodiscard]] IfIndex usable(std::string_view interface) const;
  std::vector<NextHop> find_ways(std::string_view gateway, std::string& immediate) const;

  Work& work_;
  std::unordered_set<uint32_t> own_;
  std::unordered_map<uint64_t, std::vector<Connected>> networks_;
  std::array<bool, 33> has_length_{};
  std::unordered_map<std::string_view, Resolved> resolved_;
  Resolved* last_ = nullptr;  // what resolve() gave last
  std::string_view last_text_;
};

}  // namespace maclane::compile
