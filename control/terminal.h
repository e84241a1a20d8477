// The terminal that maclanectl runs at: what it can, and keys pressed at it. One thread.
#pragma once

#include <sys/ioctl.h>
#include <termios.h>

#include <atomic>
#include <optional>
#include <string>
#include <string_view>

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

/// A line that a person types; hidden: it is not shown. nullopt: Control-C, or the end of the
/// input.
[[nodiscard]] std::optional<std::string> typed_answer(const std::string& question, bool hidden);
/// The one of these keys, small letters, that a person presses. Of a single one, y, any other is a
/// no; of several, one of them is waited for. nullopt: no, Control-C, or the end of the input.
[[nodiscard]] std::optional<std::string> pressed_answer(const std::string& question,
                                                        std::string_view keys);

/// Control-C was pressed while a command runs. Whoever looks at it puts it back.
extern std::atomic<bool> interrupted;

}  // namespace maclane::console
