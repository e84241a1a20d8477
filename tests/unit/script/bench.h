// A host for tests of the language: it keeps what a script writes, has a clock of its own, and its
// menus hold rows the test gave.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "control/script/interpreter.h"

namespace maclane::script {

class TestHost : public Host {
 public:
  void write(std::string_view text) override {
    if (out.size() < (size_t{1} << 22)) out += text;
  }
  void log(std::string_view level, std::string_view message) override {
    logged += std::string(level) + ": " + std::string(message) + "\n";
  }
  Done menu_command(const MenuCall& call) override;
  bool go_on() override { return ++looks < stop_after; }
  bool wait(int64_t nanoseconds) override {
    waited += nanoseconds;
    return true;
  }
  Done execute(const std::string& script, bool as_string, const std::string&) override {
    executed.push_back(script);
    return as_string ? Value::text("output of " + script) : Value::id("*7");
  }
  std::string job_name() const override { return "job"; }
  int64_t wall_ns() const override { return 1'700'000'000'000'000'000; }
  int64_t steady_ns() const override { return waited; }

  std::string out;
  std::string logged;
  int64_t waited = 0;
  uint64_t looks = 0;
  uint64_t stop_after = ~uint64_t{0};
  std::vector<std::string> executed;
  std::vector<std::string> commands;  // "/ip/address/add address=10.0.0.1/8"
  std::map<std::string, std::vector<model::PrintRow>> rows;
};

inline Host::Done TestHost::menu_command(const MenuCall& call) {
  std::string text = call.command->path + "/" + call.command->name;
  for (const auto& one : call.arguments) {
    text += " " + (one.unset ? "!" + one.name : one.flag ? one.name : one.name + "=" + one.text);
  }
  if (call.command->name == "fail") {
    return tl::make_unexpected(Fault{Fault::Kind::kError, "no such item", {}, {}, 0});
  }
  if (call.command->name == "find") {
    Array found;
    for (const auto& row : rows[call.command->path]) {
      if (!call.where || call.where(row)) found.list.push_back(Value::id(row.id));
    }
    return Value::array(std::move(found));
  }
  if (call.command->name == "get") {
    const auto* numbers = call.find("numbers");
    const auto* name = call.find("value-name");
    for (const auto& row : rows[call.command->path]) {
      if (numbers != nullptr && row.id == numbers->text && name != nullptr) {
        return Value::text(std::string(row.get(name->text)));
      }
    }
  }
  commands.push_back(text);
  return Value::text(call.command->name == "add" ? "*1" : "");
}

struct Ran {
  std::string out;
  std::string error;  // with its trace; a syntax error with its place
  Place place;
  Value value;
};

/// Runs a text from the root, with every menu of the schema.
inline Ran run_script(TestHost& host, Globals& globals, const std::string& text,
                      const std::string& menu = {}) {
  Ran ran;
  const auto budget = std::make_shared<Budget>(size_t{64} << 20);
  const Budget::Use use(budget);
  auto parsed = parse(Words::of_schema(), text, {menu, {}});
  if (!parsed) {
    ran.error = parsed.error().text();
    ran.place = parsed.error().place;
    return ran;
  }
  const char* here = static_cast<const char*>(__builtin_frame_address(0));
  Interpreter interpreter(host, globals, Words::of_schema(), budget, here - (size_t{1} << 20));
  auto done = interpreter.run(*parsed->block);
  if (done) {
    ran.value = done->value;
  } else {
    ran.error = done.error().text();
    ran.place = done.error().place;
  }
  ran.out = host.out;
  return ran;
}

inline Ran run_script(const std::string& text, const std::string& menu = {}) {
  TestHost host;
  Globals globals;
  return run_script(host, globals, text, menu);
}

}  // namespace maclane::script
