// From a text to a syntax tree.
//
// RouterOS's grammar depends on its commands: whether a word is a menu, a command, a flag or a
// value is known only from the menus, so the parser reads letters, not tokens, and asks Words as it
// goes. It takes both spellings of a path, words written as far as they are clear, `..`, comments,
// lines joined by \, and everything the language has. Errors stop it at once, with RouterOS's
// words, the place, and a sentence of ours. A word that is no command is an error only when it is
// reached, as in RouterOS.
//
// Bounded: a text by kMaxSource, a tree by kMaxNodes, nesting by kMaxDepth; time is linear in the
// text. Any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "control/script/syntax.h"
#include "control/script/words.h"

namespace maclane::script {

inline constexpr size_t kMaxSource = size_t{1} << 20;
inline constexpr size_t kMaxNodes = 200'000;
inline constexpr int kMaxDepth = 64;

struct SyntaxError {
  std::string what;  // RouterOS's words: "syntax error", "expected end of command"
  std::string why;   // ours; may be empty
  Place place;
  bool incomplete = false;  // more text could mend it: an open brace, quote or line

  /// "expected end of command (line 1 column 5); there is no parameter x".
  [[nodiscard]] std::string text() const;
};

struct ParseOptions {
  std::string menu;                   // where the text begins; "" is the root
  std::vector<std::string> declared;  // variables that can be set without being declared
};

struct Parsed {
  std::shared_ptr<const Block> block;
  std::string menu;  // where the text ends: a path alone in a line goes there
};

[[nodiscard]] tl::expected<Parsed, SyntaxError> parse(const Words& words, std::string_view text,
                                                      const ParseOptions& options = {});

class Parser;
/// A long text command by command, so that its tree need not stand in memory at once.
class Reader {
 public:
  /// The text and the words must outlive it.
  Reader(const Words& words, std::string_view text, const ParseOptions& options = {});
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  /// The next command; null at the end.
  [[nodiscard]] tl::expected<std::unique_ptr<const Command>, SyntaxError> next();
  /// The menu what follows is in.
  [[nodiscard]] const std::string& menu() const;

 private:
  std::unique_ptr<Parser> parser_;
};

/// The first mistake of writing in a script; nullopt: it has none.
[[nodiscard]] std::optional<SyntaxError> mistake_in(const Words& words, std::string_view text);

/// What can stand at the end of a text.
struct Completion {
  /// kProperty: of rows, to be compared; an operator follows it at once.
  enum class Kind : uint8_t { kMenu, kCommand, kParameter, kValue, kVariable, kProperty };
  struct Candidate {
    std::string text;
    std::string help;
    Kind kind = Kind::kMenu;
  };
  size_t begin = 0;                           // where the word begins that they would replace
  std::vector<Candidate> candidates;          // in order, those that begin as the word does
  std::string menu;                           // the menu the end of the text is about
  std::string command;                        // and the command; "" before one
  const model::Property* property = nullptr;  // whose value stands at the end, if one does
  std::string parameter;                      // its name
  bool compares = false;                      // what a row has there is asked for
};
[[nodiscard]] Completion complete(const Words& words, std::string_view text,
                                  const ParseOptions& options = {});

}  // namespace maclane::script
