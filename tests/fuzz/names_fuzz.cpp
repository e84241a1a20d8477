// Fuzz: the lines dnsmasq writes of its cache and of each answer, whose names are what anybody's
// server answered.
#include "control/service/name_server.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace maclane;  // NOLINT: a fuzz target is one file
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CachedName one;
  if (read_cache_line(text, 1'795'657'260, one) && (one.name.empty() || one.type.empty()))
    __builtin_trap();
  // Whole names are of those that were learned.
  LongNames names;
  HeardAnswers answers;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view name = text.substr(at, end - at);
    names.learn(name);
    if (!names.whole(name).starts_with(name)) __builtin_trap();
    HeardAnswer answer;
    const std::string_view words = HeardAnswers::words_of(name);
    if (!name.ends_with(words)) __builtin_trap();
    if (answers.hear(name, words, answer) && answer.name.find(' ') != std::string::npos)
      __builtin_trap();
    at = end + 1;
  }
  return 0;
}
