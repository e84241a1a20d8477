// Errors of the control side: sentences with a place.
//
// Every call that can fail for a reason a user can mend returns Result<T>; an Error says what is
// wrong, where (file, line, column when the value came from a file; otherwise menu, row, property)
// and what would be right. Exceptions stay inside the module that called a throwing library.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace maclane {

/// Where a value was written. file empty = it came through a door that has no files.
struct Source {
  std::string file;
  uint32_t line = 0;    // 1-based; 0 = unknown
  uint32_t column = 0;  // 1-based; 0 = unknown
};

/// What kind of failure an error is, as RouterOS's API numbers them (behaviour.md D-18).
enum class Trouble : uint8_t {
  kMissing = 0,      // no such item, no such command
  kBadArgument = 1,  // a value that is not one of the argument's
  kInterrupted = 2,
  kScripting = 3,
  kGeneral = 4,
  kApi = 5,
  kTty = 6,
  kReturn = 7,  // a value made with :return
};

struct Error {
  std::string message;   // a sentence: what is wrong and what would be right
  std::string path;      // the menu, "/interface/macvlan"; empty if none
  std::string row;       // the row as a person would name it ("macvlan1", "rule 3"); may be empty
  std::string property;  // "mtu"; may be empty
  Source source;
  Trouble trouble = Trouble::kGeneral;

  /// One line for people: "soho.yaml:12:7: /interface/macvlan macvlan1 mtu: ...".
  [[nodiscard]] std::string text() const;
};

using Errors = std::vector<Error>;

template <typename T>
using Result = tl::expected<T, Errors>;  // all errors at once, never only the first
using Status = tl::expected<void, Errors>;

[[nodiscard]] inline tl::unexpected<Errors> fail(std::string message,
                                                 Trouble trouble = Trouble::kGeneral) {
  return tl::make_unexpected(Errors{Error{std::move(message), {}, {}, {}, {}, trouble}});
}

}  // namespace maclane
