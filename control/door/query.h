// Queries of the RouterOS API and of REST's ".query": a stack machine over a row's properties
// (D-21).
//
// name, -name, name=value, =name=value, <name=value, >name=value push a boolean; "#..." works on
// the stack: an index pushes a copy of the value there, an index at the end leaves only that value,
// '!' inverts, '&' and '|' join two, '.' after anything but an index copies the top. The stack
// has any number of true values below its own; a row passes if no false is left. Values are brought
// into the menu's canonical form, so yes is true and 5m is 00:05:00. Compiled once, evaluated per
// row; no state, any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "control/model/model.h"

namespace maclane::door {

class Query {
 public:
  static constexpr size_t kMaxWords = 256;
  static constexpr size_t kMaxStack = 1024;

  /// Words without their '?'. The error is a sentence about the word.
  [[nodiscard]] static tl::expected<Query, std::string> compile(
      const model::Menu* menu, const std::vector<std::string>& words);

  [[nodiscard]] bool matches(const model::PrintRow& row) const;
  [[nodiscard]] bool empty() const { return steps_.empty(); }

 private:
  struct Step {
    enum class Kind : uint8_t {
      kHas,
      kLacks,
      kEqual,
      kLess,
      kGreater,
      kIndex,
      kKeep,
      kNot,
      kAnd,
      kOr,
      kCopy
    };
    Kind kind;
    std::string property;
    std::string value;
    size_t index = 0;
  };
  [[nodiscard]] static bool add_operations(std::string_view word, std::vector<Step>& steps);

  std::vector<Step> steps_;
};

/// Less than zero, zero or more: numbers, times and addresses by their value, the rest as text.
[[nodiscard]] int compare_values(std::string_view left, std::string_view right);

}  // namespace maclane::door
