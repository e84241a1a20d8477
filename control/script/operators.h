// What operators do to values. See operators.cpp for the rules of conversion.
#pragma once

#include <string>
#include <tl/expected.hpp>

#include "control/script/syntax.h"

namespace maclane::script {

using Calculated = tl::expected<Value, std::string>;  // the error is a sentence

[[nodiscard]] Calculated calculate(Operator op, const Value& a, const Value& b);
[[nodiscard]] Calculated calculate(Operator op, const Value& a);

/// Equality as = has it: a number and a text that reads as it are equal, nothing equals "".
[[nodiscard]] bool equal(const Value& a, const Value& b);

/// Regular expressions as ~ takes them: POSIX extended, of at most kMaxPattern letters, over at
/// most kMaxSubject letters; linear in both.
inline constexpr size_t kMaxPattern = 1024;
inline constexpr size_t kMaxSubject = 4096;
[[nodiscard]] tl::expected<bool, std::string> matches(const std::string& subject,
                                                      const std::string& pattern);

/// The condition of :if and its like; numbers count, texts do not.
[[nodiscard]] tl::expected<bool, std::string> truth(const Value& value);

}  // namespace maclane::script
