// Firewall log events as the lines people know (behaviour.md B-15), topic firewall,info. At most
// kLinesPerSecond; what was left out is said in one line. Control thread.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "control/service/config.h"
#include "dataplane/snapshot.h"
#include "dataplane/worker/message.h"

namespace maclane {

class EventLog {
 public:
  static constexpr unsigned kLinesPerSecond = 100;
  static constexpr size_t kGenerations = 4;  // whose names are kept for events under way

  explicit EventLog(InterfaceName name) : name_(std::move(name)) {}

  /// After each publish: remembers the names behind an event's indices.
  void on_config(const Snapshot& snapshot);
  /// An Event::kLog.
  void handle(const Event& event, uint64_t now_ms);
  void tick(uint64_t now_ms);
  [[nodiscard]] uint64_t next_deadline() const {
    return suppressed_ == 0 ? kNever : window_ms_ + 1000;
  }
  [[nodiscard]] std::string format(const Event& event) const;

 private:
  struct Names {
    uint32_t generation = 0;
    std::array<std::shared_ptr<const RuleSet>, 4> tables;  // by RuleTable
  };
  [[nodiscard]] const RuleSet* rules(const Event& event) const;
  [[nodiscard]] std::string interface(IfIndex index) const;

  InterfaceName name_;
  std::deque<Names> names_;  // newest first
  uint64_t window_ms_ = 0;
  unsigned in_window_ = 0;
  uint64_t suppressed_ = 0;
};

}  // namespace maclane
