// Words and sentences of the RouterOS API: the bytes of D-15 and D-16, without sockets.
//
// A word is a length and its bytes; a word of length zero ends a sentence. SentenceReader takes
// bytes as they come and gives whole sentences; what is longer than its limits is refused as soon
// as the length is read, so a client can make it hold no more than one sentence of the allowed
// size. No state outside the object; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace maclane::door {

using Words = std::vector<std::string>;

/// The length prefix of a word in its shortest form.
void append_length(std::string& out, uint32_t length);
void append_word(std::string& out, std::string_view word);
/// "=name=value" without making that string first.
void append_attribute(std::string& out, std::string_view name, std::string_view value);
inline void end_sentence(std::string& out) {
  out.push_back('\0');
}

class SentenceReader {
 public:
  struct Limits {
    size_t word;      // bytes of one word
    size_t sentence;  // bytes of a sentence's words together
    size_t words;     // of one sentence
  };
  enum class Next : uint8_t { kSentence, kMore, kBroken };

  explicit SentenceReader(Limits limits) : limits_(limits) {}
  void set_limits(Limits limits) { limits_ = limits; }

  void feed(std::string_view bytes) { buffer_.append(bytes); }
  /// Takes one sentence out of what was fed; empty sentences are passed over.
  Next next(Words& sentence);
  /// After kBroken: what the client did.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  /// Bytes held of a sentence that is not whole, or of sentences not taken yet.
  [[nodiscard]] size_t held() const { return buffer_.size() - at_ + bytes_; }
  /// Whether bytes wait that next() has not looked at.
  [[nodiscard]] bool has_unread() const { return at_ < buffer_.size() && !waits_; }

 private:
  Next broken(std::string problem);

  Limits limits_;
  std::string buffer_;
  size_t at_ = 0;       // the first byte of buffer_ that no word took
  Words words_;         // of the sentence under way
  size_t bytes_ = 0;    // in words_
  bool waits_ = false;  // the rest of buffer_ is half a word
  std::string problem_;
};

/// A sentence of a client taken apart (D-16).
struct Sentence {
  std::string command;  // "/interface/print"
  std::vector<std::pair<std::string, std::string>> attributes;
  std::vector<std::string> queries;  // without the '?'
  bool has_tag = false;
  std::string tag;
  std::string problem;  // not empty: a word that is none of these

  [[nodiscard]] const std::string* find(std::string_view name) const;
};
[[nodiscard]] Sentence parse_sentence(const Words& words);

}  // namespace maclane::door
