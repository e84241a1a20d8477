// The terminal that maclanectl runs at: what it can, and keys pressed at it. One thread.
#pragma once

#include <sys/ioctl.h>
#include <termios.h>

#include <string>

namespace maclane::console {

/// Whether what is written to standard output is seen by a person.
[[nodiscard]] bool is_terminal();
[[nodiscard]] bool wants_colour(int fd);
/// Rows and columns; 0 where there is no terminal.
[[nodiscard]] winsize terminal_size();

/// One key, without waiting for a whole line; 0: none comes any more, or a signal came.
[[nodiscard]] char read_key();
/// Keys pressed while something else goes on: they are not shown, and need no Enter. What the
/// terminal was is given back at the end.
class Keys {
 public:
  Keys();
  ~Keys();
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;
  /// 0: none is pressed. Does not wait.
  [[nodiscard]] char pressed() const;

 private:
  termios before_{};
  bool taken_ = false;
};

/// A question that one key answers: y is yes, all others are no, and so is a signal (Control-C).
[[nodiscard]] bool agrees(const std::string& question);

}  // namespace maclane::console
