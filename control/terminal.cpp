#include "control/terminal.h"

#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

namespace maclane::console {

std::atomic<bool> interrupted{false};

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

std::optional<std::string> typed_answer(const std::string& question, bool hidden) {
  std::cout << question << std::flush;
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

std::optional<std::string> pressed_answer(const std::string& question, std::string_view keys) {
  constexpr char kControlC = 3;
  constexpr char kControlD = 4;
  const bool yes = keys.size() == 1;
  std::string offered;
  for (const char key : keys) offered += std::string(offered.empty() ? "" : "/") + key;
  std::cout << question << " [" << offered << (yes ? "/N]: " : "]: ") << std::flush;
  char key = 0;
  size_t found = std::string_view::npos;
  do {
    key = read_key();
    const char small = key >= 'A' && key <= 'Z' ? static_cast<char>(key - 'A' + 'a') : key;
    found = key == 0 ? found : keys.find(small);
  } while (found == std::string_view::npos && !yes && key != 0 && key != kControlC &&
           key != kControlD);
  if (key > ' ') std::cout << key;
  std::cout << std::endl;
  if (found == std::string_view::npos) return std::nullopt;
  return std::string(1, keys[found]);
}

}  // namespace maclane::console
