#include "control/service/heard_answers.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace maclane {
namespace {

/// The first word, taken off `rest` with the blank after it.
std::string_view next_word(std::string_view& rest) {
  const size_t blank = std::min(rest.find(' '), rest.size());
  const std::string_view word = rest.substr(0, blank);
  rest.remove_prefix(std::min(blank + 1, rest.size()));
  return word;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Where an answer comes from: others, the cache, a line of the configuration, a file of names.
bool is_source(std::string_view word) {
  static constexpr std::array<std::string_view, 4> kSources = {"reply", "cached", "cached-stale",
                                                               "config"};
  return word.starts_with('/') || std::ranges::find(kSources, word) != kSources.end();
}

std::string small(std::string_view name) {
  std::string out(name);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

}  // namespace

std::string_view HeardAnswers::words_of(std::string_view line) {
  std::string_view rest = line;
  const std::string_view number = next_word(rest), who = next_word(rest);
  const size_t slash = who.rfind('/');
  if (!is_number(number) || slash == std::string_view::npos || !is_number(who.substr(slash + 1)))
    return line;
  return rest;
}

bool HeardAnswers::hear(std::string_view line, std::string_view words, HeardAnswer& out) {
  const std::string_view question = line.substr(0, line.size() - words.size());
  const std::string_view source = next_word(words);
  if (source.starts_with("query")) {
    if (const auto before = asked_for_.find(question); before != asked_for_.end())
      asked_for_.erase(before);
    return false;
  }
  const std::string_view name = next_word(words);
  if (!is_source(source) || next_word(words) != "is") return false;
  const auto alias = asked_for_.find(question);
  if (words == "<CNAME>") {
    if (alias != asked_for_.end()) return false;  // one of several in a row
    if (asked_for_.size() >= kMostAliases) asked_for_.clear();
    asked_for_.emplace(question, small(name));
    return false;
  }
  in_addr address{};
  if (inet_pton(AF_INET, std::string(words).c_str(), &address) != 1) return false;
  out = {alias == asked_for_.end() ? small(name) : alias->second, ntohl(address.s_addr)};
  return true;
}

}  // namespace maclane
