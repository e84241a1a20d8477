// Words in and out. See api_words.h.
#include "control/door/api_words.h"

namespace maclane::door {
namespace {

/// Bytes of the length whose first byte this is; 0 = reserved (D-15).
size_t length_size(uint8_t first) {
  if (first < 0x80) return 1;
  if (first < 0xC0) return 2;
  if (first < 0xE0) return 3;
  if (first < 0xF0) return 4;
  return first == 0xF0 ? 5 : 0;
}

uint32_t length_of(std::string_view bytes) {
  constexpr uint8_t kValueBits[] = {0x7F, 0x3F, 0x1F, 0x0F, 0x00};
  uint32_t length = static_cast<uint8_t>(bytes[0]) & kValueBits[bytes.size() - 1];
  for (const char c : bytes.substr(1)) length = length << 8 | static_cast<uint8_t>(c);
  return length;
}

}  // namespace

void append_length(std::string& out, uint32_t length) {
  const auto byte = [&](uint32_t value) { out.push_back(static_cast<char>(value & 0xFF)); };
  if (length < 0x80) {
    byte(length);
  } else if (length < 0x4000) {
    byte(length >> 8 | 0x80);
    byte(length);
  } else if (length < 0x200000) {
    byte(length >> 16 | 0xC0);
    byte(length >> 8);
    byte(length);
  } else {
    if (length < 0x10000000) {
      byte(length >> 24 | 0xE0);
    } else {
      byte(0xF0);
      byte(length >> 24);
    }
    byte(length >> 16);
    byte(length >> 8);
    byte(length);
  }
}

void append_word(std::string& out, std::string_view word) {
  append_length(out, static_cast<uint32_t>(word.size()));
  out.append(word);
}

void append_attribute(std::string& out, std::string_view name, std::string_view value) {
  append_length(out, static_cast<uint32_t>(name.size() + value.size() + 2));
  out.push_back('=');
  out.append(name);
  out.push_back('=');
  out.append(value);
}

SentenceReader::Next SentenceReader::broken(std::string problem) {
  problem_ = std::move(problem);
  std::string().swap(buffer_);
  at_ = 0;
  words_.clear();
  bytes_ = 0;
  return Next::kBroken;
}

SentenceReader::Next SentenceReader::next(Words& sentence) {
  if (!problem_.empty()) return Next::kBroken;
  waits_ = false;
  while (at_ < buffer_.size()) {
    const size_t prefix = length_size(static_cast<uint8_t>(buffer_[at_]));
    if (prefix == 0) return broken("a word begins with a reserved length byte");
    if (buffer_.size() - at_ < prefix) break;
    const uint32_t length = length_of(std::string_view(buffer_).substr(at_, prefix));
    if (length == 0) {
      at_ += prefix;
      if (words_.empty()) continue;
      sentence = std::move(words_);
      words_.clear();
      bytes_ = 0;
      return Next::kSentence;
    }
    if (length > limits_.word) return broken("a word is too long");
    if (bytes_ + length > limits_.sentence) return broken("a sentence is too long");
    if (words_.size() >= limits_.words) return broken("a sentence has too many words");
    if (buffer_.size() - at_ - prefix < length) break;
    words_.emplace_back(buffer_, at_ + prefix, length);
    bytes_ += length;
    at_ += prefix + length;
  }
  buffer_.erase(0, at_);
  at_ = 0;
  if (buffer_.empty()) std::string().swap(buffer_);
  waits_ = true;
  return Next::kMore;
}

const std::string* Sentence::find(std::string_view name) const {
  for (const auto& [key, value] : attributes) {
    if (key == name) return &value;
  }
  return nullptr;
}

Sentence parse_sentence(const Words& words) {
  Sentence out;
  if (words.empty()) return out;
  out.command = words.front();
  for (size_t i = 1; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word.front() == '=') {
      // Some clients leave the second '=' away where the value is empty (D-26).
      const size_t equals = word.find('=', 1);
      if (word.size() == 1 || equals == 1) {
        out.problem = "a word \"=name=value\" has no name";
        continue;
      }
      out.attributes.emplace_back(
          word.substr(1, equals == std::string_view::npos ? equals : equals - 1),
          equals == std::string_view::npos ? std::string_view{} : word.substr(equals + 1));
    } else if (word.front() == '?') {
      out.queries.emplace_back(word.substr(1));
    } else if (word.starts_with(".tag=")) {
      out.has_tag = true;
      out.tag = word.substr(5);
    } else {
      out.problem = "the word \"" + std::string(word.substr(0, 64)) +
                    "\" is neither =name=value, ?query nor .tag=value";
    }
  }
  return out;
}

}  // namespace maclane::door
