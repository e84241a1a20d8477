// Counting failures. See login_limits.h.
#include "control/door/login_limits.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <vector>

namespace maclane::door {
namespace {

constexpr uint64_t kTrustMs = 86'400'000;
constexpr uint64_t kFirstWaitMs = 500;
constexpr size_t kMaxName = 64;

/// The network of so many bytes that the address is in; what is no IP address is one by itself.
std::string masked(std::string_view address, size_t ipv4_bytes, size_t ipv6_bytes) {
  std::string text(address.substr(0, kMaxName));
  const bool ipv6 = text.find(':') != std::string::npos;
  const int family = ipv6 ? AF_INET6 : AF_INET;
  const size_t kept = ipv6 ? ipv6_bytes : ipv4_bytes;
  const size_t size = ipv6 ? sizeof(in6_addr) : sizeof(in_addr);
  std::array<uint8_t, sizeof(in6_addr)> bytes{};
  if (kept == size || inet_pton(family, text.c_str(), bytes.data()) != 1) return text;
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(kept), bytes.end(), uint8_t{0});
  std::array<char, INET6_ADDRSTRLEN> out{};
  return inet_ntop(family, bytes.data(), out.data(), out.size()) == nullptr
             ? text
             : std::string(out.data()) + '/' + std::to_string(8 * kept);
}

std::string pair_key(std::string_view address, std::string_view user) {
  return client_key(address) + ' ' + std::string(user.substr(0, kMaxName));
}

}  // namespace

std::string client_key(std::string_view address) {
  return masked(address, 4, 8);
}

std::string network_key(std::string_view address) {
  return masked(address, 3, 6);
}

uint64_t LoginLimits::wait_ms(std::string_view address, std::string_view user,
                              uint64_t now_ms) const {
  uint64_t until = 0;
  if (const auto a = addresses_.find(client_key(address)); a != addresses_.end())
    until = a->second.until_ms;
  const auto n = networks_.find(network_key(address));
  const bool heard_of = n != networks_.end() && n->second.last_ms + kForgetMs >= now_ms;
  const auto u = users_.find(user.substr(0, kMaxName));
  if (u != users_.end() && heard_of && !trusted_.contains(pair_key(address, user)))
    until = std::max(until, u->second.until_ms);
  return until > now_ms ? until - now_ms : 0;
}

void LoginLimits::make_room(Table& table, uint64_t now_ms) {
  if (table.size() < kMaxEntries) return;
  std::erase_if(table, [&](const auto& item) { return item.second.last_ms + kForgetMs < now_ms; });
  if (table.size() < kMaxEntries) return;
  // Full of live entries: somebody makes them on purpose. The oldest half goes.
  std::vector<uint64_t> times;
  times.reserve(table.size());
  for (const auto& [key, entry] : table) times.push_back(entry.last_ms);
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  const uint64_t limit = *middle;
  std::erase_if(table, [&](const auto& item) { return item.second.last_ms <= limit; });
}

void LoginLimits::count(Table& table, const std::string& key, uint64_t longest_ms,
                        uint64_t now_ms) {
  make_room(table, now_ms);
  Entry& entry = table[key];
  if (entry.last_ms + kForgetMs < now_ms) entry = {};
  ++entry.failures;
  entry.last_ms = now_ms;
  if (entry.failures <= kFreeTries) return;
  const unsigned doublings = std::min(entry.failures - kFreeTries - 1, 16U);
  entry.until_ms = now_ms + std::min(kFirstWaitMs << doublings, longest_ms);
}

void LoginLimits::failed(std::string_view address, std::string_view user, uint64_t now_ms) {
  count(addresses_, client_key(address), kLongestAddressWaitMs, now_ms);
  count(networks_, network_key(address), 0, now_ms);
  count(users_, std::string(user.substr(0, kMaxName)), kLongestUserWaitMs, now_ms);
}

void LoginLimits::succeeded(std::string_view address, std::string_view user, uint64_t now_ms) {
  addresses_.erase(client_key(address));
  if (const auto u = users_.find(user.substr(0, kMaxName)); u != users_.end()) users_.erase(u);
  std::erase_if(trusted_,
                [&](const auto& item) { return item.second.last_ms + kTrustMs < now_ms; });
  make_room(trusted_, now_ms);
  trusted_[pair_key(address, user)].last_ms = now_ms;
}

}  // namespace maclane::door
