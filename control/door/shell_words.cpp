// Quotes that the shell took away. See shell_words.h.
#include "control/door/shell_words.h"

#include <string_view>

namespace maclane::door {

std::string join_words(const std::vector<std::string>& words) {
  if (words.size() == 1) return words.front();  // a whole line in one argument
  std::string line;
  for (const std::string& word : words) {
    if (!line.empty()) line += ' ';
    const size_t name =
        word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");
    const bool is_pair = name != std::string::npos && name != 0 &&
                         (word[name] == '=' || word[name] == '~' || word[name] == '!');
    const size_t op = is_pair ? word.find_first_of("=~", name) : std::string::npos;
    const std::string value = op == std::string::npos ? "" : word.substr(op + 1);
    const bool spaces =
        value.find_first_of(" \t") != std::string::npos && value.find('=') == std::string::npos;
    const bool groups = op != std::string::npos && word[op] == '~' &&
                        value.find_first_of("(|&") != std::string::npos;
    if ((op != std::string::npos && value.find('"') == std::string::npos && (spaces || groups)) ||
        (op != std::string::npos && value.empty())) {
      std::string quoted;
      for (char c : value) {
        if (c == '\\') quoted += '\\';
        quoted += c;
      }
      line += word.substr(0, op + 1) + '"' + quoted + '"';
    } else {
      line += word;
    }
  }
  return line;
}

std::string quoted_words(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) {
    if (!line.empty()) line += ' ';
    const size_t equals = word.find('=');
    if (equals == std::string::npos) {
      line += word;
      continue;
    }
    line.append(word, 0, equals + 1);
    line += '"';
    for (const char c : std::string_view(word).substr(equals + 1)) {
      if (c == '"' || c == '\\' || c == '$') line += '\\';
      if (c == '\n') {
        line += "\\n";
      } else if (c == '\r') {
        line += "\\r";
      } else {
        line += c;
      }
    }
    line += '"';
  }
  return line;
}

}  // namespace maclane::door
