// Fuzz: what clients send to the doors to the network, as far as it is a call.
//
// The first byte says which door, and in what pieces the rest arrives. Even: bytes that claim to be
// sentences of the RouterOS API (D-15 to D-21). Odd: a REST request (D-1 to D-13), a line with the
// method, one with the target, one with the Authorization header, and the body.
#include <algorithm>
#include <cstdlib>

#include "control/door/api_client.h"
#include "control/door/api_words.h"
#include "control/door/client_text.h"
#include "control/door/json_bounds.h"
#include "control/door/rest_call.h"

namespace {

using namespace maclane;        // NOLINT: a fuzz target is one file
using namespace maclane::door;  // NOLINT

constexpr SentenceReader::Limits kLimits{.word = 512, .sentence = 2048, .words = 64};

/// Every sentence of `bytes`, fed in pieces of `piece`.
std::vector<Words> read_all(std::string_view bytes, size_t piece) {
  SentenceReader reader(kLimits);
  std::vector<Words> out;
  while (!bytes.empty()) {
    reader.feed(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    Words words;
    auto next = SentenceReader::Next::kMore;
    while ((next = reader.next(words)) == SentenceReader::Next::kSentence) {
      if (words.empty() || words.size() > kLimits.words) std::abort();
      out.push_back(words);
    }
    if (next == SentenceReader::Next::kBroken) {
      if (reader.problem().empty()) std::abort();
      return out;
    }
    if (reader.held() > kLimits.sentence + kLimits.word + piece + 5) std::abort();
  }
  return out;
}

void ask(const Words& words) {
  const Sentence sentence = parse_sentence(words);
  const ApiCall asked = api_call(sentence);
  const std::optional<std::string> tag =
      sentence.has_tag ? std::optional(sentence.tag) : std::nullopt;
  std::string said;
  (void)is_edit(asked);
  if (asked.failure) {
    if (asked.failure->errors.empty()) std::abort();
    append_trap(said, tag, asked.failure->category, client_text(*asked.failure));
  } else {
    model::PrintRow row;
    row.id = "*1";
    row.fields = asked.call.arguments;
    if (!asked.call.filter || asked.call.filter(row)) append_row(said, row, tag);
    append_done(said, tag, {});
  }
  // What is answered can be read, and is one whole sentence after the other.
  SentenceReader back({.word = 1u << 20, .sentence = 1u << 22, .words = 4096});
  back.feed(said);
  Words heard;
  size_t count = 0;
  while (back.next(heard) == SentenceReader::Next::kSentence) ++count;
  if (count == 0 || back.held() != 0) std::abort();
}

std::string_view line_of(std::string_view& rest) {
  const size_t end = std::min(rest.find('\n'), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

void check(const RestAnswer& answer) {
  if (http_reason(answer.status).empty()) std::abort();
  const std::string body = rest_body(answer);
  if (!body.empty() && !Json::accept(body)) std::abort();  // D-27: valid JSON only
}

void api(std::string_view bytes, size_t piece) {
  const std::vector<Words> sentences = read_all(bytes, piece);
  if (sentences != read_all(bytes, bytes.size() + 1)) std::abort();  // pieces change nothing
  for (const Words& words : sentences) ask(words);
}

void rest_request(std::string_view rest) {
  const std::string_view method = line_of(rest);
  const std::string_view target = line_of(rest);
  (void)basic_auth(line_of(rest));
  const auto call = rest_call(method, target, std::string(rest));
  if (!call) {
    if (call.error().detail.empty() || call.error().status < 400) std::abort();
    check(rest_error(call.error().status, call.error().detail));
    return;
  }
  model::PrintRow row;
  row.fields = call->call.arguments;
  if (call->call.filter) (void)call->call.filter(row);
  RestAnswer answer;
  answer.rows = {row, row};
  check(answer);
  answer.object = true;
  check(answer);
  answer.result = call->call.arguments;
  check(answer);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 0) {
    api(bytes, 1 + data[0] / 2 % 32);
  } else {
    rest_request(bytes);
  }
  return 0;
}
