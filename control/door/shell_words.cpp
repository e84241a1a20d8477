// Quotes that the shell took away. See shell_words.h.
#include "control/door/shell_words.h"

#include <string_view>

namespace maclane::door {

namespace {

/// As a text of the language that is nothing but this.
std::string quoted_value(std::string_view value) {
  std::string out = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\' || c == '$') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else {
      out += c;
    }
  }
  return out + '"';
}

/// Whether a command would end within it: what its own brackets and quotes do not hold together.
bool is_cut(std::string_view value) {
  int depth = 0;
  bool quotes = false;
  for (size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (c == '\\') {
      ++i;
    } else if (c == '"') {
      quotes = !quotes;
    } else if (!quotes && std::string_view("{[(").find(c) != std::string_view::npos) {
      ++depth;
    } else if (!quotes && std::string_view("}])").find(c) != std::string_view::npos) {
      --depth;
    } else if (!quotes && depth <= 0 && (c == ';' || c == '\n' || c == '\r')) {
      return true;
    }
  }
  return quotes || depth != 0;
}

}  // namespace

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
    if (op == std::string::npos) {
      line += word;
      continue;
    }
    const std::string value = word.substr(op + 1);
    const bool spaces =
        value.find_first_of(" \t") != std::string::npos && value.find('=') == std::string::npos;
    const bool groups = word[op] == '~' && value.find_first_of("(|&") != std::string::npos;
    const bool plain = value.find('"') == std::string::npos && (spaces || groups);
    // "(name=a" is the beginning of what later words end.
    const bool cut =
        word[op] == '=' && value.find_first_of(";\r\n") != std::string::npos && is_cut(value);
    line += plain || cut || value.empty() ? word.substr(0, op + 1) + quoted_value(value) : word;
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
    line += quoted_value(std::string_view(word).substr(equals + 1));
  }
  return line;
}

}  // namespace maclane::door
