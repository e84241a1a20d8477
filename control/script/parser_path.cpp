// The walk along a path to a menu or a command, and words that are none. See parser_parts.h.
#include <algorithm>

#include "control/model/nearest.h"
#include "control/script/letters.h"
#include "control/script/parser_parts.h"

namespace maclane::script {

Parser::Found Parser::resolve(const MenuWord& here, std::string_view word, bool first,
                              bool root) const {
  const MenuWord& top = words_.root();
  const bool may_be_top = first && !root && &here != &top;
  const auto exact = [&](const MenuWord& in) -> Found {
    if (const auto menu = in.menus.find(word); menu != in.menus.end()) {
      return {menu->second.get(), nullptr, {}};
    }
    if (const auto command = in.commands.find(word); command != in.commands.end()) {
      return {nullptr, &command->second, {}};
    }
    return {};
  };
  std::vector<std::string> several;
  const auto prefix = [&](const MenuWord& in) -> Found {
    several.clear();
    Found found;
    for (auto menu = in.menus.lower_bound(word);
         menu != in.menus.end() && menu->first.starts_with(word); ++menu) {
      several.push_back(menu->first);
      found = {menu->second.get(), nullptr, {}};
    }
    for (auto command = in.commands.lower_bound(word);
         command != in.commands.end() && command->first.starts_with(word); ++command) {
      several.push_back(command->first);
      found = {nullptr, &command->second, {}};
    }
    return several.size() == 1 ? found : Found{};
  };
  const auto is_found = [](const Found& one) {
    return one.menu != nullptr || one.command != nullptr;
  };
  if (Found found = exact(here); is_found(found)) return found;
  if (may_be_top) {
    if (Found found = exact(top); is_found(found)) return found;
  }
  if (Found found = prefix(here); is_found(found)) return found;
  std::vector<std::string> meant = several;
  if (may_be_top) {
    if (Found found = prefix(top); is_found(found) && meant.empty()) return found;
    if (meant.empty()) meant = several;
  }
  std::sort(meant.begin(), meant.end());
  const std::string written(word);
  if (meant.size() > 1) {
    const std::vector<std::string_view> views(meant.begin(), meant.end());
    return {nullptr, nullptr, "it can be " + model::any_of(views) + ": write more of it"};
  }
  const std::string path = here.path + "/" + written;
  if (std::string later = model::later_sentence(path); !later.empty()) {
    return {nullptr, nullptr, std::move(later)};
  }
  std::vector<std::string_view> names;
  for (const auto& [name, menu] : here.menus) names.push_back(name);
  for (const auto& [name, command] : here.commands) names.push_back(name);
  const std::string hint = model::did_you_mean(word, names);
  const std::string place = here.path.empty() ? "there is no command or menu " + written
                                              : here.path + " has no command or menu " + written;
  return {nullptr, nullptr, place + hint};
}

std::unique_ptr<Command> Parser::parse_path(std::string& menu, char) {
  auto command = std::make_unique<Command>();
  command->place = place(at_);
  bool root = false;
  const MenuWord* here = words_.root().at(menu);
  if (peek() == ':' || peek() == '/') {
    root = true;
    here = &words_.root();
    while (peek() == ':' || peek() == '/') {
      ++at_;
      skip_blanks(false);
    }
  }
  if (here == nullptr) return parse_lost(menu);
  for (bool first = true; !failed(); first = false) {
    if (starts("..")) {
      at_ += 2;
      const std::string up = here->path.substr(0, here->path.rfind('/'));
      here = here->path.empty() ? here : words_.root().at(up);
    } else {
      const size_t begin = at_;
      while (is_word_letter(peek())) ++at_;
      const std::string_view word = text_.substr(begin, at_ - begin);
      if (wanted(begin)) offer_path(begin, *here, first, root);
      if (word.empty()) {
        if (peek() == '{' && !(first && !root)) {
          command->kind = Command::Kind::kBlock;
          command->path = here->path;
          command->block = parse_braces({here->path}, false);
          return command;
        }
        if (!at_command_end()) {
          fail(at_, first ? "expected command name" : "syntax error");
          return nullptr;
        }
        break;
      }
      const char after = peek();
      if (!at_command_end() && after != ' ' && after != '\t' && after != '/' && after != '{' &&
          after != '\\') {
        fail(at_, "syntax error");
        return nullptr;
      }
      Found found = resolve(*here, word, first, root);
      if (found.menu == nullptr) {
        command->place = place(begin);
        command->path = here->path;
        command->name = word;
        if (found.command == nullptr) return parse_bad(menu, *here, begin, found.trouble);
        if (after == '/') {
          fail(at_, "syntax error", "the path goes on after the command " + found.command->name);
          return nullptr;
        }
        const bool builtin = found.command->builtin != Builtin::kNone;
        command->kind = builtin ? Command::Kind::kBuiltin : Command::Kind::kMenu;
        command->builtin = found.command->builtin;
        command->name = found.command->name;
        // A command found at the root although the text stands elsewhere.
        if (!here->commands.contains(found.command->name)) command->path.clear();
        const Around around{builtin ? menu : command->path, nullptr, false};
        if (!parse_arguments(*command, *found.command, around)) return nullptr;
        return command;
      }
      here = found.menu;
    }
    skip_blanks(false);
    if (peek() == '/') {
      ++at_;
      skip_blanks(false);
    }
  }
  if (failed()) return nullptr;
  command->kind = Command::Kind::kEnter;
  command->path = here->path;
  menu = here->path;
  return command;
}

/// A word that is no command. A path alone that leads nowhere leaves the text in a menu that is not
/// there, so that what follows is not taken for commands of another one.
std::unique_ptr<Command> Parser::parse_bad(std::string& menu, const MenuWord& here, size_t begin,
                                           const std::string& trouble) {
  auto command = std::make_unique<Command>();
  const std::string_view word = text_.substr(begin, at_ - begin);
  command->kind = Command::Kind::kBad;
  command->place = place(begin);
  command->path = here.path;
  command->name = word;
  command->message =
      SyntaxError{"bad command name " + std::string(word), trouble, place(begin), false}.text();
  std::string path = here.path + "/" + std::string(word);
  bool only_words = true;
  while (true) {
    skip_blanks(false);
    if (failed()) return nullptr;
    if (at_command_end()) break;
    if (peek() == '/') {
      ++at_;
      continue;
    }
    const size_t length = name_length(at_);
    const size_t after = at_ + length;
    const bool plain = length != 0 && (after == text_.size() ||
                                       std::string_view(" \t\r\n;/]})").find(text_[after]) !=
                                           std::string_view::npos);
    if (!plain) {
      only_words = false;
      break;
    }
    path += "/" + std::string(text_.substr(at_, length));
    at_ = after;
  }
  if (only_words && at_command_end()) menu = path;
  if (!skip_arguments(path)) return nullptr;
  return command;
}

/// A command in a menu that is not there: the language's own, or none.
std::unique_ptr<Command> Parser::parse_lost(std::string& menu) {
  const size_t begin = at_;
  while (is_word_letter(peek())) ++at_;
  const std::string_view word = text_.substr(begin, at_ - begin);
  static constexpr std::string_view kMenuCommands[] = {"add", "set",    "find",   "print",
                                                       "get", "remove", "enable", "disable"};
  const bool of_menu = std::find(std::begin(kMenuCommands), std::end(kMenuCommands), word) !=
                       std::end(kMenuCommands);
  const auto builtin = words_.root().commands.find(word);
  if (!of_menu && builtin != words_.root().commands.end() &&
      builtin->second.builtin != Builtin::kNone) {
    auto command = std::make_unique<Command>();
    command->kind = Command::Kind::kBuiltin;
    command->place = place(begin);
    command->builtin = builtin->second.builtin;
    command->name = word;
    if (!parse_arguments(*command, builtin->second, {menu})) return nullptr;
    return command;
  }
  std::string why = model::later_sentence(menu);
  if (why.empty()) why = "there is no menu " + menu;
  auto command = std::make_unique<Command>();
  command->kind = Command::Kind::kBad;
  command->place = place(begin);
  command->path = menu;
  command->name = word;
  command->message =
      SyntaxError{"bad command name " + std::string(word), why, place(begin), false}.text();
  if (!skip_arguments(menu)) return nullptr;
  return command;
}

/// What follows a word that is no command: only quotes and brackets have to close.
bool Parser::skip_arguments(const std::string& menu) {
  const Around around{menu};
  while (true) {
    skip_blanks(false);
    if (failed()) return false;
    if (at_command_end()) return true;
    bool read = true;
    switch (peek()) {
      case '"':
        read = parse_string(around) != nullptr;
        break;
      case '[':
        read = parse_substitution(around) != nullptr;
        break;
      case '(':
        read = parse_paren(around) != nullptr;
        break;
      case '{':
        read = skip_braces();
        break;
      default:
        if (raw_word(false).empty()) ++at_;
    }
    if (!read) return false;
  }
}

/// Commands or an array, whichever: to the } that closes.
bool Parser::skip_braces() {
  const size_t open = at_;
  int depth = 0;
  while (!at_end()) {
    const char c = peek();
    if (c == '"') {
      if (parse_string({}) == nullptr) return false;
      continue;
    }
    ++at_;
    if (c == '{') ++depth;
    if (c == '}' && --depth == 0) return true;
  }
  return fail(open, "expected closing brace", "there is no } for this {", true);
}

}  // namespace maclane::script
