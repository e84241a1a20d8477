// Runs scripts: whoever has one starts it here and looks at what became of it.
//
// The control loop gives it a turn each time round; each job that is due gets a slice of it. Global
// variables belong to users and outlive jobs. :execute, /execute, /import, /system/script and the
// scheduler all come here. Control thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "control/script/job.h"

namespace maclane::script {

class Runner {
 public:
  static constexpr size_t kMaxJobs = 256;

  /// Files by their names in /file; empty functions: there are none.
  struct FileAccess {
    std::function<Result<std::string>(std::string_view name)> read;
    std::function<Status(std::string_view name, std::string_view bytes)> write;
  };

  explicit Runner(model::Commands& commands) : commands_(commands) {}
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  void use_files(FileAccess files) { files_ = std::move(files); }
  /// /execute, /import and /export of every menu.
  void serve();

  /// nullptr: there are too many already.
  [[nodiscard]] std::shared_ptr<Job> start(Task task);
  /// Who waits for an end: a command that goes on until the job has ended. What the job wrote is
  /// its `ret` if wanted, else goes to the log when the job fails.
  [[nodiscard]] std::unique_ptr<model::Running> waiter(std::shared_ptr<Job> job, bool wants_output);

  /// Who waits for one that goes on when nobody waits any more. What it fails with stands behind
  /// `failed`.
  [[nodiscard]] static std::unique_ptr<model::Running> follower(std::shared_ptr<Job> job,
                                                                std::string failed);

  void turn();
  /// Stops all of them and waits for it: before what they use goes away.
  void end_all() { jobs_.clear(); }
  /// When there is something to do, on steady_ms().
  [[nodiscard]] uint64_t next_deadline() const;

  [[nodiscard]] const std::vector<std::shared_ptr<Job>>& jobs() const { return jobs_; }
  [[nodiscard]] Globals& globals(const std::string& user) { return globals_[user]; }
  [[nodiscard]] const std::map<std::string, Globals>& all_globals() const { return globals_; }
  [[nodiscard]] model::Commands& commands() { return commands_; }
  [[nodiscard]] const FileAccess& files() const { return files_; }
  /// A file of commands; its ending .rsc may be left out. There must be files.
  [[nodiscard]] Result<std::string> read_script(const std::string& name) const;

 private:
  model::Commands& commands_;
  FileAccess files_;
  std::map<std::string, Globals> globals_;
  std::vector<std::shared_ptr<Job>> jobs_;
  uint64_t next_number_ = 1;
  bool turning_ = false;
};

}  // namespace maclane::script
