// In which order an export writes the rows of a menu that speak of one another: an interface list
// after those it includes. No state; any thread.
#pragma once

#include <cstddef>
#include <vector>

#include "control/model/tree.h"

namespace maclane::script {

/// The places of the rows in an order in which each finds what it needs; what needs itself in a
/// circle keeps its place.
[[nodiscard]] std::vector<size_t> order_of(const model::Menu& menu,
                                           const std::vector<model::RowPtr>& rows);

}  // namespace maclane::script
