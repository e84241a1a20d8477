#include "control/terminal.h"

#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

namespace maclane::console {

bool is_terminal() {
  return ::isatty(STDOUT_FILENO) == 1;
}

bool wants_colour(int fd) {
  return ::isatty(fd) == 1 && std::getenv("NO_COLOR") == nullptr;
}

winsize terminal_size() {
  winsize size{};
  if (!is_terminal() || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) size = {};
  return size;
}

Keys::Keys() {
  taken_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
  if (!taken_) return;
  termios raw = before_;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  (void)::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

Keys::~Keys() {
  if (taken_) (void)::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

char Keys::pressed() const {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  char key = 0;
  if (!taken_ || ::poll(&input, 1, 0) != 1 || ::read(STDIN_FILENO, &key, 1) != 1) return 0;
  return key;
}

char read_key() {
  const Keys keys;
  char key = 0;
  return ::read(STDIN_FILENO, &key, 1) == 1 ? key : '\0';
}

namespace {

std::optional<std::string> typed_line(bool hidden) {
  termios before{};
  const bool quiet = hidden && ::tcgetattr(STDIN_FILENO, &before) == 0;
  if (quiet) {
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    (void)::tcsetattr(STDIN_FILENO, TCSANOW, &silent);
  }
  std::string line;
  char key = 0;
  bool whole = false;
  while (!whole && ::read(STDIN_FILENO, &key, 1) == 1) {
    whole = key == '\n';
    if (!whole) line += key;
  }
  if (quiet) (void)::tcsetattr(STDIN_FILENO, TCSANOW, &before);
  if (quiet || !whole) std::cout << std::endl;
  if (!whole) return std::nullopt;
  return line;
}

}  // namespace

std::optional<std::string> answer_to(const std::string& question, bool line, bool hidden) {
  std::cout << question << (line ? "" : " [y/N]: ") << std::flush;
  if (line) return typed_line(hidden);
  const char key = read_key();
  if (key > ' ') std::cout << key;
  std::cout << std::endl;
  if (key != 'y' && key != 'Y') return std::nullopt;
  return "y";
}

}  // namespace maclane::console
