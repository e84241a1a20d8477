// The terminal that maclanectl runs at: what it can, and keys pressed at it. One thread.
#pragma once

#include <sys/ioctl.h>

#include <string>

namespace maclane::console {

/// Whether what is written to standard output is seen by a person.
[[nodiscard]] bool is_terminal();
[[nodiscard]] bool wants_colour(int fd);
/// Rows and columns; 0 where there is no terminal.
[[nodiscard]] winsize terminal_size();

/// One key, without waiting for a whole line; 0: none comes any more, or a signal came.
[[nodiscard]] char read_key();
/// A question that one key answers: y is yes, all others are no, and so is a signal (Control-C).
[[nodiscard]] bool agrees(const std::string& question);

}  // namespace maclane::console
