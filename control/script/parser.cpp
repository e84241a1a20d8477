// Texts, blocks and commands. See parser.h and parser_parts.h.
#include "control/script/parser.h"

#include "control/script/letters.h"
#include "control/script/parser_parts.h"

namespace maclane::script {
namespace {

// What a node of the tree takes, generously.
constexpr size_t kNodeBytes = 320;
// What editors of Windows put before the text of a file.
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

Parser::Parser(const Words& words, std::string_view text, const ParseOptions& options)
    : words_(words), text_(text), menu_(options.menu) {
  if (text_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
  lines_.push_back(at_);
  for (size_t i = at_; i < text_.size(); ++i) {
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
  blame_what_is_open(0);
  return failed() ? nullptr : block;
}

std::unique_ptr<const Command> Parser::next() {
  nodes_ = 0;
  const size_t begin = at_;
  auto command = parse_next('\0', menu_, 0);
  blame_what_is_open(begin);
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
    const MenuWord* here = words_.root().at(menu);
    if (wanted(at_) && here != nullptr && begins_command()) offer_path(at_, *here, true, false);
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
    if (command->where == nullptr) return nullptr;
    skip_blanks(false);
    if (c != '(' || at_command_end()) return command;
    command->kind = Command::Kind::kCall;  // (a function) with arguments
    CommandWord any;
    any.any_parameter = true;
    if (!parse_arguments(*command, any, {menu})) return nullptr;
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

const std::string& Reader::menu() const {
  return parser_->menu();
}

tl::expected<std::unique_ptr<const Command>, SyntaxError> Reader::next() {
  auto command = parser_->next();
  if (parser_->error()) return tl::make_unexpected(*parser_->error());
  return command;
}

std::optional<SyntaxError> mistake_in(const Words& words, std::string_view text) {
  Reader reader(words, text);
  while (true) {
    const auto command = reader.next();
    if (!command) return command.error();
    if (*command == nullptr) return std::nullopt;
  }
}

}  // namespace maclane::script
