// What the console does with lines: sends them, shows what comes, points at mistakes, and asks for
// more at a prompt. For maclanectl; one thread.
#pragma once

#include <cstdint>
#include <string>

#include "control/door/console_client.h"

namespace maclane::console {

enum Exit : int { kDone = 0, kRefused = 1, kUsage = 2, kNoRouter = 3 };

struct Options {
  std::string socket;
  bool json = false;
};

class Session {
 public:
  explicit Session(const Options& options)
      : options_(options), client_(options.socket, [this](const door::Json& it) { noticed(it); }) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// One command; a path alone prints its rows.
  int run_once(const std::string& line);
  /// The same of a line that a program made (a file is in it): mistakes are not pointed at.
  int run_made(const std::string& line);
  /// Many lines: the first that fails ends them. name is the file's, for messages.
  int run_lines(const std::string& text, const std::string& name);
  /// Lines from a terminal.
  int prompt();
  void list_menus();
  /// A mistake, on stderr: the sentence; for who asked for JSON one object on a line, with the exit
  /// code and what else is known (file, line, column).
  void complain(const std::string& sentence, int code,
                const door::Json& where = door::Json::object()) const;

  // for the line editor
  [[nodiscard]] door::Json complete(const std::string& text);
  /// To be polled while nothing is asked; -1: not connected.
  [[nodiscard]] int fd() const { return client_.fd(); }
  /// Shows what the router says without having been asked; false: nothing.
  bool hear();
  [[nodiscard]] const std::string& line_prompt() const { return prompt_; }

 private:
  struct Answer {
    int code = kDone;
    bool said = false;  // it wrote something
    bool quit = false;
    std::string menu;
  };
  Answer send(const std::string& text, bool pieces, const std::string& name);
  void show(const std::string& text, bool whole);
  void warn(const std::string& text) const;
  void point_at(const door::Json& done, const std::string& text, const std::string& name) const;
  void remember_prompt();
  void noticed(const door::Json& notice);
  void leave_safe_mode();

  Options options_;
  door::ConsoleClient client_;
  std::string menu_;
  std::string prompt_;
  bool interactive_ = false;
  bool points_ = true;     // at the word a mistake is about
  size_t lines_ = 0;       // shown since the last page ended
  bool skipping_ = false;  // the rest of this output is not wanted
};

}  // namespace maclane::console
