// Waits against guessing passwords: per address and per user, growing, in bounded memory.
//
// The first failures cost nothing; each further one doubles the time until the next try is looked
// at. Nobody can lock another out by guessing at their name: a user's wait stays short, and does
// not hold for addresses that user lately came from, nor for the first try of a network (IPv4 /24,
// IPv6 /48) from which nothing failed lately. IPv6 clients count by their /64. The oldest entries
// go when the tables are full. Time is a parameter; control thread only.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace maclane::door {

class LoginLimits {
 public:
  static constexpr size_t kMaxEntries = 4096;  // of each kind
  static constexpr unsigned kFreeTries = 4;
  static constexpr uint64_t kLongestAddressWaitMs = 60'000;
  static constexpr uint64_t kLongestUserWaitMs = 4'000;
  static constexpr uint64_t kForgetMs = 600'000;  // without a further failure

  /// How long until this address may try this user again; 0: now.
  [[nodiscard]] uint64_t wait_ms(std::string_view address, std::string_view user,
                                 uint64_t now_ms) const;
  void failed(std::string_view address, std::string_view user, uint64_t now_ms);
  void succeeded(std::string_view address, std::string_view user, uint64_t now_ms);

  [[nodiscard]] size_t entries() const {
    return addresses_.size() + networks_.size() + users_.size() + trusted_.size();
  }

 private:
  struct Entry {
    unsigned failures = 0;
    uint64_t last_ms = 0;
    uint64_t until_ms = 0;
  };
  using Table = std::map<std::string, Entry, std::less<>>;
  static void count(Table& table, const std::string& key, uint64_t longest_ms, uint64_t now_ms);
  static void make_room(Table& table, uint64_t now_ms);

  Table addresses_;
  Table networks_;  // that something failed from
  Table users_;
  Table trusted_;  // address and user that succeeded
};

/// What of an address counts as one client: all of IPv4, the /64 of IPv6.
[[nodiscard]] std::string client_key(std::string_view address);
/// The network around it, which one owner often has all of: the /24 of IPv4, the /48 of IPv6.
[[nodiscard]] std::string network_key(std::string_view address);

}  // namespace maclane::door
