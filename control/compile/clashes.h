// Addresses that a DHCP server or a PPPoE concentrator gave the router and that stand in the way of
// its own networks: a router in front that has the LAN's network is the usual case. They are used
// all the same, as in RouterOS; this says what a person would otherwise have to find out. Values
// without state; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/compile/compile.h"

namespace maclane::compile {

struct Clash {
  std::string interface;  // that was given the address
  uint32_t address = 0;   // host order
  bool session = false;   // by a PPPoE concentrator
  std::string text;       // the sentence, without whose it is
  friend bool operator==(const Clash&, const Clash&) = default;
};

/// One for each learned address that lies in a network of a row of /ip/address on another wire, or
/// whose network has such a row's address in it; of several rows the first. What stands on one wire
/// may share a network (many clients of one ISP), and learned ones may stand beside each other.
[[nodiscard]] std::vector<Clash> clashes(const CompileState& state, const Snapshot& snapshot);

}  // namespace maclane::compile
