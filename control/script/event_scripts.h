// Scripts that services want run because something happened: a lease began, an address was lost.
//
// What happened waits here and is started by the control loop, never from inside of a service,
// which may be in the middle of a change. Of one subject (a lease, a client) scripts run one after
// the other, so that they see what happened in its order; of all subjects kMostAtOnce at a time. A
// flood of events fills kMostWaiting places; what comes beyond is not run, and the log says so once
// for each flood. They run as the user *sys, with the policies that RouterOS gives its own scripts.
// Control thread only.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "control/script/scheduler.h"

namespace maclane::script {

class EventScripts {
 public:
  static constexpr size_t kMostAtOnce = 16;
  static constexpr size_t kMostWaiting = 1024;

  struct Happened {
    std::string event;    // a script, or the name of one; "": nothing is to be run
    std::string name;     // what the log and /system/script/job call it
    std::string subject;  // whose events come one after the other
    std::vector<std::pair<std::string, Value>> variables;
  };

  EventScripts(Runner& runner, Scheduler& scheduler) : runner_(runner), scheduler_(scheduler) {}

  void happened(Happened one);
  /// Starts what can be started.
  void turn();
  [[nodiscard]] size_t waiting() const { return waiting_.size(); }

 private:
  struct Started {
    std::string subject;
    std::shared_ptr<Job> job;
  };
  [[nodiscard]] bool is_busy(const std::string& subject) const;
  [[nodiscard]] bool start(const Happened& one);

  Runner& runner_;
  Scheduler& scheduler_;
  std::deque<Happened> waiting_;
  std::vector<Started> running_;
  bool flooded_ = false;
};

}  // namespace maclane::script
