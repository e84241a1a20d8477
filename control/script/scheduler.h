// /system/script and /system/scheduler: what is kept and run.
//
// start-time=startup runs three seconds after the router started; a time of day runs at that time
// of start-date, or of the day the row came to be; without one, the first interval is counted from
// when it came to be. All of them run again after each interval. Times are the host's local ones;
// after a step of the clock the next run is found anew. run-count and last-started are since the
// router started. Control thread only.
#pragma once

#include <ctime>
#include <map>
#include <optional>
#include <string>

#include "control/script/kept_texts.h"
#include "control/script/runner.h"

namespace maclane::script {

class Scheduler {
 public:
  explicit Scheduler(Runner& runner) : runner_(runner) {}
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// Since when each row is there is kept in this file from now on, so that what runs once a day
  /// does so however often the router is restarted. Before the first turn.
  void keep(const std::string& path);
  /// Rows and commands of the menus.
  void serve();
  /// Starts what is due; now in seconds since 1970.
  void turn(std::time_t now);

  /// What an event runs: a script of /system/script by its name, then with that one's policies as
  /// far as the caller has them, or a script itself. `name`: what the log calls it.
  [[nodiscard]] Task event_task(const std::string& event, std::string_view name,
                                const model::Caller& caller);

  /// When a row is due next, strictly after `after`; nullopt: never again. `since` is when it came
  /// to be, `started` when the router started.
  [[nodiscard]] static std::optional<std::time_t> next_run(const model::View& row,
                                                           std::time_t after, std::time_t since,
                                                           std::time_t started);

 private:
  struct Entry {
    std::string key;  // what its times are made of
    std::time_t since = 0;
    std::optional<std::time_t> next;
    uint64_t runs = 0;
  };
  struct Script {
    uint64_t runs = 0;
    std::time_t last = 0;
  };
  void look(std::time_t now);
  [[nodiscard]] std::time_t kept_since(const model::View& row, const std::string& key,
                                       std::time_t now) const;
  void run(const model::View& row);
  model::Answer<model::Outcome> run_scripts(const model::Call& call, const model::Caller& caller);
  [[nodiscard]] Task task_of(const model::View& script, const model::Caller& caller);

  Runner& runner_;
  std::optional<KeptTexts> since_;      // "seconds since 1970, what its times are made of", by name
  std::map<uint32_t, Entry> entries_;   // by row id
  std::map<uint32_t, Script> scripts_;  // by row id
  uint64_t revision_ = ~uint64_t{0};
  std::time_t started_ = 0;
  std::time_t last_ = 0;
};

}  // namespace maclane::script
