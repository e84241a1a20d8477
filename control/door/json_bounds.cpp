// A first pass over the text checks depth and width and keeps nothing; the second builds the value.
//
// The order-keeping JSON object looks its keys up one by one, so an object with a hundred thousand
// keys would cost minutes: width is bounded before any object is made.
#include "control/door/json_bounds.h"

#include <vector>

namespace maclane::door {
namespace {

class Bounds {
 public:
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
  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception&) {
    problem = "The request is not JSON: letter " + std::to_string(position) +
              " does not fit; a request is one JSON object on one line.";
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
  std::vector<size_t> keys_;
};

}  // namespace

tl::expected<Json, std::string> parse_bounded(std::string_view text) {
  Bounds bounds;
  if (!Json::sax_parse(text.begin(), text.end(), &bounds) || !bounds.problem.empty()) {
    return tl::make_unexpected(bounds.problem.empty() ? "The request is not JSON."
                                                      : bounds.problem);
  }
  Json value = Json::parse(text.begin(), text.end(), nullptr, false);
  if (value.is_discarded()) return tl::make_unexpected("The request is not JSON.");
  return value;
}

}  // namespace maclane::door
