#include "control/service/address_book.h"

#include <algorithm>
#include <utility>

namespace maclane {
namespace {

uint32_t mask_of(uint8_t length) {
  return length == 0 ? 0 : ~uint32_t{0} << (32 - std::min<unsigned>(length, 32));
}

uint32_t broadcast_of(const InterfaceAddress& a) {
  return a.address.host() | ~mask_of(a.length);
}

}  // namespace

bool in_prefix(const InterfaceAddress& prefix, be32 address) {
  return ((prefix.address.host() ^ address.host()) & mask_of(prefix.length)) == 0;
}

void AddressBook::set(std::vector<InterfaceAddress> addresses) {
  broadcasts_.clear();
  for (const InterfaceAddress& a : addresses) {
    if (a.length <= 30) broadcasts_.push_back(broadcast_of(a));  // RFC 3021: /31 has none
  }
  std::sort(broadcasts_.begin(), broadcasts_.end());
  by_address_ = addresses;
  std::stable_sort(by_address_.begin(), by_address_.end(), [](const auto& a, const auto& b) {
    return a.address.host() < b.address.host();
  });
  by_interface_ = std::move(addresses);
  std::stable_sort(by_interface_.begin(), by_interface_.end(),
                   [](const auto& a, const auto& b) { return a.interface < b.interface; });
}

std::span<const InterfaceAddress> AddressBook::of(IfIndex interface) const {
  const auto first =
      std::lower_bound(by_interface_.begin(), by_interface_.end(), interface,
                       [](const auto& a, IfIndex wanted) { return a.interface < wanted; });
  const auto last =
      std::upper_bound(first, by_interface_.end(), interface,
                       [](IfIndex wanted, const auto& a) { return wanted < a.interface; });
  return {first, last};
}

std::span<const InterfaceAddress> AddressBook::owners(be32 address) const {
  const auto first =
      std::lower_bound(by_address_.begin(), by_address_.end(), address.host(),
                       [](const auto& a, uint32_t wanted) { return a.address.host() < wanted; });
  const auto last =
      std::upper_bound(first, by_address_.end(), address.host(),
                       [](uint32_t wanted, const auto& a) { return wanted < a.address.host(); });
  return {first, last};
}

bool AddressBook::owns(be32 address) const {
  return !owners(address).empty();
}

bool AddressBook::owns(IfIndex interface, be32 address) const {
  return std::ranges::any_of(owners(address),
                             [&](const auto& a) { return a.interface == interface; });
}

bool AddressBook::connected(IfIndex interface, be32 address) const {
  return std::ranges::any_of(of(interface), [&](const auto& a) {
    if (!in_prefix(a, address)) return false;
    return a.length >= 31 || (address.host() != broadcast_of(a) &&
                              address.host() != (a.address.host() & mask_of(a.length)));
  });
}

bool AddressBook::broadcast(be32 address) const {
  return address.host() == 0xffffffffu ||
         std::binary_search(broadcasts_.begin(), broadcasts_.end(), address.host());
}

be32 AddressBook::source_for(IfIndex interface, be32 target) const {
  const auto addresses = of(interface);
  for (const InterfaceAddress& a : addresses) {
    if (in_prefix(a, target)) return a.address;
  }
  return addresses.empty() ? be32{} : addresses.front().address;
}

}  // namespace maclane
