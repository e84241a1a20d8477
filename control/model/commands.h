// Commands: the one place where every door asks for something to be done.
//
// A door turns its own syntax into a Call and says who asks. run() finds the menu and the command,
// checks the caller's policies, brings the arguments into canonical form by the command's
// properties, and carries it out: what every menu has (print, get, find, listen, add, set, unset,
// remove, enable, disable, comment, move) here, everything else by the handler that was registered
// for it. No door knows a menu by name.
//
// What a caller may find out and change:
//   print    proplist, from (rows), count-only -> rows | ret; interval, follow: goes on
//   get      numbers, value-name -> ret         find  -> ret "*1;*2" and rows of ids alone
//   add      property=value ..., place-before, copy-from -> ret "*3"
//   set      numbers, property=value ..., !property= (unset)      unset  numbers, value-name
//   remove, enable, disable  numbers            comment  numbers, comment
//   move     numbers, destination (none: to the end)
//   listen   goes on: rows that change, `.dead` those that went
// Rows are named by `numbers` or `.id`: a name, *ID or index, several with commas (D-28), or are
// all those a filter finds. Each call is one change, carried out entirely or not at all.
//
// A Failure's first error begins with RouterOS's own words ("no such item", "unknown parameter x",
// "input does not match any value of x", "missing =x="), which clients compare. Control thread
// only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/model/model.h"

namespace maclane::model {

/// Whether a row is meant: a `where` expression, or the query of the API.
using Filter = std::function<bool(const PrintRow&)>;

/// One command as a door understood it.
struct Call {
  std::string path;  // any spelling of a menu
  std::string command;
  std::vector<std::pair<std::string, std::string>> arguments;  // in order; a flag has value ""
  Filter filter;                      // empty: every row, or those `numbers` names
  std::vector<std::string> proplist;  // print: only these properties are wanted

  // For handlers, filled in by Commands: the menu, and the rows a command with Command::kRows is
  // for, as ids, stored and dynamic alike.
  const Menu* menu = nullptr;
  std::vector<std::string> rows;

  [[nodiscard]] bool has(std::string_view argument) const;
  /// "" if it is not there; a handler sees canonical values, defaults included.
  [[nodiscard]] std::string_view get(std::string_view argument) const;
  [[nodiscard]] bool is_on(std::string_view flag) const { return get(flag) == "true"; }
};

/// What can be done in place of what was refused, for a person to say: one key for each way.
struct Choice {
  struct Way {
    char key;
    std::string_view value;  // of the argument, canonical; "": it is left as it is
  };
  std::string question;
  std::string_view argument;
  std::vector<Way> ways;
};

struct Failure {
  Trouble category = Trouble::kGeneral;
  Errors errors;
  bool denied = false;  // the caller lacks a policy
  std::optional<Choice> choice;

  /// The errors as one text, a line each.
  [[nodiscard]] std::string text() const;
};
template <typename T>
using Answer = tl::expected<T, Failure>;

[[nodiscard]] tl::unexpected<Failure> refuse(Trouble category, std::string message);
[[nodiscard]] tl::unexpected<Failure> refuse(Errors errors);

/// A command that goes on: ping, torch, monitor, listen. Whoever holds it calls step() when
/// next_deadline() has come, and stop() when its client goes away or wants no more; destroying it
/// stops it too.
class Running {
 public:
  enum class State : uint8_t { kGoesOn, kDone, kFailed };
  Running() = default;
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  virtual ~Running() = default;
  /// When it wants to be called next, on steady_ms().
  [[nodiscard]] virtual uint64_t next_deadline() const = 0;
  /// Appends the rows it has to say now.
  virtual State step(uint64_t now_ms, std::vector<PrintRow>& rows) = 0;
  virtual void stop() {}
  /// What it says beside its rows since it was last asked: what a script wrote, for who reads text.
  [[nodiscard]] virtual std::string take_text() { return {}; }
  /// After kDone: what the command's end carries beside its rows.
  [[nodiscard]] virtual Fields result() const { return {}; }
  /// After kFailed: why.
  [[nodiscard]] virtual const Failure& failure() const;
};

/// Milliseconds on the steady clock.
[[nodiscard]] uint64_t steady_ms();

struct Outcome {
  std::vector<PrintRow> rows;
  Fields result;                      // what !done carries: "ret"
  std::string text;                   // a text as such: an export, a message
  std::function<std::string()> json;  // what the text says, for programs; empty: nothing more
  std::unique_ptr<Running> running;
  std::vector<std::string> warnings;  // sentences; it was carried out all the same

  [[nodiscard]] std::string_view ret() const;
};

/// Whether a caller has all of these policies; what: the sentence's subject, "export file=".
[[nodiscard]] Answer<void> permitted(std::string_view what, Policies policies,
                                     const Caller& caller);
/// Whether a caller may make files, as with /file/add.
[[nodiscard]] Answer<void> may_write_files(std::string_view what, const Caller& caller);
/// Whether a caller has the policies of all menus in which two trees differ, for commands that
/// change many at once.
[[nodiscard]] Answer<void> may_change(const Tree& before, const Tree& after, const Caller& caller);

class Commands {
 public:
  using Handler = std::function<Answer<Outcome>(const Call&, const Caller&)>;

  explicit Commands(Model& model);
  Commands(const Commands&) = delete;
  Commands& operator=(const Commands&) = delete;

  /// Registers what carries out a command of the schema (Menu::commands, or one of its kind to be
  /// carried out in another way). A command the schema does not have is a mistake of ours: it ends
  /// the process with a message.
  void on(std::string_view path, std::string_view command, Handler handler);
  /// Commands of Menu::commands that nothing carries out, "/path command".
  [[nodiscard]] std::vector<std::string> unhandled() const;

  Answer<Outcome> run(const Call& call, const Caller& caller);

  [[nodiscard]] Model& model() { return model_; }

 private:
  Answer<Outcome> carry_out(Call call, const Command& command, const Caller& caller);

  Model& model_;
  std::map<std::pair<std::string, std::string>, Handler, std::less<>> handlers_;
};

}  // namespace maclane::model
