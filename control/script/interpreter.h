// Carries out a syntax tree.
//
// What is outside the language (writing, menu commands, waiting, other scripts) is asked of a Host.
// The interpreter recurses with the tree, which the parser keeps shallow, and with calls of
// functions, which it bounds by the stack it was given; it looks after each step at the budget and
// asks the host after some whether to go on. Errors carry RouterOS's words first and the command
// and line they happened in, as RouterOS writes them. Control thread only, inside a fiber if the
// host waits.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "control/model/model.h"
#include "control/script/operators.h"
#include "control/script/parser.h"

namespace maclane::script {

/// Why a script ended before its end.
struct Fault {
  enum class Kind : uint8_t {
    kError,        // on-error catches it
    kInterrupted,  // stopped from outside: nothing catches it
  };
  Kind kind = Kind::kError;
  std::string message;  // RouterOS's words, then ours
  std::string trace;    // " (/ip/address/add; line 2)"
  Place place;          // of the word it is about
  int category = 4;     // as the API counts (D-18)
  bool alone = false;   // :error's own words: no trace is put to them

  [[nodiscard]] std::string text() const { return message + trace; }
};

/// Variables that all scripts of one user can declare.
class Globals {
 public:
  static constexpr size_t kMaxVariables = 4096;
  static constexpr size_t kMaxBytes = size_t{16} << 20;

  [[nodiscard]] Value get(std::string_view name) const;
  /// Nothing takes the variable away. What is wrong, as a sentence, if that cannot be.
  [[nodiscard]] std::optional<std::string> set(const std::string& name, const Value& value);
  [[nodiscard]] const std::map<std::string, Value, std::less<>>& all() const { return values_; }

 private:
  std::map<std::string, Value, std::less<>> values_;
  std::map<std::string, size_t, std::less<>> sizes_;
  size_t bytes_ = 0;
};

/// A command of a menu with its arguments worked out.
struct MenuCall {
  struct Argument {
    std::string name;
    Value value;
    std::string text;  // as a property takes it; a literal as it was written
    bool flag = false;
    bool unset = false;
    Place place;
  };
  const Command* command = nullptr;
  std::vector<Argument> arguments;
  std::function<bool(const model::PrintRow&)> where;  // empty: none was given
  std::shared_ptr<const Block> body;                  // do={...}
  bool wants_value = false;                           // it stands in [ ]

  [[nodiscard]] const Argument* find(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }
};

class Host {
 public:
  using Done = tl::expected<Value, Fault>;
  virtual ~Host() = default;
  virtual void write(std::string_view text) = 0;
  virtual void log(std::string_view level, std::string_view message) = 0;
  [[nodiscard]] virtual Done menu_command(const MenuCall& call) = 0;
  /// Called after some steps; may let others run. False: the script is to stop.
  [[nodiscard]] virtual bool go_on() = 0;
  /// Waits; false: the script is to stop.
  [[nodiscard]] virtual bool wait(int64_t nanoseconds) = 0;
  /// A script of its own: its number, or with as_string what it wrote.
  [[nodiscard]] virtual Done execute(const std::string& script, bool as_string,
                                     const std::string& file) = 0;
  [[nodiscard]] virtual std::string job_name() const = 0;
  [[nodiscard]] virtual int64_t wall_ns() const = 0;  // since 1970
  [[nodiscard]] virtual int64_t steady_ns() const = 0;
};

class Interpreter {
 public:
  /// stack_floor: the lowest address its recursion may reach.
  Interpreter(Host& host, Globals& globals, const Words& words, std::shared_ptr<Budget> budget,
              const void* stack_floor);

  struct Ending {
    Value value;  // of :return, or of the last command
    bool quit = false;
  };
  using Result = tl::expected<Ending, Fault>;
  [[nodiscard]] Result run(const Block& block);
  /// One command of a text that is read piece by piece: variables live on until the next.
  [[nodiscard]] Result run(const Command& command);
  /// Calls a function or a block with named values, as a monitor's do={...} and lease scripts do.
  [[nodiscard]] bool call_block(const Block& block,
                                const std::vector<std::pair<std::string, Value>>& variables);
  /// Declares a variable before the script runs.
  void declare(const std::string& name, Value value);
  /// Names :set may use, for the parser.
  /// Declares all that is global, for lines that are typed one by one.
  void declare_globals();
  [[nodiscard]] std::vector<std::string> declared() const;

 private:
  enum class Flow : uint8_t { kGoOn, kReturn, kFault, kQuit };
  struct Variable {
    std::string name;
    Value value;
    bool global = false;
  };
  struct Scope {
    std::vector<Variable> variables;
    Scope* outer = nullptr;  // null: a function's, or the script's own
  };
  struct Row {
    const model::PrintRow* row = nullptr;
    const model::Menu* menu = nullptr;
  };

  // interpreter.cpp
  Result finish(Value value);
  bool run_block(const Block& block, Value& result);  // in a scope of its own
  bool run_commands(const Block& block, Value& result);
  bool run_command(const Command& command, Value& result, bool wants_value);
  bool run_menu_command(const Command& command, Value& result, bool wants_value);
  bool call(const Value& function, const std::string& name, const Command& command, Value& result);
  bool call_function(const Function& function, std::vector<Variable> arguments, Value& result);
  bool fail(std::string message, Place place);
  bool step(Place place);
  bool keep(const Calculated& calculated, Place place, Value& out);
  Variable* find(std::string_view name);

  // interpreter_expression.cpp
  bool evaluate(const Expression& expression, Value& out);
  bool evaluate_binary(const Expression& expression, Value& out);
  bool evaluate_element(const Expression& expression, Value& out);
  bool evaluate_array(const Expression& expression, Value& out);
  bool read_variable(const std::string& name, Value& out);
  bool assign(const Expression& target, Value value);
  bool judge_where(const Expression& where, const MenuWord& menu);
  bool matches_row(const Expression& where, const model::PrintRow& row, const model::Menu* menu);
  bool argument(const Command& command, std::string_view name, Value& out);  // nothing if not given
  bool need(const Command& command, std::string_view name, Value& out);
  bool condition(const Command& command, std::string_view name, bool& out);

  // builtins_flow.cpp
  bool builtin(const Command& command, Value& result);
  bool declare_variable(const Command& command);
  bool set_variable(const Command& command, Value& result);
  bool do_if(const Command& command, Value& result);
  bool do_for(const Command& command);
  bool do_foreach(const Command& command);
  bool do_while(const Command& command);
  bool do_do(const Command& command, Value& result);
  bool do_onerror(const Command& command, Value& result);
  bool do_retry(const Command& command, Value& result);
  bool run_with(const Block& block, std::vector<Variable> variables, Value& result);
  bool caught(Fault& fault);
  bool do_execute(const Command& command, Value& result);
  bool do_parse(const Command& command, Value& result);
  bool duration(const Command& command, std::string_view name, int64_t& nanoseconds);
  void write_environment();

  // builtins_values.cpp
  bool value_builtin(const Command& command, Value& result);
  bool pick(const Command& command, Value& result);
  bool find_in(const Command& command, Value& result);
  bool range(const Command& command, Value& result);
  bool random(const Command& command, Value& result);

  Host& host_;
  Globals& globals_;
  const Words& words_;
  std::shared_ptr<Budget> budget_;
  const char* stack_floor_;
  Scope top_;
  Scope* scope_ = &top_;
  Row row_;
  Flow flow_ = Flow::kGoOn;
  Fault fault_;
  Value returned_;
  uint32_t steps_ = 0;
  uint32_t calls_ = 0;
};

/// Letters of :convert, :serialize and :deserialize; the error is a sentence.
[[nodiscard]] Calculated convert(const Value& value, std::string_view from, std::string_view to,
                                 std::string_view transform);
[[nodiscard]] Calculated serialize(const Value& value, std::string_view to,
                                   std::string_view options);
[[nodiscard]] Calculated deserialize(const Value& value, std::string_view from,
                                     std::string_view options);

}  // namespace maclane::script
