// Who asks: the user, the door they came through, and what they may do.
//
// Every command and every change carries a Caller, so that the log can say who did what from where
// (C-43) and a command can be refused for want of a policy (C-48). A value without state; any
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace maclane::model {

/// RouterOS's policies of a user's group.
enum class Policy : uint8_t {
  kLocal,
  kTelnet,
  kSsh,
  kFtp,
  kReboot,
  kRead,
  kWrite,
  kPolicy,
  kTest,
  kWinbox,
  kPassword,
  kWeb,
  kSniff,
  kSensitive,
  kApi,
  kRomon,
  kRestApi,
};
inline constexpr size_t kPolicies = 17;

/// Their names, by Policy, as /user/group writes them.
inline constexpr std::array<std::string_view, kPolicies> kPolicyNames = {
    "local",  "telnet",   "ssh", "ftp",   "reboot",    "read", "write", "policy",  "test",
    "winbox", "password", "web", "sniff", "sensitive", "api",  "romon", "rest-api"};

[[nodiscard]] constexpr std::string_view policy_name(Policy policy) {
  return kPolicyNames[static_cast<size_t>(policy)];
}

/// A set of policies.
struct Policies {
  uint32_t bits = 0;

  constexpr Policies() = default;
  // A single policy is a set too.
  constexpr Policies(Policy policy)  // NOLINT(google-explicit-constructor)
      : bits(uint32_t{1} << static_cast<unsigned>(policy)) {}

  [[nodiscard]] static constexpr Policies all() {
    Policies out;
    out.bits = (uint32_t{1} << kPolicies) - 1;
    return out;
  }
  [[nodiscard]] constexpr bool empty() const { return bits == 0; }
  /// Whether every one of the others is in here.
  [[nodiscard]] constexpr bool has(Policies others) const {
    return (bits & others.bits) == others.bits;
  }
  constexpr Policies& operator|=(Policies other) {
    bits |= other.bits;
    return *this;
  }
  friend constexpr Policies operator|(Policies a, Policies b) { return a |= b; }
  friend constexpr bool operator==(Policies, Policies) = default;
};
[[nodiscard]] constexpr Policies operator|(Policy a, Policy b) {
  return Policies(a) | Policies(b);
}

struct Caller {
  std::string user;     // "admin"; "" for the router itself
  std::string via;      // console, api, api-ssl, rest-api, script, scheduler, yaml; "" for itself
  std::string address;  // where a network client came from; "" if from nowhere
  Policies policies = Policies::all();
  uint64_t session = 0;  // tells one session from another; 0: none. Safe mode belongs to one.

  /// The router itself: start, reload, services.
  [[nodiscard]] static Caller router() { return {}; }
  [[nodiscard]] bool may(Policies needed) const { return policies.has(needed); }
  /// As the log writes it: "api:admin@10.0.0.1", "console:root", "router".
  [[nodiscard]] std::string text() const {
    if (user.empty() && via.empty()) return "router";
    std::string out = via.empty() ? user : via + ':' + user;
    if (!address.empty()) out += '@' + address;
    return out;
  }
};

}  // namespace maclane::model
