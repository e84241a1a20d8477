// Rows as the language sees them: typed values of properties, and comparisons that know the schema.
#pragma once

#include <string>
#include <string_view>

#include "control/model/model.h"
#include "control/script/operators.h"

namespace maclane::script {

/// What a property's text is to a script: numbers, times, switches as such; lists as arrays of
/// texts; anything else a text.
[[nodiscard]] Value property_value(const model::Property* property, std::string_view text);

/// A field of a row, `.id` and `dynamic` too; "" if it has none.
[[nodiscard]] std::string_view row_field(const model::PrintRow& row, std::string_view name);

/// property OP value, for a row: the value may be spelled in any way the property takes. Empty
/// fields are neither less nor greater than anything; an unset switch is off.
[[nodiscard]] Calculated compare_field(const model::Property* property, std::string_view field,
                                       Operator op, const Value& value);

/// value in property, for a row: whether an address or prefix lies in one that the field has, or is
/// a part of its list.
[[nodiscard]] bool field_covers(std::string_view field, const Value& value);

}  // namespace maclane::script
