// Blocks, commands and the walk along a path. See parser.h and parser_parts.h.
#include "control/script/parser.h"

#include <algorithm>

#include "control/model/nearest.h"
#include "control/script/parser_parts.h"

namespace maclane::script {
namespace {

// What a node of the tree takes, generously.
constexpr size_t kNodeBytes = 320;

bool is_word_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

}  // namespace

Parser::Parser(const Words& words, std::string_view text, const ParseOptions& options)
    : words_(words), text_(text), menu_(options.menu) {
  lines_.push_back(0);
  for (size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\n' || (text_[i] == '\r' && text_.substr(i, 2) != "\r\n")) {
      lines_.push_back(i + 1);
    }
  }
  scopes_.push_back({{options.declared.begin(), options.declared.end()}, true});
}

std::shared_ptr<const Block> Parser::run() {
  if (text_.size() > kMaxSource) {
    fail(0, "syntax error", "a script has at most 1 MiB; a longer one can be imported from a file");
    return nullptr;
  }
  auto block = parse_block('\0', menu_, 0);
  return failed() ? nullptr : block;
}

std::unique_ptr<const Command> Parser::next() {
  nodes_ = 0;
  auto command = parse_next('\0', menu_, 0);
  return failed() ? nullptr : std::move(command);
}

std::unique_ptr<Command> Parser::parse_next(char end, std::string& menu, size_t open) {
  while (true) {
    skip_blanks(true);
    if (failed() || peek() != ';') break;
    ++at_;
  }
  if (failed()) return nullptr;
  if (at_end()) {
    if (wanted(at_)) offer_path(at_, *words_.root().at(menu), true, false);
    if (end == '}') fail(open, "expected closing brace", "there is no } for this {", true);
    if (end == ']') fail(open, "expected closing bracket", "there is no ] for this [", true);
    return nullptr;
  }
  if (end != '\0' && peek() == end) return nullptr;
  auto command = parse_command(menu, end);
  if (failed()) return nullptr;
  skip_blanks(false);
  if (failed()) return nullptr;
  if (!at_command_end()) {
    fail(at_, "expected end of command");
    return nullptr;
  }
  const char stop = peek();
  if ((stop == '}' || stop == ']' || stop == ')') && stop != end && !at_end()) {
    fail(at_, "syntax error", std::string("there is no opening bracket for this ") + stop);
    return nullptr;
  }
  return command;
}

std::shared_ptr<const Block> Parser::parse_block(char end, std::string& menu, size_t open) {
  auto block = std::make_shared<Block>();
  const size_t before = nodes_;
  while (auto command = parse_next(end, menu, open)) block->commands.push_back(std::move(command));
  if (failed()) return nullptr;
  if (end != '\0') ++at_;
  block->share.resize((nodes_ - before) * kNodeBytes);
  return block;
}

std::shared_ptr<const Block> Parser::parse_braces(const Around& around, bool function) {
  const Deeper deeper(depth_);
  if (depth_ > kMaxDepth) {
    fail(at_, "syntax error", "blocks stand deeper in each other than 64");
    return nullptr;
  }
  const size_t open = at_++;
  scopes_.push_back({{}, function});
  std::string menu = around.menu;
  auto block = parse_block('}', menu, open);
  scopes_.pop_back();
  return block;
}

std::unique_ptr<Command> Parser::parse_command(std::string& menu, char end) {
  count_node();
  const size_t begin = at_;
  const char c = peek();
  auto command = std::make_unique<Command>();
  command->place = place(begin);
  if (c == '{') {
    command->kind = Command::Kind::kBlock;
    command->path = menu;
    command->block = parse_braces({menu}, false);
    return command;
  }
  if (c == '$') return parse_call(menu);
  if (c == '(' || c == '"' || c == '[') {
    command->kind = Command::Kind::kValue;
    command->where = parse_value({menu});
    return command;
  }
  if (c == ':' || c == '/' || is_word_letter(c) || starts("..")) return parse_path(menu, end);
  fail(at_, "expected command name");
  return nullptr;
}

std::unique_ptr<Command> Parser::parse_call(const std::string& menu) {
  auto command = std::make_unique<Command>();
  command->kind = Command::Kind::kCall;
  command->place = place(at_);
  command->path = menu;
  auto function = parse_variable();
  if (function == nullptr) return nullptr;
  command->name = function->name;
  command->where = std::move(function);
  CommandWord any;
  any.any_parameter = true;
  if (!parse_arguments(*command, any, {menu})) return nullptr;
  return command;
}

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
  if (model::is_later_menu(path)) {
    return {nullptr, nullptr, path + " is known to RouterOS but not in this version of Maclane"};
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
  if (here == nullptr || peek() == ':' || peek() == '/') {
    root = peek() == ':' || peek() == '/';
    here = &words_.root();
    while (root && (peek() == ':' || peek() == '/')) {
      ++at_;
      skip_blanks(false);
    }
  }
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
        if (found.command == nullptr) {
          command->kind = Command::Kind::kBad;
          command->message = SyntaxError{"bad command name " + std::string(word), found.trouble,
                                         place(begin), false}
                                 .text();
          return skip_arguments(menu) ? std::move(command) : nullptr;
        }
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

bool Parser::skip_arguments(const std::string& menu) {
  CommandWord any;
  any.any_parameter = true;
  Command thrown_away;
  return parse_arguments(thrown_away, any, {menu});
}

tl::expected<Parsed, SyntaxError> parse(const Words& words, std::string_view text,
                                        const ParseOptions& options) {
  Parser parser(words, text, options);
  auto block = parser.run();
  if (parser.error()) return tl::make_unexpected(*parser.error());
  return Parsed{std::move(block), parser.menu()};
}

Reader::Reader(const Words& words, std::string_view text, const ParseOptions& options)
    : parser_(std::make_unique<Parser>(words, text, options)) {}
Reader::~Reader() = default;

tl::expected<std::unique_ptr<const Command>, SyntaxError> Reader::next() {
  auto command = parser_->next();
  if (parser_->error()) return tl::make_unexpected(*parser_->error());
  return command;
}

}  // namespace maclane::script
