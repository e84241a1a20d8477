// The parser's own parts. Included by parser*.cpp only.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "control/script/parser.h"

namespace maclane::script {

class Parser {
 public:
  Parser(const Words& words, std::string_view text, const ParseOptions& options);

  /// The whole text; nullptr with error() set.
  std::shared_ptr<const Block> run();
  /// The next command of the text; null at its end, or with error() set.
  std::unique_ptr<const Command> next();
  [[nodiscard]] const std::string& menu() const { return menu_; }
  [[nodiscard]] const std::optional<SyntaxError>& error() const { return error_; }
  /// Collects what can stand at the end of the text.
  void watch(Completion& completion) { completion_ = &completion; }

 private:
  using ExpressionMaker = std::unique_ptr<Expression>;
  struct Scope {
    std::set<std::string, std::less<>> names;
    bool function = false;  // nothing outside is seen
  };
  struct Deeper {
    explicit Deeper(int& depth) : depth_(depth) { ++depth_; }
    ~Deeper() { --depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;
    int& depth_;
  };
  /// What stands around a piece of text.
  struct Around {
    std::string menu;                // commands and paths are relative to it
    const MenuWord* rows = nullptr;  // in a where expression: of these rows
    bool lines = false;              // an end of line is a blank
  };

  // parser_text.cpp: letters and words
  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  [[nodiscard]] char peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  [[nodiscard]] bool starts(std::string_view what) const {
    return text_.substr(at_, what.size()) == what;
  }
  [[nodiscard]] Place place(size_t offset) const;
  bool fail(size_t offset, std::string what, std::string why = {}, bool incomplete = false);
  [[nodiscard]] bool failed() const { return error_.has_value(); }
  /// Passes over blanks and joined lines; with lines, over ends of lines and comments too.
  void skip_blanks(bool lines);
  void skip_comment();
  [[nodiscard]] bool at_command_end() const;
  [[nodiscard]] size_t name_length(size_t from) const;  // of a parameter's or property's name
  [[nodiscard]] bool keyword(std::string_view word) const;
  std::string_view raw_word(bool in_where);
  ExpressionMaker parse_string(const Around& around);
  bool parse_escape(std::string& out);
  [[nodiscard]] ExpressionMaker make(Expression::Kind kind, size_t offset);
  void count_node();

  // parser.cpp: blocks and commands
  std::shared_ptr<const Block> parse_block(char end, std::string& menu, size_t open);
  std::unique_ptr<Command> parse_next(char end, std::string& menu, size_t open);
  std::shared_ptr<const Block> parse_braces(const Around& around, bool function);
  std::unique_ptr<Command> parse_command(std::string& menu, char end);
  std::unique_ptr<Command> parse_path(std::string& menu, char end);
  std::unique_ptr<Command> parse_call(const std::string& menu);
  std::unique_ptr<Command> parse_bad(std::string& menu, const MenuWord& here, size_t begin,
                                     const std::string& trouble);
  std::unique_ptr<Command> parse_lost(std::string& menu);
  bool skip_arguments(const std::string& menu);
  bool skip_braces();
  struct Found {
    const MenuWord* menu = nullptr;
    const CommandWord* command = nullptr;
    std::string trouble;  // why there is none
  };
  [[nodiscard]] Found resolve(const MenuWord& here, std::string_view word, bool first,
                              bool root) const;

  // parser_arguments.cpp
  bool parse_arguments(Command& command, const CommandWord& word, const Around& around);
  bool parse_argument(Command& command, const CommandWord& word, const Around& around,
                      size_t& next_positional);
  bool parse_parameter(Command& command, const Parameter& parameter, Argument argument,
                       const Around& around);
  bool parse_target(Argument& argument, const Around& around);
  bool parse_variable_name(std::string& name);
  bool unknown_parameter(const Command& command, const CommandWord& word, size_t offset,
                         std::string_view name);
  bool valueless(const Parameter& parameter, size_t end);
  void declare(const std::string& name) { scopes_.back().names.insert(name); }
  [[nodiscard]] bool is_declared(std::string_view name) const;

  // parser_expression.cpp
  ExpressionPtr parse_value(const Around& around);
  ExpressionPtr parse_expression(const Around& around, int level = 0);
  ExpressionPtr parse_operand(const Around& around, bool right_side);
  ExpressionPtr parse_paren(const Around& around);
  ExpressionPtr parse_quote(const Around& around);
  ExpressionPtr parse_array(const Around& around);
  ExpressionPtr parse_variable();
  ExpressionPtr parse_substitution(const Around& around);
  ExpressionPtr parse_where(const Around& around);
  std::optional<Operator> parse_operator(const Around& around, int level);
  bool check_comparison(Expression& comparison, const Around& around);

  // parser_brackets.cpp
  /// Where the text is wrong behind a bracket or quote that is not closed, that is the mistake.
  /// begin: where what is wrong began; linear in the text.
  void blame_what_is_open(size_t begin);

  // parser_complete.cpp
  /// Whether the word that begins at an offset reaches the end of the text.
  [[nodiscard]] bool wanted(size_t begin) const {
    if (completion_ == nullptr || !at_end() || begin < completion_->begin) return false;
    // At the very end a new word begins only behind what separates words.
    return begin < text_.size() || begin == 0 ||
           std::string_view(" \t\r\n;{[(=/:").find(text_[begin - 1]) != std::string_view::npos;
  }
  /// Whether a command can begin at the end of the text.
  [[nodiscard]] bool begins_command() const;
  void offer(size_t begin, Completion::Kind kind, std::string_view text, std::string_view help);
  void offer_path(size_t begin, const MenuWord& here, bool first, bool root);
  void offer_parameters(size_t begin, const Command& command, const CommandWord& word);
  void offer_value(size_t begin, const Command& command, const Parameter& parameter);
  void offer_properties(size_t begin, const MenuWord& rows);
  /// The value that a row's property is compared with.
  void offer_compared(size_t begin, const MenuWord& rows, const model::Property& property);
  /// What can be taken away by !NAME.
  void offer_unset(size_t begin, const Command& command, const CommandWord& word);
  void offer_values_of(size_t begin, const model::Property& property);
  void offer_variables(size_t begin);

  const Words& words_;
  std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
  size_t nodes_ = 0;
  std::vector<size_t> lines_;  // where each begins
  std::vector<Scope> scopes_;
  std::string menu_;
  std::optional<SyntaxError> error_;
  Completion* completion_ = nullptr;
  const model::Property* compared_ = nullptr;  // with what follows
};

/// What an escape in a text stands for; nullopt: it is none.
[[nodiscard]] std::optional<char> plain_escape(char letter);

}  // namespace maclane::script
