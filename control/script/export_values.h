// What an export says of a row: the values that differ from where it begins, and for programs all
// of it as JSON. No state; control thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/script/export.h"

namespace maclane::script {

/// Properties with canonical values, in the menu's order; "" where a value was taken away. What the
/// row began as: `initial`, or the defaults where that is nullptr.
using Said = std::vector<std::pair<const model::Property*, std::string>>;
[[nodiscard]] Said said_of(const model::View& row, const model::InitialRow* initial,
                           const ExportOptions& options);

/// The menus at and below a path as a list of {menu, action, id, properties}, which says what makes
/// the tree of a fresh one: rows that are added, those of the beginning (and ports, which are
/// there) that are set or removed. A value that was taken away is null.
[[nodiscard]] std::string export_json(const model::Tree& tree, std::string_view path,
                                      const ExportOptions& options);

}  // namespace maclane::script
