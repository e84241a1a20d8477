// Questions of the router's own to a name server of its own (RFC 1035, by UDP), and whether one
// still answers. Control thread; nothing here waits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "control/service/netns.h"

namespace maclane {

/// A question for the A records of a name; empty: it is no name.
[[nodiscard]] std::string address_question(const std::string& host, uint16_t id);
/// What every dnsmasq answers itself: its version (class CHAOS).
[[nodiscard]] std::string version_question(uint16_t id);
/// Something nobody guesses, for the id of a question.
[[nodiscard]] uint16_t random_id();

/// A question that is under way.
class DnsAsker {
 public:
  DnsAsker() = default;
  ~DnsAsker() { stop(); }
  DnsAsker(const DnsAsker&) = delete;
  DnsAsker& operator=(const DnsAsker&) = delete;

  /// False: it could not be sent. One asked before is forgotten.
  bool ask(const std::string& question, const Netns& where, const std::string& address,
           uint16_t port);
  /// What was answered, if something was; nothing is read into it.
  [[nodiscard]] std::optional<std::string> hear();
  [[nodiscard]] bool is_asking() const { return socket_ >= 0; }
  void stop();

 private:
  int socket_ = -1;
};

/// Whether a program that runs still answers: it is asked now and then. Others may keep it busy, so
/// that only silence to several questions in a row counts.
class NameProbe {
 public:
  static constexpr uint64_t kEveryMs = 2000;
  static constexpr unsigned kMost = 5;

  NameProbe(std::string address, uint16_t port) : address_(std::move(address)), port_(port) {}

  /// pid: of the program; another one than before has its time. `question` makes one of an id.
  /// True: it has not answered kMost questions; said once for each program.
  bool is_hung(int pid, const Netns& where, uint64_t now_ms, std::string (*question)(uint16_t));
  /// It has not answered of late.
  [[nodiscard]] bool is_silent() const { return missed_ > 1; }

 private:
  std::string address_;
  uint16_t port_;
  DnsAsker asker_;
  int pid_ = -1;
  unsigned missed_ = 0;
  uint64_t next_ms_ = 0;
};

}  // namespace maclane
