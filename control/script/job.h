// A script that runs: a fiber, the interpreter in it, and what it wrote so far.
//
// What it changes goes into one batch of the model, committed before others get their turn, so a
// script of a thousand lines is one change as long as it keeps within its slice of time. It gives
// way when its slice is used up, when it waits, and when nobody takes what it writes. Menu commands
// are carried out by model::Commands as the caller the job was started for; what they answer
// becomes text for people, JSON, or values. Control thread only; see runner.h.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/model/commands.h"
#include "control/script/fiber.h"
#include "control/script/interpreter.h"
#include "control/script/parser.h"

namespace maclane::script {

class Runner;

/// How what it writes will be shown.
struct Screen {
  size_t width = 0;     // of the terminal; 0: there is none
  bool bold = false;    // headers
  bool json = false;    // rows as JSON
  bool values = false;  // the value of a command that stands alone is written too: get
  /// A person can be asked whether what does harm is meant, and types line by line: what one line
  /// declares as global is there in the next.
  bool asks = false;
};

/// How the commands of a file are taken (C-45).
struct Import {
  bool verbose = false;    // their lines are written
  bool dry_run = false;    // they are read and not carried out
  uint32_t from_line = 1;  // those before it are read alone
};

/// A script to be run.
struct Task {
  std::string source;
  std::string name;  // of the script, as :jobname has it
  std::string menu;  // where it begins
  model::Caller caller;
  Screen screen;
  /// Command by command, as a file is imported: those before a mistake are carried out.
  bool piecewise = false;
  /// Nobody reads what it writes: only the last of it is kept.
  bool detached = false;
  std::vector<std::pair<std::string, Value>> variables;
};

struct Ended {
  enum class Kind : uint8_t { kDone, kFailed, kMistyped, kStopped };
  Kind kind = Kind::kDone;
  std::string message;  // what went wrong, with its trace
  Place place;          // of the word it is about, in the source
  int category = 4;     // D-18
  std::string menu;     // where it ended
  Value value;          // of :return or of its last command
  bool quit = false;
};

class Job : private Host {
 public:
  static constexpr size_t kHighWater = size_t{1} << 20;  // written and not taken
  static constexpr size_t kKept = size_t{64} << 10;      // of a detached one
  static constexpr size_t kMemory = size_t{64} << 20;    // of its values
  static constexpr uint32_t kMaxImports = 8;             // in each other

  Job(Runner& runner, Task task, uint64_t number);
  ~Job() override;

  [[nodiscard]] const Task& task() const { return task_; }
  [[nodiscard]] uint64_t number() const { return number_; }
  /// What it wrote since it was last asked.
  [[nodiscard]] std::string take_output();
  [[nodiscard]] std::string take_warnings();
  /// A command goes on that writes again and again: to be shown as it comes.
  [[nodiscard]] bool is_live() const { return live_; }
  /// Nobody wants to be asked after each page of it.
  [[nodiscard]] bool is_whole() const { return live_ || whole_; }
  /// What a person is to be asked, said once. It goes on with answer().
  struct Question {
    std::string text;
    bool line = false;    // a value is to be typed
    std::string keys;     // one of these is; "" without line: y or n
    bool secret = false;  // and not to be shown
  };
  [[nodiscard]] std::optional<Question> take_question() {
    return std::exchange(question_, std::nullopt);
  }
  /// nullopt: no answer is given, or no.
  void answer(std::optional<std::string> said);
  /// nullptr while it runs.
  [[nodiscard]] const Ended* ended() const { return ended_ ? &*ended_ : nullptr; }
  /// Asks it to end; it does so with its next turn.
  void stop() { stopping_ = true; }

  // for the runner
  void turn(uint64_t now_ms);
  [[nodiscard]] uint64_t next_deadline() const;
  [[nodiscard]] int64_t started_ns() const { return started_ns_; }

 private:
  // job.cpp
  void body();
  void run_whole(Interpreter& interpreter);
  void run_pieces(Interpreter& interpreter);
  /// The commands that a reader gives, to the first that fails; a mistyped one is in `mistyped`.
  Interpreter::Result run_pieces(Interpreter& interpreter, Reader& reader, const Import& import,
                                 std::optional<SyntaxError>& mistyped);
  void end(const Interpreter::Result& result);
  void mistyped(const SyntaxError& error);
  [[nodiscard]] bool settle();  // commits; false: it failed, and the job ends with that
  void break_with(const Errors& errors);
  [[nodiscard]] bool is_full() const {
    return !task_.detached && diverted_ == nullptr && output_.size() >= kHighWater;
  }
  [[nodiscard]] bool give_way(uint64_t until_ms);
  /// The person at the screen, if there is one, is asked about a command that does harm.
  std::optional<std::optional<std::string>> ask_person(Question question);
  Done carry_out_if_meant(const MenuCall& call, const model::Menu& menu);
  void write(std::string_view text) override;
  void log(std::string_view level, std::string_view message) override;
  Done menu_command(const MenuCall& call) override;
  bool go_on() override;
  bool wait(int64_t nanoseconds) override;
  Done execute(const std::string& script, bool as_string, const std::string& file) override;
  [[nodiscard]] std::string job_name() const override { return task_.name; }
  [[nodiscard]] int64_t wall_ns() const override;
  [[nodiscard]] int64_t steady_ns() const override;

  // job_commands.cpp
  Done carry_out(const MenuCall& call, const model::Menu& menu);
  Done run_on(const MenuCall& call, const model::Menu& menu, model::Outcome& outcome);
  Done value_of(const MenuCall& call, const model::Menu& menu, const model::Outcome& outcome);
  void show(const MenuCall& call, const model::Menu& menu, const model::Outcome& outcome);
  Done import(const MenuCall& call);
  Done print_to_file(const MenuCall& call, const model::Menu& menu);

  Runner& runner_;
  Task task_;
  uint64_t number_;
  int64_t started_ns_;
  Fiber fiber_;
  Interpreter* interpreter_ = nullptr;
  std::string output_;
  std::string warnings_;
  std::optional<Question> question_;
  std::optional<std::optional<std::string>> answer_;
  std::string* diverted_ = nullptr;  // where output goes instead
  std::optional<Ended> ended_;
  std::optional<Fault> broken_;  // a commit that failed where nothing could say so
  uint64_t slice_end_ns_ = 0;
  uint64_t slice_hard_ns_ = 0;
  uint64_t wake_ms_ = 0;
  uint32_t imports_ = 0;
  uint32_t last_line_ = 0;               // where the command begins that run_pieces() ran last
  bool in_command_ = false;              // inside of Commands: not to be interrupted
  std::optional<model::Choice> choice_;  // of the command that was refused last
  bool stopping_ = false;
  bool live_ = false;
  bool whole_ = false;
};

/// What a failure says, as a script's fault.
[[nodiscard]] Fault fault_of(const model::Failure& failure);

}  // namespace maclane::script
