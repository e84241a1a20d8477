// The console's protocol: one JSON object a line, over the unix socket.
//
// From the console:
//   {"run": TEXT, "menu": "/ip", "width": 80, "bold": true, "json": true, "pieces": true,
//    "asks": true}                       there is a person who can be asked
//   {"stop": true}                       ends what runs
//   {"answer": true}                     to what was asked; a text where a line was, false: none
//   {"complete": TEXT, "menu": "/ip"}    what can stand at the end of the text
//   {"hello": true}
// To it:
//   {"out": TEXT} {"warn": TEXT}         while a command runs; "live": until it is stopped, and
//                                        "whole": not by pages
//   {"ask": "Reboot, yes?"}              before it goes on; "line": a value, "secret": unseen;
//                                        "keys": "urd": one of these
//   {"notice": TEXT, "prompt"}           at any time: what another session did to this one
//   {"done": {"code": 0, "menu", "prompt", "quit", "error", "line", "column"}}
//   {"completion": {"begin", "candidates": [{"text", "help", "kind"}], "value", "help"}}
//   {"hello": {"prompt"}}                {"refused": TEXT}  a line that is no request
// code: 0 done, 1 refused or failed, 2 the command is not one. One command at a time. Bounded: a
// line by kMaxLine, what was written and not fetched by Job::kHighWater. Control thread only.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/door/json_bounds.h"
#include "control/script/runner.h"

namespace maclane::door {

class Console {
 public:
  static constexpr size_t kMaxLine = size_t{4} << 20;

  Console(script::Runner& runner, model::Caller caller);
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  /// Takes a line; appends what there is to say at once, lines with their newlines.
  void take(std::string_view line, std::string& out);
  /// Appends what the command wrote since, and its end, and what others did to this session.
  void collect(std::string& out);
  [[nodiscard]] const model::Caller& caller() const { return caller_; }
  [[nodiscard]] bool busy() const { return job_ != nullptr; }

  /// A line that says why there is nothing else to say.
  [[nodiscard]] static std::string refusal(std::string_view why);

 private:
  void run(const Json& request, std::string& out);
  [[nodiscard]] Json complete(const Json& request) const;
  [[nodiscard]] std::vector<std::string> globals() const;
  [[nodiscard]] bool holds_safe_mode() const;
  [[nodiscard]] std::string prompt(std::string_view menu) const;

  script::Runner& runner_;
  model::Caller caller_;
  std::shared_ptr<script::Job> job_;
  std::string menu_;  // where the last command ended
};

}  // namespace maclane::door
