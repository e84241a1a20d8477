// The router's own IPv4 addresses by interface and by address, for every service. Control thread.
#pragma once

#include <span>
#include <vector>

#include "control/service/config.h"

namespace maclane {

class AddressBook {
 public:
  void set(std::vector<InterfaceAddress> addresses);

  /// An interface's addresses in the order they were configured.
  [[nodiscard]] std::span<const InterfaceAddress> of(IfIndex interface) const;
  [[nodiscard]] bool owns(be32 address) const;
  [[nodiscard]] bool owns(IfIndex interface, be32 address) const;
  /// Every row of an address (one address may stand on interfaces of different segments).
  [[nodiscard]] std::span<const InterfaceAddress> owners(be32 address) const;
  /// The address is a host of a subnet of this interface: neither its network nor its broadcast.
  [[nodiscard]] bool connected(IfIndex interface, be32 address) const;
  /// 255.255.255.255 or the broadcast of one of our subnets.
  [[nodiscard]] bool broadcast(be32 address) const;
  /// Our address in the target's subnet, else the interface's first; 0 if it has none.
  [[nodiscard]] be32 source_for(IfIndex interface, be32 target) const;
  [[nodiscard]] std::span<const InterfaceAddress> all() const { return by_interface_; }

 private:
  std::vector<InterfaceAddress> by_interface_;
  std::vector<InterfaceAddress> by_address_;
  std::vector<uint32_t> broadcasts_;  // sorted
};

[[nodiscard]] bool in_prefix(const InterfaceAddress& prefix, be32 address);
/// Class D (multicast), class E and 255.255.255.255.
[[nodiscard]] inline bool is_class_d_or_e(be32 address) {
  return address.host() >= 0xe0000000u;
}
[[nodiscard]] inline bool is_loopback(be32 address) {
  return (address.host() >> 24) == 127;
}

}  // namespace maclane
