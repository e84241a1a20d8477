// The life of a job: its fiber, its slices of time, its batch. See job.h.
#include "control/script/job.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "control/model/row_names.h"
#include "control/observe/log.h"
#include "control/script/runner.h"

namespace maclane::script {
namespace {

// Others wait meanwhile. What was changed is compiled and published with every commit, which costs
// more than a slice: a job that changes things is let on for longer.
constexpr uint64_t kSliceNs = 5'000'000;
constexpr uint64_t kFullMs = 5;  // until it is looked whether the output was fetched
constexpr uint64_t kBatchNs = 400'000'000;

uint64_t steady_now_ns() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

int64_t wall_now_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

/// What a prompt asks for, since a command was not given it: a row's properties, or its own
/// arguments. All of its arguments are there if what it cannot do without is.
std::vector<const model::Property*> missing_arguments(const MenuCall& call, const model::Menu& menu,
                                                      const model::Command& command) {
  std::vector<const model::Property*> out;
  const auto look = [&](std::span<const model::Property> properties) {
    const size_t before = out.size();
    bool missing = false;
    for (const model::Property& one : properties) {
      const bool needed = one.has(model::Property::kRequired);
      if ((!needed && !one.has(model::Property::kAsked)) || one.has(model::Property::kReadOnly) ||
          call.has(one.name))
        continue;
      out.push_back(&one);
      missing = missing || needed;
    }
    if (!missing) out.resize(before);
  };
  look(command.arguments);
  if (command.name != "add" || call.has("copy-from")) return out;
  look(menu.properties);
  if (!model::numbered_stem(menu).empty())
    std::erase_if(out, [](const auto* one) { return one->has(model::Property::kName); });
  return out;
}

MenuCall::Argument argument_of(std::string_view name, std::string text) {
  MenuCall::Argument out;
  out.name = name;
  out.value = Value::text(text);
  out.text = std::move(text);
  return out;
}

}  // namespace

Fault fault_of(const model::Failure& failure) {
  Fault fault;
  fault.message = failure.text();
  fault.category = static_cast<int>(failure.category);
  return fault;
}

Job::Job(Runner& runner, Task task, uint64_t number)
    : runner_(runner),
      task_(std::move(task)),
      number_(number),
      started_ns_(wall_now_ns()),
      fiber_([this] { body(); }) {
  if (!fiber_.usable()) {
    ended_ = Ended{Ended::Kind::kFailed, "out of memory", {}, 4, task_.menu, {}, false};
  }
}

Job::~Job() {
  // What stands on its stack wants to be taken down.
  stopping_ = true;
  while (!ended_) turn(UINT64_MAX);
}

void Job::turn(uint64_t now_ms) {
  if (ended_ || (now_ms < wake_ms_ && !stopping_)) return;
  const uint64_t now = steady_now_ns();
  slice_end_ns_ = now + kSliceNs;
  slice_hard_ns_ = now + kBatchNs;
  fiber_.resume();
}

uint64_t Job::next_deadline() const {
  if (ended_) return UINT64_MAX;
  return stopping_ ? 0 : wake_ms_;
}

std::string Job::take_output() {
  return std::exchange(output_, {});
}

std::string Job::take_warnings() {
  return std::exchange(warnings_, {});
}

void Job::body() {
  const auto budget = std::make_shared<Budget>(kMemory);
  const Budget::Use use(budget);
  Interpreter interpreter(*this, runner_.globals(task_.caller.user), Words::of_schema(), budget,
                          fiber_.stack_floor());
  if (task_.screen.asks) interpreter.declare_globals();
  for (auto& [name, value] : task_.variables) interpreter.declare(name, value);
  interpreter_ = &interpreter;
  if (task_.piecewise) {
    run_pieces(interpreter);
  } else {
    run_whole(interpreter);
  }
  interpreter_ = nullptr;
  model::Model& model = runner_.commands().model();
  if (model.in_batch()) model.drop_batch();  // only after a failure that took it along
}

void Job::run_whole(Interpreter& interpreter) {
  auto parsed = parse(Words::of_schema(), task_.source, {task_.menu, interpreter.declared()});
  if (!parsed) return mistyped(parsed.error());
  const auto result = interpreter.run(*parsed->block);
  (void)settle();
  end(result);
  ended_->menu = parsed->menu;
}

void Job::run_pieces(Interpreter& interpreter) {
  Reader reader(Words::of_schema(), task_.source, {task_.menu, interpreter.declared()});
  std::optional<SyntaxError> wrong;
  const auto result = run_pieces(interpreter, reader, Import{}, wrong);
  if (settle() && wrong) return mistyped(*wrong);
  end(result);
  ended_->menu = reader.menu();
}

Interpreter::Result Job::run_pieces(Interpreter& interpreter, Reader& reader, const Import& import,
                                    std::optional<SyntaxError>& mistyped) {
  Interpreter::Result result;
  while (true) {
    auto command = reader.next();
    if (!command) {
      mistyped = command.error();
      return result;
    }
    if (*command == nullptr) return result;
    const uint32_t line = (*command)->place.line;
    if (line < import.from_line) continue;
    if (import.dry_run) {
      if ((*command)->kind != Command::Kind::kBad) continue;
      return tl::make_unexpected(
          Fault{Fault::Kind::kError, (*command)->message, {}, (*command)->place, 1});
    }
    if (import.verbose) write(fmt::format("#line {}\n", line));
    result = interpreter.run(**command);
    last_line_ = line;
    if (!result || result->quit || broken_) return result;
  }
}

void Job::mistyped(const SyntaxError& error) {
  ended_ = Ended{Ended::Kind::kMistyped, error.text(), error.place, 1, task_.menu, {}, false};
}

void Job::end(const Interpreter::Result& result) {
  Ended out;
  out.menu = task_.menu;
  if (result) {
    out.value = result->value;
    out.quit = result->quit;
  }
  const Fault* fault = broken_ ? &*broken_ : result ? nullptr : &result.error();
  if (fault != nullptr) {
    out.kind =
        fault->kind == Fault::Kind::kInterrupted ? Ended::Kind::kStopped : Ended::Kind::kFailed;
    out.message = fault->text();
    out.place = fault->place;
    out.category = fault->category;
  }
  ended_ = std::move(out);
}

bool Job::settle() {
  model::Model& model = runner_.commands().model();
  if (!model.in_batch()) return true;
  Status status = model.commit_batch();
  if (status) return true;
  break_with(status.error());
  return false;
}

void Job::break_with(const Errors& errors) {
  Fault fault;
  for (const Error& error : errors) {
    fault.message += (fault.message.empty() ? "" : "\n") + error.text();
  }
  fault.message += "\nnothing of what was changed since the last pause has happened";
  if (!broken_) broken_ = std::move(fault);
}

/// Lets others go on; false: the job is to stop.
bool Job::give_way(uint64_t until_ms) {
  if (!settle()) return false;
  const Budget::Use none(nullptr);
  do {
    wake_ms_ = std::max(until_ms, is_full() ? model::steady_ms() + kFullMs : 0);
    fiber_.yield();
    if (stopping_) return false;
  } while (is_full());
  return true;
}

bool Job::go_on() {
  if (broken_) return false;
  if (in_command_) return true;
  if (stopping_) return false;
  const uint64_t now = steady_now_ns();
  const bool open = runner_.commands().model().in_batch();
  if (!is_full() && now < (open ? slice_hard_ns_ : slice_end_ns_)) return true;
  return give_way(0);
}

bool Job::wait(int64_t nanoseconds) {
  if (in_command_) return true;
  const uint64_t ms = nanoseconds <= 0 ? 0 : static_cast<uint64_t>(nanoseconds) / 1'000'000;
  const uint64_t until = model::steady_ms() + ms;
  do {
    if (!give_way(until)) return false;
  } while (model::steady_ms() < until);
  return true;
}

void Job::answer(std::optional<std::string> said) {
  answer_ = std::move(said);
  wake_ms_ = 0;
}

/// What a person says; nullopt: the job was stopped meanwhile.
std::optional<std::optional<std::string>> Job::ask_person(Question question) {
  question_ = std::move(question);
  answer_.reset();
  while (!answer_) {
    if (!give_way(UINT64_MAX)) return std::nullopt;
  }
  return std::exchange(answer_, std::nullopt);
}

Host::Done Job::carry_out_if_meant(const MenuCall& call, const model::Menu& menu) {
  const model::Command* command = model::find_command(menu, call.command->name);
  // A file means what it says.
  if (!task_.screen.asks || imports_ != 0 || command == nullptr) return carry_out(call, menu);
  const auto interrupted = [] {
    return tl::make_unexpected(Fault{Fault::Kind::kInterrupted, "interrupted", {}, {}, 2});
  };
  MenuCall whole = call;
  for (const model::Property* missing : missing_arguments(call, menu, *command)) {
    const bool secret =
        missing->has(model::Property::kSecret) || missing->has(model::Property::kWriteOnly);
    const auto said =
        ask_person({.text = std::string(missing->name) + ": ", .line = true, .secret = secret});
    if (!said || !*said) return interrupted();
    if ((*said)->empty() && !missing->has(model::Property::kRequired)) continue;
    if ((*said)->empty()) break;  // what is missing is said by the command
    whole.arguments.push_back(argument_of(missing->name, **said));
  }
  if (!command->question.empty()) {
    const auto said = ask_person({.text = std::string(command->question)});
    if (!said) return interrupted();
    if (!*said) {
      write("action cancelled\n");
      return Value{};
    }
  }
  choice_.reset();
  Done done = carry_out(whole, menu);
  if (done || !choice_) return done;
  const model::Choice choice = *std::exchange(choice_, std::nullopt);
  std::string keys;
  for (const auto& way : choice.ways) keys += way.key;
  const auto said = ask_person({.text = choice.question, .keys = keys});
  if (!said) return interrupted();
  const size_t chosen = *said && (*said)->size() == 1 ? keys.find(**said) : std::string::npos;
  if (chosen == std::string::npos || choice.ways[chosen].value.empty()) {
    write("action cancelled\n");
    return Value{};
  }
  whole.arguments.push_back(argument_of(choice.argument, std::string(choice.ways[chosen].value)));
  return carry_out(whole, menu);
}

void Job::write(std::string_view text) {
  std::string& out = diverted_ != nullptr ? *diverted_ : output_;
  if (diverted_ != nullptr && out.size() + text.size() > kMaxText) return;
  out += text;
  if (task_.detached && diverted_ == nullptr && out.size() > 2 * kKept) {
    out.erase(0, out.size() - kKept);
  }
}

void Job::log(std::string_view level, std::string_view message) {
  using log::Level;
  const Level how = level == "debug"     ? Level::kDebug
                    : level == "warning" ? Level::kWarning
                    : level == "error"   ? Level::kError
                                         : Level::kInfo;
  log::write(how, fmt::format("script,{}", level), "{}", message);
}

Host::Done Job::execute(const std::string& script, bool as_string, const std::string& file) {
  Task task;
  task.source = script;
  task.name = task_.name;
  task.caller = task_.caller;
  task.detached = true;
  const bool waits = as_string || !file.empty();
  task.detached = !waits;
  auto job = runner_.start(std::move(task));
  if (job == nullptr) {
    return tl::make_unexpected(Fault{Fault::Kind::kError, "too many scripts run already", {}, {}});
  }
  if (!waits) return Value::id(fmt::format("*{:X}", job->number()));
  std::string text;
  while (true) {
    std::string more = job->take_output();
    if (text.size() + more.size() <= kMaxText) text += more;
    if (job->ended() != nullptr) break;
    if (!wait(1'000'000)) {
      job->stop();
      return tl::make_unexpected(Fault{Fault::Kind::kInterrupted, "interrupted", {}, {}, 2});
    }
  }
  const Ended& ended = *job->ended();
  if (ended.kind != Ended::Kind::kDone) text += ended.message + "\n";
  if (!file.empty()) {
    if (!runner_.files().write) {
      return tl::make_unexpected(Fault{Fault::Kind::kError, "there are no files here", {}, {}});
    }
    const std::string name = file.find('.') == std::string::npos ? file + ".txt" : file;
    if (Status status = runner_.files().write(name, text); !status) {
      return tl::make_unexpected(Fault{Fault::Kind::kError, status.error().front().text(), {}, {}});
    }
    if (!as_string) return Value::id(fmt::format("*{:X}", job->number()));
  }
  return Value::text(std::move(text));
}

int64_t Job::wall_ns() const {
  return wall_now_ns();
}

int64_t Job::steady_ns() const {
  return static_cast<int64_t>(steady_now_ns());
}

}  // namespace maclane::script
