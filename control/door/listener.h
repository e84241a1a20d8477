// One listening port of /ip/service: opened, moved and closed live, with the service's own limits.
//
// A port that is in use makes the service invalid, is logged once and tried again every few
// seconds; it never ends the router. Who comes from an address that the service does not allow, or
// when max-sessions are connected and all of them have logged in, is accepted and closed at once
// (C-47). IPv4 and IPv6 through one
// socket where the system has both. Control thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "control/door/tls.h"
#include "control/model/tree.h"

namespace maclane::door {

/// A row of /ip/service.
struct ServiceSettings {
  std::string name;
  bool enabled = false;
  uint16_t port = 0;
  std::vector<std::string> addresses;
  size_t max_sessions = 20;
  std::string certificate;  // its name; "" or "none": none
  bool only_1_2 = false;
  friend bool operator==(const ServiceSettings&, const ServiceSettings&) = default;
};
[[nodiscard]] ServiceSettings service_settings(const model::Tree& tree, std::string_view name);

/// A client that may stay.
struct Guest {
  int fd = -1;
  std::string address;
  uint16_t port = 0;
};

class Listener {
 public:
  Listener() = default;
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Takes over settings; what is open and need not change stays open.
  void configure(const ServiceSettings& settings, uint64_t now_ms);
  /// Tries again what did not work.
  void tick(uint64_t now_ms);
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] const ServiceSettings& settings() const { return settings_; }
  [[nodiscard]] bool invalid() const { return !problem_.empty(); }
  [[nodiscard]] const std::string& problem() const { return problem_; }

  /// Ends a client that has not logged in; where it came from, "" if there is none.
  using MakeRoom = std::function<std::string()>;
  /// The next client that may come in; fd -1: none waits now. `connected` counts those that are in;
  /// where they are as many as may be, make_room is asked.
  [[nodiscard]] Guest accept(size_t connected, uint64_t now_ms, const MakeRoom& make_room);
  /// Whether an address may (still) be here.
  [[nodiscard]] bool allows(const std::string& address) const;
  /// Why this service cannot be offered though its port is free (a certificate that is no good).
  void spoil(std::string problem, uint64_t now_ms);

 private:
  void open(uint64_t now_ms);
  void close();
  void complain(std::string problem, uint64_t now_ms);

  ServiceSettings settings_;
  int fd_ = -1;
  std::string problem_;
  uint64_t retry_ms_ = 0;
  uint64_t pause_until_ms_ = 0;   // out of descriptors
  uint64_t refusal_said_ms_ = 0;  // refusals are logged once a second
  uint64_t room_said_ms_ = 0;     // who made room, last; a flood is said once
};

}  // namespace maclane::door
