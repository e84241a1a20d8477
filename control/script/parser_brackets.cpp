// What stands open where a text is wrong: behind a bracket or a quote that nobody closed, words are
// read as something that they are not, and it is not they that are wrong. See parser_parts.h.
#include "control/script/letters.h"
#include "control/script/parser_parts.h"

namespace maclane::script {
namespace {

char closer_of(char open) {
  return open == '[' ? ']' : open == '(' ? ')' : '}';
}

/// Reads brackets and quotes alone.
class Brackets {
 public:
  Brackets(std::string_view text, size_t begin, size_t wrong) : text_(text), wrong_(wrong) {
    for (at_ = begin; at_ < text_.size() && !stray_; ++at_) {
      if (open_.empty() || text_[open_.back()] != '"') {
        outside();
      } else {
        inside_quotes();
      }
    }
    while (!stray_ && !open_.empty()) leave_open();
  }

  /// The innermost that was not closed and has the wrong place behind it.
  [[nodiscard]] std::optional<size_t> unclosed() const { return unclosed_; }
  /// A quote has none that it pairs up with, somewhere behind the last before the wrong place.
  [[nodiscard]] std::optional<size_t> odd_quote() const {
    return odd_ ? last_quote_ : std::nullopt;
  }

 private:
  void outside() {
    const char c = text_[at_];
    if (c == '\\') {
      ++at_;
    } else if (c == '"' || c == '[' || c == '(' || c == '{') {
      open();
    } else if (c == ']' || c == ')' || c == '}') {
      close(c);
    } else if (c == '#' && (at_ == 0 || std::string_view(" \t\r\n;{[()]}=").find(text_[at_ - 1]) !=
                                            std::string_view::npos)) {
      while (at_ + 1 < text_.size() && !is_line_end(text_[at_ + 1])) ++at_;
    }
  }

  void inside_quotes() {
    const char c = text_[at_];
    const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (c == '\\') {
      ++at_;
    } else if (c == '"') {
      open_.pop_back();
    } else if (c == '$' && (next == '[' || next == '(')) {
      ++at_;
      open();
    }
  }

  void open() {
    if (text_[at_] == '"' && at_ < wrong_) last_quote_ = at_;
    open_.push_back(at_);
  }

  void close(char closer) {
    size_t mate = open_.size();  // above it stands what is not closed; not beyond a quote
    while (mate > 0 && text_[open_[mate - 1]] != '"' && closer_of(text_[open_[mate - 1]]) != closer)
      --mate;
    stray_ = mate == 0 || text_[open_[mate - 1]] == '"';
    if (stray_) return;
    while (open_.size() > mate) leave_open();
    open_.pop_back();
  }

  /// The last that is open stays so.
  void leave_open() {
    const size_t at = open_.back();
    open_.pop_back();
    if (text_[at] == '"') {
      odd_ = true;
    } else if (at < wrong_ && wrong_ <= at_ && (!unclosed_ || *unclosed_ < at)) {
      unclosed_ = at;
    }
  }

  std::string_view text_;
  size_t wrong_;
  size_t at_ = 0;
  std::vector<size_t> open_;
  std::optional<size_t> unclosed_, last_quote_;
  bool odd_ = false;
  bool stray_ = false;  // what closes where nothing is open says so itself
};

}  // namespace

void Parser::blame_what_is_open(size_t begin) {
  if (!error_ || error_->incomplete || completion_ != nullptr) return;
  const size_t wrong = error_->place.offset;
  const Brackets brackets(text_, begin, wrong);
  if (const auto quote = brackets.odd_quote()) {
    error_ = SyntaxError{"syntax error",
                         "the quotes from here on do not pair up: one of them is not closed",
                         place(*quote), false};
  } else if (const auto open = brackets.unclosed()) {
    const char bracket = text_[*open];
    error_ = SyntaxError{bracket == '['   ? "expected closing bracket"
                         : bracket == '{' ? "expected closing brace"
                                          : "syntax error",
                         std::string("there is no ") + closer_of(bracket) + " for this " + bracket,
                         place(*open), false};
  }
}

}  // namespace maclane::script
