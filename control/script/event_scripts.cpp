#include "control/script/event_scripts.h"

#include <algorithm>

#include "control/observe/log.h"

namespace maclane::script {

void EventScripts::happened(Happened one) {
  if (one.event.empty()) return;
  if (waiting_.size() < kMostWaiting) {
    waiting_.push_back(std::move(one));
    return;
  }
  if (!flooded_) {
    log::write(log::Level::kWarning, "script,warning",
               "{}: more happens than its script keeps up with; what more happens is not told to "
               "it until fewer wait",
               one.name);
  }
  flooded_ = true;
}

bool EventScripts::is_busy(const std::string& subject) const {
  return std::ranges::find(running_, subject, &Started::subject) != running_.end();
}

bool EventScripts::start(const Happened& one) {
  model::Caller caller;
  caller.user = "*sys";
  caller.via = "script";
  caller.policies = model::Policy::kRead | model::Policy::kWrite | model::Policy::kTest |
                    model::Policies(model::Policy::kReboot);
  Task task = scheduler_.event_task(one.event, one.name, caller);
  task.caller.user = caller.user;
  task.variables = one.variables;
  auto job = runner_.start(std::move(task));
  if (job == nullptr) return false;  // too many run: later
  running_.push_back({one.subject, std::move(job)});
  return true;
}

void EventScripts::turn() {
  if (waiting_.empty() && running_.empty()) return;
  std::erase_if(running_, [](const Started& one) { return one.job->ended() != nullptr; });
  // Those of a subject that is busy keep its later ones behind them.
  std::vector<std::string> held;
  for (auto one = waiting_.begin(); one != waiting_.end() && running_.size() < kMostAtOnce;) {
    const bool later = is_busy(one->subject) || std::ranges::find(held, one->subject) != held.end();
    if (later) {
      held.push_back(one->subject);
      ++one;
      continue;
    }
    if (!start(*one)) break;
    one = waiting_.erase(one);
  }
  if (waiting_.size() < kMostWaiting / 2) flooded_ = false;
}

}  // namespace maclane::script
