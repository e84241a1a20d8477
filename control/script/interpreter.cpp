// Blocks, commands, functions, errors. See interpreter.h.
#include "control/script/interpreter.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/script/in_full.h"

namespace maclane::script {
namespace {

constexpr uint32_t kStepsBetweenLooks = 64;
constexpr uint32_t kMaxCalls = 128;  // functions in functions

int depth_category(Command::Kind kind) {
  return kind == Command::Kind::kBad ? 0 : 3;
}

std::string trace_of(const Command& command) {
  const std::string name =
      command.kind == Command::Kind::kMenu ? command.path + "/" + command.name : ":" + command.name;
  return fmt::format(" ({}; line {})", name, command.place.line);
}

}  // namespace

Value Globals::get(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? Value{} : found->second;
}

std::optional<std::string> Globals::set(const std::string& name, const Value& value) {
  const size_t before = sizes_.contains(name) ? sizes_[name] : 0;
  if (value.is(Type::kNothing)) {
    values_.erase(name);
    sizes_.erase(name);
    bytes_ -= before;
    return std::nullopt;
  }
  const size_t size = name.size() + value.to_text().size() + 64;
  if (bytes_ - before + size > kMaxBytes) return "global variables hold 16 MiB at most";
  if (before == 0 && values_.size() >= kMaxVariables) {
    return fmt::format("there are {} global variables already", kMaxVariables);
  }
  values_.insert_or_assign(name, value);
  sizes_.insert_or_assign(name, size);
  bytes_ += size - before;
  return std::nullopt;
}

const MenuCall::Argument* MenuCall::find(std::string_view name) const {
  const auto found = std::find_if(arguments.begin(), arguments.end(),
                                  [&](const Argument& one) { return one.name == name; });
  return found == arguments.end() ? nullptr : &*found;
}

Interpreter::Interpreter(Host& host, Globals& globals, const Words& words,
                         std::shared_ptr<Budget> budget, const void* stack_floor)
    : host_(host),
      globals_(globals),
      words_(words),
      budget_(std::move(budget)),
      stack_floor_(static_cast<const char*>(stack_floor)) {}

Interpreter::Result Interpreter::finish(Value value) {
  const Flow flow = std::exchange(flow_, Flow::kGoOn);
  scope_ = &top_;
  if (flow == Flow::kFault) return tl::make_unexpected(std::exchange(fault_, {}));
  if (flow == Flow::kReturn) value = std::exchange(returned_, {});
  return Ending{std::move(value), flow == Flow::kQuit};
}

Interpreter::Result Interpreter::run(const Block& block) {
  const Budget::Use use(budget_);
  Value value;
  (void)run_commands(block, value);
  return finish(std::move(value));
}

Interpreter::Result Interpreter::run(const Command& command) {
  const Budget::Use use(budget_);
  Value value;
  (void)run_command(command, value, false);
  return finish(std::move(value));
}

bool Interpreter::call_block(const Block& block,
                             const std::vector<std::pair<std::string, Value>>& variables) {
  std::vector<Variable> given;
  given.reserve(variables.size());
  for (const auto& [name, value] : variables) given.push_back({name, value, false});
  Value result;
  return run_with(block, std::move(given), result);
}

void Interpreter::declare(const std::string& name, Value value) {
  const Budget::Use use(budget_);
  top_.variables.push_back({name, std::move(value), false});
}

void Interpreter::declare_globals() {
  for (const auto& [name, value] : globals_.all()) top_.variables.push_back({name, {}, true});
}

std::vector<std::string> Interpreter::declared() const {
  std::vector<std::string> out;
  for (const Variable& one : top_.variables) out.push_back(one.name);
  return out;
}

bool Interpreter::fail(std::string message, Place place) {
  if (flow_ == Flow::kFault) return false;
  flow_ = Flow::kFault;
  fault_ = Fault{Fault::Kind::kError, std::move(message), {}, place, 3};
  return false;
}

bool Interpreter::keep(const Calculated& calculated, Place place, Value& out) {
  if (!calculated) return fail(calculated.error(), place);
  out = *calculated;
  return true;
}

bool Interpreter::step(Place place) {
  if (flow_ != Flow::kGoOn) return false;
  if (budget_->spent()) {
    return fail(fmt::format("out of memory: a script may use {} MiB", budget_->limit() >> 20),
                place);
  }
  if (static_cast<const char*>(__builtin_frame_address(0)) < stack_floor_) {
    return fail("functions call each other too deep", place);
  }
  if (++steps_ % kStepsBetweenLooks != 0 || host_.go_on()) return true;
  flow_ = Flow::kFault;
  fault_ = Fault{Fault::Kind::kInterrupted, "interrupted", {}, place, 2};
  return false;
}

Interpreter::Variable* Interpreter::find(std::string_view name) {
  for (Scope* scope = scope_; scope != nullptr; scope = scope->outer) {
    for (auto one = scope->variables.rbegin(); one != scope->variables.rend(); ++one) {
      if (one->name == name) return &*one;
    }
  }
  return nullptr;
}

bool Interpreter::run_commands(const Block& block, Value& result) {
  for (const auto& command : block.commands) {
    if (!run_command(*command, result, false)) return false;
  }
  return true;
}

bool Interpreter::run_with(const Block& block, std::vector<Variable> variables, Value& result) {
  Scope scope;
  scope.variables = std::move(variables);
  scope.outer = scope_;
  scope_ = &scope;
  const bool done = run_commands(block, result);
  scope_ = scope.outer;
  return done;
}

bool Interpreter::run_block(const Block& block, Value& result) {
  return run_with(block, {}, result);
}

bool Interpreter::run_command(const Command& command, Value& result, bool wants_value) {
  if (!step(command.place)) return false;
  result = Value{};
  bool done = true;
  switch (command.kind) {
    case Command::Kind::kEnter:
      return true;
    case Command::Kind::kBlock:
      return run_block(*command.block, result);
    case Command::Kind::kValue:
      return evaluate(*command.where, result);
    case Command::Kind::kBad:
      done = fail(command.message, command.place);
      fault_.category = depth_category(command.kind);
      return done;
    case Command::Kind::kCall: {
      Value function;
      if (!evaluate(*command.where, function)) return false;
      if (function.is(Type::kFunction)) {
        done = call(function, command.name, command, result);
      } else if (command.arguments.empty()) {
        result = std::move(function);
        return true;
      } else {
        done = fail(
            fmt::format("{} is no function; its type is {}", command.name, function.type_name()),
            command.place);
      }
      return done;
    }
    case Command::Kind::kBuiltin:
      done = builtin(command, result);
      break;
    case Command::Kind::kMenu:
      done = run_menu_command(command, result, wants_value);
      break;
  }
  // The command it happened in says so, not those around it.
  const bool traced = !fault_.trace.empty() || fault_.alone;
  if (flow_ == Flow::kFault && !traced && fault_.kind == Fault::Kind::kError) {
    fault_.trace = trace_of(command);
  }
  return done && flow_ == Flow::kGoOn;
}

bool Interpreter::run_menu_command(const Command& command, Value& result, bool wants_value) {
  MenuCall call;
  call.command = &command;
  call.wants_value = wants_value;
  const CommandWord* word = words_.command(command.path, command.name);
  for (const Argument& written : command.arguments) {
    MenuCall::Argument one;
    one.name = written.name;
    one.place = written.place;
    one.unset = written.unset;
    if (written.block != nullptr) {
      call.body = written.block;
      continue;
    }
    if (written.value == nullptr) {
      const Parameter* parameter = word == nullptr ? nullptr : word->find(one.name);
      one.flag = !written.unset;
      if (one.flag && parameter != nullptr && parameter->kind == Parameter::Kind::kValue &&
          parameter->property != nullptr) {
        one.flag = false;
        one.text = "yes";  // a property that is on
      }
    } else {
      if (!evaluate(*written.value, one.value)) return false;
      const bool literal =
          written.value->kind == Expression::Kind::kLiteral && !written.value->name.empty();
      one.text = literal ? written.value->name : one.value.to_argument();
      one.place = written.value_place;
      const Parameter* parameter = word == nullptr ? nullptr : word->find(one.name);
      if (parameter != nullptr && parameter->property != nullptr) {
        auto full = in_full(*parameter->property, one.text);
        if (!full) return fail(std::move(full.error()), one.place);
        one.text = std::move(*full);
      }
    }
    call.arguments.push_back(std::move(one));
  }
  if (command.where != nullptr) {
    const MenuWord* menu = words_.root().at(command.path);
    const model::Menu* rows = menu == nullptr ? nullptr : menu->menu;
    if (menu != nullptr && !judge_where(*command.where, *menu)) return false;
    call.where = [this, rows, &command](const model::PrintRow& row) {
      return matches_row(*command.where, row, rows);
    };
  }
  auto done = host_.menu_command(call);
  if (flow_ != Flow::kGoOn) return false;  // its where or its do={...} failed
  if (done) {
    result = std::move(*done);
    return true;
  }
  flow_ = Flow::kFault;
  fault_ = std::move(done.error());
  if (fault_.place.offset == 0) fault_.place = command.place;
  return false;
}

bool Interpreter::call(const Value& function, const std::string& name, const Command& command,
                       Value& result) {
  std::vector<Variable> arguments;
  arguments.push_back({"0", Value::text("$" + name), false});
  for (const Argument& written : command.arguments) {
    Variable one;
    one.name = written.name;
    if (written.value != nullptr && !evaluate(*written.value, one.value)) return false;
    arguments.push_back(std::move(one));
  }
  return call_function(function.as_function(), std::move(arguments), result);
}

bool Interpreter::call_function(const Function& function, std::vector<Variable> arguments,
                                Value& result) {
  if (calls_ >= kMaxCalls) return fail("functions call each other too deep", {});
  ++calls_;
  Scope scope;
  scope.variables = std::move(arguments);
  if (function.kind == Function::Kind::kQuoted) scope.outer = scope_;
  Scope* before = std::exchange(scope_, &scope);
  const std::shared_ptr<const Block> body = function.body;  // it may be set anew while it runs
  const bool done = run_commands(*body, result);
  scope_ = before;
  --calls_;
  if (flow_ == Flow::kReturn) {
    flow_ = Flow::kGoOn;
    result = std::exchange(returned_, {});
    return true;
  }
  // Without :return there is no value, but what is quoted is an expression.
  if (done && function.kind != Function::Kind::kQuoted) result = Value{};
  return done;
}

}  // namespace maclane::script
