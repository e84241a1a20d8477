// Variables, conditions, loops, errors, functions, scripts of their own. See interpreter.h.
#include <fmt/format.h>

#include <algorithm>

#include "control/script/interpreter.h"

namespace maclane::script {
namespace {

std::vector<std::string> split_names(const std::string& names) {
  const size_t comma = names.find(',');
  if (comma == std::string::npos) return {names};
  return {names.substr(0, comma), names.substr(comma + 1)};
}

}  // namespace

bool Interpreter::builtin(const Command& command, Value& result) {
  switch (command.builtin) {
    case Builtin::kLocal:
    case Builtin::kGlobal:
      return declare_variable(command);
    case Builtin::kSet:
      return set_variable(command, result);
    case Builtin::kIf:
      return do_if(command, result);
    case Builtin::kFor:
      return do_for(command);
    case Builtin::kForeach:
      return do_foreach(command);
    case Builtin::kWhile:
      return do_while(command);
    case Builtin::kDo:
      return do_do(command, result);
    case Builtin::kOnError:
      return do_onerror(command, result);
    case Builtin::kRetry:
      return do_retry(command, result);
    case Builtin::kReturn: {
      Value value;  // working it out may call functions, which return too
      if (!need(command, "value", value)) return false;
      returned_ = std::move(value);
      flow_ = Flow::kReturn;
      return false;
    }
    case Builtin::kError: {
      Value message;
      if (!need(command, "message", message)) return false;
      (void)fail(message.to_text(), command.place);
      fault_.alone = true;
      return false;
    }
    case Builtin::kQuit:
      flow_ = Flow::kQuit;
      return false;
    case Builtin::kDelay: {
      int64_t nanoseconds = kSecond;
      if (!duration(command, "delay-time", nanoseconds)) return false;
      if (host_.wait(nanoseconds)) return true;
      flow_ = Flow::kFault;
      fault_ = Fault{Fault::Kind::kInterrupted, "interrupted", {}, command.place, 2};
      return false;
    }
    case Builtin::kTime: {
      const Argument* body = command.find("command");
      if (body == nullptr) return fail("missing value(s) of argument(s) command", command.place);
      const int64_t before = host_.steady_ns();
      Value ignored;
      if (!run_block(*body->block, ignored)) return false;
      result = Value::time(host_.steady_ns() - before);
      return true;
    }
    case Builtin::kExecute:
      return do_execute(command, result);
    case Builtin::kParse:
      return do_parse(command, result);
    case Builtin::kJobname:
      result = Value::text(host_.job_name());
      return true;
    case Builtin::kEnvironment:
      write_environment();
      return true;
    case Builtin::kLog: {
      Value message;
      if (!need(command, "message", message)) return false;
      host_.log(command.name, message.to_text());
      return true;
    }
    default:
      return value_builtin(command, result);
  }
}

bool Interpreter::declare_variable(const Command& command) {
  const Argument* written = command.find("name");
  if (written == nullptr || written->value == nullptr) {
    return fail("missing value(s) of argument(s) name", command.place);
  }
  const std::string& name = written->value->literal.as_text();
  const bool global = command.builtin == Builtin::kGlobal;
  const Argument* body = command.find("do");
  Value value;
  bool given = command.find("value") != nullptr;
  if (body != nullptr) {
    value = Value::function({body->block, Function::Kind::kFunction});
    given = true;
  } else if (given && !argument(command, "value", value)) {
    return false;
  }
  if (global && given) {
    if (const auto trouble = globals_.set(name, value)) return fail(*trouble, command.place);
  }
  // Declared again in one block, the second stands.
  auto& here = scope_->variables;
  const auto same =
      std::find_if(here.begin(), here.end(), [&](const Variable& one) { return one.name == name; });
  Variable variable{name, global ? Value{} : std::move(value), global};
  if (same == here.end()) {
    here.push_back(std::move(variable));
    return true;
  }
  // A parameter of the name goes before the global, as in RouterOS.
  const bool parameter = scope_->outer == nullptr && scope_ != &top_;
  if (!global || same->global || !parameter) *same = std::move(variable);
  return true;
}

bool Interpreter::set_variable(const Command& command, Value& result) {
  const Argument* target = command.find("name");
  if (target == nullptr || target->value == nullptr) {
    return fail("missing value(s) of argument(s) name", command.place);
  }
  Value value;
  if (const Argument* body = command.find("do")) {
    value = Value::function({body->block, Function::Kind::kFunction});
  } else if (!argument(command, "value", value)) {
    return false;
  }
  result = Value::nil();
  return assign(*target->value, std::move(value));
}

bool Interpreter::do_if(const Command& command, Value& result) {
  bool holds = false;
  if (!condition(command, "condition", holds)) return false;
  const Argument* branch = command.find(holds ? "do" : "else");
  return branch == nullptr || run_block(*branch->block, result);
}

bool Interpreter::do_for(const Command& command) {
  Value from;
  Value to;
  Value step_value;
  if (!need(command, "from", from) || !need(command, "to", to) ||
      !argument(command, "step", step_value)) {
    return false;
  }
  const Argument* counter = command.find("counter");
  const Argument* body = command.find("do");
  if (counter == nullptr) return fail("missing value(s) of argument(s) counter", command.place);
  const auto number = [](const Value& value) {
    return value.is(Type::kNumber) ? value.as_number() : read_number(value.to_text());
  };
  const auto first = number(from);
  const auto last = number(to);
  if (!first || !last) {
    return fail("input does not match any value of " + std::string(first ? "to" : "from") +
                    "; a number was expected",
                command.find(first ? "to" : "from")->value_place);
  }
  auto by =
      step_value.empty() ? std::optional<int64_t>(*first > *last ? -1 : 1) : number(step_value);
  if (!by || *by == 0) {
    return fail("input does not match any value of step; a number that is not 0 was expected",
                command.find("step")->value_place);
  }
  const std::string name = split_names(counter->value->literal.as_text()).front();
  int64_t i = *first;
  while (*by > 0 ? i <= *last : i >= *last) {
    if (!step(command.place)) return false;
    Value ignored;
    if (body != nullptr && !run_with(*body->block, {{name, Value::number(i), false}}, ignored)) {
      return false;
    }
    if (__builtin_add_overflow(i, *by, &i)) break;
  }
  return true;
}

bool Interpreter::do_foreach(const Command& command) {
  Value in;
  if (!need(command, "in", in)) return false;
  const Argument* counter = command.find("counter");
  const Argument* body = command.find("do");
  if (counter == nullptr) return fail("missing value(s) of argument(s) counter", command.place);
  const auto names = split_names(counter->value->literal.as_text());
  const Argument* handler = command.find("on-error");
  Scope* const here = scope_;
  const auto once = [&](Value key, Value value) {
    if (!step(command.place)) return false;
    std::vector<Variable> variables;
    if (names.size() == 2) variables.push_back({names[0], std::move(key), false});
    variables.push_back({names.back(), std::move(value), false});
    Value ignored;
    return body == nullptr || run_with(*body->block, std::move(variables), ignored);
  };
  const auto all = [&] {
    if (in.empty()) return true;
    if (!in.is(Type::kArray)) return once(Value::number(0), in);
    const Array& array = in.as_array();
    for (size_t i = 0; i < array.list.size(); ++i) {
      if (!once(Value::number(static_cast<int64_t>(i)), array.list[i])) return false;
    }
    return std::all_of(array.keyed.begin(), array.keyed.end(), [&](const auto& element) {
      return once(Value::text(element.first), element.second);
    });
  };
  if (all()) return true;
  Fault fault;
  if (handler == nullptr || !caught(fault)) return false;
  scope_ = here;
  Value ignored;
  return run_block(*handler->block, ignored);
}

bool Interpreter::do_while(const Command& command) {
  const Argument* body = command.find("do");
  while (true) {
    bool holds = false;
    if (!step(command.place) || !condition(command, "condition", holds)) return false;
    if (!holds) return true;
    Value ignored;
    if (body != nullptr && !run_block(*body->block, ignored)) return false;
  }
}

bool Interpreter::caught(Fault& fault) {
  if (flow_ != Flow::kFault || fault_.kind != Fault::Kind::kError || budget_->spent()) return false;
  flow_ = Flow::kGoOn;
  fault = std::exchange(fault_, {});
  return true;
}

bool Interpreter::do_do(const Command& command, Value& result) {
  const Argument* body = command.find("command");
  const Argument* handler = command.find("on-error");
  if (body == nullptr) return fail("missing value(s) of argument(s) command", command.place);
  Scope* const here = scope_;
  while (true) {
    if (!step(command.place)) return false;
    if (!run_block(*body->block, result)) {
      Fault fault;
      if (handler == nullptr || !caught(fault)) return false;
      scope_ = here;
      return run_block(*handler->block, result);
    }
    if (command.find("while") == nullptr) return true;
    bool again = false;
    if (!condition(command, "while", again)) return false;
    if (!again) return true;
  }
}

bool Interpreter::do_onerror(const Command& command, Value& result) {
  const Argument* name = command.find("error");
  const Argument* body = command.find("in");
  const Argument* handler = command.find("do");
  if (name == nullptr || body == nullptr) {
    return fail("missing value(s) of argument(s) " + std::string(name == nullptr ? "error" : "in"),
                command.place);
  }
  Scope* const here = scope_;
  // :return ends in={...} or do={...} and gives its value; it does not leave the function.
  const auto returned = [&] {
    if (flow_ != Flow::kReturn) return false;
    flow_ = Flow::kGoOn;
    result = std::exchange(returned_, {});
    return true;
  };
  Value ignored;
  if (run_block(*body->block, ignored)) {
    result = Value::boolean(false);
    return true;
  }
  if (returned()) return true;
  Fault fault;
  if (!caught(fault)) return false;
  scope_ = here;
  if (handler != nullptr &&
      !run_with(*handler->block,
                {{name->value->literal.as_text(), Value::text(fault.text()), false}}, ignored)) {
    return returned();
  }
  result = Value::boolean(true);
  return true;
}

bool Interpreter::do_retry(const Command& command, Value& result) {
  const Argument* body = command.find("command");
  const Argument* handler = command.find("on-error");
  if (body == nullptr) return fail("missing value(s) of argument(s) command", command.place);
  Value max;
  int64_t pause = 0;
  if (!need(command, "max", max) || !duration(command, "delay", pause)) return false;
  const auto most = read_number(max.to_text());
  if (!most)
    return fail("input does not match any value of max; a number was expected", command.place);
  Scope* const here = scope_;
  Fault fault;
  for (int64_t i = 0; i < *most; ++i) {
    if (!step(command.place)) return false;
    if (run_block(*body->block, result)) return true;
    if (!caught(fault)) return false;
    scope_ = here;
    if (i + 1 < *most && pause > 0 && !host_.wait(pause)) {
      flow_ = Flow::kFault;
      fault_ = Fault{Fault::Kind::kInterrupted, "interrupted", {}, command.place, 2};
      return false;
    }
  }
  if (handler != nullptr) return run_block(*handler->block, result);
  if (*most <= 0) return true;
  flow_ = Flow::kFault;
  fault_ = std::move(fault);
  return false;
}

bool Interpreter::duration(const Command& command, std::string_view name, int64_t& nanoseconds) {
  Value value;
  if (!argument(command, name, value)) return false;
  if (value.empty()) return true;
  if (value.is(Type::kText)) value = Value::literal(value.as_text());
  if (value.is(Type::kTime)) {
    nanoseconds = value.as_time();
    return true;
  }
  if (value.is(Type::kNumber) &&
      !__builtin_mul_overflow(value.as_number(), kSecond, &nanoseconds)) {
    return true;
  }
  return fail(
      fmt::format("invalid time value for argument {}; it takes a time, as 5s or 00:01:30", name),
      command.find(name)->value_place);
}

bool Interpreter::do_execute(const Command& command, Value& result) {
  Value script;
  Value file;
  if (!need(command, "script", script) || !argument(command, "file", file)) return false;
  const std::string text = script.to_text();
  if (text.size() > kMaxSource) {
    return fail("a script has at most 1 MiB; a longer one can be imported from a file",
                command.place);
  }
  auto done = host_.execute(text, command.find("as-string") != nullptr, file.to_text());
  if (flow_ != Flow::kGoOn) return false;
  if (done) {
    result = std::move(*done);
    return true;
  }
  flow_ = Flow::kFault;
  fault_ = std::move(done.error());
  return false;
}

bool Interpreter::do_parse(const Command& command, Value& result) {
  Value code;
  if (!need(command, "code", code)) return false;
  auto parsed = parse(words_, code.to_text(), {command.path, {}});
  if (!parsed) return fail(parsed.error().text(), command.place);
  result = Value::function({std::move(parsed->block), Function::Kind::kCode});
  return true;
}

void Interpreter::write_environment() {
  for (const auto& [name, value] : globals_.all()) {
    host_.write(name + "=" + value.to_code() + "\n");
  }
}

}  // namespace maclane::script
