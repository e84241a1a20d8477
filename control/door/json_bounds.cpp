// A first pass over the text checks depth and width and keeps nothing; the second builds the value.
//
// The order-keeping JSON object looks its keys up one by one, so an object with a hundred thousand
// keys would cost minutes: width is bounded before any object is made.
#include "control/door/json_bounds.h"

#include <algorithm>
#include <charconv>
#include <vector>

namespace maclane::door {
namespace {

class Bounds {
 public:
  explicit Bounds(std::string_view text) : text_(text) {}
  std::string problem;

  bool null() { return true; }
  bool boolean(bool) { return true; }
  bool number_integer(Json::number_integer_t) { return true; }
  bool number_unsigned(Json::number_unsigned_t) { return true; }
  bool number_float(Json::number_float_t, const std::string&) { return true; }
  bool string(std::string&) { return true; }
  bool binary(Json::binary_t&) { return true; }
  bool key(std::string&) {
    if (++keys_.back() <= kMaxJsonKeys) return true;
    problem = "An object of the request has more than 512 keys.";
    return false;
  }
  bool start_object(size_t) { return open(); }
  bool start_array(size_t) { return open(); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  /// position counts bytes from 1; behind the last one is the end.
  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception& why) {
    const std::string_view words = why.what();
    constexpr std::string_view kExpected = "; expected ";
    const size_t expected = words.rfind(kExpected);
    problem = "The request is not JSON: ";
    if (position == 0 || position > text_.size()) {
      problem += "it ends too early, after character " + std::to_string(text_.size());
    } else {
      problem += "character " + std::to_string(position) + " does not fit";
    }
    if (expected != std::string_view::npos) {
      problem += "; expected here: " + std::string(words.substr(expected + kExpected.size()));
    }
    problem += '.';
    return false;
  }

 private:
  bool open() {
    keys_.push_back(0);
    if (keys_.size() <= kMaxJsonDepth) return true;
    problem = "The request nests deeper than 16.";
    return false;
  }
  bool close() {
    keys_.pop_back();
    return true;
  }
  std::string_view text_;
  std::vector<size_t> keys_;
};

/// The decimal of a token that is one octal or hexadecimal number; "" if it is anything else.
std::string decimal_of(std::string_view token) {
  const bool negative = token.starts_with('-');
  if (negative) token.remove_prefix(1);
  if (token.size() < 2 || token[0] != '0') return "";
  const bool hex = token[1] == 'x' || token[1] == 'X';
  token.remove_prefix(hex ? 2 : 1);
  uint64_t number = 0;
  const auto [end, error] =
      std::from_chars(token.data(), token.data() + token.size(), number, hex ? 16 : 8);
  if (error != std::errc() || end != token.data() + token.size()) return "";
  return (negative ? "-" : "") + std::to_string(number);
}

/// Where the string that begins at a quote ends: behind its last quote, or the end of the text.
size_t behind_string(std::string_view text, size_t quote) {
  for (size_t i = quote + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return text.size();
}

}  // namespace

std::string with_decimal_numbers(std::string text) {
  for (size_t i = 0; i < text.size();) {
    if (text[i] == '"') {
      i = behind_string(text, i);
      continue;
    }
    const size_t end = std::min(text.find_first_of(" \t\r\n,:[]{}\"", i), text.size());
    if (end == i) {
      ++i;
      continue;
    }
    std::string decimal = decimal_of(std::string_view(text).substr(i, end - i));
    if (decimal.empty()) {
      i = end;
      continue;
    }
    decimal.resize(std::max(decimal.size(), end - i), ' ');
    text.replace(i, end - i, decimal);
    i += decimal.size();
  }
  return text;
}

tl::expected<Json, std::string> parse_bounded(std::string_view text) {
  Bounds bounds(text);
  if (!Json::sax_parse(text.begin(), text.end(), &bounds) || !bounds.problem.empty()) {
    return tl::make_unexpected(bounds.problem.empty() ? "The request is not JSON."
                                                      : bounds.problem);
  }
  Json value = Json::parse(text.begin(), text.end(), nullptr, false);
  if (value.is_discarded()) return tl::make_unexpected("The request is not JSON.");
  return value;
}

}  // namespace maclane::door
