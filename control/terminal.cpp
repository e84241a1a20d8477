#include "control/terminal.h"

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

char read_key() {
  termios before{};
  if (::tcgetattr(STDIN_FILENO, &before) != 0) return 0;
  termios raw = before;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  (void)::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  char key = 0;
  if (::read(STDIN_FILENO, &key, 1) != 1) key = 0;
  (void)::tcsetattr(STDIN_FILENO, TCSANOW, &before);
  return key;
}

bool agrees(const std::string& question) {
  std::cout << question << " [y/N]: " << std::flush;
  const char key = read_key();
  if (key > ' ') std::cout << key;
  std::cout << std::endl;
  return key == 'y' || key == 'Y';
}

}  // namespace maclane::console
