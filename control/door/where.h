// The expression after `where`: which rows a print shows.
//
//   mode=private disabled=no            several terms in a row: all must hold
//   running && (mtu>1400 or !disabled)  a bare property: it is set, or is true
//   name~"^macvlan"  address in 10.0.0.0/8  timeout<1m
//
// Operators = != < > <= >= ~ in; and && or || not !; parentheses; "quoted" values. Bounded in
// length and depth, so hostile text costs little. Parsed once, matched per row; holds no reference
// to the text. Control thread, or any thread that owns the object.
#pragma once

#include <memory>
#include <regex>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "control/model/model.h"
#include "control/model/value.h"

namespace maclane::door {

struct WhereError {
  std::string message;  // a sentence
  size_t position = 0;  // of the word it is about, 0-based, in the text given
};

class Where {
 public:
  static constexpr size_t kMaxText = 4096;
  static constexpr size_t kMaxRegex = 256;
  static constexpr int kMaxDepth = 64;

  /// An empty text is true for every row.
  [[nodiscard]] static tl::expected<Where, WhereError> parse(const model::Menu& menu,
                                                             std::string_view text);
  [[nodiscard]] bool matches(const model::PrintRow& row) const;

 private:
  friend class WhereParser;
  enum class Kind : uint8_t { kAnd, kOr, kNot, kIsSet, kEqual, kLess, kGreater, kRegex, kIn };
  struct Node {
    Kind kind = Kind::kAnd;
    std::vector<size_t> parts;  // indices into nodes_: and, or, not
    std::string name;
    const model::Property* property = nullptr;  // null: a field that is not in the schema
    std::string value;                          // as written
    std::string canonical;                      // as the schema writes it; = value if it cannot
    std::shared_ptr<const std::regex> regex;
    model::Ip4Range range;
  };
  [[nodiscard]] bool holds(const Node& node, const model::PrintRow& row) const;

  std::vector<Node> nodes_;
  size_t root_ = 0;
};

}  // namespace maclane::door
