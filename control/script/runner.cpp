// Jobs and their turns. See runner.h.
#include "control/script/runner.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/model/value.h"
#include "control/observe/log.h"
#include "control/script/export.h"
#include "control/script/schema_rows.h"

namespace maclane::script {
namespace {

using model::Answer;
using model::Call;
using model::Caller;
using model::Outcome;

/// Goes on until a job has ended.
class Waiter : public model::Running {
 public:
  Waiter(std::shared_ptr<Job> job, bool wants_output)
      : job_(std::move(job)), wants_output_(wants_output), owns_(true) {}
  Waiter(std::shared_ptr<Job> job, std::string failed)
      : job_(std::move(job)), failed_(std::move(failed)) {}
  ~Waiter() override { stop_job(); }

  [[nodiscard]] uint64_t next_deadline() const override {
    return job_->ended() != nullptr ? 0 : model::steady_ms() + 1;
  }
  State step(uint64_t, std::vector<model::PrintRow>&) override {
    std::string more = job_->take_output();
    if (output_.size() + more.size() <= kMaxText) output_ += more;
    const Ended* ended = job_->ended();
    if (ended == nullptr) return State::kGoesOn;
    if (ended->kind == Ended::Kind::kDone) return State::kDone;
    if (wants_output_) {  // a script that fails is an answer too (D-12)
      output_ += ended->message + "\n";
      return State::kDone;
    }
    failure_.category = static_cast<Trouble>(ended->category);
    failure_.errors = {Error{failed_ + ended->message, {}, {}, {}, {}, failure_.category}};
    return State::kFailed;
  }
  void stop() override { stop_job(); }
  [[nodiscard]] std::string take_text() override {
    return wants_output_ ? std::string{} : std::exchange(output_, {});
  }
  [[nodiscard]] model::Fields result() const override {
    if (!wants_output_) return {};
    return {{"ret", output_}};
  }
  [[nodiscard]] const model::Failure& failure() const override { return failure_; }

 private:
  void stop_job() {
    if (owns_ && job_->ended() == nullptr) job_->stop();
  }
  std::shared_ptr<Job> job_;
  bool wants_output_ = false;
  bool owns_ = false;   // it ends with who waits for it
  std::string failed_;  // stands before the words of its failure
  std::string output_;
  model::Failure failure_;
};

}  // namespace

std::shared_ptr<Job> Runner::start(Task task) {
  if (jobs_.size() >= kMaxJobs) return nullptr;
  auto job = std::make_shared<Job>(*this, std::move(task), next_number_++);
  jobs_.push_back(job);
  return job;
}

std::unique_ptr<model::Running> Runner::waiter(std::shared_ptr<Job> job, bool wants_output) {
  return std::make_unique<Waiter>(std::move(job), wants_output);
}

std::unique_ptr<model::Running> Runner::follower(std::shared_ptr<Job> job, std::string failed) {
  return std::make_unique<Waiter>(std::move(job), std::move(failed));
}

void Runner::turn() {
  if (turning_) return;
  turning_ = true;
  const uint64_t now = model::steady_ms();
  for (size_t i = 0; i < jobs_.size(); ++i) {  // a job may start others
    const std::shared_ptr<Job> job = jobs_[i];
    job->turn(now);
  }
  std::erase_if(jobs_, [](const std::shared_ptr<Job>& job) {
    const Ended* ended = job->ended();
    if (ended == nullptr) return false;
    if (job->task().detached && ended->kind != Ended::Kind::kDone) {
      const std::string name = job->task().name.empty() ? "" : " " + job->task().name;
      log::write(log::Level::kError, "script,error", "script{} failed: {}", name, ended->message);
    }
    return true;
  });
  turning_ = false;
}

Result<std::string> Runner::read_script(const std::string& name) const {
  auto text = files_.read(name);
  if (text || name.ends_with(".rsc")) return text;
  auto with_ending = files_.read(name + ".rsc");
  return with_ending ? with_ending : text;
}

uint64_t Runner::next_deadline() const {
  uint64_t next = UINT64_MAX;
  for (const auto& job : jobs_) next = std::min(next, job->next_deadline());
  return next;
}

void Runner::serve() {
  serve_export(commands_, files_);
  serve_schema(commands_);
  commands_.on("/", "execute", [this](const Call& call, const Caller& caller) -> Answer<Outcome> {
    const bool wants_output = call.is_on("as-string");
    Task task;
    task.source = call.get("script");
    task.caller = caller;
    task.detached = !wants_output;
    auto job = start(std::move(task));
    if (job == nullptr) {
      return model::refuse(Trouble::kGeneral, "too many scripts run already");
    }
    Outcome out;
    if (wants_output) {
      out.running = waiter(std::move(job), true);
    } else {
      out.result = {{"ret", fmt::format("*{:X}", job->number())}};
    }
    return out;
  });
  commands_.on("/", "import", [this](const Call& call, const Caller& caller) -> Answer<Outcome> {
    // As the language does it, which has its messages too.
    Task task;
    task.source = "/import file-name=" + quoted(call.get("file-name"));
    for (const char* flag : {"verbose", "dry-run"}) {
      if (call.is_on(flag)) task.source += fmt::format(" {}=yes", flag);
    }
    if (call.has("from-line")) task.source += fmt::format(" from-line={}", call.get("from-line"));
    task.name = call.get("file-name");
    task.caller = caller;
    auto job = start(std::move(task));
    if (job == nullptr) {
      return model::refuse(Trouble::kGeneral, "too many scripts run already");
    }
    Outcome out;
    out.running = waiter(std::move(job), false);
    return out;
  });
}

}  // namespace maclane::script
