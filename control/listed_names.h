// Names in address lists (behaviour.md B-13): a row of /ip/firewall/address-list whose address is a
// DNS name stands for the addresses that the name has.
//
// Names are asked as the router asks for its own purposes (Resolver), some at a time. Each address
// becomes a row with flag D (ListedAddresses) with the name as its comment, that lives as
// long as the answer counts; before it is over the name is asked again. While nobody answers, what
// was known stays. Control thread only.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "control/listed_addresses.h"
#include "control/service/resolver.h"

namespace maclane {

class ListedNames {
 public:
  ListedNames(ListedAddresses& listed, Resolver& resolver) : listed_(listed), resolver_(resolver) {}

  /// The configuration in force.
  void configure(const model::Tree& tree);
  /// now_ms: model::steady_ms().
  void tick(uint64_t now_ms);

 private:
  struct Name {
    std::set<std::string> lists;
    std::set<uint32_t> addresses;
    uint64_t ask_ms = 0;
    bool asked = false;   // and not answered yet
    bool silent = false;  // and it was said
  };
  void answered(const std::string& name, const Resolver::Answer& answer);
  void forget(const std::string& name, const Name& known, const std::set<std::string>& lists);

  ListedAddresses& listed_;
  Resolver& resolver_;
  model::Rows rows_;  // that names_ was made from
  std::map<std::string, Name> names_;
  size_t asked_ = 0;     // questions under way, of names that went too
  uint64_t due_ms_ = 0;  // when to look for names to ask next
  uint64_t now_ms_ = 0;
};

}  // namespace maclane
