// Values that the console takes as far as they are clear: action=acc is action=accept. A script's
// language does so as RouterOS's does; REST and the API take whole values alone. No state; any
// thread.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "control/model/schema.h"
#include "control/script/operators.h"

namespace maclane::script {

/// A value of an enumeration, or of a list of them, or yes and no, with what was left out at its
/// end. What no value begins with, and what no shortening is for, stays as it is. The error is a
/// sentence: more than one begins so.
[[nodiscard]] tl::expected<std::string, std::string> in_full(const model::Property& property,
                                                             std::string_view written);

/// What a row is asked for in `where`, property OP written: in full where the property has few
/// values. A value that no row can have (no address, no time) is a slip of the pen, not a question:
/// the error is a sentence. Free text, names of rows, patterns, and what rows may show beyond what
/// can be set, is taken as it is.
[[nodiscard]] tl::expected<std::string, std::string> asked_for(const model::Property& property,
                                                               Operator op,
                                                               std::string_view written);

}  // namespace maclane::script
